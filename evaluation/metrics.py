"""One figure per pair from scores and labels, ignored sites left out.

A pair has no figure, NaN, where its labelled sites are of one class or it has no
scores; whoever takes a mean over pairs says which these are.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "RECALL_LEVELS",
    "pair_aurocs",
    "pair_average_precisions",
    "recall_at_fdr",
]

Floats = NDArray[np.float32]
Labels = NDArray[np.int8]
Doubles = NDArray[np.float64]

RECALL_LEVELS = (0.01, 0.05, 0.1, 0.5, 0.9, 0.95, 0.99)
"""False discovery rates at which recall is told."""


def pair_aurocs(scores: Floats, labels: Labels) -> Doubles:
    """Give the area under the ROC curve of each pair.

    It is the share of pairs of a positive and a negative site that are ranked right,
    ties counting half, and is counted as such: a sort of the negatives is enough, which
    takes a tenth of the time of drawing the curve.

    Parameters
    ----------
    scores : float array, shape (n_sites, n_pairs)
        Of a pair without scores all NaN.
    labels : int8 array, shape (n_sites, n_pairs)
        1 positive, 0 negative, -1 ignored.

    Returns
    -------
    float64 array, shape (n_pairs,)
        NaN where a pair has no positive or no negative site, or no scores.
    """
    return _per_pair(_auroc, scores, labels)


def pair_average_precisions(scores: Floats, labels: Labels) -> Doubles:
    """Give the average precision of each pair; its prior is what chance reaches.

    Parameters
    ----------
    scores : float array, shape (n_sites, n_pairs)
        Of a pair without scores all NaN.
    labels : int8 array, shape (n_sites, n_pairs)
        1 positive, 0 negative, -1 ignored.

    Returns
    -------
    float64 array, shape (n_pairs,)
        NaN where a pair has no positive or no negative site, or no scores.
    """
    from sklearn.metrics import average_precision_score

    return _per_pair(average_precision_score, scores, labels)


def recall_at_fdr(
    scores: Floats, labels: Labels, levels: Sequence[float] = RECALL_LEVELS
) -> Doubles:
    """Give the share of positives that can be had at false discovery rates.

    The threshold is the lowest that keeps the rate on these very sites, as the paper
    chooses it. So the figure compares predictors on the same sites; what a threshold
    promises elsewhere is the business of ``worth.py``.

    Parameters
    ----------
    scores : float array, shape (n_sites, n_pairs)
        Of a pair without scores all NaN.
    labels : int8 array, shape (n_sites, n_pairs)
        1 positive, 0 negative, -1 ignored.
    levels : sequence of float
        Largest shares of negatives among the sites at or above a threshold.

    Returns
    -------
    float64 array, shape (n_pairs, n_levels)
        0 where no threshold keeps the rate; NaN where a pair has no positive or no
        negative site, or no scores.
    """
    found = np.full((scores.shape[1], len(levels)), np.nan)
    for pair in range(len(found)):
        truth, values = _known(scores, labels, pair)
        if truth is None:
            continue
        order = np.argsort(-values, kind="stable")
        hits = np.cumsum(truth[order])
        rate = 1 - hits / np.arange(1, len(hits) + 1)
        # Equal scores are called together or not at all.
        ordered = values[order]
        whole = np.append(ordered[1:] < ordered[:-1], True)
        for i, level in enumerate(levels):
            met = np.flatnonzero(whole & (rate <= level))
            found[pair, i] = hits[met[-1]] / hits[-1] if len(met) else 0.0
    return found


def _per_pair(metric: Callable[..., float], scores: Floats, labels: Labels) -> Doubles:
    values = np.full(scores.shape[1], np.nan)
    for pair in range(scores.shape[1]):
        truth, known = _known(scores, labels, pair)
        if truth is not None:
            values[pair] = metric(truth, known)
    return values


def _known(
    scores: Floats, labels: Labels, pair: int
) -> tuple[NDArray[np.bool_] | None, Floats]:
    """Give truth and score of the labelled sites; no truth where there is no figure."""
    used = labels[:, pair] >= 0
    truth, values = labels[used, pair] == 1, scores[used, pair]
    if not truth.any() or truth.all() or np.isnan(values).any():
        return None, values
    return truth, values


def _auroc(truth: NDArray[np.bool_], scores: Floats) -> float:
    negative, positive = np.sort(scores[~truth]), scores[truth]
    below, up_to = (
        int(np.searchsorted(negative, positive, side=side).sum())
        for side in ("left", "right")
    )
    return (below + up_to) / 2 / (len(negative) * len(positive))
