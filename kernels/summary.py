"""The summary of all tracks at a tile, and the log-odds of many pairs from it.

Computes e of :mod:`tfimpute_tracks.models.evidence_network`. Tiles without a peak nearby
share one row. All sums are in a fixed order, so a tile's result does not depend on other
tiles or pairs.

As norm(s) has a mean of 0, its product with v is that with v less the mean of v. So
s needs no normalization before it is multiplied: only the scale is missing.
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
_PAIRS_AT_ONCE = 64  # whose vectors stay in the second cache for all tiles
_EPSILON = 1e-5  # as in PyTorch's layer_norm


class PairVectors(NamedTuple):
    """Vectors of pairs.

    Attributes
    ----------
    vectors : float32 array, shape (n_pairs, summary)
        v, less its mean.
    offsets : float32 array, shape (n_pairs,)
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
    own = vectors[:, :-1]
    arranged = aligned_empty(own.shape, np.float32)
    if own.size:
        arranged[...] = own - own.mean(axis=1, dtype=np.float64, keepdims=True)
    return PairVectors(arranged, vectors[:, -1].astype(np.float32))


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
    float32 array, shape (n, n_pairs), contiguous
    """
    n, size = sums.shape
    out = aligned_empty((n, len(pairs.offsets)), np.float32)
    _multiply(sums.reshape(-1), pairs.vectors.reshape(-1), pairs.offsets, out, size)
    return out


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
def _multiply(sums, vectors, offsets, out, size):  # type: ignore[no-untyped-def]
    # Four rows at once, so that no sum waits for itself; the last may be there twice.
    n, n_pairs = out.shape
    scales = _scales(sums, n, size)
    for start in range(0, n_pairs, _PAIRS_AT_ONCE):
        end = min(start + _PAIRS_AT_ONCE, n_pairs)
        for first in range(0, n, 4):
            second, third = min(first + 1, n - 1), min(first + 2, n - 1)
            rows = first, second, third, min(first + 3, n - 1)
            for pair in range(start, end - 1, 2):
                x, y = pair * size, (pair + 1) * size
                one, two = _eight_products(sums, rows, vectors, x, y, size)
                _store_scaled(out, rows, pair, scales, one, offsets)
                _store_scaled(out, rows, pair + 1, scales, two, offsets)
            if (end - start) % 2:
                one = _four_products(sums, rows, vectors, (end - 1) * size, size)
                _store_scaled(out, rows, end - 1, scales, one, offsets)


@njit(nogil=True, cache=True)
def _scales(sums, n, size):  # type: ignore[no-untyped-def]
    """Find what scales each row to a variance of 1."""
    zero, scales = broadcast(np.float32(0)), np.empty(n)
    half = size // 2  # a multiple of the lanes
    for row in range(n):
        a = b = c = d = zero
        for k in range(row * size, row * size + half, _LANES):
            x, y = maximum(load(sums, k), zero), maximum(load(sums, k + half), zero)
            a, b = add(a, x), add(b, y)
            c, d = multiply_add(x, x, c), multiply_add(y, y, d)
        total, squares = add_up(add(a, b)), add_up(add(c, d))
        scales[row] = moments(total, squares, size)[1]
    return scales


@njit(nogil=True, cache=True, forceinline=True)
def _eight_products(sums, rows, vectors, x, y, size):  # type: ignore[no-untyped-def]
    """Multiply four rows with two vectors."""
    zero = broadcast(np.float32(0))
    e = f = g = h = p = q = r = s = zero
    a, b, c, d = rows[0] * size, rows[1] * size, rows[2] * size, rows[3] * size
    for k in range(0, size, _LANES):
        v, w = load(vectors, x + k), load(vectors, y + k)
        row = maximum(load(sums, a + k), zero)
        e, p = multiply_add(row, v, e), multiply_add(row, w, p)
        row = maximum(load(sums, b + k), zero)
        f, q = multiply_add(row, v, f), multiply_add(row, w, q)
        row = maximum(load(sums, c + k), zero)
        g, r = multiply_add(row, v, g), multiply_add(row, w, r)
        row = maximum(load(sums, d + k), zero)
        h, s = multiply_add(row, v, h), multiply_add(row, w, s)
    one = add_up(e), add_up(f), add_up(g), add_up(h)
    return one, (add_up(p), add_up(q), add_up(r), add_up(s))


@njit(nogil=True, cache=True, forceinline=True)
def _four_products(sums, rows, vectors, x, size):  # type: ignore[no-untyped-def]
    """Multiply four rows with a vector."""
    zero = broadcast(np.float32(0))
    e = f = g = h = zero
    a, b, c, d = rows[0] * size, rows[1] * size, rows[2] * size, rows[3] * size
    for k in range(0, size, _LANES):
        v = load(vectors, x + k)
        e = multiply_add(maximum(load(sums, a + k), zero), v, e)
        f = multiply_add(maximum(load(sums, b + k), zero), v, f)
        g = multiply_add(maximum(load(sums, c + k), zero), v, g)
        h = multiply_add(maximum(load(sums, d + k), zero), v, h)
    return add_up(e), add_up(f), add_up(g), add_up(h)


@njit(nogil=True, cache=True, forceinline=True)
def _store_scaled(out, rows, pair, scales, products, offsets):  # type: ignore[no-untyped-def]
    """Store the log-odds of a pair at four rows."""
    offset = np.float64(offsets[pair])
    for i in range(4):
        row = rows[i]
        out[row, pair] = np.float32(scales[row] * products[i] + offset)


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
