"""Pairs with tracks of their own, which must not count for them.

Computes e of :mod:`tfimpute_tracks.models.evidence_network` for such pairs: each has a
summary of its own. Sums of s, s * s and s * v give the product with the normalized
summary in one pass. All sums are in a fixed order.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tfimpute_tracks.kernels.bfloat16 import high_half, low_half
from tfimpute_tracks.kernels.coverage import Coverage
from tfimpute_tracks.kernels.jit import njit
from tfimpute_tracks.kernels.lanes import (
    add,
    add_up,
    aligned_empty,
    broadcast,
    load,
    maximum,
    multiply_add,
    store,
)
from tfimpute_tracks.kernels.summary import PairVectors, arrange_vectors, moments

__all__ = ["OwnTracks", "exclude_own", "own_tracks"]

Floats = NDArray[np.float32]
Ints = NDArray[np.int64]
Words = NDArray[np.int32]

_LANES = 16
_CACHED = (
    4096  # numbers: vectors of so many pairs stay in the first cache for all tiles
)


class OwnTracks(NamedTuple):
    """Pairs with tracks of their own, which must not count for them.

    Attributes
    ----------
    pair : int64 array, shape (n,)
        Columns of the pairs among the log-odds of a tile.
    owner : int64 array, shape (n_tracks,)
        Row in `pair` of the pair that a track belongs to, or -1.
    available : float32 array, shape (n, summary)
        What being available adds to the summary, of all tracks of a pair.
    vectors : PairVectors
        Of the pairs.
    """

    pair: Ints
    owner: Ints
    available: Floats
    vectors: PairVectors


def own_tracks(
    present: Floats, owner: Ints, vectors: Callable[[Ints], Floats], columns: Ints
) -> OwnTracks:
    """Arrange the pairs that have tracks of their own.

    Parameters
    ----------
    present : float32 array, shape (n_tracks, summary)
        V of being available.
    owner : int64 array, shape (n_tracks,)
        Index of the pair that a track belongs to; -1 for no pair, and for a track that
        is not available.
    vectors : callable
        Returns v and v_0 of some pairs, float32, shape (n, summary + 1).
    columns : int64 array, shape (n_pairs,)
        Of each pair among the log-odds of a tile.

    Returns
    -------
    OwnTracks
    """
    pair = np.unique(owner[owner >= 0])
    available = aligned_empty((len(pair), present.shape[1]), np.float32)
    for row, index in enumerate(pair):
        available[row] = present[owner == index].sum(axis=0)
    rows = np.where(owner >= 0, np.searchsorted(pair, owner), -1)
    return OwnTracks(columns[pair], rows, available, arrange_vectors(vectors(pair)))


def exclude_own(
    log_odds: Floats, sums: Floats, coverage: Coverage, tracks: Words, own: OwnTracks
) -> None:
    """Compute e of pairs without their own tracks, in place.

    Parameters
    ----------
    log_odds : float32 array, shape (at least 1 + n_tiles, n_columns)
        Of all pairs, from :func:`~tfimpute_tracks.kernels.summary.summary_log_odds`
        or :func:`~tfimpute_tracks.kernels.summary_grid.grid_log_odds`; the columns of
        pairs with tracks of their own are overwritten.
    sums : float32 array, shape (1 + n_tiles, summary)
        From :func:`~tfimpute_tracks.kernels.summary.summarize`, with all tracks.
    coverage : Coverage
        As for :func:`~tfimpute_tracks.kernels.summary.summarize`.
    tracks : int32 array, shape (n_windows, n_tracks, summary / 2)
        V of the windows, from :func:`~tfimpute_tracks.kernels.bfloat16.pack_halves`.
    own : OwnTracks
    """
    if len(own.pair):
        _exclude(
            *coverage,
            (tracks.reshape(-1), tracks.shape[1]),
            (sums.reshape(-1), sums.shape[1]),
            (
                own.pair,
                own.owner,
                own.available.reshape(-1),
                own.vectors.vectors.reshape(-1),
                own.vectors.offsets,
            ),
            log_odds,
        )


@njit(nogil=True, cache=True)
def _exclude(indptr, track, fraction, tracks, sums_of_tiles, own, log_odds):  # type: ignore[no-untyped-def]
    weights, n_tracks = tracks
    rows, size = sums_of_tiles
    pair, owner, available, vectors, offsets = own
    n_windows, half = fraction.shape[1], size // 2
    # Entries of the same pair at a tile are linked; the first row has no entries.
    latest = np.full((indptr.size, pair.size), -1, dtype=np.int64)
    before = np.empty(track.size, dtype=np.int64)
    for tile in range(1, indptr.size):
        for i in range(indptr[tile - 1], indptr[tile]):
            row = owner[track[i]]
            if row >= 0:
                before[i] = latest[tile, row]
                latest[tile, row] = i
    without = np.empty(size, dtype=np.float32)
    step = max(_CACHED // size, 1)
    for first in range(0, pair.size, step):
        last = min(first + step, pair.size)
        for tile in range(indptr.size):
            for row in range(first, last):
                begin, i, own = tile * size, latest[tile, row], row * size
                if i < 0:
                    sums = _products(rows, begin, available, vectors, own, size)
                else:
                    for k in range(0, size, _LANES):
                        store(without, k, load(rows, begin + k))
                    while i >= 0:
                        for window in range(n_windows):
                            value = fraction[i, window]
                            if value != 0:
                                which = window * n_tracks + np.int64(track[i])
                                _subtract(without, value, weights, which * half, size)
                        i = before[i]
                    sums = _products(without, 0, available, vectors, own, size)
                total, squares, product = sums
                scale = moments(total, squares, size)[1]
                e = scale * product + np.float64(offsets[row])
                log_odds[tile, pair[row]] = np.float32(e)


@njit(nogil=True, cache=True, forceinline=True)
def _subtract(sums, value, weights, start, size):  # type: ignore[no-untyped-def]
    factor = broadcast(-value)
    for k in range(0, size, 2 * _LANES):
        words = load(weights, start + k // 2)
        at = k + _LANES
        store(sums, k, multiply_add(factor, low_half(words), load(sums, k)))
        store(sums, at, multiply_add(factor, high_half(words), load(sums, at)))


@njit(nogil=True, cache=True, forceinline=True)
def _products(sums, start, available, vectors, own, size):  # type: ignore[no-untyped-def]
    """Sum s, s * s and s * v over the summary of a pair."""
    zero, minus = broadcast(np.float32(0)), broadcast(np.float32(-1))
    a = b = c = d = e = f = zero  # two sums each, so that they do not wait
    paired = size // (2 * _LANES) * 2 * _LANES
    for k in range(0, paired, 2 * _LANES):
        x = multiply_add(load(available, own + k), minus, load(sums, start + k))
        at = k + _LANES
        y = multiply_add(load(available, own + at), minus, load(sums, start + at))
        x, y = maximum(x, zero), maximum(y, zero)
        a, b = add(a, x), add(b, y)
        c, d = multiply_add(x, x, c), multiply_add(y, y, d)
        e = multiply_add(x, load(vectors, own + k), e)
        f = multiply_add(y, load(vectors, own + at), f)
    for k in range(paired, size, _LANES):
        x = multiply_add(load(available, own + k), minus, load(sums, start + k))
        x = maximum(x, zero)
        a, c = add(a, x), multiply_add(x, x, c)
        e = multiply_add(x, load(vectors, own + k), e)
    return add_up(add(a, b)), add_up(add(c, d)), add_up(add(e, f))
