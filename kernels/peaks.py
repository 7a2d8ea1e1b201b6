"""Tile scores to peaks.

A peak is a stretch of tiles at or above a threshold; its summit is the middle of its
highest tile. All that is done here is a handful of passes of numpy over sorted arrays:
3 million tiles take well under a second, so there is nothing for numba to win. Which
threshold and which gap make sense for a TF is decided elsewhere, and so are names,
files and the ends of chromosomes.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tfimpute_tracks.errors import UsageError

__all__ = ["Peaks", "call_peaks"]

Positions = NDArray[np.int64]
Scores = NDArray[np.float32]


class Peaks(NamedTuple):
    """Peaks of one chromosome, in its order; none touches another.

    Attributes
    ----------
    start, end : int64 array, shape (n_peaks,)
        0-based, half-open, in bp.
    summit : int64 array, shape (n_peaks,)
        0-based position on the chromosome: the middle of the highest tile, the first
        of equals.
    score : float32 array, shape (n_peaks,)
        The score of that tile.
    """

    start: Positions
    end: Positions
    summit: Positions
    score: Scores


def call_peaks(
    starts: Positions, scores: Scores, span: int, threshold: float, max_gap: int
) -> Peaks:
    """Join neighboring tiles at or above a threshold into peaks.

    Parameters
    ----------
    starts : int64 array, shape (n,), ascending, in bp
        Tile i is drawn over ``[starts[i], starts[i] + span)``, 0-based, half-open.
        Drawn tiles may touch but not overlap.
    scores : float32 array, shape (n,)
        NaN where a tile has no value.
    span : int
        bp that a tile is drawn over, at least 1.
    threshold : float
        The lowest score of a tile that makes a peak.
    max_gap : int
        Tiles below the threshold do not end a peak as long as they stretch over at
        most so many bp. A tile without a value does, and so does a stretch without
        tiles: nobody knows what is there.

    Returns
    -------
    Peaks

    Raises
    ------
    UsageError
        If the arrays differ in length, tiles overlap or are out of order, `span` is
        below 1, `max_gap` is negative or `threshold` is NaN.
    """
    _check(starts, scores, span, threshold, max_gap)
    missing = np.isnan(scores)
    missing[1:] |= np.diff(starts) > span
    # Two tiles with equal counts have nothing missing between them.
    n_missing = np.cumsum(missing)

    high = np.flatnonzero(scores >= threshold)
    heights, lefts = scores[high], starts[high].astype(np.int64)
    is_near = np.diff(lefts) - span <= max_gap
    is_known = np.diff(n_missing[high]) == 0
    is_first = np.ones(len(high), dtype=np.bool_)
    is_first[1:] = ~(is_near & is_known)

    first = np.flatnonzero(is_first)
    last = np.append(first[1:], len(high))[: len(first)] - 1
    top = _first_maxima(heights, first, np.cumsum(is_first) - 1)
    return Peaks(
        start=lefts[first],
        end=lefts[last] + span,
        summit=lefts[top] + span // 2,
        score=heights[top],
    )


def _first_maxima(heights: Scores, first: NDArray[Any], peak: NDArray[Any]) -> Any:
    """Give the index of the first highest tile of each peak."""
    if not len(first):
        return first
    is_highest = heights == np.maximum.reduceat(heights, first)[peak]
    candidates = np.flatnonzero(is_highest)
    return candidates[np.flatnonzero(np.diff(peak[candidates], prepend=-1))]


def _check(
    starts: Positions, scores: Scores, span: int, threshold: float, max_gap: int
) -> None:
    if starts.ndim != 1 or starts.shape != scores.shape:
        raise UsageError(
            f"peaks of {starts.shape} starts and {scores.shape} scores: "
            "give one start and one score per tile"
        )
    if span < 1 or max_gap < 0 or np.isnan(threshold):
        raise UsageError(
            f"peaks with span {span}, max_gap {max_gap}, threshold {threshold}: "
            "a span is at least 1 bp, a gap at least 0 bp, a threshold a number"
        )
    crowded = np.flatnonzero(np.diff(starts) < span)
    if len(crowded):
        i = int(crowded[0])
        raise UsageError(
            f"tile {i} starts at {starts[i]}, tile {i + 1} at {starts[i + 1]}, and "
            f"each is drawn over {span} bp: sort the tiles and make the span no "
            "larger than the stride"
        )
