"""How well a pair will be told apart, said before anybody makes its track.

Binding sites of some TFs are easy to tell by their letters, of others hardly; and a
pair is predicted better where its TF and its cell line are well known. What is known of
a pair beforehand is put into a few numbers, and a ridge regression learns from pairs
that were kept from a model which AUROC to expect of them. With an interval: how
far such expectations were off for TFs that the regression had not seen.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.stats import spearmanr

__all__ = [
    "COVERAGE",
    "FEATURES",
    "Expectation",
    "TrainedPairs",
    "check_expectation",
    "fit_expectation",
    "pair_features",
    "seed_disagreement",
]

Doubles = NDArray[np.float64]
Ints = NDArray[np.int64]

FEATURES = (
    "tf_auroc",
    "cell_auroc",
    "tf_data_sets",
    "cell_data_sets",
    "tf_similarity",
    "cell_similarity",
    "disagreement",
)
"""What an expectation rests on, in the order of the columns of features."""

COVERAGE = 0.9
"""Share of pairs that intervals are made to hold."""

_PENALTY = 3.0  # in pairs: how many it takes to outweigh the mean of all


class TrainedPairs(NamedTuple):
    """Pairs that a model learned from, and what it made of them.

    Parameters
    ----------
    tf, cell : int64 array, shape (n,)
        Rows of the vocabulary.
    auroc : float64 array, shape (n,)
        On chromosomes that trained nothing; NaN where a pair has none.
    """

    tf: Ints
    cell: Ints
    auroc: Doubles


@dataclass(frozen=True)
class Expectation:
    """A fitted regression.

    Attributes
    ----------
    weights : float64 array, shape (n_features,)
        Of standardized features.
    center, spread : float64 array, shape (n_features,)
        What they are standardized with.
    mean : float
        AUROC of a pair with features at the center.
    margin : float
        Half of the interval's width.
    n_pairs : int
        That it rests on.
    """

    weights: Doubles
    center: Doubles
    spread: Doubles
    mean: float
    margin: float
    n_pairs: int

    def expect(self, features: Doubles) -> tuple[Doubles, Doubles, Doubles]:
        """Give the AUROC to expect of pairs, and an interval.

        Parameters
        ----------
        features : float64 array, shape (n_pairs, n_features)

        Returns
        -------
        expected, low, high : float64 arrays, shape (n_pairs,)
            Within 0 and 1; intervals hold :data:`COVERAGE` of pairs.
        """
        found = (features - self.center) / self.spread @ self.weights + self.mean
        low, high = found - self.margin, found + self.margin
        return np.clip(found, 0, 1), np.clip(low, 0, 1), np.clip(high, 0, 1)


def pair_features(
    trained: TrainedPairs,
    tf_embedding: Doubles,
    cell_embedding: Doubles,
    disagreement: Doubles,
) -> Doubles:
    """Give what is known of every pair before its track is made.

    Parameters
    ----------
    trained : TrainedPairs
    tf_embedding : float array, shape (n_tfs, size)
    cell_embedding : float array, shape (n_cells, size)
    disagreement : float64 array, shape (n_tfs, n_cells)
        From :func:`seed_disagreement`.

    Returns
    -------
    float64 array, shape (n_tfs, n_cells, n_features)
        In the order of :data:`FEATURES`. A pair's own data set counts for nothing:
        `tf_auroc` is the mean over other trained cell lines of the TF (of all pairs
        where it has no other), `cell_auroc` the mean over other TFs of the cell line of
        how far they lie above their TF's mean, `tf_data_sets` and `cell_data_sets` are
        log(1 + number), similarities the largest cosine to another TF trained in this
        cell line, or cell line in which this TF was trained (-1 without one).
    """
    n_tfs, n_cells = disagreement.shape
    auroc = np.full((n_tfs, n_cells), np.nan)
    auroc[trained.tf, trained.cell] = trained.auroc
    is_trained = np.zeros((n_tfs, n_cells), dtype=bool)
    is_trained[trained.tf, trained.cell] = True
    overall = float(np.nanmean(auroc))
    tf_mean = _others_mean(auroc, 1, overall)
    above = auroc - tf_mean
    columns = [
        tf_mean,
        _others_mean(above, 0, 0.0),
        np.log1p(is_trained.sum(axis=1, keepdims=True) - is_trained),
        np.log1p(is_trained.sum(axis=0, keepdims=True) - is_trained),
        _nearest(tf_embedding, is_trained.T).T,
        _nearest(cell_embedding, is_trained),
        disagreement,
    ]
    return np.stack(columns, axis=2)


def seed_disagreement(scores: list[NDArray[np.float32]]) -> Doubles:
    """Say how differently models of other seeds rank the same sites, pair by pair.

    Parameters
    ----------
    scores : list of float32 array, shape (n_sites, n_pairs)
        Of two models or more.

    Returns
    -------
    float64 array, shape (n_pairs,)
        1 minus Spearman's correlation, mean over all twos of models.
    """
    ranks = []
    for values in scores:
        order = values.argsort(axis=0, kind="stable").argsort(axis=0)
        centered = order - order.mean(axis=0)
        ranks.append(centered / np.sqrt((centered**2).sum(axis=0)))
    twos = [
        (ranks[i] * ranks[j]).sum(axis=0)
        for i in range(len(ranks))
        for j in range(i + 1, len(ranks))
    ]
    disagreement: Doubles = 1 - np.mean(twos, axis=0)
    return disagreement


def fit_expectation(features: Doubles, aurocs: Doubles, tfs: Ints) -> Expectation:
    """Learn which AUROC to expect from pairs that were kept from a model.

    Parameters
    ----------
    features : float64 array, shape (n_pairs, n_features)
    aurocs : float64 array, shape (n_pairs,)
        What came of the pairs; NaN leaves a pair out.
    tfs : int64 array, shape (n_pairs,)
        TF of each pair. Errors are found with all pairs of a TF left out at a time.

    Returns
    -------
    Expectation

    Raises
    ------
    ValueError
        Fewer than ten pairs, or of fewer than three TFs.
    """
    known = ~np.isnan(aurocs)
    features, aurocs, tfs = features[known], aurocs[known], tfs[known]
    if len(aurocs) < 10 or len(np.unique(tfs)) < 3:
        raise ValueError(
            f"{len(aurocs)} pairs of {len(np.unique(tfs))} TFs are too few to learn "
            "from; ten of three TFs is the least"
        )
    errors = np.empty(len(aurocs))
    for tf in np.unique(tfs):
        out = tfs == tf
        weights, center, spread, mean = _ridge(features[~out], aurocs[~out])
        errors[out] = aurocs[out] - (features[out] - center) / spread @ weights - mean
    margin = float(np.quantile(np.abs(errors), COVERAGE))
    return Expectation(*_ridge(features, aurocs), margin, len(aurocs))


def check_expectation(
    expected: Doubles, low: Doubles, high: Doubles, truth: Doubles
) -> dict[str, float]:
    """Hold what was expected of pairs against what came of them.

    Parameters
    ----------
    expected, low, high : float64 array, shape (n_pairs,)
        From :meth:`Expectation.expect`.
    truth : float64 array, shape (n_pairs,)

    Returns
    -------
    dict
        `pairs`, Spearman's correlation and its `p`, the share `inside` the intervals,
        `mean_error` and `mean_excess` of what was expected.
    """
    rank = spearmanr(expected, truth)
    return {
        "pairs": len(truth),
        "spearman": round(float(rank.statistic), 3),
        "p": float(f"{rank.pvalue:.2g}"),
        "inside": round(float(((low <= truth) & (truth <= high)).mean()), 3),
        "mean_error": round(float(np.abs(expected - truth).mean()), 4),
        "mean_excess": round(float((expected - truth).mean()), 4),
    }


def _ridge(
    features: Doubles, aurocs: Doubles
) -> tuple[Doubles, Doubles, Doubles, float]:
    center, spread = features.mean(axis=0), features.std(axis=0)
    spread = np.where(spread > 0, spread, 1.0)
    x = (features - center) / spread
    mean = float(aurocs.mean())
    penalty = _PENALTY * np.eye(x.shape[1])
    weights = np.linalg.solve(x.T @ x + penalty, x.T @ (aurocs - mean))
    return weights, center, spread, mean


def _others_mean(values: Doubles, axis: int, default: float) -> Doubles:
    """Give the mean along an axis without a place's own value."""
    known = ~np.isnan(values)
    filled = np.where(known, values, 0.0)
    n = known.sum(axis=axis, keepdims=True) - known
    total = filled.sum(axis=axis, keepdims=True) - filled
    return np.where(n > 0, total / np.maximum(n, 1), default)


def _nearest(embedding: Doubles, is_trained: NDArray[np.bool_]) -> Doubles:
    """Give the largest cosine to another name that is trained in the same row.

    Parameters
    ----------
    embedding : float array, shape (n_names, size)
    is_trained : bool array, shape (n_rows, n_names)

    Returns
    -------
    float64 array, shape (n_rows, n_names)
    """
    unit = embedding / np.maximum(
        np.linalg.norm(embedding, axis=1, keepdims=True), 1e-9
    )
    cosine = unit @ unit.T
    np.fill_diagonal(cosine, -1)
    result = np.full(is_trained.shape, -1.0)
    for row, names in enumerate(is_trained):
        if names.any():
            result[row] = cosine[:, names].max(axis=1)
    return result
