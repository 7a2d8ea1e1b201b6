"""The slow twin of kernels/peaks.py: one tile after the other, as one would say it."""

from __future__ import annotations

import math


def call_peaks(starts, scores, span, threshold, max_gap):
    """Give the list of (start, end, summit, score)."""
    peaks = []
    tiles = []  # (start, score) of the open peak's tiles at or above the threshold
    previous = None
    for start, score in zip(starts, scores, strict=True):
        is_hole = previous is not None and start > previous + span
        is_far = tiles and start - (tiles[-1][0] + span) > max_gap
        if is_hole or is_far or math.isnan(score):
            peaks += _close(tiles, span)
            tiles = []
        if score >= threshold:
            tiles.append((start, score))
        previous = start
    return peaks + _close(tiles, span)


def _close(tiles, span):
    if not tiles:
        return []
    highest = max(score for _, score in tiles)
    at = next(start for start, score in tiles if score == highest)
    return [(tiles[0][0], tiles[-1][0] + span, at + span // 2, highest)]
