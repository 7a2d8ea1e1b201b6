"""Numbers in bfloat16, two in a word of 32 bits: tables of half the size.

Of 32 numbers in a row, the first 16 are the lower halves of 16 words, so a load of 64
bytes gives two lanes of float32.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tfimpute_tracks.kernels.lanes import LANE_BYTES, Lanes, aligned_empty, inlined
from tfimpute_tracks.kernels.vectors import high_half_lanes, low_half_lanes

__all__ = ["high_half", "low_half", "pack_halves"]


def pack_halves(values: NDArray[np.float32]) -> NDArray[np.int32]:
    """Round numbers to the nearest bfloat16, ties to even, and pack them.

    Parameters
    ----------
    values : float32 array, shape (..., n), finite
        n is a multiple of 32.

    Returns
    -------
    int32 array, shape (..., n / 2), contiguous
        Aligned to cache lines.
    """
    bits = np.ascontiguousarray(values).view(np.uint32)
    bits = bits + 0x7FFF + (bits >> 16 & 1)
    halves = bits.reshape(*bits.shape[:-1], -1, 2, LANE_BYTES // 4)
    words = aligned_empty((*bits.shape[:-1], bits.shape[-1] // 2), np.int32)
    both = (halves[..., 0, :] >> 16) | (halves[..., 1, :] & 0xFFFF0000)
    words[...] = both.view(np.int32).reshape(words.shape)
    return words


def low_half(words: Lanes) -> Lanes:
    """Read the lower half of each word.

    Parameters
    ----------
    words : lanes of int32

    Returns
    -------
    lanes of float32
    """
    return (words << 16).view(np.float32)


def high_half(words: Lanes) -> Lanes:
    """Read the upper half of each word.

    Parameters
    ----------
    words : lanes of int32

    Returns
    -------
    lanes of float32
    """
    return (words & np.int32(-(1 << 16))).view(np.float32)


@inlined(low_half)
def _compile_low_half(words):  # type: ignore[no-untyped-def]
    return lambda words: low_half_lanes(words)


@inlined(high_half)
def _compile_high_half(words):  # type: ignore[no-untyped-def]
    return lambda words: high_half_lanes(words)
