"""The summary of all tracks at a tile, and the log-odds of many pairs from it.

Computes e of :mod:`tfimpute_tracks.models.evidence_network`. Tiles without a peak nearby
share one row. All sums are in a fixed order, so a tile's result does not depend on other
tiles or pairs.
"""

from __future__ import annotations

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
from tfimpute_tracks.kernels.row_products import arrange_columns, multiply, pack_rows

__all__ = [
    "PairVectors",
    "arrange_vectors",
    "moments",
    "summarize",
    "summary_log_odds",
]

Floats = NDArray[np.float32]
Words = NDArray[np.int32]

_LANES = 16
_CHUNK = 8 * _LANES  # numbers that are summed in registers
_EPSILON = 1e-5  # as in PyTorch's layer_norm


class PairVectors(NamedTuple):
    """Vectors of pairs; the lanes of a row are 16 pairs.

    Attributes
    ----------
    vectors : float32 array, shape (n_groups, summary, 16)
        v.
    offsets : float32 array, shape (n_groups, 16)
        v_0.
    """

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
    arranged = arrange_columns(vectors[:, :-1])
    offsets = aligned_empty((len(arranged), _LANES), np.float32)
    offsets[...] = 0
    offsets.reshape(-1)[: len(vectors)] = vectors[:, -1]
    return PairVectors(arranged, offsets)


def summarize(coverage: Coverage, tracks: Words, constant: Floats) -> Floats:
    """Sum what the peaks near each tile add to the summary.

    Parameters
    ----------
    coverage : Coverage
        Fractions of shape (m, n_windows), of the tiles with an entry.
    tracks : int32 array, shape (n_windows, n_tracks, summary / 2)
        V of the windows, from :func:`~tfimpute_tracks.kernels.bfloat16.pack_halves`.
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
    float32 array, shape (at least n, at least n_pairs), contiguous
        Rows and columns of whole lanes; those past `n` and `n_pairs` mean nothing.
    """
    n, size = sums.shape
    rows = aligned_empty((n, size), np.float32)
    _normalize(sums.reshape(-1), rows.reshape(-1), n, size)
    return multiply(pack_rows(rows), pairs.vectors, pairs.offsets)


@njit(nogil=True, cache=True)
def _sum(indptr, track, fraction, tracks, n_tracks, sums, size):  # type: ignore[no-untyped-def]
    n_windows, half = fraction.shape[1], size // 2
    most = 0
    for tile in range(indptr.size - 1):
        most = max(most, indptr[tile + 1] - indptr[tile])
    places = np.empty(most * n_windows, np.int64)
    values = np.empty(most * n_windows, np.float32)
    whole = size - size % _CHUNK
    for tile in range(indptr.size - 1):
        count = 0
        for i in range(indptr[tile], indptr[tile + 1]):
            for window in range(n_windows):
                if fraction[i, window] != 0:
                    values[count] = fraction[i, window]
                    places[count] = (window * n_tracks + np.int64(track[i])) * half
                    count += 1
        out = (1 + tile) * size
        for k in range(0, whole, _CHUNK):
            _sum_chunk(places, values, count, tracks, sums, k, out + k)
        for k in range(whole, size, 2 * _LANES):
            a, b = load(sums, k), load(sums, k + _LANES)
            for i in range(count):
                words, factor = load(tracks, places[i] + k // 2), broadcast(values[i])
                a = multiply_add(factor, low_half(words), a)
                b = multiply_add(factor, high_half(words), b)
            store(sums, out + k, a)
            store(sums, out + k + _LANES, b)


@njit(nogil=True, cache=True, forceinline=True)
def _sum_chunk(places, values, count, tracks, sums, k, out):  # type: ignore[no-untyped-def]
    # Eight sums stay in registers, so that only the table is read.
    a, b = load(sums, k), load(sums, k + _LANES)
    c, d = load(sums, k + 2 * _LANES), load(sums, k + 3 * _LANES)
    e, f = load(sums, k + 4 * _LANES), load(sums, k + 5 * _LANES)
    g, h = load(sums, k + 6 * _LANES), load(sums, k + 7 * _LANES)
    for i in range(count):
        at, factor = places[i] + k // 2, broadcast(values[i])
        words = load(tracks, at)
        a = multiply_add(factor, low_half(words), a)
        b = multiply_add(factor, high_half(words), b)
        words = load(tracks, at + _LANES)
        c = multiply_add(factor, low_half(words), c)
        d = multiply_add(factor, high_half(words), d)
        words = load(tracks, at + 2 * _LANES)
        e = multiply_add(factor, low_half(words), e)
        f = multiply_add(factor, high_half(words), f)
        words = load(tracks, at + 3 * _LANES)
        g = multiply_add(factor, low_half(words), g)
        h = multiply_add(factor, high_half(words), h)
    store(sums, out, a)
    store(sums, out + _LANES, b)
    store(sums, out + 2 * _LANES, c)
    store(sums, out + 3 * _LANES, d)
    store(sums, out + 4 * _LANES, e)
    store(sums, out + 5 * _LANES, f)
    store(sums, out + 6 * _LANES, g)
    store(sums, out + 7 * _LANES, h)


@njit(nogil=True, cache=True)
def _normalize(sums, rows, n, size):  # type: ignore[no-untyped-def]
    zero = broadcast(np.float32(0))
    for row in range(n):
        total, squares = zero, zero
        for k in range(row * size, (row + 1) * size, _LANES):
            value = maximum(load(sums, k), zero)
            total, squares = add(total, value), multiply_add(value, value, squares)
        mean, scale = moments(add_up(total), add_up(squares), size)
        shift = np.float32(-mean * scale)
        scale = np.float32(scale)
        for k in range(row * size, (row + 1) * size, _LANES):
            value = maximum(load(sums, k), zero)
            store(rows, k, multiply_add(value, broadcast(scale), broadcast(shift)))


@njit(nogil=True, cache=True, forceinline=True)
def moments(total, squares, size):  # type: ignore[no-untyped-def]
    """Find the mean of values, and what scales them to a variance of 1.

    Parameters
    ----------
    total, squares : float64
        The sum of the values, and of their squares.
    size : int
        Number of values.

    Returns
    -------
    mean, scale : float64
    """
    mean = total / size
    variance = max(squares / size - mean * mean, 0.0)
    return mean, 1 / np.sqrt(variance + _EPSILON)
