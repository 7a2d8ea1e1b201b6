"""The AUROC or average precision to expect of a pair, before its track is made.

Binding sites of some TFs are easy to predict from sequence, those of others hardly, and
a pair is predicted better where its TF and cell line have many data sets. A ridge
regression on a few features of a pair is fitted to what held-out pairs reached. Its
interval comes from its errors on TFs that were left out of the fit.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.stats import spearmanr

from tfimpute_tracks.models.expectation import from_scale, to_scale

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
    "tf_metric",
    "cell_metric",
    "tf_data_sets",
    "cell_data_sets",
    "tf_similarity",
    "cell_similarity",
    "disagreement",
)
"""Features of the regression, in the order of the columns of feature arrays."""

COVERAGE = 0.9
"""Fraction of pairs whose AUROC lies inside the interval."""

_PENALTY = 3.0  # of the ridge regression, for standardized features


class TrainedPairs(NamedTuple):
    """Pairs that a model was trained on, and their AUROC.

    Parameters
    ----------
    tf, cell : int64 array, shape (n,)
        Rows of the vocabulary.
    metric : float64 array, shape (n,)
        AUROC or another metric on chromosomes without training sites; NaN where a pair
        has none.
    """

    tf: Ints
    cell: Ints
    metric: Doubles


@dataclass(frozen=True)
class Expectation:
    """A fitted regression.

    Attributes
    ----------
    weights : float64 array, shape (n_features,)
        Of standardized features.
    center, spread : float64 array, shape (n_features,)
        Mean and standard deviation that features are standardized with.
    mean : float
        Of a pair with average features, on the scale.
    margin : float
        Half of the interval's width, on the scale.
    n_pairs : int
        Pairs it was fitted to.
    scale : str
        See :mod:`tfimpute_tracks.models.expectation`.
    """

    weights: Doubles
    center: Doubles
    spread: Doubles
    mean: float
    margin: float
    n_pairs: int
    scale: str = "linear"

    def expect(self, features: Doubles) -> tuple[Doubles, Doubles, Doubles]:
        """Predict the metric of pairs, with an interval.

        Parameters
        ----------
        features : float64 array, shape (n_pairs, n_features)

        Returns
        -------
        expected, low, high : float64 arrays, shape (n_pairs,)
            Within 0 and 1; a fraction :data:`COVERAGE` of pairs lies inside.
        """
        found = (features - self.center) / self.spread @ self.weights + self.mean
        low, middle, high = (
            np.clip(from_scale(found + shift, self.scale), 0, 1)
            for shift in (-self.margin, 0, self.margin)
        )
        return middle, low, high


def pair_features(
    trained: TrainedPairs,
    tf_embedding: Doubles,
    cell_embedding: Doubles,
    disagreement: Doubles,
) -> Doubles:
    """Compute the features of every pair.

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
        In the order of :data:`FEATURES`. A pair's own data set is left out: `tf_metric`
        is the mean over other trained cell lines of the TF (of all pairs where it has no
        other), `cell_metric` the mean over other TFs of the cell line of the difference
        to their TF's mean, `tf_data_sets` and `cell_data_sets` are log(1 + number),
        similarities the largest cosine to another TF trained in this cell line, or to
        another cell line in which this TF was trained (-1 without one).
    """
    n_tfs, n_cells = disagreement.shape
    metric = np.full((n_tfs, n_cells), np.nan)
    metric[trained.tf, trained.cell] = trained.metric
    is_trained = np.zeros((n_tfs, n_cells), dtype=bool)
    is_trained[trained.tf, trained.cell] = True
    overall = 0.0 if np.isnan(metric).all() else float(np.nanmean(metric))
    tf_mean = _others_mean(metric, 1, overall)
    above = metric - tf_mean
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
    """Measure how differently models of other seeds rank the same sites, per pair.

    Parameters
    ----------
    scores : list of float32 array, shape (n_sites, n_pairs)
        Of two or more models.

    Returns
    -------
    float64 array, shape (n_pairs,)
        1 minus Spearman's correlation, mean over all pairs of models.
    """
    ranks = []
    for values in scores:
        order = values.argsort(axis=0, kind="stable").argsort(axis=0)
        centered = order - order.mean(axis=0)
        ranks.append(centered / np.sqrt((centered**2).sum(axis=0)))
    correlations = [
        (ranks[i] * ranks[j]).sum(axis=0)
        for i in range(len(ranks))
        for j in range(i + 1, len(ranks))
    ]
    disagreement: Doubles = 1 - np.mean(correlations, axis=0)
    return disagreement


def fit_expectation(
    features: Doubles,
    metric: Doubles,
    tfs: Ints,
    scale: str = "linear",
    weights: Doubles | None = None,
) -> Expectation:
    """Fit the expected metric to held-out pairs.

    Parameters
    ----------
    features : float64 array, shape (n_pairs, n_features)
    metric : float64 array, shape (n_pairs,)
        Of the pairs; those with NaN are not used.
    tfs : int64 array, shape (n_pairs,)
        TF of each pair. Errors are found with all pairs of one TF left out at a time.
    scale : str
        On which the regression is linear.
    weights : float64 array, shape (n_pairs,), optional
        Of the pairs; by default 1.

    Returns
    -------
    Expectation

    Raises
    ------
    ValueError
        Fewer than ten pairs, or of fewer than three TFs.
    """
    known = ~np.isnan(metric)
    features, metric, tfs = features[known], metric[known], tfs[known]
    weights = np.ones(len(metric)) if weights is None else weights[known]
    if len(metric) < 10 or len(np.unique(tfs)) < 3:
        raise ValueError(
            f"cannot fit the expected AUROC to {len(metric)} pairs of "
            f"{len(np.unique(tfs))} TFs; use at least ten pairs of three TFs"
        )
    values = to_scale(metric, scale)
    errors = np.empty(len(values))
    for tf in np.unique(tfs):
        out = tfs == tf
        ridge, center, spread, mean = _ridge(
            features[~out], values[~out], weights[~out]
        )
        errors[out] = values[out] - (features[out] - center) / spread @ ridge - mean
    margin = _quantile(np.abs(errors), weights, COVERAGE)
    fitted = _ridge(features, values, weights)
    return Expectation(*fitted, margin, round(weights.sum()), scale)


def check_expectation(
    expected: Doubles, low: Doubles, high: Doubles, truth: Doubles
) -> dict[str, float | None]:
    """Compare expected AUROCs with the AUROCs that were found.

    Parameters
    ----------
    expected, low, high : float64 array, shape (n_pairs,)
        From :meth:`Expectation.expect`.
    truth : float64 array, shape (n_pairs,)

    Returns
    -------
    dict
        `pairs`, Spearman's correlation and its `p` (None for fewer than three pairs, or
        where all have one value), the fraction `inside` the intervals, `mean_error` and
        `mean_excess` of the expected AUROC.
    """
    statistic = p = None
    if len(truth) > 2 and np.ptp(expected) > 0 and np.ptp(truth) > 0:
        rank = spearmanr(expected, truth)
        statistic, p = round(float(rank.statistic), 3), float(f"{rank.pvalue:.2g}")
    return {
        "pairs": len(truth),
        "spearman": statistic,
        "p": p,
        "inside": round(float(((low <= truth) & (truth <= high)).mean()), 3),
        "mean_error": round(float(np.abs(expected - truth).mean()), 4),
        "mean_excess": round(float((expected - truth).mean()), 4),
    }


def _ridge(
    features: Doubles, values: Doubles, weights: Doubles
) -> tuple[Doubles, Doubles, Doubles, float]:
    share = weights / weights.sum()
    center: Doubles = share @ features
    variance: Doubles = share @ (features - center) ** 2
    spread = np.sqrt(variance)
    spread[variance == 0] = 1
    x = (features - center) / spread
    mean = float(share @ values)
    penalty = _PENALTY * np.eye(x.shape[1])
    weighted = x * weights[:, None]
    fitted = np.linalg.solve(weighted.T @ x + penalty, weighted.T @ (values - mean))
    return fitted.astype(np.float64), center, spread, mean


def _quantile(values: Doubles, weights: Doubles, level: float) -> float:
    order = np.argsort(values)
    reached = np.cumsum(weights[order]) / weights.sum()
    return float(values[order][np.searchsorted(reached, level)])


def _others_mean(values: Doubles, axis: int, default: float) -> Doubles:
    """Compute the mean along an axis without the entry itself."""
    known = ~np.isnan(values)
    filled = np.where(known, values, 0.0)
    n = known.sum(axis=axis, keepdims=True) - known
    total = filled.sum(axis=axis, keepdims=True) - filled
    return np.where(n > 0, total / np.maximum(n, 1), default)


def _nearest(embedding: Doubles, is_trained: NDArray[np.bool_]) -> Doubles:
    """Compute the largest cosine to another name that is trained in the same row.

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
