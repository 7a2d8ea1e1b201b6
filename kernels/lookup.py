"""The largest value of each filter over spans of positions, by table look-ups.

A *span* is a half-open range of positions: a pooling window of one sequence in
training. The convolution itself is never written. Bias and ReLU are left to the
caller, because max and ReLU commute: max(0, max_r Y - b). The scan of chromosomes has
a kernel of its own in ``motifs``, which also passes over filters that cannot fire.
"""

from __future__ import annotations

import numpy as np
from numba import njit, prange
from numpy.typing import NDArray

from tfimpute_tracks.kernels.lanes import (
    aligned_empty,
    broadcast,
    lane_count,
    maximum,
    select_gt,
    store,
)
from tfimpute_tracks.kernels.tables import WORD, LookupTables, sum_rows

__all__ = ["check_spans", "span_maxima_and_places"]

Floats = NDArray[np.float32]
Ints = NDArray[np.int64]

_CHUNK = 2048  # spans a task works through before it fetches another block's tables


def span_maxima_and_places(
    rows: NDArray[np.uint16], tables: LookupTables, starts: Ints, ends: Ints
) -> tuple[Floats, NDArray[np.int32]]:
    """Give each filter's largest convolution value over each span, and its place.

    Parameters
    ----------
    rows : uint16 array, shape (n + 5 * n_words,)
        From :func:`tfimpute_tracks.kernels.tables.word_rows`.
    tables : LookupTables
        Of float32.
    starts, ends : int64 array, shape (n_spans,)
        Half-open ranges of filter positions (a position is where a filter's first
        letter lies), which must fit an int32; an empty span gives -inf.

    Returns
    -------
    maxima : float32 array, shape (n_spans, K)
        max_r Y[r, k], Y as in the paper's convolution, before bias and ReLU.
    places : int32 array, shape (n_spans, K)
        The first position of the maximum; the span's start where the span is empty.

    Raises
    ------
    IndexError
        A span reaches past the rows.
    """
    check_spans(rows, tables.n_words, starts, ends)
    n_blocks, _, _, n_lanes = tables.tables.shape
    out = aligned_empty((starts.size, n_blocks * n_lanes), np.float32)
    places = aligned_empty(out.shape, np.int32)
    _maxima_and_places(rows, tables.tables, starts, ends, out, places)
    return out[:, : tables.n_filters], places[:, : tables.n_filters]


def check_spans(
    rows: NDArray[np.uint16], n_words: int, starts: Ints, ends: Ints
) -> None:
    """Refuse spans that reach past the rows: a kernel would read foreign memory.

    Parameters
    ----------
    rows : uint16 array, shape (n + 5 * n_words,)
    n_words : int
    starts, ends : int64 array, shape (n_spans,)

    Raises
    ------
    IndexError
        A span reaches past the rows.
    """
    reach = rows.size - WORD * n_words
    if starts.size and (starts.min() < 0 or ends.max() > reach):
        raise IndexError(
            f"spans cover positions {starts.min()} to {ends.max()}, "
            f"but the sequence has rows for 0 to {reach}"
        )


@njit(parallel=True, nogil=True, cache=True)
def _maxima_and_places(rows, tables, starts, ends, out, places):  # type: ignore[no-untyped-def]
    n_chunks = (starts.size + _CHUNK - 1) // _CHUNK
    for task in prange(tables.shape[0] * n_chunks):
        first = task % n_chunks * _CHUNK
        last = min(starts.size, first + _CHUNK)
        _block_places(
            rows, tables, task // n_chunks, starts, ends, first, last, out, places
        )


@njit(nogil=True, cache=True)
def _block_places(  # type: ignore[no-untyped-def]
    rows, tables, block, starts, ends, first, last, out, places
):
    n_words, n_lanes = tables.shape[1], lane_count(tables)
    flat, result, where = tables[block].reshape(-1), out.reshape(-1), places.reshape(-1)
    for span in range(first, last):
        best = broadcast(np.float32(-np.inf))
        place = broadcast(np.int32(starts[span]))
        for p in range(starts[span], ends[span]):
            value = sum_rows(flat, rows, p, n_words)
            # The old place comes first: of equal values the first one counts.
            place = select_gt(value, best, broadcast(np.int32(p)), place)
            best = maximum(value, best)
        store(result, span * out.shape[1] + block * n_lanes, best)
        store(where, span * out.shape[1] + block * n_lanes, place)
