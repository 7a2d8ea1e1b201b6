"""The summary of all tracks at a tile, and the log-odds of many pairs from it.

Computes e of :mod:`tfimpute_tracks.models.evidence_network`. Tiles without a peak nearby
share one row. All sums are in a fixed order, so a tile's result does not depend on other
tiles or pairs.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from tfimpute_tracks.kernels.coverage import Coverage
from tfimpute_tracks.kernels.lanes import (
    add,
    aligned_empty,
    broadcast,
    load,
    maximum,
    multiply_add,
    store,
)

__all__ = [
    "OwnTracks",
    "PairVectors",
    "arrange_vectors",
    "exclude_own",
    "own_tracks",
    "summarize",
    "summary_log_odds",
]

Floats = NDArray[np.float32]
Ints = NDArray[np.int64]

_LANES = 16
_EPSILON = 1e-5  # as in PyTorch's layer_norm


class PairVectors(NamedTuple):
    """Vectors of pairs; the lanes of a row are 16 pairs.

    Attributes
    ----------
    vectors : float32 array, shape (n_groups, summary, 16)
        v.
    offsets : float32 array, shape (n_groups, 16)
        v_0.
    n_pairs : int
    """

    vectors: Floats
    offsets: Floats
    n_pairs: int


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
    offsets : float32 array, shape (n,)
        v_0.
    """

    pair: Ints
    owner: Ints
    available: Floats
    vectors: Floats
    offsets: Floats


def arrange_vectors(vectors: Floats) -> PairVectors:
    """Arrange vectors of pairs for :func:`summary_log_odds`.

    Parameters
    ----------
    vectors : float32 array, shape (n_pairs, summary + 1)
        v, and v_0 in the last column.

    Returns
    -------
    PairVectors
    """
    n_pairs, width = vectors.shape
    n_groups = -(-n_pairs // _LANES)
    padded = np.zeros((n_groups * _LANES, width), dtype=np.float32)
    padded[:n_pairs] = vectors
    lanes = padded.reshape(n_groups, _LANES, width).transpose(0, 2, 1)
    arranged = aligned_empty((n_groups, width - 1, _LANES), np.float32)
    arranged[...] = lanes[:, :-1]
    offsets = aligned_empty((n_groups, _LANES), np.float32)
    offsets[...] = lanes[:, -1]
    return PairVectors(arranged, offsets, n_pairs)


def summarize(coverage: Coverage, tracks: Floats, constant: Floats) -> Floats:
    """Sum what the peaks near each tile add to the summary.

    Parameters
    ----------
    coverage : Coverage
        Fractions of shape (m, n_windows), of the tiles with an entry.
    tracks : float32 array, shape (n_windows, n_tracks, summary)
        V of the windows.
    constant : float32 array, shape (summary,)
        Of the available tracks, whatever their peaks, and the bias.

    Returns
    -------
    float32 array, shape (1 + n_tiles, summary)
        Before the maximum with 0; the first row is of a tile without peaks nearby.
    """
    n_tiles, size = len(coverage.indptr) - 1, len(constant)
    sums = aligned_empty((1 + n_tiles, size), np.float32)
    sums[0] = constant
    _sum(*coverage, tracks.reshape(-1), tracks.shape[1], sums.reshape(-1), size)
    return sums


def summary_log_odds(sums: Floats, pairs: PairVectors) -> Floats:
    """Compute e of pairs that have no track of their own.

    Parameters
    ----------
    sums : float32 array, shape (n, summary)
        From :func:`summarize`.
    pairs : PairVectors

    Returns
    -------
    float32 array, shape (n, n_pairs)
    """
    n, size = sums.shape
    rows = aligned_empty((n + -n % 8, size), np.float32)
    rows[n:] = 0
    _normalize(sums.reshape(-1), rows.reshape(-1), n, size)
    out = aligned_empty((len(rows), len(pairs.offsets) * _LANES), np.float32)
    _multiply(
        rows.reshape(-1),
        pairs.vectors.reshape(-1),
        pairs.offsets.reshape(-1),
        size,
        out,
    )
    return np.ascontiguousarray(out[:n, : pairs.n_pairs])


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
    return OwnTracks(pair, rows, available, own, vectors[pair, -1])


def exclude_own(
    log_odds: Floats, sums: Floats, coverage: Coverage, tracks: Floats, own: OwnTracks
) -> None:
    """Compute e of pairs without their own tracks, in place.

    Parameters
    ----------
    log_odds : float32 array, shape (1 + n_tiles, n_pairs)
        Of all pairs; the columns of pairs with tracks of their own are overwritten.
    sums : float32 array, shape (1 + n_tiles, summary)
        From :func:`summarize`, with all tracks.
    coverage : Coverage
        As for :func:`summarize`.
    tracks : float32 array, shape (n_windows, n_tracks, summary)
        V of the windows.
    own : OwnTracks
    """
    if len(own.pair):
        _exclude(
            *coverage,
            (tracks.reshape(-1), tracks.shape[1]),
            (sums.reshape(-1), sums.shape[1]),
            (own.pair, own.owner, *map(np.ravel, own[2:])),
            log_odds,
        )


@njit(nogil=True, cache=True)
def _sum(indptr, track, fraction, tracks, n_tracks, sums, size):  # type: ignore[no-untyped-def]
    # A tile's sums stay in the first cache; a row of the table is read in order.
    n_windows = fraction.shape[1]
    for tile in range(indptr.size - 1):
        out = (1 + tile) * size
        for k in range(0, size, 16):
            store(sums, out + k, load(sums, k))
        for i in range(indptr[tile], indptr[tile + 1]):
            for window in range(n_windows):
                value = fraction[i, window]
                if value == 0:
                    continue
                at = (window * n_tracks + np.int64(track[i])) * size
                factor = broadcast(value)
                for k in range(0, size, 16):
                    total = multiply_add(
                        factor, load(tracks, at + k), load(sums, out + k)
                    )
                    store(sums, out + k, total)


@njit(nogil=True, cache=True)
def _normalize(sums, rows, n, size):  # type: ignore[no-untyped-def]
    scratch = np.empty(16, dtype=np.float32)
    zero = broadcast(np.float32(0))
    for row in range(n):
        scale, shift = _moments(sums, row * size, size, scratch)
        for k in range(row * size, (row + 1) * size, 16):
            value = maximum(load(sums, k), zero)
            store(rows, k, multiply_add(value, broadcast(scale), broadcast(shift)))


@njit(nogil=True, cache=True, forceinline=True)
def _moments(sums, start, size, scratch):  # type: ignore[no-untyped-def]
    """Find the scale and the shift that normalize max(0, sums)."""
    zero = broadcast(np.float32(0))
    total, squares = zero, zero
    for k in range(start, start + size, 16):
        value = maximum(load(sums, k), zero)
        total, squares = add(total, value), multiply_add(value, value, squares)
    mean = _total(total, scratch) / size
    variance = max(_total(squares, scratch) / size - mean * mean, 0.0)
    scale = np.float32(1 / np.sqrt(variance + _EPSILON))
    return scale, np.float32(-mean) * scale


@njit(nogil=True, cache=True, forceinline=True)
def _total(lanes, scratch):  # type: ignore[no-untyped-def]
    store(scratch, 0, lanes)
    total = np.float64(0)
    for i in range(16):
        total += np.float64(scratch[i])
    return total


@njit(nogil=True, cache=True)
def _exclude(indptr, track, fraction, tracks, sums, own, log_odds):  # type: ignore[no-untyped-def]
    # Entries of the same pair are linked, so a tile reads its entries once.
    weights, n_tracks = tracks
    rows, size = sums
    pair, owner, available, vectors, offsets = own
    n_windows, zero = fraction.shape[1], broadcast(np.float32(0))
    latest = np.empty(pair.size, dtype=np.int64)
    before = np.empty(track.size, dtype=np.int64)
    without, scratch = np.empty(size, dtype=np.float32), np.empty(16, dtype=np.float32)
    for tile in range(indptr.size):
        start = tile * size
        latest[:] = -1
        if tile:
            for i in range(indptr[tile - 1], indptr[tile]):
                row = owner[track[i]]
                if row >= 0:
                    before[i] = latest[row]
                    latest[row] = i
        for row in range(pair.size):
            for k in range(0, size, 16):
                minus = load(available, row * size + k)
                one = broadcast(np.float32(-1))
                store(without, k, multiply_add(minus, one, load(rows, start + k)))
            i = latest[row]
            while i >= 0:
                for window in range(n_windows):
                    value = fraction[i, window]
                    if value == 0:
                        continue
                    at = (window * n_tracks + np.int64(track[i])) * size
                    factor = broadcast(-value)
                    for k in range(0, size, 16):
                        weight, total = load(weights, at + k), load(without, k)
                        store(without, k, multiply_add(factor, weight, total))
                i = before[i]
            scale, shift = _moments(without, 0, size, scratch)
            total = zero
            for k in range(0, size, 16):
                value = maximum(load(without, k), zero)
                value = multiply_add(value, broadcast(scale), broadcast(shift))
                total = multiply_add(value, load(vectors, row * size + k), total)
            found = np.float32(_total(total, scratch))
            log_odds[tile, pair[row]] = found + offsets[row]


@njit(nogil=True, cache=True)
def _multiply(rows, vectors, offsets, size, out):  # type: ignore[no-untyped-def]
    # Vectors of a group stay in the first cache for all rows; eight rows share a load.
    result, width = out.reshape(-1), out.shape[1]
    for group in range(offsets.size // 16):
        for row in range(0, out.shape[0], 8):
            a = b = c = d = e = f = g = h = load(offsets, group * 16)
            s = row * size
            for k in range(size):
                lanes = load(vectors, (group * size + k) * 16)
                a = multiply_add(broadcast(rows[s + k]), lanes, a)
                b = multiply_add(broadcast(rows[s + size + k]), lanes, b)
                c = multiply_add(broadcast(rows[s + 2 * size + k]), lanes, c)
                d = multiply_add(broadcast(rows[s + 3 * size + k]), lanes, d)
                e = multiply_add(broadcast(rows[s + 4 * size + k]), lanes, e)
                f = multiply_add(broadcast(rows[s + 5 * size + k]), lanes, f)
                g = multiply_add(broadcast(rows[s + 6 * size + k]), lanes, g)
                h = multiply_add(broadcast(rows[s + 7 * size + k]), lanes, h)
            at = row * width + group * 16
            store(result, at, a)
            store(result, at + width, b)
            store(result, at + 2 * width, c)
            store(result, at + 3 * width, d)
            store(result, at + 4 * width, e)
            store(result, at + 5 * width, f)
            store(result, at + 6 * width, g)
            store(result, at + 7 * width, h)
