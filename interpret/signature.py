"""The signature of elements: principal components of predicted binding, and activity.

Most TFs bind similar elements, so a few components hold most of the variance (Qin and Feng
2017, Fig 4). The correlation of the first component with measured activity is tested in
several ways, in the cell line of the assay and in others. All p-values are two-sided.
Components are computed without activities; for cross-validation, they are computed again
without the elements whose activity is predicted.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import stats
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.decomposition import PCA
from sklearn.model_selection import KFold, cross_val_predict
from sklearn.pipeline import make_pipeline
from threadpoolctl import threadpool_limits

from tfimpute_tracks.errors import RunError, counted

__all__ = [
    "FOLDS",
    "MIN_ELEMENTS",
    "REPEATS",
    "Comparison",
    "Signature",
    "compare",
    "compare_cells",
    "cross_validate",
    "extremes",
    "find_signature",
    "rank_of",
]

Doubles = NDArray[np.float64]
Floating = NDArray[np.floating]
Ints = NDArray[np.int64]

MIN_ELEMENTS = 10
"""Elements with an activity that a comparison needs."""
FOLDS, REPEATS = 5, 10
"""Of the cross-validation."""
_MIN_VARIANCE = 1e-12
_UNDEFINED = float("nan"), float("nan")


class Signature(NamedTuple):
    """Principal components of elements.

    Attributes
    ----------
    values : float64 array, shape (n_elements, k)
        Each component increases with the mean over all TFs.
    loadings : float64 array, shape (n_tfs, k)
        Unit vectors.
    variance : float64 array, shape (k,)
        Fraction of the variance that each component explains.
    """

    values: Doubles
    loadings: Doubles
    variance: Doubles


class Comparison(NamedTuple):
    """How the signature in a cell line correlates with activities.

    Attributes
    ----------
    first : float64 array, shape (n_elements,)
        The first component, also of elements without an activity.
    variance : float
        Fraction of the variance that the first component explains.
    t, t_p : float
        Welch's t-test of the first component, the most against the least active elements.
    auc, u_p : float
        Mann-Whitney U test: U as the fraction of the pairs of a most and a least active
        element in which the most active one has the higher first component.
    rho, rho_p : float
        Spearman's correlation of the first component with activity, all elements.
    mean_rho : float
        The same for the mean over all TFs.
    r2, cv_rho : float64 arrays, shape (k,)
        Of activities predicted by linear regression on the first 1 ... k components,
        cross-validated: 1 - residual / total sum of squares, and Spearman's correlation;
        means over repetitions.
    """

    first: Doubles
    variance: float
    t: float
    t_p: float
    auc: float
    u_p: float
    rho: float
    rho_p: float
    mean_rho: float
    r2: Doubles
    cv_rho: Doubles


def find_signature(scores: Floating, k: int) -> Signature:
    """Compute principal components of centered scores, without scaling.

    Parameters
    ----------
    scores : float array, shape (n_elements, n_tfs)
    k : int
        Components; fewer if there are fewer elements or TFs.

    Returns
    -------
    Signature

    Raises
    ------
    RunError
        Fewer than three elements, or all have the same scores.
    """
    rows = scores.astype(np.float64)
    if len(rows) < 3 or rows.var(axis=0).max() < _MIN_VARIANCE:
        n_different = len(np.unique(rows, axis=0))
        raise RunError(
            f"{counted(len(rows), 'element')} with "
            f"{counted(n_different, 'different score')} cannot have components; use "
            "three or more that differ"
        )
    pca = PCA(min(k, len(rows) - 1, rows.shape[1]), svd_solver="covariance_eigh")
    values = pca.fit_transform(rows)
    # A component's covariance with the mean has the sign of the sum of its loadings.
    signs = np.where(pca.components_.sum(axis=1) < 0, -1.0, 1.0)
    return Signature(
        values * signs, pca.components_.T * signs, pca.explained_variance_ratio_
    )


def extremes(activities: Doubles, n: int) -> tuple[Ints, Ints]:
    """Find the least and the most active elements.

    Parameters
    ----------
    activities : float64 array, shape (n_elements,)
    n : int
        Of each group; never more than a third of all.

    Returns
    -------
    bottom, top : int64 arrays, shape (min(n, n_elements // 3),)
    """
    n = min(n, len(activities) // 3)
    order = np.argsort(activities, kind="stable")
    return order[:n], order[len(order) - n :]


def compare(
    scores: Floating,
    activities: Doubles,
    groups: tuple[Ints, Ints],
    k: int,
    seed: int,
    repeats: int = REPEATS,
) -> Comparison:
    """Compare the signature of elements with their activities.

    Parameters
    ----------
    scores : float array, shape (n_elements, n_tfs)
    activities : float64 array, shape (n_elements,)
        NaN if unknown: such an element is used for the components only.
    groups : (int64 array, int64 array)
        Indices of the least and the most active elements.
    k : int
        Maximum number of components for the regression.
    seed : int
        Of the folds.
    repeats : int
        Of the cross-validation.

    Returns
    -------
    Comparison
        NaN if the first component is the same for all compared elements.
    """
    try:
        found = find_signature(scores, 1)
        first, variance = found.values[:, 0], float(found.variance[0])
    except RunError:
        first, variance = np.zeros(len(scores)), float("nan")
    known = np.flatnonzero(~np.isnan(activities))
    measured, own = activities[known], scores[known].astype(np.float64)
    bottom, top = (first[group] for group in groups)
    predicted = cross_validate(own, measured, k, seed, repeats)
    residual = ((measured[:, None] - predicted) ** 2).sum(axis=1)
    r2 = 1 - residual / ((measured - measured.mean()) ** 2).sum()
    cv_rho = [[_spearman(p, measured)[0] for p in repeat.T] for repeat in predicted]
    return Comparison(
        first,
        variance,
        *_welch(top, bottom),
        *_mann_whitney(top, bottom),
        *_spearman(first[known], measured),
        _spearman(own.mean(axis=1), measured)[0],
        r2.mean(axis=0),
        np.mean(cv_rho, axis=0),
    )


def compare_cells(
    scores: Sequence[Floating],
    activities: Doubles,
    groups: tuple[Ints, Ints],
    k: int,
    seed: int,
    threads: int,
    advance: Callable[[int], None],
) -> list[Comparison]:
    """Compare the signatures of several cell lines with the same activities.

    Parameters
    ----------
    scores : sequence of float arrays, shape (n_elements, n_tfs)
        Of each cell line.
    activities, groups, k, seed
        As for :func:`compare`; all cell lines have the same folds.
    threads : int
    advance : callable
        Called with the number of cell lines that are done.

    Returns
    -------
    list of Comparison
    """
    found = []
    # Thousands of small matrices: threads inside each would wait for each other.
    with threadpool_limits(1), ThreadPoolExecutor(threads) as pool:
        for comparison in pool.map(
            lambda own: compare(own, activities, groups, k, seed), scores
        ):
            found.append(comparison)
            advance(1)
    return found


def cross_validate(
    scores: Doubles, activities: Doubles, k: int, seed: int, repeats: int = REPEATS
) -> Doubles:
    """Predict activities from components that are computed without the elements.

    Parameters
    ----------
    scores : float64 array, shape (n_elements, n_tfs)
    activities : float64 array, shape (n_elements,)
    k : int
        Maximum number of components; fewer if a fold leaves fewer elements.
    seed : int
        Of the folds; each repetition has different ones.
    repeats : int

    Returns
    -------
    float64 array, shape (repeats, n_elements, k)
        By regression on the first 1 ... k components.
    """
    n, n_tfs = scores.shape
    n_train = n - -(-n // FOLDS)
    steps = PCA(min(k, n_tfs, n_train - 2), svd_solver="covariance_eigh"), _Nested()
    seeds = np.random.default_rng(seed).integers(2**31, size=repeats).tolist()
    folds = [KFold(FOLDS, shuffle=True, random_state=own) for own in seeds]
    with np.errstate(invalid="ignore"):  # explained fractions of no variance
        predicted = [
            cross_val_predict(make_pipeline(*steps), scores, activities, cv=fold)
            for fold in folds
        ]
    return np.array(predicted)


def rank_of(values: Doubles, which: int) -> int:
    """Compute the rank of a value, the largest first.

    Parameters
    ----------
    values : float64 array, shape (n,)
        NaN comes last.
    which : int
        Index of the value.

    Returns
    -------
    int
        From 1.
    """
    known = np.nan_to_num(values, nan=-np.inf)
    return int((known > known[which]).sum()) + 1


class _Nested(RegressorMixin, BaseEstimator):  # type: ignore[misc]
    """Least squares on the first 1, 2 ... k of k columns, all at once.

    Components do not correlate, so a coefficient does not depend on the other columns,
    and the predictions of the k regressions are cumulative sums.
    """

    def fit(self, components: Doubles, target: Doubles) -> _Nested:
        self.mean_ = target.mean()
        size = (components**2).sum(axis=0)
        product = components.T @ (target - self.mean_)
        slopes = product / np.maximum(size, _MIN_VARIANCE)
        self.slopes_ = np.where(size > _MIN_VARIANCE, slopes, 0.0)
        return self

    def predict(self, components: Doubles) -> Doubles:
        terms = np.cumsum(components * self.slopes_, axis=1)
        sums: Doubles = self.mean_ + terms
        return sums


def _welch(a: Doubles, b: Doubles) -> tuple[float, float]:
    moments = [value for x in (a, b) for value in (x.mean(), x.std(ddof=1), len(x))]
    with np.errstate(divide="ignore", invalid="ignore"):
        found = stats.ttest_ind_from_stats(*moments, equal_var=False)
    return float(found.statistic), float(found.pvalue)


def _mann_whitney(a: Doubles, b: Doubles) -> tuple[float, float]:
    if np.concatenate([a, b]).var() < _MIN_VARIANCE:
        return _UNDEFINED
    u, p = stats.mannwhitneyu(a, b)
    return float(u) / (len(a) * len(b)), float(p)


def _spearman(a: Doubles, b: Doubles) -> tuple[float, float]:
    if a.var() < _MIN_VARIANCE or b.var() < _MIN_VARIANCE:
        return _UNDEFINED
    found = stats.spearmanr(a, b)
    return float(found.statistic), float(found.pvalue)
