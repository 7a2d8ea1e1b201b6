"""The head's first product for tiles that share windows: U[h] = sum_w W2[w, h] M[w].

As in ``mixture``, but a tile names its windows, which stand once among the rows of all;
and on one thread, because whoever scores rows of tiles works on several in threads.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

__all__ = ["mix_tiles"]

Floats = NDArray[np.float32]


def mix_tiles(rows: Floats, places: NDArray[np.int64], weights: Floats) -> Floats:
    """Sum over the windows of tiles, feature by feature and unit by unit.

    Parameters
    ----------
    rows : float32 array, shape (n_rows, K)
        Windows.
    places : int64 array, shape (n_tiles, n_windows)
        Which row each window of a tile is.
    weights : float32 array, shape (n_windows, H, K)
        The paper's W2.

    Returns
    -------
    float32 array, shape (n_tiles, H, K)

    Raises
    ------
    IndexError
        A place is none of the rows.
    """
    if places.size and not 0 <= places.min() <= places.max() < len(rows):
        raise IndexError(f"places of windows outside of {len(rows)} rows")
    out = np.empty((len(places), *weights.shape[1:]), dtype=np.float32)
    _mix(
        np.ascontiguousarray(rows),
        np.ascontiguousarray(places),
        np.ascontiguousarray(weights),
        out,
    )
    return out


@njit(nogil=True, cache=True)
def _mix(rows, places, weights, out):  # type: ignore[no-untyped-def]
    n_windows, n_units, n_features = weights.shape
    for tile in range(places.shape[0]):
        for unit in range(n_units):
            sums = out[tile, unit]
            sums[:] = 0
            for window in range(n_windows):
                values = rows[places[tile, window]]
                factors = weights[window, unit]
                for k in range(n_features):
                    sums[k] += values[k] * factors[k]
