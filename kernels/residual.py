"""What residual blocks do between their matrix products, row by row.

A row is a window of sequence with C channels. Loops over channels are plain: the compiler
makes vectors of them.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tfimpute_tracks.kernels.jit import njit
from tfimpute_tracks.kernels.sparse import SparseRows

__all__ = ["add_neighbors", "project_windows"]

Floats = NDArray[np.float32]
Ints = NDArray[np.int64]


def project_windows(windows: SparseRows, weights: Floats, bias: Floats) -> Floats:
    """Multiply the motif features of windows, of the better strand each, with weights.

    Few features are positive, so this is a tenth of the dense product.

    Parameters
    ----------
    windows : SparseRows
        Rows 2 w and 2 w + 1 are the strands of window w; columns are filters.
    weights : float32 array, shape (K, C)
    bias : float32 array, shape (C,)

    Returns
    -------
    float32 array, shape (n_windows, C)
        max(forward, reverse) @ weights + bias. Sums are in the order of the entries.
    """
    n_windows = (windows.offsets.size - 1) // 2
    out = np.empty((n_windows, len(bias)), dtype=np.float32)
    _project(*windows, np.ascontiguousarray(weights), bias, out)
    return out


def add_neighbors(products: Floats, own: Ints, left: Ints, right: Ints) -> Floats:
    """Sum the products of windows and of their neighbors.

    Parameters
    ----------
    products : float32 array, shape (n_rows, 2 C)
        What a row adds to itself, and to either neighbor.
    own, left, right : int64 array, shape (n,)
        Rows of a window and of its neighbors.

    Returns
    -------
    float32 array, shape (n, C)

    Raises
    ------
    IndexError
        A row is outside of the products.
    """
    for rows in (own, left, right):
        if rows.size and not 0 <= rows.min() <= rows.max() < len(products):
            raise IndexError(f"windows outside of {len(products)} rows")
    out = np.empty((len(own), products.shape[1] // 2), dtype=np.float32)
    _add_neighbors(np.ascontiguousarray(products), own, left, right, out)
    return out


@njit(nogil=True, cache=True)
def _project(offsets, columns, values, weights, bias, out):  # type: ignore[no-untyped-def]
    best = np.zeros(weights.shape[0], dtype=np.float32)
    for window in range(out.shape[0]):
        sums = out[window]
        sums[:] = bias
        start, middle, end = offsets[2 * window : 2 * window + 3]
        for i in range(middle, end):
            best[columns[i]] = values[i]
        for i in range(start, middle):
            value = max(values[i], best[columns[i]])
            best[columns[i]] = 0
            row = weights[columns[i]]
            for c in range(sums.size):
                sums[c] += value * row[c]
        for i in range(middle, end):  # what the reverse strand alone has
            value = best[columns[i]]
            best[columns[i]] = 0
            if value > 0:
                row = weights[columns[i]]
                for c in range(sums.size):
                    sums[c] += value * row[c]


@njit(nogil=True, cache=True)
def _add_neighbors(products, own, left, right, out):  # type: ignore[no-untyped-def]
    n_channels = out.shape[1]
    for i in range(own.size):
        by_own, sums = products[own[i]], out[i]
        by_left, by_right = products[left[i]], products[right[i]]
        for c in range(n_channels):
            other = by_left[n_channels + c] + by_right[n_channels + c]
            sums[c] = by_own[c] + other
