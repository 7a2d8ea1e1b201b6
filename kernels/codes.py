"""Scores in a byte each: log-odds in even steps from a pair's peak-calling threshold.

The codes of a pair reach from a probability of 0.0003 to 0.9997 at least, and to 4
log-odds above its threshold where that is high, in 254 steps. The threshold is the lower
end of a step: a code at or above the threshold's code stands for a score that makes a
peak, so rounding moves no border of a peak. Code 0 stands for what is not stored.
Neighboring tiles share half of their sequence and neighboring pairs their TF, so the
differences in both directions are small: they compress to three quarters of the size of
the codes. They are taken modulo 256 and are exact.
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
    "decode_codes",
    "difference",
    "quantize",
    "row_codes",
]

Codes = NDArray[np.uint8]
Floats = NDArray[np.float32]

_LOW, _HIGH = -8.0, 8.0  # log-odds that codes reach at least
_BELOW, _ABOVE = 1.0, 4.0  # and so far below and above the threshold
_STEPS = 254
# Transposed at once: short columns, and rows long enough for the CPU to prefetch.
_TILES, _PAIRS = 64, 512


class Scale(NamedTuple):
    """What the codes of pairs stand for, each of shape (n_pairs,).

    Attributes
    ----------
    thresholds : float32 array
        The peak-calling thresholds in log-odds: the lower ends of their codes' steps.
    steps : float32 array
        Log-odds from a code to the next; a decoded score is off by half of it at most.
    threshold_codes : uint8 array
        The codes of the lowest scores that make a peak.
    """

    thresholds: Floats
    steps: Floats
    threshold_codes: Codes

    def some(self, first: int, n: int) -> Scale:
        """Give the scale of neighboring pairs.

        Parameters
        ----------
        first, n : int

        Returns
        -------
        Scale
        """
        pairs = slice(first, first + n)
        return Scale._make(column[pairs] for column in self)

    def lowest_kept(self, keep_below: float | None) -> Codes:
        """Give the lowest codes to store.

        Parameters
        ----------
        keep_below : float, optional
            Log-odds below the threshold; None keeps all scores.

        Returns
        -------
        uint8 array, shape (n_pairs,)
        """
        if keep_below is None:
            return np.ones_like(self.threshold_codes)
        below = np.ceil(keep_below / self.steps.astype(np.float64) - 1e-6)
        return np.maximum(self.threshold_codes - below, 1).astype(np.uint8)


def code_scale(thresholds: Floats) -> Scale:
    """Choose what the codes of pairs stand for.

    Parameters
    ----------
    thresholds : float32 array, shape (n_pairs,)
        The peak-calling thresholds in log-odds.

    Returns
    -------
    Scale
    """
    exact = thresholds.astype(np.float64)
    low = np.minimum(_LOW, exact - _BELOW)
    steps = (np.maximum(_HIGH, exact + _ABOVE) - low) / _STEPS
    codes = 1 + np.round((exact - low) / steps)
    return Scale(thresholds, steps.astype(np.float32), codes.astype(np.uint8))


def quantize(
    logits: Floats, scale: Scale, lowest: Codes, out: Codes | None = None
) -> Codes:
    """Round log-odds to codes, and transpose the array.

    Parameters
    ----------
    logits : float32 array, shape (n_tiles, n_pairs)
    scale : Scale
    lowest : uint8 array, shape (n_pairs,)
        From :meth:`Scale.lowest_kept`; lower codes become 0.
    out : uint8 array, shape (n_pairs, n_tiles), optional
        Where to put them.

    Returns
    -------
    uint8 array, shape (n_pairs, n_tiles)
        ``threshold_code + floor((logit - threshold) / step)``, within 1 and 255.
    """
    n_tiles, n_pairs = logits.shape
    codes = np.empty((n_pairs, n_tiles), dtype=np.uint8) if out is None else out
    per_unit = np.float32(1) / scale.steps
    offsets = scale.threshold_codes - scale.thresholds * per_unit
    _quantize(
        logits,
        scale.thresholds,
        per_unit,
        offsets.astype(np.float32),
        scale.threshold_codes,
        lowest,
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
    thresholds, steps, threshold_codes = (field.reshape(shape) for field in scale)
    above = codes.astype(np.float32) - threshold_codes + np.float32(0.5)
    values: Floats = np.where(
        codes > 0, thresholds + steps * above, np.float32(-np.inf)
    )
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


@njit(nogil=True, cache=True)
def _quantize(  # type: ignore[no-untyped-def]
    logits, thresholds, per_unit, offsets, threshold_codes, lowest, codes
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
                    thresholds[pair:last],
                    per_unit[pair:last],
                    offsets[pair:last],
                    threshold_codes[pair:last],
                    lowest[pair:last],
                    block[t],
                )
            for p in range(last - pair):
                out = codes[pair + p, tile : tile + tiles]
                for t in range(tiles):
                    out[t] = block[t, p]


@njit(nogil=True, cache=True)
def _round_row(  # type: ignore[no-untyped-def]
    logits, thresholds, per_unit, offsets, threshold_codes, lowest, out
):
    for i in range(logits.size):
        place = logits[i] * per_unit[i] + offsets[i]
        code = np.int32(min(max(place, np.float32(1)), np.float32(255)))
        # Rounding must not carry a score over the threshold, either way.
        limit = np.int32(threshold_codes[i])
        above, below = max(code, limit), max(min(code, limit - 1), np.int32(1))
        code = above if logits[i] >= thresholds[i] else below
        out[i] = np.uint8(code if code >= lowest[i] else np.int32(0))


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
