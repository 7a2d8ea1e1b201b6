"""Labels of pairs at some sites, with the scores of a model and of two baselines.

The baselines know less than the model. `tf_mean` is the mean of the model's own
probabilities over the cell lines that the TF was trained in: it knows the TF but not the
cell line. `average_activity` is the fraction of the TF's other trained cell lines in
which a site is bound: it reads labels and no sequence.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import expit

from tfimpute_tracks.dataset import Dataset
from tfimpute_tracks.errors import UsageError
from tfimpute_tracks.evaluation.baselines import average_activity
from tfimpute_tracks.evaluation.bootstrap import site_blocks
from tfimpute_tracks.evaluation.metrics import pair_metrics
from tfimpute_tracks.vocabulary import Pair, Vocabulary

__all__ = ["BASELINES", "Score", "ScoredPairs", "evaluate_model", "score_pairs"]

BASELINES = ("tf_mean", "average_activity")
"""What a model is compared with."""

Floats = NDArray[np.float32]
Ints = NDArray[np.int64]
Score = Callable[[list[tuple[int, int]]], Floats]
"""Computes the log-odds of (TF row, cell-line row) pairs at some sites."""


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
        1 bound, 0 unbound, -1 ignored.
    blocks : int64 array, shape (n_sites,)
        From :func:`~tfimpute_tracks.evaluation.bootstrap.site_blocks`.
    scores : mapping of str to float32 array, shape (n_sites, n_pairs)
        By `model` (log-odds) and :data:`BASELINES` (0 to 1); NaN for a pair that a
        baseline has no scores for.
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
    """Score pairs by the model and by the baselines.

    Parameters
    ----------
    score : callable
        Computes the log-odds of (TF row, cell-line row) pairs at `rows`, float32 of
        shape (n_sites, n_pairs).
    vocabulary : Vocabulary
        The model's.
    dataset : Dataset
    rows : int64 array, shape (n_sites,)
        Sites.
    columns : int64 array, shape (n_pairs,)
        Pairs of the data set to score.
    trained : int64 array
        Pairs of the data set that the model was trained on.

    Returns
    -------
    ScoredPairs

    Raises
    ------
    UnknownNameError
        The model does not know a TF or cell line.
    """
    pairs = [dataset.pairs[i] for i in columns.tolist()]
    tfs = {pair.tf for pair in pairs}
    averaged = [i for i in trained.tolist() if dataset.pairs[i].tf in tfs]
    used = np.union1d(columns, np.array(averaged, dtype=np.int64))
    logits = score(vocabulary.pair_indices(dataset.pairs[i] for i in used))
    position = {int(column): i for i, column in enumerate(used)}
    means = np.full((len(rows), len(columns)), np.nan, dtype=np.float32)
    for tf in tfs:
        of_tf = [position[i] for i in averaged if dataset.pairs[i].tf == tf]
        if of_tf:
            own = [i for i, pair in enumerate(pairs) if pair.tf == tf]
            means[:, own] = expit(logits[:, of_tf]).mean(axis=1)[:, None]
    return ScoredPairs(
        pairs=tuple(pairs),
        roles=tuple(dataset.roles[i] for i in columns),
        indices=tuple(vocabulary.pair_indices(pairs)),
        labels=dataset.labels(rows, columns),
        blocks=site_blocks(dataset.chrom_id[rows], dataset.start[rows]),
        scores={
            "model": logits[:, [position[i] for i in columns.tolist()]],
            "tf_mean": means,
            "average_activity": average_activity(dataset, rows, columns, trained),
        },
    )


def evaluate_model(
    score: Score,
    vocabulary: Vocabulary,
    dataset: Dataset,
    rows: Ints,
    columns: Ints,
    trained: Ints,
) -> pd.DataFrame:
    """Compute the metrics of a model at some sites and pairs, as model cards list them.

    Parameters
    ----------
    score, vocabulary, dataset, rows, columns, trained
        As for :func:`score_pairs`.

    Returns
    -------
    DataFrame
        From :func:`~tfimpute_tracks.evaluation.metrics.pair_metrics`, without recall,
        with the baseline `tf_mean`.

    Raises
    ------
    UnknownNameError
        The model does not know a TF or cell line of the data set.
    UsageError
        No pair is left.
    """
    if not len(columns):
        raise UsageError(
            "the data set has no pair of this role; use another --pair-set"
        )
    scored = score_pairs(score, vocabulary, dataset, rows, columns, trained)
    scores = {name: scored.scores[name] for name in ("model", "tf_mean")}
    return pair_metrics(scored.pairs, scored.roles, scores, scored.labels, levels=())
