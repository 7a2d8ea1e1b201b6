"""The signature of elements: principal components of predicted binding, and activity.

TFs bind the same elements to a large part, so a few components hold most of what is
predicted (Qin and Feng 2017, Fig 4). Whether the first one goes with measured activity
is asked in several ways, in the cell line of the assay and in others. Every p-value is
two-sided. Components know nothing of activities; where these are predicted, components
are found anew without the elements that are predicted.
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

from tfimpute_tracks.errors import RunError

__all__ = [
    "FOLDS",
    "MIN_ELEMENTS",
    "REPEATS",
    "Comparison",
    "Signature",
    "compare",
    "compare_cells",
    "extremes",
    "find_signature",
    "predicted",
    "rank_of",
]

Doubles = NDArray[np.float64]
Ints = NDArray[np.int64]

MIN_ELEMENTS = 10
"""Elements with an activity that are compared at least."""
FOLDS, REPEATS = 5, 10
"""Of the cross-validation."""
_LEAST = 1e-12  # of a variance


class Signature(NamedTuple):
    """Principal components of elements.

    Attributes
    ----------
    values : float64 array, shape (n_elements, k)
        Each goes up with the mean over all TFs; the first tells elements apart most.
    loadings : float64 array, shape (n_tfs, k)
        Of length 1 each.
    variance : float64 array, shape (k,)
        Share of the variance that each holds.
    """

    values: Doubles
    loadings: Doubles
    variance: Doubles


class Comparison(NamedTuple):
    """How the signature in a cell line goes with activities.

    Attributes
    ----------
    first : float64 array, shape (n_elements,)
        The first component, also of elements without an activity.
    variance : float
        Share that the first component holds.
    t, t_p : float
        Welch's t-test of the first component, the most active elements less the least
        active ones.
    auc, u_p : float
        Mann-Whitney's test: U as the share of the pairs of a most and a least active
        element in which the most active one has the higher first component.
    rho, rho_p : float
        Spearman's correlation of the first component and activity, all elements.
    mean_rho : float
        The same of the mean over all TFs.
    r2, cv_rho : float64 arrays, shape (k,)
        Of activities predicted by linear regression on the first 1 ... k components,
        each by elements of other folds: 1 - residual / total sum of squares, and
        Spearman's correlation; means over repetitions.
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


def find_signature(scores: NDArray[np.floating], k: int) -> Signature:
    """Find principal components, of centered scores that are not scaled.

    Parameters
    ----------
    scores : float array, shape (n_elements, n_tfs)
    k : int
        Components; fewer where there are not so many elements or TFs.

    Returns
    -------
    Signature

    Raises
    ------
    RunError
        Fewer than three elements, or all score the same.
    """
    rows = scores.astype(np.float64)
    if len(rows) < 3 or rows.var(axis=0).max() < _LEAST:
        raise RunError(
            f"{len(rows)} element(s) with {len(np.unique(rows, axis=0))} different "
            "scores have no components; give three or more that differ"
        )
    pca = PCA(min(k, len(rows) - 1, rows.shape[1]), svd_solver="covariance_eigh")
    values = pca.fit_transform(rows)
    # A component's covariance with the mean has the sign of the sum of its loadings.
    signs = np.where(pca.components_.sum(axis=1) < 0, -1.0, 1.0)
    return Signature(
        values * signs, pca.components_.T * signs, pca.explained_variance_ratio_
    )


def extremes(activities: Doubles, most: int) -> tuple[Ints, Ints]:
    """Find the least and the most active elements.

    Parameters
    ----------
    activities : float64 array, shape (n,)
    most : int
        Of each kind; never more than a third of all.

    Returns
    -------
    bottom, top : int64 arrays, shape (min(most, n // 3),)
    """
    n = min(most, len(activities) // 3)
    order = np.argsort(activities, kind="stable")
    return order[:n], order[len(order) - n :]


def compare(
    scores: NDArray[np.floating],
    activities: Doubles,
    ends: tuple[Ints, Ints],
    k: int,
    seed: int,
    repeats: int = REPEATS,
) -> Comparison:
    """Hold the signature of elements against their activities.

    Parameters
    ----------
    scores : float array, shape (n_elements, n_tfs)
    activities : float64 array, shape (n_elements,)
        NaN where none is known: such an element counts for the components alone.
    ends : (int64 array, int64 array)
        Places of the least and the most active elements.
    k : int
        Components for the regression, at most.
    seed : int
        Of the folds.
    repeats : int
        Of the cross-validation.

    Returns
    -------
    Comparison
        NaN where the first component is the same for all that are compared.
    """
    first, variance = _first(scores)
    known = np.flatnonzero(~np.isnan(activities))
    own, told = first[known], activities[known]
    bottom, top = (first[end] for end in ends)
    t, t_p = _welch(top, bottom)
    auc, u_p = _mann_whitney(top, bottom)
    rho, rho_p = _spearman(own, told)
    some = scores[known].astype(np.float64)
    mean_rho, _ = _spearman(some.mean(axis=1), told)
    guesses = predicted(some, told, k, seed, repeats)
    residual = ((told[:, None] - guesses) ** 2).sum(axis=1)
    r2 = 1 - residual / ((told - told.mean()) ** 2).sum()
    cv_rho = [[_spearman(g, told)[0] for g in repeat.T] for repeat in guesses]
    return Comparison(
        *(first, variance, t, t_p, auc, u_p, rho, rho_p, mean_rho),
        r2.mean(axis=0),
        np.mean(cv_rho, axis=0),
    )


def compare_cells(
    scores: Sequence[NDArray[np.floating]],
    activities: Doubles,
    ends: tuple[Ints, Ints],
    k: int,
    seed: int,
    threads: int,
    advance: Callable[[int], None],
) -> list[Comparison]:
    """Hold the signatures of several cell lines against the same activities.

    Parameters
    ----------
    scores : sequence of float arrays, shape (n_elements, n_tfs)
        Of each cell line.
    activities, ends, k, seed
        As for :func:`compare`; all cell lines have the same folds.
    threads : int
    advance : callable
        Told how many more cell lines are done.

    Returns
    -------
    list of Comparison
    """
    found = []
    # Thousands of small matrices: threads inside each would wait for each other.
    with threadpool_limits(1), ThreadPoolExecutor(threads) as pool:
        for one in pool.map(
            lambda own: compare(own, activities, ends, k, seed), scores
        ):
            found.append(one)
            advance(1)
    return found


def predicted(
    scores: Doubles, activities: Doubles, k: int, seed: int, repeats: int = REPEATS
) -> Doubles:
    """Predict activities from components that never saw the elements.

    Parameters
    ----------
    scores : float64 array, shape (n_elements, n_tfs)
    activities : float64 array, shape (n_elements,)
    k : int
        Components at most; fewer where a fold leaves not so many elements.
    seed : int
        Of the folds; each repetition has others.
    repeats : int

    Returns
    -------
    float64 array, shape (repeats, n_elements, k)
        By regression on the first 1 ... k components.
    """
    n, n_tfs = scores.shape
    n_learned = n - -(-n // FOLDS)
    steps = PCA(min(k, n_tfs, n_learned - 2), svd_solver="covariance_eigh"), _Nested()
    seeds = np.random.default_rng(seed).integers(2**31, size=repeats).tolist()
    folds = [KFold(FOLDS, shuffle=True, random_state=own) for own in seeds]
    with np.errstate(invalid="ignore"):  # shares of no variance at all
        guesses = [
            cross_val_predict(make_pipeline(*steps), scores, activities, cv=fold)
            for fold in folds
        ]
    return np.array(guesses)


def rank_of(values: Doubles, which: int) -> int:
    """Tell the place of one among others, the largest first.

    Parameters
    ----------
    values : float64 array, shape (n,)
        NaN comes last.
    which : int

    Returns
    -------
    int
        From 1.
    """
    known = np.nan_to_num(values, nan=-np.inf)
    return int((known > known[which]).sum()) + 1


class _Nested(RegressorMixin, BaseEstimator):  # type: ignore[misc]
    """Least squares on the first 1, 2 ... k of k columns, all at once.

    Components do not correlate, so a column's coefficient is the same whatever others
    there are, and the predictions of k regressions are the sums of their terms.
    """

    def fit(self, components: Doubles, target: Doubles) -> _Nested:
        self.mean_ = target.mean()
        size = (components**2).sum(axis=0)
        product = components.T @ (target - self.mean_)
        self.slopes_ = np.where(size > _LEAST, product / np.maximum(size, _LEAST), 0.0)
        return self

    def predict(self, components: Doubles) -> Doubles:
        terms = np.cumsum(components * self.slopes_, axis=1)
        sums: Doubles = self.mean_ + terms
        return sums


def _first(scores: NDArray[np.floating]) -> tuple[Doubles, float]:
    """Give the first component and its share; zeros and NaN where all are the same."""
    try:
        found = find_signature(scores, 1)
    except RunError:
        return np.zeros(len(scores)), float("nan")
    return found.values[:, 0], float(found.variance[0])


def _welch(a: Doubles, b: Doubles) -> tuple[float, float]:
    told = [number for x in (a, b) for number in (x.mean(), x.std(ddof=1), len(x))]
    with np.errstate(divide="ignore", invalid="ignore"):
        found = stats.ttest_ind_from_stats(*told, equal_var=False)
    return float(found.statistic), float(found.pvalue)


def _mann_whitney(a: Doubles, b: Doubles) -> tuple[float, float]:
    if np.concatenate([a, b]).var() < _LEAST:
        return float("nan"), float("nan")
    u, p = stats.mannwhitneyu(a, b)
    return float(u) / (len(a) * len(b)), float(p)


def _spearman(a: Doubles, b: Doubles) -> tuple[float, float]:
    if a.var() < _LEAST or b.var() < _LEAST:
        return float("nan"), float("nan")
    found = stats.spearmanr(a, b)
    return float(found.statistic), float(found.pvalue)
