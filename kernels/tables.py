"""The convolution of a one-hot sequence as table look-ups: words and tables.

A filter of F positions is cut into words of five. For each word, a table holds the
partial sums of all 5^5 words over A C G T N, so the convolution at a position is the sum
of ceil(F / 5) table rows, and N is exact at no extra cost. Filters are stored in blocks
that fill 64 bytes: a row is one vector. The rows of a block for words without N have
4 x 1,024 x 64 bytes and stay in a second-level cache. The tables are used in ``lookup``
(training) and ``motifs`` (scans).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tfimpute_tracks.kernels.jit import njit
from tfimpute_tracks.kernels.lanes import (
    LANE_BYTES,
    add,
    add_saturating,
    aligned_empty,
    lane_count,
    load,
    store,
)

__all__ = [
    "N_ROWS",
    "WORD",
    "LookupTables",
    "build_tables",
    "reverse_filters",
    "sum_rows",
    "word_rows",
]

Floats = NDArray[np.float32]

WORD = 5
"""Bases of a word."""
N_ROWS = 5**WORD
"""Rows of a table: one per word over A C G T N."""
_MIN_WORDS = 4  # the kernels' inner loop adds four rows: filters of up to 20 positions
_MAX_SUM = 32_000  # of int16 values; the rest up to 32,767 is for rounding


def _row_of_word() -> NDArray[np.uint16]:
    """Assign rows to words: words without N, which are frequent, come first."""
    codes = np.stack(np.unravel_index(np.arange(N_ROWS), (5,) * WORD))
    is_known = np.all(codes < 4, axis=0)
    rows = np.empty(N_ROWS, dtype=np.uint16)
    rows[is_known] = np.arange(4**WORD)
    rows[~is_known] = np.arange(4**WORD, N_ROWS)
    return rows


_ROW_OF_WORD = _row_of_word()


class LookupTables(NamedTuple):
    """Partial sums of every filter for every word.

    Attributes
    ----------
    tables : float32 or int16 array, shape (n_blocks, n_words, 3125, n_lanes)
        n_lanes is 16 for float32 and 32 for int16; rows are aligned to cache lines.
    scale : float32 array, shape (K,)
        Factor of the sums of each filter; ones for float32 tables.
    """

    tables: NDArray[np.float32] | NDArray[np.int16]
    scale: Floats

    @property
    def n_filters(self) -> int:
        """K; the last block is padded with filters of zeros."""
        return self.scale.size

    @property
    def n_words(self) -> int:
        """Rows to add per position."""
        return int(self.tables.shape[1])


def word_rows(codes: NDArray[np.uint8], n_words: int) -> NDArray[np.uint16]:
    """Find the table row of the word that begins at each base.

    Parameters
    ----------
    codes : uint8 array, shape (n,), values 0..4
    n_words : int
        Words per filter: the last positions need rows beyond the end.

    Returns
    -------
    uint16 array, shape (n + WORD * n_words,)
        The sequence is followed by N.
    """
    rows = np.empty(codes.size + WORD * n_words, dtype=np.uint16)
    _roll(codes, _ROW_OF_WORD, rows)
    return rows


@njit(nogil=True, cache=True)
def _roll(codes, row_of_word, rows):  # type: ignore[no-untyped-def]
    # A rolling number in base 5 of the last five codes.
    word = 0
    for i in range(rows.size + WORD - 1):
        code = int(codes[i]) if i < codes.size else 4
        removed = 0
        if i >= WORD:
            removed = int(codes[i - WORD]) if i - WORD < codes.size else 4
        word = word * 5 + code - N_ROWS * removed
        if i >= WORD - 1:
            rows[i - WORD + 1] = row_of_word[word]


@njit(nogil=True, cache=True, forceinline=True)
def sum_rows(table, rows, p, n_words):  # type: ignore[no-untyped-def]
    """Sum the table rows of one block at one position; called by kernels.

    Parameters
    ----------
    table : float32 or int16 array, shape (n_words * 3125 * n_lanes,)
        A block of :class:`LookupTables`, flattened.
    rows : uint16 array, shape (n,)
    p : int
    n_words : int
        At least four.

    Returns
    -------
    lanes of the table's dtype
        Sums of int16 are clipped to their limits.
    """
    n_lanes = lane_count(table)
    step = N_ROWS * n_lanes
    q = np.uint64(p)  # a signed index would be checked for negative values each time
    first = add_saturating(
        load(table, np.int64(rows[q]) * n_lanes),
        load(table, step + np.int64(rows[q + np.uint64(5)]) * n_lanes),
    )
    second = add_saturating(
        load(table, 2 * step + np.int64(rows[q + np.uint64(10)]) * n_lanes),
        load(table, 3 * step + np.int64(rows[q + np.uint64(15)]) * n_lanes),
    )
    total = add_saturating(first, second)
    for word in range(_MIN_WORDS, n_words):
        row = np.int64(rows[q + np.uint64(WORD * word)])
        total = add_saturating(total, load(table, word * step + row * n_lanes))
    return total


def reverse_filters(filters: Floats) -> Floats:
    """Compute the filters that scan the reverse strand along the forward sequence.

    Parameters
    ----------
    filters : float32 array, shape (K, F, 4)

    Returns
    -------
    float32 array, shape (K, F, 4)
        Reversed and complemented: the value at forward position r equals that of
        `filters` at position n - F - r of the reverse complement of n bases.
    """
    return np.ascontiguousarray(filters[:, ::-1, ::-1])


def build_tables(
    filters: Floats, bias: Floats | None = None, fast: bool = False
) -> LookupTables:
    """Tabulate the partial sums of filters over words of five bases.

    Parameters
    ----------
    filters : float32 array, shape (K, F, 4)
        Columns A C G T.
    bias : float32 array, shape (K,), optional
        Subtracted from each filter's first table, so that sums are the paper's Y - b.
    fast : bool
        Round the sums to int16, which halves the memory traffic per position. A
        filter's positive values are off by at most half of `1 / scale` per word;
        values far below zero are clipped, because only those above the bias matter.

    Returns
    -------
    LookupTables
        With at least four words, whatever F.
    """
    n_filters, length, _ = filters.shape
    n_lanes = LANE_BYTES // 4
    n_words = max(_MIN_WORDS, -(-length // WORD))
    step = 2 if fast else 1  # two blocks of float32 become one of int16
    n_blocks = -(-n_filters // (n_lanes * step)) * step
    padded = np.zeros((n_blocks * n_lanes, n_words * WORD, 5), dtype=np.float32)
    padded[:n_filters, :length, :4] = filters
    # (n_blocks, n_words, WORD, 5, n_lanes): the bases of a word, filters innermost
    weights = aligned_empty((n_blocks, n_words, WORD, 5, n_lanes), np.float32)
    weights[...] = padded.reshape(n_blocks, n_lanes, n_words, WORD, 5).transpose(
        0, 2, 3, 4, 1
    )
    offsets = np.zeros(n_blocks * n_lanes, dtype=np.float32)
    if bias is not None:
        offsets[:n_filters] = bias
        weights[:, 0, 0] -= offsets.reshape(n_blocks, 1, n_lanes)
    tables = aligned_empty((n_blocks, n_words, N_ROWS, n_lanes), np.float32)
    _sum_words(weights, _ROW_OF_WORD, tables)
    if not fast:
        return LookupTables(tables, np.ones(n_filters, dtype=np.float32))
    # A sum cannot exceed the sum of the words' maxima, which is scaled to the largest
    # int16. Low sums are clipped (`add_saturating`): with the other words at their maxima,
    # the result is still below zero.
    best = tables.max(axis=2).swapaxes(1, 2).reshape(-1, n_words)  # per filter and word
    bound = np.maximum(best, 0).sum(axis=1)
    scale = (_MAX_SUM / np.maximum(bound, 1e-30)).astype(np.float32)
    return LookupTables(_round(tables, scale), scale[:n_filters])


def _round(tables: Floats, scale: Floats) -> NDArray[np.int16]:
    n_blocks, n_words, _, n_lanes = tables.shape
    rounded = aligned_empty((n_blocks // 2, n_words, N_ROWS, 2 * n_lanes), np.int16)
    scales = scale.reshape(n_blocks, n_lanes)
    for block in range(n_blocks):
        half = slice(block % 2 * n_lanes, block % 2 * n_lanes + n_lanes)
        scaled = np.rint(tables[block] * scales[block])
        rounded[block // 2, ..., half] = np.clip(scaled, -(2**15), 2**15 - 1)
    return rounded


@njit(nogil=True, cache=True)
def _sum_words(weights, row_of_word, tables):  # type: ignore[no-untyped-def]
    n_blocks, n_words = weights.shape[:2]
    for task in range(n_blocks * n_words):
        word = weights[task // n_words, task % n_words].reshape(-1)
        _sum_word(word, row_of_word, tables[task // n_words, task % n_words])


@njit(nogil=True, cache=True)
def _sum_word(weights, row_of_word, table):  # type: ignore[no-untyped-def]
    # Consecutive words share all but their last bases, so each prefix is summed once:
    # 1.25 additions per entry instead of 5.
    n_lanes = table.shape[1]
    flat = table.reshape(-1)
    for first in range(25):
        two = add(
            load(weights, first // 5 * n_lanes),
            load(weights, (5 + first % 5) * n_lanes),
        )
        for middle in range(25):
            four = add(
                add(two, load(weights, (10 + middle // 5) * n_lanes)),
                load(weights, (15 + middle % 5) * n_lanes),
            )
            for last in range(5):
                row = np.int64(row_of_word[(first * 25 + middle) * 5 + last])
                lanes = add(four, load(weights, (20 + last) * n_lanes))
                store(flat, row * n_lanes, lanes)
