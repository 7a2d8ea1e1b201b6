"""Peaks as columns: each interval once, with the tracks that have it.

Tracks that were called on a common grid of tiles, or merged with each other, share most
of their intervals. Tracks that share none take hardly more than a list of peaks would.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tfimpute_tracks.evidence.peak_database import Peaks

__all__ = ["pack_peaks", "unpack_peaks"]


def pack_peaks(peaks: Peaks) -> dict[str, NDArray[Any]]:
    """Convert peaks to columns; the format document describes them.

    Parameters
    ----------
    peaks : Peaks
        Of one chromosome; at least one.

    Returns
    -------
    dict of arrays
        `step`, `length` and `n-tracks` of each interval, shape (n_intervals,); `track`,
        shape (n_peaks,).
    """
    start, end, track = peaks
    is_new = np.ones(len(start), dtype=bool)
    is_new[1:] = (start[1:] != start[:-1]) | (end[1:] != end[:-1])
    first = np.flatnonzero(is_new)
    previous = np.where(is_new, 0, np.concatenate([track[:1], track[:-1]]))
    return {
        "step": np.diff(start[first], prepend=0).astype(np.int32),
        "length": (end[first] - start[first]).astype(np.int32),
        "n-tracks": np.diff(first, append=len(start)).astype(np.int32),
        # Small numbers compress better. 16 bits wrap around where tracks do not ascend.
        "track": track - previous.astype(np.uint16),
    }


def unpack_peaks(columns: Mapping[str, NDArray[Any]]) -> Peaks:
    """Convert columns to peaks; the inverse of :func:`pack_peaks`.

    Parameters
    ----------
    columns : mapping of str to array

    Returns
    -------
    Peaks

    Raises
    ------
    ValueError
        The columns are not of equal length, or an interval has no track.
    """
    counts = columns["n-tracks"].astype(np.int64)
    gaps = columns["track"]
    if counts.min(initial=1) < 1 or counts.sum() != len(gaps):
        raise ValueError("the numbers of tracks per interval are invalid")
    start = np.cumsum(columns["step"], dtype=np.int64)
    end = start + columns["length"]
    total = np.cumsum(gaps, dtype=np.uint16)
    first = np.cumsum(counts) - counts
    track = total - np.repeat(total[first] - gaps[first], counts)
    return Peaks(np.repeat(start, counts), np.repeat(end, counts), track)
