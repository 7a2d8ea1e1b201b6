"""Percentile ranks of values within rows of sorted values."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tfimpute_tracks.kernels.jit import njit

__all__ = ["percentile_rank"]

Floats = NDArray[np.float32]


def percentile_rank(rows: Floats, values: Floats) -> Floats:
    """Compute the fraction of each row below a value; equal values count half.

    Parameters
    ----------
    rows : float32 array, shape (n_rows, n)
        Each sorted, without NaN.
    values : float32 array, shape (n_rows,)
        One per row; may be NaN.

    Returns
    -------
    float32 array, shape (n_rows,)
        0 to 1; NaN for NaN, and if n is 0.

    Raises
    ------
    ValueError
        The number of values is not that of rows.
    """
    if rows.ndim != 2 or values.shape != rows.shape[:1]:
        raise ValueError(f"values of shape {values.shape} for rows of {rows.shape}")
    out = np.empty(len(rows), dtype=np.float32)
    _ranks(np.ascontiguousarray(rows), np.ascontiguousarray(values), out)
    return out


@njit(nogil=True, cache=True)
def _ranks(rows, values, out):  # type: ignore[no-untyped-def]
    n = rows.shape[1]
    for i in range(rows.shape[0]):
        value = values[i]
        if n == 0 or value != value:
            out[i] = np.nan
            continue
        low, high = 0, n
        while low < high:
            middle = (low + high) // 2
            if rows[i, middle] < value:
                low = middle + 1
            else:
                high = middle
        upper = low
        high = n
        while upper < high:
            middle = (upper + high) // 2
            if rows[i, middle] <= value:
                upper = middle + 1
            else:
                high = middle
        out[i] = (low + upper) / (2 * n)
