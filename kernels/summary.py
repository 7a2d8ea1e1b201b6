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

_LANES = 16
_ROWS, _GROUPS = 8, 3  # of a product
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
    n_groups = -(-n_pairs // (_GROUPS * _LANES)) * _GROUPS
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
    float32 array, shape (at least n, at least n_pairs), contiguous
        Rows and columns of whole lanes; those past `n` and `n_pairs` mean nothing.
    """
    n, size = sums.shape
    rows = aligned_empty((n + -n % _ROWS, size), np.float32)
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
    return out


@njit(nogil=True, cache=True)
def _sum(indptr, track, fraction, tracks, n_tracks, sums, size):  # type: ignore[no-untyped-def]
    # A tile's sums stay in the first cache; a row of the table is read in order.
    n_windows = fraction.shape[1]
    for tile in range(indptr.size - 1):
        out = (1 + tile) * size
        for k in range(0, size, _LANES):
            store(sums, out + k, load(sums, k))
        for i in range(indptr[tile], indptr[tile + 1]):
            for window in range(n_windows):
                value = fraction[i, window]
                if value == 0:
                    continue
                at = (window * n_tracks + np.int64(track[i])) * size
                factor = broadcast(value)
                for k in range(0, size, _LANES):
                    total = multiply_add(
                        factor, load(tracks, at + k), load(sums, out + k)
                    )
                    store(sums, out + k, total)


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


@njit(nogil=True, cache=True)
def _multiply(rows, vectors, offsets, size, out):  # type: ignore[no-untyped-def]
    # Three groups by eight rows: 24 sums in registers, and 11 loads for 24 products.
    result, width = out.reshape(-1), out.shape[1]
    for group in range(0, offsets.size // _LANES, _GROUPS):
        for row in range(0, out.shape[0], _ROWS):
            _eight_by_three(rows, row, vectors, group, offsets, size, result, width)


@njit(nogil=True, cache=True, forceinline=True)
def _eight_by_three(rows, row, vectors, group, offsets, size, result, width):  # type: ignore[no-untyped-def]
    """Multiply eight rows with three groups of pairs."""
    at, step = group * size * _LANES, size * _LANES
    s = row * size
    x = load(offsets, group * _LANES)
    y = load(offsets, (group + 1) * _LANES)
    z = load(offsets, (group + 2) * _LANES)
    ax = bx = cx = dx = ex = fx = gx = hx = x
    ay = by = cy = dy = ey = fy = gy = hy = y
    az = bz = cz = dz = ez = fz = gz = hz = z
    for k in range(size):
        x = load(vectors, at + k * _LANES)
        y = load(vectors, at + step + k * _LANES)
        z = load(vectors, at + 2 * step + k * _LANES)
        one = broadcast(rows[s + k])
        ax = multiply_add(one, x, ax)
        ay = multiply_add(one, y, ay)
        az = multiply_add(one, z, az)
        one = broadcast(rows[s + 1 * size + k])
        bx = multiply_add(one, x, bx)
        by = multiply_add(one, y, by)
        bz = multiply_add(one, z, bz)
        one = broadcast(rows[s + 2 * size + k])
        cx = multiply_add(one, x, cx)
        cy = multiply_add(one, y, cy)
        cz = multiply_add(one, z, cz)
        one = broadcast(rows[s + 3 * size + k])
        dx = multiply_add(one, x, dx)
        dy = multiply_add(one, y, dy)
        dz = multiply_add(one, z, dz)
        one = broadcast(rows[s + 4 * size + k])
        ex = multiply_add(one, x, ex)
        ey = multiply_add(one, y, ey)
        ez = multiply_add(one, z, ez)
        one = broadcast(rows[s + 5 * size + k])
        fx = multiply_add(one, x, fx)
        fy = multiply_add(one, y, fy)
        fz = multiply_add(one, z, fz)
        one = broadcast(rows[s + 6 * size + k])
        gx = multiply_add(one, x, gx)
        gy = multiply_add(one, y, gy)
        gz = multiply_add(one, z, gz)
        one = broadcast(rows[s + 7 * size + k])
        hx = multiply_add(one, x, hx)
        hy = multiply_add(one, y, hy)
        hz = multiply_add(one, z, hz)
    at = row * width + group * _LANES
    store(result, at, ax)
    store(result, at + _LANES, ay)
    store(result, at + 2 * _LANES, az)
    store(result, at + 1 * width, bx)
    store(result, at + 1 * width + _LANES, by)
    store(result, at + 1 * width + 2 * _LANES, bz)
    store(result, at + 2 * width, cx)
    store(result, at + 2 * width + _LANES, cy)
    store(result, at + 2 * width + 2 * _LANES, cz)
    store(result, at + 3 * width, dx)
    store(result, at + 3 * width + _LANES, dy)
    store(result, at + 3 * width + 2 * _LANES, dz)
    store(result, at + 4 * width, ex)
    store(result, at + 4 * width + _LANES, ey)
    store(result, at + 4 * width + 2 * _LANES, ez)
    store(result, at + 5 * width, fx)
    store(result, at + 5 * width + _LANES, fy)
    store(result, at + 5 * width + 2 * _LANES, fz)
    store(result, at + 6 * width, gx)
    store(result, at + 6 * width + _LANES, gy)
    store(result, at + 6 * width + 2 * _LANES, gz)
    store(result, at + 7 * width, hx)
    store(result, at + 7 * width + _LANES, hy)
    store(result, at + 7 * width + 2 * _LANES, hz)
