"""Pairs with tracks of their own, which must not count for them.

Computes e of :mod:`tfimpute_tracks.models.evidence_network` for such pairs: each has a
summary of its own. Sums of s, s * s and s * v give the product with the normalized
summary in one pass. All sums are in a fixed order.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tfimpute_tracks.kernels.coverage import Coverage
from tfimpute_tracks.kernels.jit import njit
from tfimpute_tracks.kernels.lanes import (
    add,
    aligned_empty,
    broadcast,
    load,
    maximum,
    multiply_add,
    store,
)
from tfimpute_tracks.kernels.summary import add_up, moments

__all__ = ["OwnTracks", "exclude_own", "own_tracks"]

Floats = NDArray[np.float32]
Ints = NDArray[np.int64]

_LANES = 16


class OwnTracks(NamedTuple):
    """Pairs with tracks of their own, which must not count for them.

    Attributes
    ----------
    pair : int64 array, shape (n,)
        Columns of the pairs.
    owner : int64 array, shape (n_tracks,)
        Row in `pair` of the pair that a track belongs to, or -1.
    available : float32 array, shape (n, summary)
        What being available adds to the summary, of all tracks of a pair.
    vectors : float32 array, shape (n, summary)
        v.
    totals : float64 array, shape (n,)
        The sum of each v.
    offsets : float32 array, shape (n,)
        v_0.
    """

    pair: Ints
    owner: Ints
    available: Floats
    vectors: Floats
    totals: NDArray[np.float64]
    offsets: Floats


def own_tracks(tracks: Floats, owner: Ints, vectors: Floats) -> OwnTracks:
    """Arrange the pairs that have tracks of their own.

    Parameters
    ----------
    tracks : float32 array, shape (n_windows + 1, n_tracks, summary)
        V of the windows, and of being available.
    owner : int64 array, shape (n_tracks,)
        Column of the pair that a track belongs to; -1 for no pair, and for a track that
        is not available.
    vectors : float32 array, shape (n_pairs, summary + 1)
        v and v_0.

    Returns
    -------
    OwnTracks
    """
    pair = np.unique(owner[owner >= 0])
    shape = len(pair), tracks.shape[2]
    available, own = (aligned_empty(shape, np.float32) for _ in range(2))
    for row, column in enumerate(pair):
        available[row] = tracks[-1, owner == column].sum(axis=0)
        own[row] = vectors[column, :-1]
    rows = np.where(owner >= 0, np.searchsorted(pair, owner), -1)
    totals = own.sum(axis=1, dtype=np.float64)
    return OwnTracks(pair, rows, available, own, totals, vectors[pair, -1])


def exclude_own(
    log_odds: Floats, sums: Floats, coverage: Coverage, tracks: Floats, own: OwnTracks
) -> None:
    """Compute e of pairs without their own tracks, in place.

    Parameters
    ----------
    log_odds : float32 array
        Of all pairs, from :func:`~tfimpute_tracks.kernels.summary.summary_log_odds`;
        the columns of pairs with tracks of their own are overwritten.
    sums : float32 array, shape (1 + n_tiles, summary)
        From :func:`~tfimpute_tracks.kernels.summary.summarize`, with all tracks.
    coverage : Coverage
        As for :func:`~tfimpute_tracks.kernels.summary.summarize`.
    tracks : float32 array, shape (n_windows, n_tracks, summary)
        V of the windows.
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
                own.vectors.reshape(-1),
                own.totals,
                own.offsets,
            ),
            log_odds,
        )


@njit(nogil=True, cache=True)
def _exclude(indptr, track, fraction, tracks, sums, own, log_odds):  # type: ignore[no-untyped-def]
    weights, n_tracks = tracks
    rows, size = sums
    pair, owner, available, vectors, totals, offsets = own
    n_windows = fraction.shape[1]
    # Entries of the same pair are linked, so a tile reads its entries once.
    latest = np.empty(pair.size, dtype=np.int64)
    before = np.empty(track.size, dtype=np.int64)
    without = np.empty(size, dtype=np.float32)
    scratch = np.empty(3 * _LANES, dtype=np.float32)
    for tile in range(indptr.size):
        latest[:] = -1
        if tile:  # the first row has no entries
            for i in range(indptr[tile - 1], indptr[tile]):
                row = owner[track[i]]
                if row >= 0:
                    before[i] = latest[row]
                    latest[row] = i
        for row in range(pair.size):
            i = latest[row]
            if i < 0:
                _products(
                    rows, tile * size, available, vectors, row * size, size, scratch
                )
            else:
                for k in range(0, size, _LANES):
                    store(without, k, load(rows, tile * size + k))
                while i >= 0:
                    for window in range(n_windows):
                        value = fraction[i, window]
                        if value != 0:
                            which = window * n_tracks + np.int64(track[i])
                            _subtract(without, value, weights, which * size, size)
                    i = before[i]
                _products(without, 0, available, vectors, row * size, size, scratch)
            e = _normalized(scratch, size, totals[row], offsets[row])
            log_odds[tile, pair[row]] = e


@njit(nogil=True, cache=True, forceinline=True)
def _subtract(sums, value, weights, start, size):  # type: ignore[no-untyped-def]
    factor = broadcast(-value)
    for k in range(0, size, _LANES):
        store(sums, k, multiply_add(factor, load(weights, start + k), load(sums, k)))


@njit(nogil=True, cache=True, forceinline=True)
def _products(sums, start, available, vectors, own, size, scratch):  # type: ignore[no-untyped-def]
    """Sum s, s * s and s * v over the summary of a pair, for lanes of their own."""
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
    store(scratch, 0, add(a, b))
    store(scratch, _LANES, add(c, d))
    store(scratch, 2 * _LANES, add(e, f))


@njit(nogil=True, cache=True, forceinline=True)
def _normalized(scratch, size, total, offset):  # type: ignore[no-untyped-def]
    """Compute e from the sums of s, s * s and s * v."""
    mean, scale = moments(scratch, size)
    product = add_up(scratch, 2 * _LANES) - mean * total
    return np.float32(scale * product + np.float64(offset))
