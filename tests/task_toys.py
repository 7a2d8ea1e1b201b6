"""Small tasks: motifs planted for three TFs, one held-out pair of each to score."""

from __future__ import annotations

import dataclasses

import numpy as np

from tfimpute_tracks.comparison.predictors.task import Task
from tfimpute_tracks.dataset import PairLists, pair_columns, split_by_chromosome


def shuffle_sites(dataset, seed=0):
    """Permute the labels over sites, so that sequences are not informative."""
    order = np.random.default_rng(seed).permutation(dataset.n_sites)

    def shuffled(lists):
        places, pairs = lists.entries(order)
        counts = np.bincount(places, minlength=len(order))
        indptr = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
        return PairLists(indptr, pairs)

    return dataclasses.replace(
        dataset, positive=shuffled(dataset.positive), ignored=shuffled(dataset.ignored)
    )


def make_task(dataset, scored=(2, 7, 9), **changes):
    rows = split_by_chromosome(dataset)
    settings = {
        "dataset": dataset,
        "train_rows": rows.train,
        "test_rows": rows.test,
        "trained": pair_columns(dataset, "base"),
        "scored": np.array(scored, dtype=np.int64),
        "n_sequences": 200,
    }
    return Task(**settings | changes)
