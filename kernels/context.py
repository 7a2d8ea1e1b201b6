"""Context: a tile's score from its own score and those of neighboring tiles.

    z'_i  =  sum_k v[k] max_{|j| <= k} z_{i + j}  +  b,   k = 0 ... R

The score of the tile itself replaces those of unknown neighbors.
"""

from __future__ import annotations

import numpy as np
from numpy.lib.stride_tricks import as_strided
from numpy.typing import NDArray

from tfimpute_tracks.kernels.jit import njit

__all__ = ["blend"]

Floats = NDArray[np.float32]

_PAIRS_AT_ONCE = 512  # of some hundred tiles: they stay in the second-level cache


def blend(
    logits: Floats,
    unknown: NDArray[np.bool_],
    weights: Floats,
    bias: float,
    spread: int,
    step: int,
) -> Floats:
    """Combine the logits of neighboring tiles.

    Parameters
    ----------
    logits : float32 array, shape (n_base, n_pairs)
        Of consecutive tiles; values of unknown tiles are ignored.
    unknown : bool array, shape (n_base,)
    weights : float32 array, shape (R + 1,)
        v[0] of the tile itself to v[R] of the maximum within R neighbors.
    bias : float
    spread : int
        Rows between neighbors.
    step : int
        Rows between results; the first result has R neighbors before it.

    Returns
    -------
    float32 array, shape (n_tiles, n_pairs)
        Of every tile with R neighbors on both sides. NaN for an unknown tile.
    """
    context = (len(weights) - 1) * spread
    n_tiles = max(0, (len(logits) - 2 * context - 1) // step + 1)
    blended = np.empty((n_tiles, logits.shape[1]), dtype=np.float32)
    if logits.strides[1] != logits.itemsize:
        logits = np.ascontiguousarray(logits)
    width = logits.strides[0] // logits.itemsize  # the rows may be parts of longer ones
    n_items = max(len(logits) - 1, 0) * width + logits.shape[1]
    _blend(
        as_strided(logits, (n_items,), (logits.itemsize,)),
        width,
        ~np.ascontiguousarray(unknown),
        np.asarray(weights, dtype=np.float32),
        np.float32(bias),
        spread,
        step,
        blended,
    )
    return blended


@njit(nogil=True, cache=True)
def _blend(logits, width, known, weights, bias, spread, step, out):  # type: ignore[no-untyped-def]
    n_near, n_pairs = weights.size, out.shape[1]
    some = np.empty(_PAIRS_AT_ONCE, dtype=np.float32)
    for first in range(0, n_pairs, _PAIRS_AT_ONCE):
        n = min(_PAIRS_AT_ONCE, n_pairs - first)
        for tile in range(out.shape[0]):
            own = (n_near - 1) * spread + tile * step
            if not known[own]:
                out[tile, first : first + n] = np.nan
                continue
            sums, best = out[tile, first : first + n], some[:n]
            center = logits[own * width + first : own * width + first + n]
            for i in range(n):
                best[i] = center[i]
                sums[i] = bias + weights[0] * center[i]
            for k in range(1, n_near):
                for side in (-1, 1):
                    other = own + side * k * spread
                    at = (other if known[other] else own) * width + first
                    near = logits[at : at + n]
                    for i in range(n):
                        best[i] = max(best[i], near[i])
                for i in range(n):
                    sums[i] += weights[k] * best[i]
