"""Scores in a byte each: log-odds in even steps, with a pair's peak line between two.

Codes of a pair reach from a probability of 0.0003 to 0.9997 at least, and to 4 log-odds
above its peak line where that is high, in 254 steps. The grid of steps is shifted so
that the line is the lower end of a step: from the line's code on a score calls a peak,
exactly as the unrounded score does, and rounding moves no border of a peak. 0 is kept
for what is not stored. Neighboring tiles share half of their letters and neighboring
pairs their TF, so differences in both directions are small numbers: they compress to
three quarters of the codes' size. It is arithmetic of bytes that wrap round: exact.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

__all__ = [
    "Scale",
    "code_scale",
    "column_codes",
    "count_peaks",
    "decode_codes",
    "difference",
    "join_counts",
    "quantize",
    "row_codes",
]

Codes = NDArray[np.uint8]
Floats = NDArray[np.float32]

_LOW, _HIGH = -8.0, 8.0  # log-odds that codes reach at least
_BELOW_LINE, _ABOVE_LINE = 1.0, 4.0  # and so much to both sides of the line
_STEPS = 254
# What is turned round at once: short columns, and rows long enough to be read ahead.
_TILES, _PAIRS = 64, 512
# How the first and the last tiles of a stretch can touch a peak beyond it.
_FIRST, _SECOND, _LAST, _BEFORE_LAST = 1, 2, 4, 8


class Scale(NamedTuple):
    """What the codes of pairs stand for, each of shape (n_pairs,).

    Attributes
    ----------
    lines : float32 array
        The peak lines in log-odds: the lower ends of their codes' steps.
    steps : float32 array
        Log-odds from a code to the next; a decoded score is off by half of it.
    line_codes : uint8 array
        The codes of the lowest scores that call a peak.
    """

    lines: Floats
    steps: Floats
    line_codes: Codes

    def of(self, first: int, n: int) -> Scale:
        """Give the scale of some of the pairs.

        Parameters
        ----------
        first, n : int

        Returns
        -------
        Scale
        """
        some = slice(first, first + n)
        return Scale(self.lines[some], self.steps[some], self.line_codes[some])

    def floors(self, margin: float | None) -> Codes:
        """Give the lowest codes to keep.

        Parameters
        ----------
        margin : float, optional
            Log-odds below the line; None keeps all.

        Returns
        -------
        uint8 array, shape (n_pairs,)
        """
        if margin is None:
            return np.ones_like(self.line_codes)
        below = np.ceil(margin / self.steps.astype(np.float64) - 1e-6)
        return np.maximum(self.line_codes - below, 1).astype(np.uint8)


def code_scale(lines: Floats) -> Scale:
    """Choose what the codes of pairs stand for.

    Parameters
    ----------
    lines : float32 array, shape (n_pairs,)
        The peak lines in log-odds.

    Returns
    -------
    Scale
    """
    exact = lines.astype(np.float64)
    low = np.minimum(_LOW, exact - _BELOW_LINE)
    steps = (np.maximum(_HIGH, exact + _ABOVE_LINE) - low) / _STEPS
    line_codes = 1 + np.round((exact - low) / steps)
    return Scale(lines, steps.astype(np.float32), line_codes.astype(np.uint8))


def quantize(
    logits: Floats, scale: Scale, floors: Codes, out: Codes | None = None
) -> Codes:
    """Round log-odds to codes, and turn the array round.

    Parameters
    ----------
    logits : float32 array, shape (n_tiles, n_pairs)
    scale : Scale
    floors : uint8 array, shape (n_pairs,)
        What has a lower code is not kept, and gets 0.
    out : uint8 array, shape (n_pairs, n_tiles), optional
        Where to put them.

    Returns
    -------
    uint8 array, shape (n_pairs, n_tiles)
        ``line_code + floor((logit - line) / step)``, within 1 and 255.
    """
    n_tiles, n_pairs = logits.shape
    codes = np.empty((n_pairs, n_tiles), dtype=np.uint8) if out is None else out
    per_unit = np.float32(1) / scale.steps
    offsets = scale.line_codes - scale.lines * per_unit
    _quantize(
        logits,
        scale.lines,
        per_unit,
        offsets.astype(np.float32),
        scale.line_codes,
        floors,
        codes,
    )
    return codes


def decode_codes(codes: Codes, scale: Scale) -> Floats:
    """Give the log-odds that codes stand for.

    Parameters
    ----------
    codes : uint8 array, shape (n_pairs,) or (n_pairs, n_tiles)
    scale : Scale
        Of these pairs.

    Returns
    -------
    float32 array of the same shape
        The middle of each step; minus infinity for what was not kept.
    """
    shape = (-1,) + (1,) * (codes.ndim - 1)
    lines, steps, line_codes = (field.reshape(shape) for field in scale)
    places = codes.astype(np.float32) - line_codes + np.float32(0.5)
    values: Floats = np.where(codes > 0, lines + steps * places, np.float32(-np.inf))
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
    codes: Codes, line_codes: Codes, is_missing: NDArray[np.bool_]
) -> tuple[NDArray[np.int32], Codes]:
    """Count the peaks of each pair in a stretch of tiles.

    As :func:`tfimpute_tracks.kernels.peaks.call_peaks` joins them with a gap of one
    tile: a single tile below the line does not end a peak, a missing one does.

    Parameters
    ----------
    codes : uint8 array, shape (n_pairs, n_tiles)
    line_codes : uint8 array, shape (n_pairs,)
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
        _count_peaks(codes, line_codes, is_missing, counts, edges)
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
def _quantize(  # type: ignore[no-untyped-def]
    logits, lines, per_unit, offsets, line_codes, floors, codes
):
    n_tiles, n_pairs = logits.shape
    block = np.empty((_TILES, _PAIRS), dtype=np.uint8)
    for tile in range(0, n_tiles, _TILES):
        tiles = min(_TILES, n_tiles - tile)
        for pair in range(0, n_pairs, _PAIRS):
            last = min(pair + _PAIRS, n_pairs)
            for t in range(tiles):
                _round_row(
                    logits[tile + t, pair:last],
                    lines[pair:last],
                    per_unit[pair:last],
                    offsets[pair:last],
                    line_codes[pair:last],
                    floors[pair:last],
                    block[t],
                )
            for p in range(last - pair):
                out = codes[pair + p, tile : tile + tiles]
                for t in range(tiles):
                    out[t] = block[t, p]


@njit(nogil=True, cache=True)
def _round_row(  # type: ignore[no-untyped-def]
    logits, lines, per_unit, offsets, line_codes, floors, out
):
    for i in range(logits.size):
        place = logits[i] * per_unit[i] + offsets[i]
        code = np.int32(min(max(place, np.float32(1)), np.float32(255)))
        # Rounding must not carry a score over the line, either way.
        line = np.int32(line_codes[i])
        above, below = max(code, line), max(min(code, line - 1), np.int32(1))
        code = above if logits[i] >= lines[i] else below
        out[i] = np.uint8(code if code >= floors[i] else np.int32(0))


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
def _count_peaks(codes, line_codes, is_missing, counts, edges):  # type: ignore[no-untyped-def]
    n_pairs, n_tiles = codes.shape
    for pair in range(n_pairs):
        row, line = codes[pair], line_codes[pair]
        n = 0
        since = 3  # tiles since the last high one; 3 for too many
        for tile in range(n_tiles):
            if row[tile] >= line and not is_missing[tile]:
                if since > 2:
                    n += 1
                since = 1
            elif is_missing[tile]:
                since = 3
            else:
                since = min(since + 1, 3)
        counts[pair] = n
        edges[pair] = _edge(row, line, is_missing, 0, 1, _FIRST, _SECOND)
        last = n_tiles - 1
        edges[pair] |= _edge(row, line, is_missing, last, -1, _LAST, _BEFORE_LAST)


@njit(nogil=True, cache=True)
def _edge(row, line, is_missing, tile, step, high, second):  # type: ignore[no-untyped-def]
    if is_missing[tile]:
        return np.uint8(0)
    if row[tile] >= line:
        return np.uint8(high)
    tile += step
    if 0 <= tile < row.size and row[tile] >= line and not is_missing[tile]:
        return np.uint8(second)
    return np.uint8(0)
