"""Reduce a signal along a chromosome to what a figure can show.

A region of a few kb is drawn bin by bin. A chromosome has more bins than a figure has
pixels: there each column shows the highest value under it (and the lowest, for negative
values), so that no peak is lost; a mean would level them. A column has no value only if
nothing under it has one. Arrays in, arrays out.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tfimpute_tracks.errors import UsageError

__all__ = ["Steps", "missing_spans", "to_bars", "to_steps"]

Positions = NDArray[np.int64]
Values = NDArray[np.float32]


class Steps(NamedTuple):
    """A signal as steps over a region.

    Attributes
    ----------
    edges : int64 array, shape (n + 1,)
        0-based, ascending, in bp, from the start to the end of the region.
    low, high : float32 array, shape (n,)
        The lowest and the highest value of each step; NaN for no value.
    """

    edges: Positions
    low: Values
    high: Values


def to_steps(
    starts: Positions,
    ends: Positions,
    values: Values,
    region: tuple[int, int],
    max_steps: int,
) -> Steps:
    """Reduce a signal to a number of steps.

    Parameters
    ----------
    starts, ends : int64 array, shape (n,)
        0-based, half-open, in bp; ascending, not overlapping.
    values : float32 array, shape (n,)
        NaN for no value; outside of the bins there is none either.
    region : (start, end)
        0-based, half-open, in bp.
    max_steps : int
        If the bins make more steps, the region is divided into so many equal columns
        (as far as bp allow).

    Returns
    -------
    Steps

    Raises
    ------
    UsageError
        The arrays differ in length, bins overlap or are out of order, or the region is
        empty.
    """
    first, last = region
    if not len(starts) == len(ends) == len(values) or first >= last:
        raise UsageError(
            f"a signal of {len(starts)} starts, {len(ends)} ends and {len(values)} "
            f"values over {first} to {last}: use one of each per bin, and a region that "
            "is not empty"
        )
    if (ends <= starts).any() or (starts[1:] < ends[:-1]).any():
        raise UsageError("bins of a signal overlap or are out of order; sort them")
    kept = ~np.isnan(values) & (ends > first) & (starts < last)
    starts = np.maximum(starts[kept], first)
    ends, values = np.minimum(ends[kept], last), values[kept]
    edges = np.unique(np.concatenate([[first, last], starts, ends]))
    if len(edges) - 1 <= max_steps:
        steps = np.full(len(edges) - 1, np.nan, dtype=np.float32)
        steps[np.searchsorted(edges, starts)] = values
        return Steps(edges, steps, steps)
    n = max(1, min(max_steps, last - first))
    edges = first + (last - first) * np.arange(n + 1, dtype=np.int64) // n
    begin = np.searchsorted(ends, edges[:-1], side="right")
    end = np.searchsorted(starts, edges[1:], side="left")
    low, high = (_reduce(f, values, begin, end) for f in (np.fmin, np.fmax))
    return Steps(edges, low, high)


def missing_spans(steps: Steps) -> Positions:
    """Find where a signal has no value.

    Parameters
    ----------
    steps : Steps

    Returns
    -------
    int64 array, shape (n, 2)
        Start and end of each segment: 0-based, half-open, in bp; no two are adjacent.
    """
    missing = np.isnan(steps.high)
    changes = np.flatnonzero(np.diff(missing, prepend=False, append=False))
    return steps.edges[changes].reshape(-1, 2)


def to_bars(
    spans: Positions, region: tuple[int, int], min_width: float
) -> NDArray[np.float64]:
    """Clip intervals to a region and make each wide enough to be visible.

    Parameters
    ----------
    spans : int64 array, shape (n, 2)
        Start and end: 0-based, half-open, in bp; ascending.
    region : (start, end)
        0-based, half-open, in bp.
    min_width : float
        In bp; bars that touch after widening are joined.

    Returns
    -------
    float64 array, shape (m, 2)
        Left and right end of each bar, inside of the region.
    """
    inside = spans[(spans[:, 1] > region[0]) & (spans[:, 0] < region[1])]
    cut = np.clip(inside.astype(np.float64), *region)
    center = cut.mean(axis=1)
    half = np.maximum(np.diff(cut, axis=1)[:, 0], min_width) / 2
    left = np.clip(center - half, *region)
    right = np.maximum.accumulate(np.clip(center + half, *region))
    # Of equal centers the wider bar may come second: sort by the left ends.
    order = np.argsort(left, kind="stable")
    left, right = left[order], np.maximum.accumulate(right[order])
    opens = np.ones(len(left), dtype=np.bool_)
    opens[1:] = left[1:] > right[:-1]
    closes = np.append(opens[1:], True)[: len(left)]
    return np.stack([left[opens], right[closes]], axis=1)


def _reduce(function: Any, values: Values, begin: Positions, end: Positions) -> Values:
    """Reduce values[begin[i]:end[i]] for each i; NaN if that is empty."""
    reduced = np.full(len(begin), np.nan, dtype=np.float32)
    filled = begin < end
    if filled.any():
        # Pairs of begin and end; what is between an end and the next begin is dropped.
        cuts = np.stack([begin[filled], end[filled]], axis=1).ravel()
        padded = np.append(values, np.float32(np.nan))
        reduced[filled] = function.reduceat(padded, cuts)[::2]
    return reduced
