"""Context: a tile's score from its own score and those of neighboring tiles.

    z'_i  =  sum_k v[k] max_{|j| <= k} z_{i + j}  +  b,   k = 0 ... R

The score of the tile itself replaces those of unknown neighbors.
"""

from __future__ import annotations

import numpy as np
from numpy.lib.stride_tricks import as_strided
from numpy.typing import NDArray

from tfimpute_tracks.kernels.jit import njit
from tfimpute_tracks.kernels.lanes import (
    LANE_BYTES,
    add,
    broadcast,
    load,
    maximum,
    multiply_add,
    store,
)

__all__ = ["blend"]

Floats = NDArray[np.float32]

_LANES = LANE_BYTES // 4
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
    n_pairs, result = out.shape[1], out.reshape(-1)
    near = np.empty(2 * weights.size, dtype=np.int64)
    for first in range(0, n_pairs, _PAIRS_AT_ONCE):
        last = min(n_pairs, first + _PAIRS_AT_ONCE)
        for tile in range(out.shape[0]):
            own = (weights.size - 1) * spread + tile * step
            if not known[own]:
                out[tile, first:last] = np.nan
                continue
            for k in range(weights.size):
                left, right = own - k * spread, own + k * spread
                near[2 * k] = (left if known[left] else own) * width
                near[2 * k + 1] = (right if known[right] else own) * width
            row = tile * n_pairs
            # Lanes of few pairs reach into the next rows: of the logits, and of results,
            # which are computed later.
            is_last = near.max() + _LANES > logits.size or row + _LANES > result.size
            if n_pairs < _LANES and is_last:
                for pair in range(n_pairs):
                    result[row + pair] = _blend_one(logits, near, weights, bias, pair)
                continue
            for begin in range(first, last, _LANES):
                pair = max(min(begin, n_pairs - _LANES), 0)  # the last lanes overlap
                lanes = _blend_lanes(logits, near, weights, bias, pair)
                store(result, row + pair, lanes)


@njit(nogil=True, cache=True, forceinline=True)
def _blend_lanes(logits, near, weights, bias, pair):  # type: ignore[no-untyped-def]
    zero = broadcast(np.float32(0))
    best, total = load(logits, near[0] + pair), broadcast(bias)
    for k in range(weights.size):
        best = maximum(best, load(logits, near[2 * k] + pair))
        best = maximum(best, load(logits, near[2 * k + 1] + pair))
        # A product of its own: the bits of `_blend_one`.
        product = multiply_add(broadcast(weights[k]), best, zero)
        total = add(total, product)
    return total


@njit(nogil=True, cache=True, forceinline=True)
def _blend_one(logits, near, weights, bias, pair):  # type: ignore[no-untyped-def]
    best, total = logits[near[0] + pair], bias
    for k in range(weights.size):
        best = max(best, logits[near[2 * k] + pair])
        best = max(best, logits[near[2 * k + 1] + pair])
        total += weights[k] * best
    return total
