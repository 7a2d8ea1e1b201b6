"""Signals of one pair of a store."""

from tfimpute_tracks.kernels.products import sigmoid


def log_odds(store, pair, regions=None):
    index = store.index(pair)
    for rows in store.rows([index], regions):
        values = rows.log_odds(0, store.plan.scale.of(index, 1))
        yield from store.plan.signals_of(rows.ranges, values).signals()


def probabilities(store, pair, regions=None):
    for signal in log_odds(store, pair, regions):
        yield signal._replace(values=sigmoid(signal.values))
