"""One figure per pair from scores and labels, ignored sites left out."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

__all__ = ["pair_aurocs", "pair_average_precisions"]

Floats = NDArray[np.float32]
Labels = NDArray[np.int8]


def pair_aurocs(scores: Floats, labels: Labels) -> NDArray[np.float64]:
    """Give the area under the ROC curve of each pair.

    Parameters
    ----------
    scores : float32 array, shape (n_sites, n_pairs)
    labels : int8 array, shape (n_sites, n_pairs)
        1 positive, 0 negative, -1 ignored.

    Returns
    -------
    float64 array, shape (n_pairs,)
        NaN where a pair has no positive or no negative site.
    """
    from sklearn.metrics import roc_auc_score

    return _per_pair(roc_auc_score, scores, labels)


def pair_average_precisions(scores: Floats, labels: Labels) -> NDArray[np.float64]:
    """Give the average precision of each pair; its prior is what chance reaches.

    Parameters
    ----------
    scores : float32 array, shape (n_sites, n_pairs)
    labels : int8 array, shape (n_sites, n_pairs)
        1 positive, 0 negative, -1 ignored.

    Returns
    -------
    float64 array, shape (n_pairs,)
        NaN where a pair has no positive or no negative site.
    """
    from sklearn.metrics import average_precision_score

    return _per_pair(average_precision_score, scores, labels)


def _per_pair(
    metric: Callable[..., float], scores: Floats, labels: Labels
) -> NDArray[np.float64]:
    values = np.full(scores.shape[1], np.nan)
    for pair in range(scores.shape[1]):
        used = labels[:, pair] >= 0
        truth = labels[used, pair] == 1
        if truth.any() and not truth.all():
            values[pair] = metric(truth, scores[used, pair])
    return values
