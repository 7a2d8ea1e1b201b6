"""The maximum of each filter over spans of positions, by table look-ups.

A *span* is a half-open range of positions: in training, a pooling window of a sequence.
The convolution itself is not stored. Bias and ReLU are applied by the caller, because
max and ReLU commute: max(0, max_r Y - b). Scans of chromosomes use the kernel in
``motifs``, which also skips filters that cannot be active.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tfimpute_tracks.kernels.jit import njit, prange
from tfimpute_tracks.kernels.lanes import (
    aligned_empty,
    broadcast,
    lane_count,
    maximum,
    select_gt,
    store,
)
from tfimpute_tracks.kernels.tables import WORD, LookupTables, sum_rows

__all__ = ["check_spans", "span_maxima"]

Floats = NDArray[np.float32]
Ints = NDArray[np.int64]

_CHUNK = 2048  # spans of a task: it uses the tables of one block


def span_maxima(
    rows: NDArray[np.uint16], tables: LookupTables, starts: Ints, ends: Ints
) -> tuple[Floats, NDArray[np.int32]]:
    """Compute the maximum of each filter over each span, and its position.

    Parameters
    ----------
    rows : uint16 array, shape (n + 5 * n_words,)
        From :func:`tfimpute_tracks.kernels.tables.word_rows`.
    tables : LookupTables
        Of float32.
    starts, ends : int64 array, shape (n_spans,)
        Half-open ranges of positions of the filters' first base, which must fit an
        int32. The maximum of an empty span is -inf.

    Returns
    -------
    maxima : float32 array, shape (n_spans, K)
        max_r Y[r, k], with Y the paper's convolution, before bias and ReLU.
    positions : int32 array, shape (n_spans, K)
        First position of the maximum; the start of an empty span.

    Raises
    ------
    IndexError
        A span extends beyond the rows.
    """
    check_spans(rows, tables.n_words, starts, ends)
    n_blocks, _, _, n_lanes = tables.tables.shape
    out = aligned_empty((starts.size, n_blocks * n_lanes), np.float32)
    positions = aligned_empty(out.shape, np.int32)
    _span_maxima(rows, tables.tables, starts, ends, out, positions)
    return out[:, : tables.n_filters], positions[:, : tables.n_filters]


def check_spans(
    rows: NDArray[np.uint16], n_words: int, starts: Ints, ends: Ints
) -> None:
    """Refuse spans beyond the rows: a kernel would read outside of its arrays.

    Parameters
    ----------
    rows : uint16 array, shape (n + 5 * n_words,)
    n_words : int
    starts, ends : int64 array, shape (n_spans,)

    Raises
    ------
    IndexError
        A span extends beyond the rows.
    """
    n_positions = rows.size - WORD * n_words
    if starts.size and (starts.min() < 0 or ends.max() > n_positions):
        raise IndexError(
            f"spans cover positions {starts.min()} to {ends.max()}, "
            f"but the sequence has rows for 0 to {n_positions}"
        )


@njit(parallel=True, nogil=True, cache=True)
def _span_maxima(rows, tables, starts, ends, out, positions):  # type: ignore[no-untyped-def]
    n_chunks = (starts.size + _CHUNK - 1) // _CHUNK
    for task in prange(tables.shape[0] * n_chunks):
        first = task % n_chunks * _CHUNK
        last = min(starts.size, first + _CHUNK)
        _block_maxima(
            rows, tables, task // n_chunks, starts, ends, first, last, out, positions
        )


@njit(nogil=True, cache=True)
def _block_maxima(  # type: ignore[no-untyped-def]
    rows, tables, block, starts, ends, first, last, out, positions
):
    n_words, n_lanes = tables.shape[1], lane_count(tables)
    flat, result = tables[block].reshape(-1), out.reshape(-1)
    where = positions.reshape(-1)
    for span in range(first, last):
        best = broadcast(np.float32(-np.inf))
        position = broadcast(np.int32(starts[span]))
        for p in range(starts[span], ends[span]):
            value = sum_rows(flat, rows, p, n_words)
            # Only a greater value replaces the position: the first maximum is kept.
            position = select_gt(value, best, broadcast(np.int32(p)), position)
            best = maximum(value, best)
        store(result, span * out.shape[1] + block * n_lanes, best)
        store(where, span * out.shape[1] + block * n_lanes, position)
