"""Whether one predictor is better than another over pairs, and not by chance.

The test is Wilcoxon's for matched pairs, of figures per TF-cell pair. It asks whether
the differences lie about zero, taking pairs for independent; those of one TF or cell
line are not quite, so a small p is a little smaller than it should be.
"""

from __future__ import annotations

import warnings
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

__all__ = ["WilcoxonResult", "paired_wilcoxon"]


class WilcoxonResult(NamedTuple):
    """What became of a comparison.

    Parameters
    ----------
    n : int
        Pairs with both figures.
    median_difference : float or None
        Of a - b over these; None where there is none.
    wins, losses : int
        Pairs for which a is larger, and smaller; equal ones are in neither.
    p : float or None
        Two-sided; 1 where no pair differs, None where there is no pair.
    left_out : int
        Pairs that lack a figure.
    """

    n: int
    median_difference: float | None
    wins: int
    losses: int
    p: float | None
    left_out: int


def paired_wilcoxon(a: NDArray[np.float64], b: NDArray[np.float64]) -> WilcoxonResult:
    """Compare two predictors pair by pair.

    Parameters
    ----------
    a, b : float64 arrays, shape (n_pairs,)
        A figure per pair; NaN where there is none.

    Returns
    -------
    WilcoxonResult
        Equal figures are left out of the test, as Wilcoxon has it, and stay in the
        median.
    """
    from scipy.stats import wilcoxon

    a, b = np.asarray(a, dtype=np.float64), np.asarray(b, dtype=np.float64)
    both = ~(np.isnan(a) | np.isnan(b))
    difference = a[both] - b[both]
    n, left_out = len(difference), int((~both).sum())
    if not n:
        return WilcoxonResult(0, None, 0, 0, None, left_out)
    moved = difference[difference != 0]
    p = 1.0
    if len(moved):
        with warnings.catch_warnings():
            # That few pairs make a rough p is said by their number.
            warnings.simplefilter("ignore")
            p = float(wilcoxon(moved).pvalue)
    return WilcoxonResult(
        n,
        float(np.median(difference)),
        int((difference > 0).sum()),
        int((difference < 0).sum()),
        p,
        left_out,
    )
