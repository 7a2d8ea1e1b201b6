"""The head's first product for tiles that share windows: U[h] = sum_w W2[w, h] M[w].

Like ``mixture``, but tiles refer to their windows by index, because neighboring tiles
share them, and on one thread, because callers process several rows of tiles in parallel.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tfimpute_tracks.kernels.jit import njit

__all__ = ["mix_tiles"]

Floats = NDArray[np.float32]


def mix_tiles(rows: Floats, index: NDArray[np.int64], weights: Floats) -> Floats:
    """Sum over the windows of tiles, feature by feature and unit by unit.

    Parameters
    ----------
    rows : float32 array, shape (n_rows, K)
        Windows.
    index : int64 array, shape (n_tiles, n_windows)
        Row of each window of a tile.
    weights : float32 array, shape (n_windows, H, K)
        The paper's W2.

    Returns
    -------
    float32 array, shape (n_tiles, H, K)

    Raises
    ------
    IndexError
        An index is outside of the rows.
    """
    if index.size and not 0 <= index.min() <= index.max() < len(rows):
        raise IndexError(f"indices of windows outside of {len(rows)} rows")
    out = np.empty((len(index), *weights.shape[1:]), dtype=np.float32)
    _mix(
        np.ascontiguousarray(rows),
        np.ascontiguousarray(index),
        np.ascontiguousarray(weights),
        out,
    )
    return out


@njit(nogil=True, cache=True)
def _mix(rows, index, weights, out):  # type: ignore[no-untyped-def]
    n_windows, n_units, n_features = weights.shape
    for tile in range(index.shape[0]):
        for unit in range(n_units):
            sums = out[tile, unit]
            sums[:] = 0
            for window in range(n_windows):
                values = rows[index[tile, window]]
                factors = weights[window, unit]
                for k in range(n_features):
                    sums[k] += values[k] * factors[k]
