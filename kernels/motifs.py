"""Motif features for scans: filters of both strands over the segments of a chromosome.

Computes the maximum of max(0, Y - b) over each segment, for every filter and its reverse
complement, in one pass over the sequence. Blocks of filters that are rarely active are
computed only where their bounds (``motif_tables``) allow them to be.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tfimpute_tracks.kernels.jit import njit
from tfimpute_tracks.kernels.lanes import (
    aligned_empty,
    broadcast,
    ctz,
    gt_mask,
    lane_count,
    load,
    maximum,
    prefetch,
    store,
)
from tfimpute_tracks.kernels.lookup import check_spans
from tfimpute_tracks.kernels.motif_tables import (
    BLOCKS_PER_ROW,
    UNKNOWN_WORD,
    MotifTables,
)
from tfimpute_tracks.kernels.tables import N_ROWS, WORD, sum_rows

__all__ = ["SegmentMaxima", "segment_maxima"]

Ints = NDArray[np.int64]

_COMMON_ROWS = 4**WORD  # of a word: those without N


class SegmentMaxima(NamedTuple):
    """The maximum of max(0, Y - b) over each segment, as the kernels write it.

    Attributes
    ----------
    dense : array of the tables' dtype, shape (n_segments, n_dense * n_lanes)
        In the order of `MotifTables.filters`; multiply by `MotifTables.factors` to get
        the values of the network.
    screened : array of the tables' dtype, shape (n_segments, n_screened * n_lanes)
        The same for the screened blocks; undefined where a block was not computed.
    computed : uint8 array, shape (n_segments, n_screened)
        1 where a screened block was computed: it may be active in the segment.
    """

    dense: NDArray[np.float32] | NDArray[np.int16]
    screened: NDArray[np.float32] | NDArray[np.int16]
    computed: NDArray[np.uint8]

    @classmethod
    def allocate(cls, motifs: MotifTables, n_segments: int) -> SegmentMaxima:
        """Allocate a buffer to reuse: the first access to fresh memory is slow.

        Parameters
        ----------
        motifs : MotifTables
        n_segments : int

        Returns
        -------
        SegmentMaxima
        """
        n_blocks, _, _, n_lanes = motifs.tables.shape
        n_screened = n_blocks - motifs.n_dense
        dtype = motifs.tables.dtype
        return cls(
            aligned_empty((n_segments, motifs.n_dense * n_lanes), dtype),
            aligned_empty((n_segments, n_screened * n_lanes), dtype),
            np.empty((n_segments, n_screened), dtype=np.uint8),
        )


def segment_maxima(
    rows: NDArray[np.uint16],
    motifs: MotifTables,
    starts: Ints,
    ends: Ints,
    buffer: SegmentMaxima | None = None,
) -> SegmentMaxima:
    """Compute the maximum of max(0, Y - b) over each segment, on both strands.

    Parameters
    ----------
    rows : uint16 array, shape (n + 5 * n_words,)
        From :func:`tfimpute_tracks.kernels.tables.word_rows`.
    motifs : MotifTables
    starts, ends : int64 array, shape (n_segments,)
        Half-open ranges of filter positions.
    buffer : SegmentMaxima, optional
        From :meth:`SegmentMaxima.allocate`, for at least as many segments; receives the
        result.

    Returns
    -------
    SegmentMaxima
        0 for lanes without a filter and for empty segments.

    Raises
    ------
    IndexError
        A segment extends beyond the rows.
    """
    check_spans(rows, motifs.n_words, starts, ends)
    n = starts.size
    if buffer is None:
        buffer = SegmentMaxima.allocate(motifs, n)
    starts, ends, has_unknown = _without_repeats(rows, motifs.n_words, starts, ends)
    dense, screened = buffer.dense[:n], buffer.screened[:n]
    computed = buffer.computed[:n]
    zero = motifs.tables.dtype.type(0)
    _dense(rows, motifs.tables[: motifs.n_dense], starts, ends, zero, dense)
    computed[...] = 0
    rare = motifs.tables[motifs.n_dense :]
    for i, (coarse, limits, alone) in enumerate(
        zip(motifs.coarse, motifs.limits, motifs.alone, strict=True)
    ):
        bounds = i * BLOCKS_PER_ROW, coarse.reshape(-1), limits.reshape(-1)
        place = starts, ends, zero, screened, computed
        _screened(rows, rare, *bounds, None, np.flatnonzero(~has_unknown), *place)
        if has_unknown.any():
            spans = np.flatnonzero(has_unknown)
            _screened(rows, rare, *bounds, alone.reshape(-1), spans, *place)
    return SegmentMaxima(dense, screened, computed)


def _without_repeats(
    rows: NDArray[np.uint16], n_words: int, starts: Ints, ends: Ints
) -> tuple[Ints, Ints, NDArray[np.bool_]]:
    """Cut each segment to one of its positions in unknown sequence at either end.

    All such positions are equal. Short contigs have more of them than of their own. The
    third result is which segments have a word that is all N.
    """
    reach = WORD * (n_words - 1)  # from the first word of a position to its last one
    first = int(starts.min(initial=rows.size))
    is_unknown = rows[first : int(ends.max(initial=0)) + reach] == UNKNOWN_WORD
    if not is_unknown.any():
        return starts, ends, np.zeros(starts.size, dtype=np.bool_)
    known = first + np.flatnonzero(~is_unknown)
    before = np.searchsorted(known, starts)
    after = np.searchsorted(known, ends + reach)
    is_empty = before == after
    known = np.append(known, 0)  # an index for segments without a known word
    n_before = np.where(is_empty, ends - starts, known[before] - reach - starts)
    n_after = np.where(is_empty, 0, ends - 1 - known[after - 1])
    has_unknown = after - before < ends + reach - starts
    starts = starts + np.maximum(n_before - 1, 0)
    return starts, ends - np.maximum(n_after - 1, 0), has_unknown


# Each thread processes its own part of the sequence with all filters: nothing is shared,
# so a kernel runs on one thread.


@njit(nogil=True, cache=True)
def _dense(rows, tables, starts, ends, zero, out):  # type: ignore[no-untyped-def]
    n_blocks, n_words, n_rows = tables.shape[:3]
    n_lanes = lane_count(tables)
    flat, result = tables.reshape(-1), out.reshape(-1)
    size = n_words * n_rows * n_lanes
    # While a block is processed, the common rows of the next one are prefetched, a few
    # with each span: the CPU cannot predict these accesses.
    per_span = _COMMON_ROWS * n_words // max(1, starts.size) + 1
    for block in range(n_blocks):
        table = tables[block].reshape(-1)
        next_block = (block + 1) * size
        for span in range(starts.size):
            for i in range(span * per_span, (span + 1) * per_span):
                row = i // _COMMON_ROWS * n_rows + i % _COMMON_ROWS
                if i < _COMMON_ROWS * n_words and block + 1 < n_blocks:
                    prefetch(flat, next_block + row * n_lanes)
            best = broadcast(zero)
            for p in range(starts[span], ends[span]):
                best = maximum(best, sum_rows(table, rows, p, n_words))
            store(result, span * out.shape[1] + block * n_lanes, best)


@njit(nogil=True, cache=True)
def _screened(  # type: ignore[no-untyped-def]
    rows,
    tables,
    first,
    coarse,
    limits,
    alone,
    spans,
    starts,
    ends,
    zero,
    screened,
    computed,
):
    # Compiled twice: `alone` is None for spans without a word of N, and its branch is
    # left out.
    n_words = tables.shape[1]
    n_lanes = lane_count(tables)
    for span in spans:
        result, is_computed = screened[span], computed[span]
        limit = load(limits, 0)
        for p in range(starts[span], ends[span]):
            bounds = sum_rows(coarse, rows, p, n_words)
            if alone is not None:
                unknown = _unknown_words(rows, p, n_words)
                limit = load(limits, unknown * BLOCKS_PER_ROW)
                if unknown == n_words - 1:  # all but the first
                    bounds = load(alone, np.int64(rows[p]) * BLOCKS_PER_ROW)
                elif unknown == (n_words - 1) * (n_words + 1):  # all but the last
                    row = N_ROWS + np.int64(rows[p + WORD * (n_words - 1)])
                    bounds = load(alone, row * BLOCKS_PER_ROW)
            mask = gt_mask(bounds, limit)
            while mask:
                block = first + ctz(mask)
                mask &= mask - 1
                lane = block * n_lanes
                best = broadcast(zero)
                if is_computed[block]:
                    best = load(result, lane)
                is_computed[block] = 1
                value = sum_rows(tables[block].reshape(-1), rows, p, n_words)
                store(result, lane, maximum(best, value))


@njit(nogil=True, cache=True)
def _unknown_words(rows, p, n_words):  # type: ignore[no-untyped-def]
    # All N: the words in front times n_words + 1, plus those at the end.
    front, end = 0, 0
    while front < n_words and rows[p + WORD * front] == UNKNOWN_WORD:
        front += 1
    while (
        end < n_words - front and rows[p + WORD * (n_words - 1 - end)] == UNKNOWN_WORD
    ):
        end += 1
    return front * (n_words + 1) + end
