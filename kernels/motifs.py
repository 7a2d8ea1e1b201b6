"""Both strands' filters, arranged for scanning a chromosome.

The largest of max(0, Y - b) over each segment, for every filter and its reverse
complement, in one pass over the sequence. Trained filters differ widely: many exceed
their bias nowhere but at a few perfect words, and regularization leaves many that
exceed it practically never. So filters are sorted by how far they can rise above their
bias, and blocks of those that hardly ever do are *screened*: one row of a coarse table
holds, for each of 32 blocks, an upper bound of what any of its filters can still reach;
four such rows added tell 32 blocks apart in one comparison, and only a block that may
fire at a position is computed there. The bounds are safe, so screening changes no
value; which blocks are screened is found by trying random sequence, once, when the
tables are built.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

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

_GROUPS = 32  # blocks that a coarse row tells apart: int16 lanes
_RARE = 0.05  # a block that may fire at fewer positions is cheaper screened
_PROBE = 4096  # positions of random sequence that are tried
_HOT_ROWS = 4**WORD  # of a word: those without N
_FLOOR = -8000  # lowest entry of a coarse table: four of them fit int16


class MotifTables(NamedTuple):
    """Look-up tables of the filters of both strands, the screened ones last.

    Attributes
    ----------
    tables : float32 or int16 array, shape (n_blocks, n_words, 3125, n_lanes)
        Sums are Y - b, times a scale if int16.
    filters : int32 array, shape (n_blocks, n_lanes)
        Which filter a lane holds, 0..K-1; -1 for none.
    factors : float32 array, shape (n_blocks, n_lanes)
        What an entry is multiplied by to give Y - b.
    strands : int64 array, shape (n_blocks,)
        0 for filters as they are, 1 for their reverse complements.
    n_dense : int
        Blocks that are computed everywhere; those behind them are screened.
    coarse : int16 array, shape (n_coarse, n_words, 3125, 32)
        Bounds of 32 screened blocks each.
    limits : int16 array, shape (n_coarse, 32)
        A block may fire where its bounds add up to more.
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
    """The largest of max(0, Y - b) over each segment, as the kernels leave it.

    Attributes
    ----------
    dense : array of the tables' dtype, shape (n_segments, n_dense * n_lanes)
        In the order of `MotifTables.filters`; times `MotifTables.factors` the values
        of the network.
    screened : array of the tables' dtype, shape (n_segments, n_screened * n_lanes)
        The same for the screened blocks, undefined where a block has not fired.
    fired : uint8 array, shape (n_segments, n_screened)
        1 where a screened block may have fired in a segment.
    """

    dense: NDArray[np.float32] | NDArray[np.int16]
    screened: NDArray[np.float32] | NDArray[np.int16]
    fired: NDArray[np.uint8]

    @classmethod
    def room(cls, motifs: MotifTables, n_segments: int) -> SegmentMaxima:
        """Allocate, to be filled again and again: fresh memory is slow to touch.

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
    """Arrange filters for :func:`segment_maxima`.

    Parameters
    ----------
    filters : float32 array, shape (K, F, 4)
    bias : float32 array, shape (K,)
    fast : bool
        int16 tables; see :func:`tfimpute_tracks.kernels.tables.build_tables`.
    screen : bool
        Screen the blocks that hardly ever fire. Results are the same without.

    Returns
    -------
    MotifTables
    """
    # How far a filter can rise above its bias; an N adds nothing, a letter may take.
    reach = np.maximum(filters.max(axis=2), 0).sum(axis=1) - bias
    order = np.argsort(-reach, kind="stable").astype(np.int32)
    strands = [
        build_tables(some[order], bias[order], fast)
        for some in (filters, reverse_filters(filters))
    ]
    n_blocks, n_words, _, n_lanes = strands[0].tables.shape
    places = np.full((n_blocks, n_lanes), -1, dtype=np.int32)
    places.reshape(-1)[: order.size] = order
    factors = np.zeros((2, n_blocks, n_lanes), dtype=np.float32)
    for own, side in zip(factors, strands, strict=True):
        own.reshape(-1)[: order.size] = 1 / side.scale

    bounds = [_Bounds.of(side.tables, places >= 0) for side in strands]
    is_rare = np.zeros((2, n_blocks), dtype=np.bool_)
    if screen:
        is_rare[:] = [bound.firing_rates() < _RARE for bound in bounds]
    ranks = [
        (strand, int(block))
        for rare in (False, True)
        for strand in (0, 1)
        for block in np.flatnonzero(is_rare[strand] == rare)
    ]
    tables = aligned_empty((2 * n_blocks, n_words, N_ROWS, n_lanes), np.int16)
    if not fast:
        tables = aligned_empty(tables.shape, np.float32)
    for place, (strand, block) in enumerate(ranks):
        tables[place] = strands[strand].tables[block]
    n_dense = int(np.count_nonzero(~is_rare))
    coarse, limits = _coarse(bounds, ranks[n_dense:])
    on_strand, blocks = np.array(ranks, dtype=np.int64).reshape(-1, 2).T
    return MotifTables(
        tables=tables,
        filters=places[blocks],
        factors=factors[on_strand, blocks],
        strands=on_strand,
        n_dense=n_dense,
        coarse=coarse,
        limits=limits,
    )


class _Bounds(NamedTuple):
    """How far each block stays below its best at each word, and may stay below.

    A filter reaches its best sum, `best`, where each word is its best one. At other
    words it loses; the least loss of any filter of the block is the block's. Where the
    losses of the words add up to the largest `best` of the block, no filter fires.
    """

    losses: NDArray[np.int16]  # (n_blocks, n_words, 3125), 0 and below
    limits: NDArray[np.int16]  # (n_blocks,)

    @classmethod
    def of(cls, tables: NDArray[Any], is_filter: NDArray[np.bool_]) -> _Bounds:
        n_blocks, n_words, n_rows, _ = tables.shape
        losses = np.empty((n_blocks, n_words, n_rows), dtype=np.int16)
        limits = np.empty(n_blocks, dtype=np.int16)
        for block in range(n_blocks):
            # Lanes that only fill the block lose nothing at any word.
            table = tables[block][..., is_filter[block]].astype(np.float32)
            tops = table.max(axis=1, keepdims=True)
            best = float(tops.sum(axis=0).max())
            least = (table - tops).max(axis=2)
            # Scaled so that a single word can lose it all, rounded to the safe side.
            scale = -_FLOOR / (1.02 * best) if best > 0 else 1.0
            losses[block] = np.ceil(np.maximum(least * scale, _FLOOR))
            limits[block] = np.floor(-best * scale) - 1 if best > 0 else 2**15 - 1
        return cls(losses, limits)

    def firing_rates(self) -> NDArray[np.float64]:
        """Give the share of positions of random sequence at which a block may fire."""
        n_words = self.losses.shape[1]
        letters = np.random.default_rng(0).integers(0, 4, _PROBE, dtype=np.uint8)
        rows = word_rows(letters, n_words)
        totals = np.zeros((len(self.losses), _PROBE - WORD * n_words), dtype=np.int32)
        for word in range(n_words):
            first = WORD * word
            totals += self.losses[:, word, rows[first : first + totals.shape[1]]]
        rates: NDArray[np.float64] = (totals > self.limits[:, None]).mean(axis=1)
        return rates


def _coarse(
    bounds: list[_Bounds], ranks: list[tuple[int, int]]
) -> tuple[NDArray[np.int16], NDArray[np.int16]]:
    """Lay the bounds of the screened blocks side by side, 32 to a row."""
    n_coarse = -(-len(ranks) // _GROUPS)
    n_words = bounds[0].losses.shape[1]
    coarse = aligned_empty((n_coarse, n_words, N_ROWS, _GROUPS), np.int16)
    coarse[...] = _FLOOR
    limits = aligned_empty((n_coarse, _GROUPS), np.int16)
    limits[...] = 2**15 - 1  # a group without a block never fires
    for place, (strand, block) in enumerate(ranks):
        row, group = divmod(place, _GROUPS)
        coarse[row, :, :, group] = bounds[strand].losses[block]
        limits[row, group] = bounds[strand].limits[block]
    return coarse, limits


def segment_maxima(
    rows: NDArray[np.uint16],
    motifs: MotifTables,
    starts: Ints,
    ends: Ints,
    room: SegmentMaxima | None = None,
) -> SegmentMaxima:
    """Give the maximum of max(0, Y - b) over each segment, both strands.

    Parameters
    ----------
    rows : uint16 array, shape (n + 5 * n_words,)
        From :func:`tfimpute_tracks.kernels.tables.word_rows`.
    motifs : MotifTables
    starts, ends : int64 array, shape (n_segments,)
        Half-open ranges of filter positions.
    room : SegmentMaxima, optional
        From :meth:`SegmentMaxima.room`, for at least as many segments; the result is
        written there.

    Returns
    -------
    SegmentMaxima
        0 for lanes without a filter and for empty segments.

    Raises
    ------
    IndexError
        A segment reaches past the rows.
    """
    check_spans(rows, motifs.n_words, starts, ends)
    n = starts.size
    if room is None:
        room = SegmentMaxima.room(motifs, n)
    dense, screened, fired = room.dense[:n], room.screened[:n], room.fired[:n]
    zero = motifs.tables.dtype.type(0)
    _dense(rows, motifs.tables[: motifs.n_dense], starts, ends, zero, dense)
    fired[...] = 0
    rare = motifs.tables[motifs.n_dense :]
    for place, (coarse, limits) in enumerate(
        zip(motifs.coarse, motifs.limits, strict=True)
    ):
        _screened(
            rows,
            rare,
            place * _GROUPS,
            coarse.reshape(-1),
            limits,
            starts,
            ends,
            zero,
            screened,
            fired,
        )
    return SegmentMaxima(dense, screened, fired)


# Threads work on blocks of sequence of their own, each through all filters: nothing is
# shared, so these kernels run on one thread each.


@njit(nogil=True, cache=True)
def _dense(rows, tables, starts, ends, zero, out):  # type: ignore[no-untyped-def]
    n_blocks, n_words, n_rows = tables.shape[:3]
    n_lanes = lane_count(tables)
    flat, result = tables.reshape(-1), out.reshape(-1)
    size = n_words * n_rows * n_lanes
    # While a block is worked on, the hot rows of the next one come nearer, a few with
    # each span: nothing else tells the machine what it will need.
    per_span = _HOT_ROWS * n_words // max(1, starts.size) + 1
    for block in range(n_blocks):
        table = tables[block].reshape(-1)
        ahead = (block + 1) * size
        for span in range(starts.size):
            for i in range(span * per_span, (span + 1) * per_span):
                row = i // _HOT_ROWS * n_rows + i % _HOT_ROWS
                if i < _HOT_ROWS * n_words and block + 1 < n_blocks:
                    prefetch(flat, ahead + row * n_lanes)
            best = broadcast(zero)
            for p in range(starts[span], ends[span]):
                best = maximum(best, sum_rows(table, rows, p, n_words))
            store(result, span * out.shape[1] + block * n_lanes, best)


@njit(nogil=True, cache=True)
def _screened(  # type: ignore[no-untyped-def]
    rows, tables, first, coarse, limits, starts, ends, zero, out, fired
):
    n_words = tables.shape[1]
    n_lanes = lane_count(tables)
    limit = load(limits, 0)
    for span in range(starts.size):
        result, has_fired = out[span], fired[span]
        for p in range(starts[span], ends[span]):
            alive = gt_mask(sum_rows(coarse, rows, p, n_words), limit)
            while alive:
                block = first + ctz(alive)
                alive &= alive - 1
                place = block * n_lanes
                best = broadcast(zero)
                if has_fired[block]:
                    best = load(result, place)
                has_fired[block] = 1
                value = sum_rows(tables[block].reshape(-1), rows, p, n_words)
                store(result, place, maximum(best, value))
