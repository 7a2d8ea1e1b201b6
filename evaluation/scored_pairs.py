"""Pairs to judge: their labels at some sites, and what three predictors say there.

The model stands beside two predictors that know less: the mean of its own predictions
for the TF over the cell lines it was trained in, which knows no cell line, and the
labels of the TF's other cell lines, which know no letter.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from tfimpute_tracks.dataset import Dataset
from tfimpute_tracks.evaluation.baselines import average_activity
from tfimpute_tracks.evaluation.bootstrap import site_blocks
from tfimpute_tracks.vocabulary import Pair, Vocabulary

__all__ = ["PREDICTORS", "Score", "ScoredPairs", "score_pairs"]

PREDICTORS = ("model", "tf_mean", "activity")
"""The model, and the two that humble it."""

Floats = NDArray[np.float32]
Ints = NDArray[np.int64]
Score = Callable[[list[tuple[int, int]]], Floats]
"""Gives the log-odds of (TF row, cell-line row) pairs at some sites."""


@dataclass(frozen=True)
class ScoredPairs:
    """Labels and scores of pairs at the same sites.

    Parameters
    ----------
    pairs : tuple of Pair
    roles : tuple of str
        Of each pair.
    indices : tuple of (TF row, cell-line row)
        Of each pair in the model's vocabulary.
    labels : int8 array, shape (n_sites, n_pairs)
        1 positive, 0 negative, -1 ignored.
    blocks : int64 array, shape (n_sites,)
        From :func:`~tfimpute_tracks.evaluation.bootstrap.site_blocks`.
    scores : mapping of str to float32 array, shape (n_sites, n_pairs)
        By :data:`PREDICTORS`; NaN for a pair that a predictor says nothing of.
    """

    pairs: tuple[Pair, ...]
    roles: tuple[str, ...]
    indices: tuple[tuple[int, int], ...]
    labels: NDArray[np.int8]
    blocks: Ints
    scores: Mapping[str, Floats]


def score_pairs(
    score: Score,
    vocabulary: Vocabulary,
    dataset: Dataset,
    rows: Ints,
    columns: Ints,
    trained: Ints,
) -> ScoredPairs:
    """Have pairs scored, by the model and what it stands beside.

    Parameters
    ----------
    score : callable
        Gives the log-odds of (TF row, cell-line row) pairs at `rows`, float32 of shape
        (n_sites, n_pairs).
    vocabulary : Vocabulary
        The model's.
    dataset : Dataset
    rows : int64 array, shape (n_sites,)
        Sites.
    columns : int64 array, shape (n_pairs,)
        Pairs of the data set to judge.
    trained : int64 array
        Pairs of the data set that the model was trained on.

    Returns
    -------
    JudgedPairs

    Raises
    ------
    UnknownNameError
        The model does not know a TF or cell line.
    """
    judged = [dataset.pairs[i] for i in columns.tolist()]
    tfs = {pair.tf for pair in judged}
    of_mean = [i for i in trained.tolist() if dataset.pairs[i].tf in tfs]
    used = np.union1d(columns, np.array(of_mean, dtype=np.int64))
    logits = score(vocabulary.pair_indices(dataset.pairs[i] for i in used))
    place = {int(column): i for i, column in enumerate(used)}
    means = np.full((len(rows), len(columns)), np.nan, dtype=np.float32)
    for tf in tfs:
        of_tf = [place[i] for i in of_mean if dataset.pairs[i].tf == tf]
        if of_tf:
            own = [i for i, pair in enumerate(judged) if pair.tf == tf]
            means[:, own] = expit(logits[:, of_tf]).mean(axis=1)[:, None]
    return ScoredPairs(
        pairs=tuple(judged),
        roles=tuple(dataset.roles[i] for i in columns),
        indices=tuple(vocabulary.pair_indices(judged)),
        labels=dataset.labels(rows, columns),
        blocks=site_blocks(dataset.chrom_id[rows], dataset.start[rows]),
        scores={
            "model": logits[:, [place[i] for i in columns.tolist()]],
            "tf_mean": means,
            "activity": average_activity(dataset, rows, columns, trained),
        },
    )
