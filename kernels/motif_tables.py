"""Tables of the filters of both strands for scans, with bounds that screen rare ones.

Trained filters differ widely: many exceed their bias only at a few perfect words, and
regularization leaves many that exceed it almost never. Filters are therefore sorted by
their maximal value above the bias, and blocks of those that are rarely active are
*screened*: one row of a coarse table holds, for each of 32 blocks, an upper bound of the
values of its filters at a word. The sum of a few such rows, compared with a limit, tests
32 blocks at once. The bounds are conservative, so screening does not change any value.
Blocks to screen are selected on random sequence when the tables are built.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tfimpute_tracks.kernels.lanes import aligned_empty
from tfimpute_tracks.kernels.tables import (
    N_ROWS,
    WORD,
    build_tables,
    reverse_filters,
    word_rows,
)

__all__ = ["BLOCKS_PER_ROW", "UNKNOWN_WORD", "MotifTables", "build_motif_tables"]

Floats = NDArray[np.float32]
Ints = NDArray[np.int64]

BLOCKS_PER_ROW = 32
"""Blocks per coarse row: int16 lanes."""
UNKNOWN_WORD = N_ROWS - 1
"""Row of a word of N."""
_RARE = (
    0.05  # screening is cheaper for blocks active at a smaller fraction of positions
)
_PROBE = 4096  # random bases to estimate that fraction
_MIN_BOUND = -8000  # lowest entry of a coarse table: the sum of four fits int16
_NEVER = 2**15 - 1  # the limit of a block that is not active


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
    limits : int16 array, shape (n_coarse, (n_words + 1)^2, 32)
        A block may be active where the sum of its bounds exceeds its limit, which
        depends on how many words are all N: those in front times n_words + 1, plus those
        at the end.
    alone : int16 array, shape (n_coarse, 2, 3125, 32)
        In place of the sum where all words but the first, or all but the last, are N.
    """

    tables: NDArray[np.float32] | NDArray[np.int16]
    filters: NDArray[np.int32]
    factors: Floats
    strands: Ints
    n_dense: int
    coarse: NDArray[np.int16]
    limits: NDArray[np.int16]
    alone: NDArray[np.int16]

    @property
    def n_words(self) -> int:
        """Rows to add per position."""
        return int(self.tables.shape[1])


def build_motif_tables(
    filters: Floats, bias: Floats, fast: bool = False, screen: bool = True
) -> MotifTables:
    """Build the tables for :func:`tfimpute_tracks.kernels.motifs.segment_maxima`.

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
    coarse, limits, alone = _coarse(bounds, ranks[n_dense:])
    on_strand, blocks = np.array(ranks, dtype=np.int64).reshape(-1, 2).T
    return MotifTables(
        tables=tables,
        filters=filter_of[blocks],
        factors=factors[on_strand, blocks],
        strands=on_strand,
        n_dense=n_dense,
        coarse=coarse,
        limits=limits,
        alone=alone,
    )


class _Bounds(NamedTuple):
    """Bounds of each block: how much each word lowers the maximum of its filters.

    A filter has its maximum where each word is its best one. Other words lower it; the
    smallest loss of any filter of a block is the block's. Where the losses of the words
    sum up to the largest maximum of the block, none of its filters is active. Next to
    unknown sequence, words at either end are all N: their values are known, so maxima
    are smaller there. Of a single word in unknown sequence all values are known.
    """

    losses: NDArray[np.int16]  # (n_blocks, n_words, 3125), 0 and below
    limits: NDArray[np.int16]  # (n_blocks, (n_words + 1)^2)
    is_active: NDArray[np.bool_]  # (n_blocks, 2, 3125): by the first or last word alone

    @classmethod
    def of(cls, tables: NDArray[Any], is_filter: NDArray[np.bool_]) -> _Bounds:
        n_blocks, n_words, n_rows, _ = tables.shape
        losses = np.empty((n_blocks, n_words, n_rows), dtype=np.int16)
        limits = np.empty((n_blocks, (n_words + 1) ** 2), dtype=np.int16)
        is_active = np.empty((n_blocks, 2, n_rows), dtype=np.bool_)
        is_known = _known_words(n_words)[..., None]
        for block in range(n_blocks):
            # Without the lanes of padding, whose loss is 0 at every word.
            table = tables[block][..., is_filter[block]].astype(np.float32)
            maxima = table.max(axis=1, keepdims=True)
            best = float(maxima.sum(axis=0).max())
            smallest = (table - maxima).max(axis=2)
            # Scaled so that a single word can lose all, and rounded conservatively.
            scale = -_MIN_BOUND / (1.02 * best) if best > 0 else 1.0
            losses[block] = np.ceil(np.maximum(smallest * scale, _MIN_BOUND))
            losses[block, :, UNKNOWN_WORD] = 0  # the limit knows
            words = np.where(is_known, maxima[:, 0], table[:, UNKNOWN_WORD])
            highest = words.sum(axis=1).max(axis=1)
            lowest = np.minimum(np.floor(-highest * scale) - 1, _NEVER)
            limits[block] = lowest if best > 0 else _NEVER
            unknown = table[:, UNKNOWN_WORD]
            others = unknown.sum(axis=0) - unknown[[0, -1]]
            # No slack: a word of N is 0, but for the bias, so these are the kernel's sums.
            sums = table[[0, -1]] + others[:, None]
            is_active[block] = sums.max(axis=2) > 0
        return cls(losses, limits, is_active)

    def active_fractions(self) -> NDArray[np.float64]:
        """Fractions of positions of random sequence at which each block may be active."""
        n_words = self.losses.shape[1]
        codes = np.random.default_rng(0).integers(0, 4, _PROBE, dtype=np.uint8)
        rows = word_rows(codes, n_words)
        totals = np.zeros((len(self.losses), _PROBE - WORD * n_words), dtype=np.int32)
        for word in range(n_words):
            first = WORD * word
            totals += self.losses[:, word, rows[first : first + totals.shape[1]]]
        fractions: NDArray[np.float64] = (totals > self.limits[:, :1]).mean(axis=1)
        return fractions


def _known_words(n_words: int) -> NDArray[np.bool_]:
    """Which words are not all N, for each number of such in front and at the end."""
    front, end = np.divmod(np.arange((n_words + 1) ** 2), n_words + 1)
    word = np.arange(n_words)
    found: NDArray[np.bool_] = word >= front[:, None]
    return found & (word < n_words - end[:, None])


def _coarse(
    bounds: list[_Bounds], ranks: list[tuple[int, int]]
) -> tuple[NDArray[np.int16], ...]:
    """Combine the bounds of the screened blocks, 32 per row."""
    n_coarse = -(-len(ranks) // BLOCKS_PER_ROW)
    n_words = bounds[0].losses.shape[1]
    coarse = aligned_empty((n_coarse, n_words, N_ROWS, BLOCKS_PER_ROW), np.int16)
    coarse[...] = _MIN_BOUND
    limits = aligned_empty((n_coarse, (n_words + 1) ** 2, BLOCKS_PER_ROW), np.int16)
    limits[...] = _NEVER  # as a group without a block
    alone = aligned_empty((n_coarse, 2, N_ROWS, BLOCKS_PER_ROW), np.int16)
    alone[...] = -_NEVER
    for i, (strand, block) in enumerate(ranks):
        row, group = divmod(i, BLOCKS_PER_ROW)
        coarse[row, :, :, group] = bounds[strand].losses[block]
        limits[row, :, group] = bounds[strand].limits[block]
        alone[row, :, :, group][bounds[strand].is_active[block]] = _NEVER
    return coarse, limits, alone
