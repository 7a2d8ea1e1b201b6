"""Average activity against plain counting."""

from dataclasses import replace

import numpy as np

from tfimpute_tracks.dataset import PairLists, pair_columns
from tfimpute_tracks.evaluation.baselines import average_activity
from toys import make_dataset


def _naive(dataset, rows, column, trained):
    others = [
        i
        for i in trained
        if dataset.pairs[i].tf == dataset.pairs[column].tf and i != column
    ]
    found = []
    for row in rows:
        labels = [int(dataset.labels(np.array([row]))[0, i]) for i in others]
        known = [label for label in labels if label >= 0]
        found.append(sum(known) / len(known) if known else None)
    known = [share for share in found if share is not None]
    if not known:
        return np.full(len(rows), np.nan)
    return np.array([np.mean(known) if share is None else share for share in found])


def test_it_counts_the_other_trained_cell_lines():
    dataset = make_dataset()
    rows, columns = np.arange(0, 900, 9), np.arange(12)
    trained = pair_columns(dataset, "base")
    found = average_activity(dataset, rows, columns, trained)
    for column in columns:
        expected = _naive(dataset, rows, column, trained)
        np.testing.assert_allclose(found[:, column], expected, rtol=1e-6)


def test_ignored_labels_say_nothing():
    """Pair 11 ignores every seventh site; it is all that pair 8 may be told by."""
    dataset = make_dataset()
    rows = np.arange(900)
    found = average_activity(dataset, rows, np.array([8]), np.array([8, 11]))[:, 0]
    own = dataset.labels(rows)[:, 11]
    assert (own == -1).any()
    known = own >= 0
    np.testing.assert_array_equal(found[known], own[known])
    np.testing.assert_allclose(found[~known], own[known].mean(), rtol=1e-6)


def test_a_replicate_of_the_pair_is_not_another_cell_line():
    dataset = make_dataset()
    pairs = list(dataset.pairs)
    pairs[1] = pairs[0]  # once more, in the same cell line
    dataset = replace(dataset, pairs=tuple(pairs))
    rows = np.arange(900)
    found = average_activity(dataset, rows, np.array([0, 1]), np.array([0, 2, 3]))
    expected = (dataset.labels(rows)[:, [2, 3]] == 1).mean(axis=1)
    for column in found.T:
        np.testing.assert_allclose(column, expected, rtol=1e-6)


def test_a_pair_without_another_cell_line_has_none():
    dataset = make_dataset()
    found = average_activity(
        dataset, np.arange(50), np.array([0, 5]), np.array([0, 4, 6])
    )
    assert np.isnan(found[:, 0]).all()
    assert not np.isnan(found[:, 1]).any()


def test_sites_made_for_a_pair_do_not_reveal_its_labels():
    """Pair 0 has sites of its own, pair 1 of the same TF has none."""
    dataset = make_dataset()
    labels = dataset.labels(np.arange(900))
    own = (np.arange(900) % 3 == 0) & (labels[:, 0] == 1)
    default = np.where(own, -1, 0).astype(np.int8)
    named = PairLists.from_entries(np.flatnonzero(own), np.zeros(own.sum(), int), 900)
    others = dataset.positive.subset(np.arange(900))
    keep = ~own[others.entries(np.arange(900))[0]]
    rows, pairs = others.entries(np.arange(900))
    rest = PairLists.from_entries(rows[keep], pairs[keep], 900)
    both = [
        np.concatenate(x)
        for x in zip(
            *(lists.entries(np.arange(900)) for lists in (named, rest)), strict=True
        )
    ]
    made = replace(
        dataset, default_label=default, positive=PairLists.from_entries(*both, 900)
    )
    found = average_activity(made, np.arange(900), np.array([0, 1]), np.arange(4))
    assert np.isnan(found[:, 0]).all()
    assert not np.isnan(found[:, 1]).any()
    # On the sites that speak of all cell lines both have one.
    shared = np.flatnonzero(~own)
    found = average_activity(made, shared, np.array([0, 1]), np.arange(4))
    for column in (0, 1):
        expected = _naive(made, shared, column, np.arange(4))
        np.testing.assert_allclose(found[:, column], expected, rtol=1e-6)
