"""Scores in a byte each: log-odds in steps of 1/16, counted from a pair's peak line.

A code of :data:`PEAK_CODE` or more says that the score calls a peak of its pair,
exactly as the unrounded score says it; so rounding moves no border of a peak. 0 is kept
for what is not stored. Neighbouring tiles share half of their letters and neighbouring
pairs their TF, so differences in both directions are small numbers: they compress to
three quarters of the codes' size. It is arithmetic of bytes that wrap round: exact.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

__all__ = [
    "LOWEST_CODE",
    "PEAK_CODE",
    "STEPS_PER_UNIT",
    "column_codes",
    "count_peaks",
    "decode_codes",
    "difference",
    "join_counts",
    "quantise",
    "row_codes",
]

Codes = NDArray[np.uint8]
Floats = NDArray[np.float32]

STEPS_PER_UNIT = 16
"""Codes per unit of log-odds; a decoded score is off by 1/32 at most."""
PEAK_CODE = 176
"""The code of the lowest score that calls a peak."""
LOWEST_CODE = 1
"""Stands for all scores that are 10.9 or more below the peak line."""

# What is turned round at once: short columns, and rows long enough to be read ahead.
_TILES, _PAIRS = 64, 512
# How the first and the last tiles of a stretch can touch a peak beyond it.
_FIRST, _SECOND, _LAST, _BEFORE_LAST = 1, 2, 4, 8


def quantise(
    logits: Floats,
    centres: Floats,
    floor: int = LOWEST_CODE,
    out: Codes | None = None,
) -> Codes:
    """Round log-odds to codes, and turn the array round.

    Parameters
    ----------
    logits : float32 array, shape (n_tiles, n_pairs)
    centres : float32 array, shape (n_pairs,)
        Each pair's peak line, in log-odds.
    floor : int
        What has a lower code is not kept, and gets 0.
    out : uint8 array, shape (n_pairs, n_tiles), optional
        Where to put them.

    Returns
    -------
    uint8 array, shape (n_pairs, n_tiles)
        ``PEAK_CODE + floor(16 (logit - centre))``, within 1 and 255.
    """
    n_tiles, n_pairs = logits.shape
    codes = np.empty((n_pairs, n_tiles), dtype=np.uint8) if out is None else out
    lines = centres.astype(np.float32)
    offsets = np.float32(PEAK_CODE) - np.float32(STEPS_PER_UNIT) * lines
    _quantise(logits, lines, offsets, floor, codes)
    return codes


def decode_codes(codes: Codes, centre: float) -> Floats:
    """Give the log-odds that codes of one pair stand for.

    Parameters
    ----------
    codes : uint8 array, any shape
    centre : float
        The pair's peak line, in log-odds.

    Returns
    -------
    float32 array of the same shape
        The middle of each step; minus infinity for what was not kept.
    """
    steps = (np.arange(256) - PEAK_CODE + 0.5) / STEPS_PER_UNIT
    table = (centre + steps).astype(np.float32)
    table[0] = -np.inf
    values: Floats = table[codes]
    return values


def difference(codes: Codes, pairs_per_group: int) -> None:
    """Replace codes by their differences from the tile and the pair before, in place.

    Parameters
    ----------
    codes : uint8 array, shape (n_pairs, n_tiles)
    pairs_per_group : int
        Groups of so many pairs begin anew.
    """
    _difference(codes, pairs_per_group)


def row_codes(differences: Codes) -> Codes:
    """Give back the codes of one pair.

    Parameters
    ----------
    differences : uint8 array, shape (n, n_tiles)
        Of the first pair of the group to the pair wanted, from the first tile on.

    Returns
    -------
    uint8 array, shape (n_tiles,)
    """
    summed = np.add.reduce(differences, axis=0, dtype=np.uint8)
    return np.cumsum(summed, dtype=np.uint8)


def column_codes(differences: Codes, first: int) -> Codes:
    """Give back the codes of all pairs of a group at some tiles.

    Parameters
    ----------
    differences : uint8 array, shape (n_pairs, n)
        Of all pairs of the group, from the first tile to the last one wanted.
    first : int
        The first tile wanted.

    Returns
    -------
    uint8 array, shape (n_pairs, n - first)
    """
    codes = differences[:, first:].copy()
    codes[:, 0] += np.add.reduce(differences[:, :first], axis=1, dtype=np.uint8)
    np.cumsum(codes, axis=1, dtype=np.uint8, out=codes)
    # Row by row: numpy's own sum down the columns takes fifteen times as long, and
    # loading a compiled kernel longer than most queries.
    for pair in range(1, len(codes)):
        codes[pair] += codes[pair - 1]
    return codes


def count_peaks(
    codes: Codes, is_missing: NDArray[np.bool_]
) -> tuple[NDArray[np.int32], Codes]:
    """Count the peaks of each pair in a stretch of tiles.

    As :func:`tfimpute_tracks.kernels.peaks.call_peaks` joins them with a gap of one
    tile: a single tile below the line does not end a peak, a missing one does.

    Parameters
    ----------
    codes : uint8 array, shape (n_pairs, n_tiles)
    is_missing : bool array, shape (n_tiles,)

    Returns
    -------
    counts : int32 array, shape (n_pairs,)
    edges : uint8 array, shape (n_pairs,)
        How the stretch's ends can continue a peak: for :func:`join_counts`.
    """
    n_pairs, n_tiles = codes.shape
    counts = np.zeros(n_pairs, dtype=np.int32)
    edges = np.zeros(n_pairs, dtype=np.uint8)
    if n_tiles:
        _count_peaks(codes, is_missing, counts, edges)
    return counts, edges


def join_counts(
    before: tuple[NDArray[np.int32], Codes], after: tuple[NDArray[np.int32], Codes]
) -> tuple[NDArray[np.int32], Codes]:
    """Count the peaks of two stretches of which one follows on the other.

    Parameters
    ----------
    before, after : (counts, edges)
        From :func:`count_peaks`. The second has two tiles at least, or ends the whole.

    Returns
    -------
    counts, edges
        Of the two as one stretch.
    """
    left, right = before[1], after[1]
    joined = ((left & _LAST) > 0) & ((right & (_FIRST | _SECOND)) > 0)
    joined |= ((left & _BEFORE_LAST) > 0) & ((right & _FIRST) > 0)
    edges = (left & (_FIRST | _SECOND)) | (right & (_LAST | _BEFORE_LAST))
    return (before[0] + after[0] - joined).astype(np.int32), edges.astype(np.uint8)


@njit(nogil=True, cache=True)
def _quantise(logits, centres, offsets, floor, codes):  # type: ignore[no-untyped-def]
    n_tiles, n_pairs = logits.shape
    block = np.empty((_TILES, _PAIRS), dtype=np.uint8)
    for tile in range(0, n_tiles, _TILES):
        tiles = min(_TILES, n_tiles - tile)
        for pair in range(0, n_pairs, _PAIRS):
            pairs = min(_PAIRS, n_pairs - pair)
            some, lines = offsets[pair : pair + pairs], centres[pair : pair + pairs]
            for t in range(tiles):
                row = logits[tile + t, pair : pair + pairs]
                _round_row(row, lines, some, floor, block[t])
            for p in range(pairs):
                out = codes[pair + p, tile : tile + tiles]
                for t in range(tiles):
                    out[t] = block[t, p]


@njit(nogil=True, cache=True)
def _round_row(logits, centres, offsets, floor, out):  # type: ignore[no-untyped-def]
    for i in range(logits.size):
        step = logits[i] * np.float32(STEPS_PER_UNIT) + offsets[i]
        step = min(max(step, np.float32(LOWEST_CODE)), np.float32(255))
        code = np.int32(step)
        # Rounding must not carry a score over the line, either way.
        above = max(code, np.int32(PEAK_CODE))
        below = min(code, np.int32(PEAK_CODE - 1))
        code = above if logits[i] >= centres[i] else below
        out[i] = np.uint8(code if code >= floor else np.int32(0))


@njit(nogil=True, cache=True)
def _difference(codes, pairs_per_group):  # type: ignore[no-untyped-def]
    n_pairs, n_tiles = codes.shape
    # From the end, so that what is taken off is still the code itself.
    for pair in range(n_pairs - 1, -1, -1):
        row = codes[pair]
        if pair % pairs_per_group:
            above = codes[pair - 1]
            for tile in range(n_tiles):
                row[tile] = (np.int64(row[tile]) - np.int64(above[tile])) & 255
        previous = np.int64(0)
        for tile in range(n_tiles):
            value = np.int64(row[tile])
            row[tile] = (value - previous) & 255
            previous = value


@njit(nogil=True, cache=True)
def _count_peaks(codes, is_missing, counts, edges):  # type: ignore[no-untyped-def]
    n_pairs, n_tiles = codes.shape
    for pair in range(n_pairs):
        row = codes[pair]
        n = 0
        since = 3  # tiles since the last high one; 3 for too many
        for tile in range(n_tiles):
            if row[tile] >= PEAK_CODE and not is_missing[tile]:
                if since > 2:
                    n += 1
                since = 1
            elif is_missing[tile]:
                since = 3
            else:
                since = min(since + 1, 3)
        counts[pair] = n
        edges[pair] = _edge(row, is_missing, 0, 1, _FIRST, _SECOND)
        last = n_tiles - 1
        edges[pair] |= _edge(row, is_missing, last, -1, _LAST, _BEFORE_LAST)


@njit(nogil=True, cache=True)
def _edge(row, is_missing, tile, step, high, second):  # type: ignore[no-untyped-def]
    if is_missing[tile]:
        return np.uint8(0)
    if row[tile] >= PEAK_CODE:
        return np.uint8(high)
    tile += step
    if 0 <= tile < row.size and row[tile] >= PEAK_CODE and not is_missing[tile]:
        return np.uint8(second)
    return np.uint8(0)
