"""The convolution of a one-hot sequence as table look-ups, with its running maximum.

A filter of F letters is cut into words of five letters. For each word position every
one of the 5^5 words over A C G T N gets its partial sum in a table, so the convolution
at a position is the sum of ceil(F / 5) table rows, and N costs nothing extra and is
exact. Filters are kept in blocks whose tables fit the second-level cache, and a row of
a table is contiguous over the filters of its block, so that the compiler vectorises.

The kernels return the maximum over *spans* of positions and never write the
convolution itself: a span is a pooling window of one sequence in training, and a
segment of the chromosome in a scan. Bias and ReLU are left to the caller, because
max and ReLU commute: max(0, max_r Y - b).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit, prange
from numpy.typing import NDArray

__all__ = [
    "BLOCK",
    "LookupTables",
    "build_tables",
    "reverse_filters",
    "span_maxima",
    "span_maxima_and_places",
    "word_rows",
]

Floats = NDArray[np.float32]
Ints = NDArray[np.int64]

WORD = 5
BLOCK = 64
"""Filters per block: 4 words x 1,024 rows x 64 x 4 bytes = 1 MB, an L2 cache."""
_QUAD = 4  # words the fast kernel adds: filters of up to 20 letters
_CHUNK = 256  # spans a task works through before another block's tables are needed


def _row_of_word() -> NDArray[np.uint16]:
    """Give words their rows: those without N, the hot ones, stand together."""
    digits = np.stack(np.unravel_index(np.arange(5**WORD), (5,) * WORD))
    pure = np.all(digits < 4, axis=0)
    rows = np.empty(5**WORD, dtype=np.uint16)
    rows[pure] = np.arange(4**WORD)
    rows[~pure] = np.arange(4**WORD, 5**WORD)
    return rows


_ROW_OF_WORD = _row_of_word()


class LookupTables(NamedTuple):
    """Partial sums of every filter for every word.

    Attributes
    ----------
    tables : float32 or int16 array, shape (n_blocks, n_words, 3125, BLOCK)
    scale : float32 array, shape (K,)
        What the sums of each filter were multiplied by; ones for float32 tables.
    """

    tables: NDArray[np.float32] | NDArray[np.int16]
    scale: Floats

    @property
    def n_filters(self) -> int:
        """K; the last block is filled up with zero filters."""
        return self.scale.size


def word_rows(codes: NDArray[np.uint8], n_words: int) -> NDArray[np.uint16]:
    """Give the table row of the word that begins at each letter.

    Parameters
    ----------
    codes : uint8 array, shape (n,), values 0..4
    n_words : int
        Words per filter: rows beyond the end are needed by the last positions.

    Returns
    -------
    uint16 array, shape (n + WORD * n_words,)
        Letters past the end count as N.
    """
    padded = np.full(codes.size + WORD * (n_words + 1), 4, dtype=np.uint16)
    padded[: codes.size] = codes
    n = codes.size + WORD * n_words
    words = padded[:n].copy()
    for offset in range(1, WORD):
        words *= 5
        words += padded[offset : offset + n]
    return _ROW_OF_WORD[words]


def reverse_filters(filters: Floats) -> Floats:
    """Give the filters that read the reverse strand along the forward sequence.

    Parameters
    ----------
    filters : float32 array, shape (K, F, 4)

    Returns
    -------
    float32 array, shape (K, F, 4)
        Reversed and complemented: its value at forward position r equals that of
        `filters` at position n - F - r of the reverse complement of n letters.
    """
    return np.ascontiguousarray(filters[:, ::-1, ::-1])


def build_tables(filters: Floats, fast: bool = False) -> LookupTables:
    """Tabulate the partial sums of filters over five-letter words.

    Parameters
    ----------
    filters : float32 array, shape (K, F, 4)
        Columns A C G T.
    fast : bool
        Round the sums to int16, which halves the memory read per position. A filter's
        values are off by at most 2 / 32,000 of the largest it can reach. Filters of
        more than 20 letters have no fast form and stay float32.

    Returns
    -------
    LookupTables
        At least four words, so that every F <= 20 runs in the fast kernel.
    """
    n_filters, length, _ = filters.shape
    n_words = max(_QUAD, -(-length // WORD))
    n_blocks = -(-n_filters // BLOCK)
    padded = np.zeros((n_blocks * BLOCK, n_words * WORD, 5), dtype=np.float32)
    padded[:n_filters, :length, :4] = filters
    # (n_blocks, n_words, WORD, 5, BLOCK): the letters of a word, filters innermost
    letters = np.ascontiguousarray(
        padded.reshape(n_blocks, BLOCK, n_words, WORD, 5).transpose(0, 2, 3, 4, 1)
    )
    tables = np.empty((n_blocks, n_words, 5**WORD, BLOCK), dtype=np.float32)
    _sum_words(letters, _ROW_OF_WORD, tables)
    if not fast or n_words > _QUAD:
        return LookupTables(tables, np.ones(n_filters, dtype=np.float32))
    # No sum of four rounded entries can leave int16: the bound is every letter's best.
    bound = np.abs(padded).max(axis=2).sum(axis=1)
    scale = (32_000 / np.maximum(bound, 1e-30)).astype(np.float32)
    blocks = scale.reshape(n_blocks, 1, 1, BLOCK)
    rounded = np.rint(tables * blocks).astype(np.int16)
    return LookupTables(rounded, scale[:n_filters])


def span_maxima(
    rows: NDArray[np.uint16], tables: LookupTables, starts: Ints, ends: Ints
) -> Floats:
    """Give each filter's largest convolution value over each span of positions.

    Parameters
    ----------
    rows : uint16 array from :func:`word_rows`, shape (n + 5 * n_words,)
    tables : LookupTables
    starts, ends : int64 array, shape (n_spans,)
        Half-open ranges of filter positions (a position is where a filter's first
        letter lies); an empty span gives the lowest value the tables can hold, -inf if
        they are float32.

    Returns
    -------
    float32 array, shape (n_spans, K)
        max_r Y[r, k], Y as in the paper's convolution, before bias and ReLU.

    Raises
    ------
    IndexError
        A span reaches past the rows.
    """
    _check_spans(rows, tables, starts, ends)
    n_blocks, n_words = tables.tables.shape[:2]
    out = np.empty((starts.size, n_blocks * BLOCK), dtype=tables.tables.dtype)
    if n_words > _QUAD:
        _any_maxima(rows, tables.tables, starts, ends, out)
    elif out.dtype == np.float32:
        _quad_maxima(rows, tables.tables, starts, ends, np.float32(-np.inf), out)
    else:
        _quad_maxima(rows, tables.tables, starts, ends, np.int16(-(2**15)), out)
        own = out[:, : tables.n_filters]
        return np.divide(own, tables.scale, dtype=np.float32)
    return out[:, : tables.n_filters]


def span_maxima_and_places(
    rows: NDArray[np.uint16], tables: LookupTables, starts: Ints, ends: Ints
) -> tuple[Floats, NDArray[np.int32]]:
    """Give the maxima of :func:`span_maxima` and where they lie.

    Parameters
    ----------
    rows, tables, starts, ends
        As for :func:`span_maxima`; positions must fit an int32.

    Returns
    -------
    maxima : float32 array, shape (n_spans, K)
    places : int32 array, shape (n_spans, K)
        The first position of the maximum; the span's start where the span is empty.

    Raises
    ------
    IndexError
        A span reaches past the rows.
    """
    _check_spans(rows, tables, starts, ends)
    n_blocks = tables.tables.shape[0]
    out = np.empty((starts.size, n_blocks * BLOCK), dtype=np.float32)
    places = np.empty(out.shape, dtype=np.int32)
    _maxima_and_places(rows, tables.tables, starts, ends, out, places)
    return out[:, : tables.n_filters], places[:, : tables.n_filters]


def _check_spans(
    rows: NDArray[np.uint16], tables: LookupTables, starts: Ints, ends: Ints
) -> None:
    # Kernels do not check bounds: a span too long would read foreign memory.
    reach = rows.size - WORD * tables.tables.shape[1]
    if starts.size and (starts.min() < 0 or ends.max() > reach):
        raise IndexError(
            f"spans cover positions {starts.min()} to {ends.max()}, "
            f"but the sequence has rows for 0 to {reach}"
        )


@njit(parallel=True, nogil=True, cache=True)
def _sum_words(letters, row_of_word, tables):  # type: ignore[no-untyped-def]
    # Words in counting order share all but their last letters, so each prefix is
    # summed once: 1.25 additions per entry instead of 5.
    n_blocks, n_words = letters.shape[:2]
    for task in prange(n_blocks * n_words):
        letter = letters[task // n_words, task % n_words]
        table = tables[task // n_words, task % n_words]
        two = np.empty(BLOCK, dtype=np.float32)
        four = np.empty(BLOCK, dtype=np.float32)
        for first in range(25):
            two[:] = letter[0, first // 5] + letter[1, first % 5]
            for middle in range(25):
                four[:] = two + letter[2, middle // 5] + letter[3, middle % 5]
                for last in range(5):
                    row = table[row_of_word[(first * 25 + middle) * 5 + last]]
                    for j in range(BLOCK):
                        row[j] = four[j] + letter[4, last, j]


@njit(parallel=True, nogil=True, cache=True)
def _quad_maxima(rows, tables, starts, ends, lowest, out):  # type: ignore[no-untyped-def]
    # Four positions a turn: the running maximum is loaded and stored once for four
    # sums, and four independent sums hide the latency of the additions.
    n_spans = starts.size
    n_chunks = (n_spans + _CHUNK - 1) // _CHUNK
    for task in prange(tables.shape[0] * n_chunks):
        block = task // n_chunks
        chunk = task % n_chunks
        t0 = tables[block, 0]
        t1 = tables[block, 1]
        t2 = tables[block, 2]
        t3 = tables[block, 3]
        for span in range(chunk * _CHUNK, min(n_spans, (chunk + 1) * _CHUNK)):
            best = out[span, block * BLOCK : (block + 1) * BLOCK]
            for j in range(BLOCK):
                best[j] = lowest
            p = starts[span]
            while p + 4 <= ends[span]:
                a0 = t0[rows[p]]
                a1 = t1[rows[p + 5]]
                a2 = t2[rows[p + 10]]
                a3 = t3[rows[p + 15]]
                b0 = t0[rows[p + 1]]
                b1 = t1[rows[p + 6]]
                b2 = t2[rows[p + 11]]
                b3 = t3[rows[p + 16]]
                c0 = t0[rows[p + 2]]
                c1 = t1[rows[p + 7]]
                c2 = t2[rows[p + 12]]
                c3 = t3[rows[p + 17]]
                d0 = t0[rows[p + 3]]
                d1 = t1[rows[p + 8]]
                d2 = t2[rows[p + 13]]
                d3 = t3[rows[p + 18]]
                for j in range(BLOCK):
                    a = (a0[j] + a1[j]) + (a2[j] + a3[j])
                    b = (b0[j] + b1[j]) + (b2[j] + b3[j])
                    c = (c0[j] + c1[j]) + (c2[j] + c3[j])
                    d = (d0[j] + d1[j]) + (d2[j] + d3[j])
                    a = a if a > b else b
                    c = c if c > d else d
                    a = a if a > c else c
                    best[j] = best[j] if best[j] > a else a
                p += 4
            while p < ends[span]:
                a0 = t0[rows[p]]
                a1 = t1[rows[p + 5]]
                a2 = t2[rows[p + 10]]
                a3 = t3[rows[p + 15]]
                for j in range(BLOCK):
                    a = (a0[j] + a1[j]) + (a2[j] + a3[j])
                    best[j] = best[j] if best[j] > a else a
                p += 1


@njit(parallel=True, nogil=True, cache=True)
def _any_maxima(rows, tables, starts, ends, out):  # type: ignore[no-untyped-def]
    # Filters longer than 20 letters: any number of words, one position at a time.
    n_spans = starts.size
    n_words = tables.shape[1]
    n_chunks = (n_spans + _CHUNK - 1) // _CHUNK
    for task in prange(tables.shape[0] * n_chunks):
        block = task // n_chunks
        chunk = task % n_chunks
        value = np.empty(BLOCK, dtype=np.float32)
        for span in range(chunk * _CHUNK, min(n_spans, (chunk + 1) * _CHUNK)):
            best = out[span, block * BLOCK : (block + 1) * BLOCK]
            for j in range(BLOCK):
                best[j] = -np.inf
            for p in range(starts[span], ends[span]):
                value[:] = 0
                for word in range(n_words):
                    row = tables[block, word, rows[p + WORD * word]]
                    for j in range(BLOCK):
                        value[j] += row[j]
                for j in range(BLOCK):
                    best[j] = best[j] if best[j] > value[j] else value[j]


@njit(parallel=True, nogil=True, cache=True)
def _maxima_and_places(rows, tables, starts, ends, out, places):  # type: ignore[no-untyped-def]
    n_spans = starts.size
    n_words = tables.shape[1]
    n_chunks = (n_spans + _CHUNK - 1) // _CHUNK
    for task in prange(tables.shape[0] * n_chunks):
        block = task // n_chunks
        chunk = task % n_chunks
        t0 = tables[block, 0]
        t1 = tables[block, 1]
        t2 = tables[block, 2]
        t3 = tables[block, 3]
        more = np.zeros(BLOCK, dtype=np.float32)
        for span in range(chunk * _CHUNK, min(n_spans, (chunk + 1) * _CHUNK)):
            best = out[span, block * BLOCK : (block + 1) * BLOCK]
            place = places[span, block * BLOCK : (block + 1) * BLOCK]
            for j in range(BLOCK):
                best[j] = -np.inf
                place[j] = starts[span]
            for p in range(starts[span], ends[span]):
                a0 = t0[rows[p]]
                a1 = t1[rows[p + 5]]
                a2 = t2[rows[p + 10]]
                a3 = t3[rows[p + 15]]
                for word in range(_QUAD, n_words):
                    row = tables[block, word, rows[p + WORD * word]]
                    for j in range(BLOCK):
                        more[j] = row[j] if word == _QUAD else more[j] + row[j]
                here = np.int32(p)
                for j in range(BLOCK):
                    a = (a0[j] + a1[j]) + (a2[j] + a3[j]) + more[j]
                    higher = a > best[j]
                    best[j] = a if higher else best[j]
                    place[j] = here if higher else place[j]
