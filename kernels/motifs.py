"""Motif features for scans: filters of both strands over the segments of a chromosome.

Computes the maximum of max(0, Y - b) over each segment, for every filter and its reverse
complement, in one pass over the sequence. Trained filters differ widely: many exceed
their bias only at a few perfect words, and regularization leaves many that exceed it
almost never. Filters are therefore sorted by their maximal value above the bias, and
blocks of those that are rarely active are *screened*: one row of a coarse table holds,
for each of 32 blocks, an upper bound of the values of its filters at a word. The sum of
a few such rows, compared with a limit, tests 32 blocks at once, and only blocks that may
be active at a position are computed there. The bounds are conservative, so screening
does not change any value. Blocks to screen are selected on random sequence when the
tables are built.
"""

from __future__ import annotations

from typing import Any, NamedTuple

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
from tfimpute_tracks.kernels.tables import (
    N_ROWS,
    WORD,
    build_tables,
    reverse_filters,
    sum_rows,
    word_rows,
)

__all__ = ["MotifTables", "SegmentMaxima", "build_motif_tables", "segment_maxima"]

Floats = NDArray[np.float32]
Ints = NDArray[np.int64]

_GROUPS = 32  # blocks per coarse row: int16 lanes
_RARE = (
    0.05  # screening is cheaper for blocks active at a smaller fraction of positions
)
_PROBE = 4096  # random bases to estimate that fraction
_COMMON_ROWS = 4**WORD  # of a word: those without N
_UNKNOWN = N_ROWS - 1  # row of a word of N
_MIN_BOUND = -8000  # lowest entry of a coarse table: the sum of four fits int16


class MotifTables(NamedTuple):
    """Look-up tables of the filters of both strands, the screened ones last.

    Attributes
    ----------
    tables : float32 or int16 array, shape (n_blocks, n_words, 3125, n_lanes)
        Sums are Y - b, times a scale if int16.
    filters : int32 array, shape (n_blocks, n_lanes)
        Filter of each lane, 0..K-1; -1 for none.
    factors : float32 array, shape (n_blocks, n_lanes)
        Convert sums to Y - b.
    strands : int64 array, shape (n_blocks,)
        0 for filters of the forward strand, 1 for their reverse complements.
    n_dense : int
        Blocks that are computed everywhere; the following ones are screened.
    coarse : int16 array, shape (n_coarse, n_words, 3125, 32)
        Bounds of 32 screened blocks each.
    limits : int16 array, shape (n_coarse, 32)
        A block may be active where the sum of its bounds exceeds its limit.
    """

    tables: NDArray[np.float32] | NDArray[np.int16]
    filters: NDArray[np.int32]
    factors: Floats
    strands: Ints
    n_dense: int
    coarse: NDArray[np.int16]
    limits: NDArray[np.int16]

    @property
    def n_words(self) -> int:
        """Rows to add per position."""
        return int(self.tables.shape[1])


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


def build_motif_tables(
    filters: Floats, bias: Floats, fast: bool = False, screen: bool = True
) -> MotifTables:
    """Build the tables for :func:`segment_maxima`.

    Parameters
    ----------
    filters : float32 array, shape (K, F, 4)
    bias : float32 array, shape (K,)
    fast : bool
        int16 tables; see :func:`tfimpute_tracks.kernels.tables.build_tables`.
    screen : bool
        Screen the blocks that are rarely active. Results are the same without.

    Returns
    -------
    MotifTables
    """
    # The maximum above the bias; an N contributes 0, which may exceed every base.
    bound = np.maximum(filters.max(axis=2), 0).sum(axis=1) - bias
    order = np.argsort(-bound, kind="stable").astype(np.int32)
    strands = [
        build_tables(weights[order], bias[order], fast)
        for weights in (filters, reverse_filters(filters))
    ]
    n_blocks, n_words, _, n_lanes = strands[0].tables.shape
    filter_of = np.full((n_blocks, n_lanes), -1, dtype=np.int32)
    filter_of.reshape(-1)[: order.size] = order
    factors = np.zeros((2, n_blocks, n_lanes), dtype=np.float32)
    for own, strand_tables in zip(factors, strands, strict=True):
        own.reshape(-1)[: order.size] = 1 / strand_tables.scale

    bounds = [_Bounds.of(strand.tables, filter_of >= 0) for strand in strands]
    is_rare = np.zeros((2, n_blocks), dtype=np.bool_)
    if screen:
        is_rare[:] = [own.active_fractions() < _RARE for own in bounds]
    ranks = [
        (strand, int(block))
        for rare in (False, True)
        for strand in (0, 1)
        for block in np.flatnonzero(is_rare[strand] == rare)
    ]
    tables = aligned_empty((2 * n_blocks, n_words, N_ROWS, n_lanes), np.int16)
    if not fast:
        tables = aligned_empty(tables.shape, np.float32)
    for i, (strand, block) in enumerate(ranks):
        tables[i] = strands[strand].tables[block]
    n_dense = int(np.count_nonzero(~is_rare))
    coarse, limits = _coarse(bounds, ranks[n_dense:])
    on_strand, blocks = np.array(ranks, dtype=np.int64).reshape(-1, 2).T
    return MotifTables(
        tables=tables,
        filters=filter_of[blocks],
        factors=factors[on_strand, blocks],
        strands=on_strand,
        n_dense=n_dense,
        coarse=coarse,
        limits=limits,
    )


class _Bounds(NamedTuple):
    """Bounds of each block: how much each word lowers the maximum of its filters.

    A filter has its maximum where each word is its best one. Other words lower it; the
    smallest loss of any filter of a block is the block's. Where the losses of the words
    sum up to the largest maximum of the block, none of its filters is active.
    """

    losses: NDArray[np.int16]  # (n_blocks, n_words, 3125), 0 and below
    limits: NDArray[np.int16]  # (n_blocks,)

    @classmethod
    def of(cls, tables: NDArray[Any], is_filter: NDArray[np.bool_]) -> _Bounds:
        n_blocks, n_words, n_rows, _ = tables.shape
        losses = np.empty((n_blocks, n_words, n_rows), dtype=np.int16)
        limits = np.empty(n_blocks, dtype=np.int16)
        for block in range(n_blocks):
            # Without the lanes of padding, whose loss is 0 at every word.
            table = tables[block][..., is_filter[block]].astype(np.float32)
            maxima = table.max(axis=1, keepdims=True)
            best = float(maxima.sum(axis=0).max())
            smallest = (table - maxima).max(axis=2)
            # Scaled so that a single word can lose all, and rounded conservatively.
            scale = -_MIN_BOUND / (1.02 * best) if best > 0 else 1.0
            losses[block] = np.ceil(np.maximum(smallest * scale, _MIN_BOUND))
            limits[block] = np.floor(-best * scale) - 1 if best > 0 else 2**15 - 1
        return cls(losses, limits)

    def active_fractions(self) -> NDArray[np.float64]:
        """Fractions of positions of random sequence at which each block may be active."""
        n_words = self.losses.shape[1]
        codes = np.random.default_rng(0).integers(0, 4, _PROBE, dtype=np.uint8)
        rows = word_rows(codes, n_words)
        totals = np.zeros((len(self.losses), _PROBE - WORD * n_words), dtype=np.int32)
        for word in range(n_words):
            first = WORD * word
            totals += self.losses[:, word, rows[first : first + totals.shape[1]]]
        fractions: NDArray[np.float64] = (totals > self.limits[:, None]).mean(axis=1)
        return fractions


def _coarse(
    bounds: list[_Bounds], ranks: list[tuple[int, int]]
) -> tuple[NDArray[np.int16], NDArray[np.int16]]:
    """Combine the bounds of the screened blocks, 32 per row."""
    n_coarse = -(-len(ranks) // _GROUPS)
    n_words = bounds[0].losses.shape[1]
    coarse = aligned_empty((n_coarse, n_words, N_ROWS, _GROUPS), np.int16)
    coarse[...] = _MIN_BOUND
    limits = aligned_empty((n_coarse, _GROUPS), np.int16)
    limits[...] = 2**15 - 1  # a group without a block is never active
    for i, (strand, block) in enumerate(ranks):
        row, group = divmod(i, _GROUPS)
        coarse[row, :, :, group] = bounds[strand].losses[block]
        limits[row, group] = bounds[strand].limits[block]
    return coarse, limits


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
    starts, ends = _without_repeats(rows, motifs.n_words, starts, ends)
    dense, screened = buffer.dense[:n], buffer.screened[:n]
    computed = buffer.computed[:n]
    zero = motifs.tables.dtype.type(0)
    _dense(rows, motifs.tables[: motifs.n_dense], starts, ends, zero, dense)
    computed[...] = 0
    rare = motifs.tables[motifs.n_dense :]
    for i, (coarse, limits) in enumerate(
        zip(motifs.coarse, motifs.limits, strict=True)
    ):
        _screened(
            rows,
            rare,
            i * _GROUPS,
            coarse.reshape(-1),
            limits,
            starts,
            ends,
            zero,
            screened,
            computed,
        )
    return SegmentMaxima(dense, screened, computed)


def _without_repeats(
    rows: NDArray[np.uint16], n_words: int, starts: Ints, ends: Ints
) -> tuple[Ints, Ints]:
    """Cut each segment to one of its positions in unknown sequence at either end.

    All such positions are equal. Short contigs have more of them than of their own.
    """
    is_unknown = rows == _UNKNOWN
    if not is_unknown.any():
        return starts, ends
    known = np.flatnonzero(~is_unknown)
    reach = WORD * (n_words - 1)  # from the first word of a position to its last one
    before = np.searchsorted(known, starts)
    after = np.searchsorted(known, ends + reach)
    is_empty = before == after
    known = np.append(known, 0)  # an index for segments without a known word
    n_before = np.where(is_empty, ends - starts, known[before] - reach - starts)
    n_after = np.where(is_empty, 0, ends - 1 - known[after - 1])
    return starts + np.maximum(n_before - 1, 0), ends - np.maximum(n_after - 1, 0)


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
    rows, tables, first, coarse, limits, starts, ends, zero, out, computed
):
    n_words = tables.shape[1]
    n_lanes = lane_count(tables)
    limit = load(limits, 0)
    for span in range(starts.size):
        result, is_computed = out[span], computed[span]
        for p in range(starts[span], ends[span]):
            mask = gt_mask(sum_rows(coarse, rows, p, n_words), limit)
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
