"""Where values lie among others of their row: the share that is smaller."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

__all__ = ["percentile_rank"]

Floats = NDArray[np.float32]


def percentile_rank(rows: Floats, values: Floats) -> Floats:
    """Give the share of each row that is smaller than a value; equals count half.

    Parameters
    ----------
    rows : float32 array, shape (n_rows, n)
        Each sorted, without NaN.
    values : float32 array, shape (n_rows,)
        NaN among no row.

    Returns
    -------
    float32 array, shape (n_rows,)
        0 to 1; NaN for NaN, and where n is 0.

    Raises
    ------
    ValueError
        There is not one value for each row.
    """
    if rows.ndim != 2 or values.shape != rows.shape[:1]:
        raise ValueError(f"values of shape {values.shape} for rows of {rows.shape}")
    out = np.empty(len(rows), dtype=np.float32)
    _shares(np.ascontiguousarray(rows), np.ascontiguousarray(values), out)
    return out


@njit(nogil=True, cache=True)
def _shares(rows, values, out):  # type: ignore[no-untyped-def]
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
        behind = low
        high = n
        while behind < high:
            middle = (behind + high) // 2
            if rows[i, middle] <= value:
                behind = middle + 1
            else:
                high = middle
        out[i] = (low + behind) / (2 * n)
