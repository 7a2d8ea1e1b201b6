"""A test of whether one predictor is better than another over pairs.

Wilcoxon's signed-rank test on a metric per TF-cell pair. It takes pairs for independent;
those of one TF or cell line are not quite, so a small p is somewhat too small.
"""

from __future__ import annotations

import warnings
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

__all__ = ["WilcoxonResult", "paired_wilcoxon"]


class WilcoxonResult(NamedTuple):
    """The result of a comparison.

    Parameters
    ----------
    n : int
        Pairs with both metrics.
    median_difference : float or None
        Of a - b over these; None without such a pair.
    wins, losses : int
        Pairs for which a is larger, and smaller; ties are in neither.
    p : float or None
        Two-sided; 1 where no pair differs, None without a pair.
    unscored : int
        Pairs that lack a metric.
    """

    n: int
    median_difference: float | None
    wins: int
    losses: int
    p: float | None
    unscored: int


def paired_wilcoxon(a: NDArray[np.float64], b: NDArray[np.float64]) -> WilcoxonResult:
    """Compare two predictors pair by pair.

    Parameters
    ----------
    a, b : float64 arrays, shape (n_pairs,)
        A metric per pair; NaN where there is none.

    Returns
    -------
    WilcoxonResult
        Ties are excluded from the test, as Wilcoxon does, and included in the median.
    """
    from scipy.stats import wilcoxon

    a, b = np.asarray(a, dtype=np.float64), np.asarray(b, dtype=np.float64)
    both = ~(np.isnan(a) | np.isnan(b))
    difference = a[both] - b[both]
    n, unscored = len(difference), int((~both).sum())
    if not n:
        return WilcoxonResult(0, None, 0, 0, None, unscored)
    nonzero = difference[difference != 0]
    p = 1.0
    if len(nonzero):
        with warnings.catch_warnings():
            # scipy warns that p is rough for few pairs; `n` shows how few there are.
            warnings.simplefilter("ignore")
            p = float(wilcoxon(nonzero).pvalue)
    return WilcoxonResult(
        n,
        float(np.median(difference)),
        int((difference > 0).sum()),
        int((difference < 0).sum()),
        p,
        unscored,
    )
