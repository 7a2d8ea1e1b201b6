"""8-bit quantization of log-odds that keeps the peak-calling threshold exact.

The codes 1 to 255 of a pair span probabilities from 0.00002 to 0.999 at least, and 4
log-odds below and above its threshold, in 254 equal steps; 0 means "not stored". The steps
are shifted so that the threshold is the lower bound of a step. A code at or above the
threshold's code therefore calls a peak exactly where the float score does: quantization
never moves a peak boundary.

Neighboring tiles share half of their sequence and neighboring pairs share their TF, so
differences along both axes are small and compress to three quarters of the size of the
codes. They use wrapping 8-bit arithmetic, which is lossless.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tfimpute_tracks.kernels.jit import njit

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

_LOW, _HIGH = -11.0, 7.0  # log-odds that the codes span at least
_AROUND_THRESHOLD = 4.0  # log-odds that they span below and above it
_STEPS = 254
# Block of the transpose: short columns, and rows long enough to be prefetched.
_TILES, _PAIRS = 64, 512


class Scale(NamedTuple):
    """Quantization scale of each pair; every array has shape (n_pairs,).

    Attributes
    ----------
    thresholds : float32 array
        Peak-calling thresholds in log-odds.
    steps : float32 array
        Log-odds per code. A decoded score is off by at most half of it.
    threshold_codes : uint8 array
        Codes of the thresholds: the lowest codes that call a peak.
    """

    thresholds: Floats
    steps: Floats
    threshold_codes: Codes

    def of(self, first: int, n: int) -> Scale:
        """Select consecutive pairs.

        Parameters
        ----------
        first, n : int
            Index of the first pair, and how many.

        Returns
        -------
        Scale
        """
        some = slice(first, first + n)
        return Scale(
            self.thresholds[some], self.steps[some], self.threshold_codes[some]
        )

    def take(self, order: NDArray[np.int64]) -> Scale:
        """Select pairs in any order.

        Parameters
        ----------
        order : int64 array, shape (n,)

        Returns
        -------
        Scale
        """
        return Scale(
            self.thresholds[order], self.steps[order], self.threshold_codes[order]
        )

    def min_codes(self, margin: float | None) -> Codes:
        """Compute the lowest codes to store.

        Parameters
        ----------
        margin : float, optional
            Store scores down to this many log-odds below the threshold; None stores all.

        Returns
        -------
        uint8 array, shape (n_pairs,)
        """
        if margin is None:
            return np.ones_like(self.threshold_codes)
        below = np.ceil(margin / self.steps.astype(np.float64) - 1e-6)
        return np.maximum(self.threshold_codes - below, 1).astype(np.uint8)


def code_scale(thresholds: Floats) -> Scale:
    """Choose the quantization scale of each pair.

    Parameters
    ----------
    thresholds : float32 array, shape (n_pairs,)
        Peak-calling thresholds in log-odds.

    Returns
    -------
    Scale
    """
    exact = thresholds.astype(np.float64)
    low = np.minimum(_LOW, exact - _AROUND_THRESHOLD)
    steps = (np.maximum(_HIGH, exact + _AROUND_THRESHOLD) - low) / _STEPS
    codes = 1 + np.round((exact - low) / steps)
    return Scale(thresholds, steps.astype(np.float32), codes.astype(np.uint8))


def quantize(
    logits: Floats,
    scale: Scale,
    min_codes: Codes,
    out: Codes | None = None,
    rows: NDArray[np.int64] | None = None,
) -> Codes:
    """Quantize log-odds, and transpose the array.

    Parameters
    ----------
    logits : float32 array, shape (n_tiles, n_pairs)
    scale : Scale
        Of the columns of `logits`.
    min_codes : uint8 array, shape (n_pairs,)
        Lower codes become 0, "not stored".
    out : uint8 array, shape (n_pairs, n_tiles), optional
        Receives the codes.
    rows : int64 array, shape (n_pairs,), optional
        Row of the result for each column of `logits`; by default in their order.

    Returns
    -------
    uint8 array, shape (n_pairs, n_tiles)
        ``threshold_code + floor((logit - threshold) / step)``, clipped to 1..255.
    """
    n_tiles, n_pairs = logits.shape
    codes = np.empty((n_pairs, n_tiles), dtype=np.uint8) if out is None else out
    rows = np.arange(n_pairs) if rows is None else rows
    per_unit = np.float32(1) / scale.steps
    offsets = scale.threshold_codes - scale.thresholds * per_unit
    _quantize(
        logits,
        scale.thresholds,
        per_unit,
        offsets.astype(np.float32),
        scale.threshold_codes,
        min_codes,
        rows,
        codes,
    )
    return codes


def decode_codes(codes: Codes, scale: Scale) -> Floats:
    """Convert codes to log-odds.

    Parameters
    ----------
    codes : uint8 array, shape (n_pairs,) or (n_pairs, n_tiles)
    scale : Scale
        Of the same pairs.

    Returns
    -------
    float32 array of the same shape
        The center of each step; minus infinity where no score is stored.
    """
    shape = (-1,) + (1,) * (codes.ndim - 1)
    thresholds, steps, threshold_codes = (field.reshape(shape) for field in scale)
    above = codes.astype(np.float32) - threshold_codes + np.float32(0.5)
    values: Floats = np.where(
        codes > 0, thresholds + steps * above, np.float32(-np.inf)
    )
    return values


def difference(codes: Codes, pairs_per_group: int) -> None:
    """Replace codes by differences from the previous pair and tile, in place.

    Parameters
    ----------
    codes : uint8 array, shape (n_pairs, n_tiles)
    pairs_per_group : int
        The first pair of each group has no previous pair, so that a group can be
        decoded alone.
    """
    _difference(codes, pairs_per_group)


def row_codes(differences: Codes) -> Codes:
    """Decode the codes of one pair.

    Parameters
    ----------
    differences : uint8 array, shape (n, n_tiles)
        From the first pair of the group to the requested one, and from the first tile.

    Returns
    -------
    uint8 array, shape (n_tiles,)
    """
    summed = np.add.reduce(differences, axis=0, dtype=np.uint8)
    return np.cumsum(summed, dtype=np.uint8)


def column_codes(differences: Codes, first: int) -> Codes:
    """Decode the codes of all pairs of a group at consecutive tiles.

    Parameters
    ----------
    differences : uint8 array, shape (n_pairs, n)
        All pairs of the group, from the first tile to the last requested one.
    first : int
        Index of the first requested tile.

    Returns
    -------
    uint8 array, shape (n_pairs, n - first)
    """
    codes = differences[:, first:].copy()
    codes[:, 0] += np.add.reduce(differences[:, :first], axis=1, dtype=np.uint8)
    np.cumsum(codes, axis=1, dtype=np.uint8, out=codes)
    # Row by row: numpy's cumsum along axis 0 takes fifteen times as long, and loading a
    # compiled kernel takes longer than most queries.
    for pair in range(1, len(codes)):
        codes[pair] += codes[pair - 1]
    return codes


@njit(nogil=True, cache=True)
def _quantize(  # type: ignore[no-untyped-def]
    logits, thresholds, per_unit, offsets, threshold_codes, min_codes, rows, codes
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
                    min_codes[pair:last],
                    block[t],
                )
            for p in range(last - pair):
                out = codes[rows[pair + p], tile : tile + tiles]
                for t in range(tiles):
                    out[t] = block[t, p]


@njit(nogil=True, cache=True)
def _round_row(  # type: ignore[no-untyped-def]
    logits, thresholds, per_unit, offsets, threshold_codes, min_codes, out
):
    for i in range(logits.size):
        scaled = logits[i] * per_unit[i] + offsets[i]
        code = np.int32(min(max(scaled, np.float32(1)), np.float32(255)))
        # Rounding must not move a score across the threshold, either way.
        first_above = np.int32(threshold_codes[i])
        above = max(code, first_above)
        below = max(min(code, first_above - 1), np.int32(1))
        code = above if logits[i] >= thresholds[i] else below
        out[i] = np.uint8(code if code >= min_codes[i] else np.int32(0))


@njit(nogil=True, cache=True)
def _difference(codes, pairs_per_group):  # type: ignore[no-untyped-def]
    n_pairs, n_tiles = codes.shape
    # From the last pair on, so that the row above still holds codes.
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
