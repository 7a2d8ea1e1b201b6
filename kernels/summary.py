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
    "PairVectors",
    "arrange_vectors",
    "own_log_odds",
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


def own_log_odds(
    sums: Floats, coverage: Coverage, tracks: Floats, own: Ints, vector: Floats
) -> Floats:
    """Compute e of a pair without its own tracks.

    Parameters
    ----------
    sums : float32 array, shape (1 + n_tiles, summary)
        From :func:`summarize`, with all tracks.
    coverage : Coverage
        As for :func:`summarize`.
    tracks : float32 array, shape (n_windows + 1, n_tracks, summary)
        V of the windows, and of being available.
    own : int64 array
        Indices of the pair's tracks.
    vector : float32 array, shape (summary + 1,)
        v and v_0.

    Returns
    -------
    float32 array, shape (1 + n_tiles,)
    """
    is_own = np.zeros(tracks.shape[1], dtype=np.bool_)
    is_own[own] = True
    row = np.repeat(np.arange(1, len(sums)), np.diff(coverage.indptr))
    entries = np.flatnonzero(is_own[coverage.track])
    without = sums - tracks[-1, own].sum(axis=0)
    for window, values in enumerate(tracks[:-1]):
        fraction = coverage.fraction[entries, window, None]
        np.subtract.at(
            without, row[entries], fraction * values[coverage.track[entries]]
        )
    return summary_log_odds(without, arrange_vectors(vector[None]))[:, 0]


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
        start = row * size
        total, squares = zero, zero
        for k in range(start, start + size, 16):
            value = maximum(load(sums, k), zero)
            total, squares = add(total, value), multiply_add(value, value, squares)
        store(scratch, 0, total)
        mean = np.float64(0)
        for i in range(16):
            mean += np.float64(scratch[i])
        mean /= size
        store(scratch, 0, squares)
        square = np.float64(0)
        for i in range(16):
            square += np.float64(scratch[i])
        variance = max(square / size - mean * mean, 0.0)
        scale = np.float32(1 / np.sqrt(variance + _EPSILON))
        shift = broadcast(np.float32(-mean) * scale)
        for k in range(start, start + size, 16):
            value = maximum(load(sums, k), zero)
            store(rows, k, multiply_add(value, broadcast(scale), shift))


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
