"""From a signal along a chromosome to what a picture can show of it.

A region of a few kb is drawn bin by bin. A whole chromosome has more bins than a
picture has pixels: there each column shows the highest value under it (and the lowest,
where values have signs), so no peak is lost; a mean would level them all. A column is
without a value only where nothing under it has one. Arrays in, arrays out.
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
    """A signal as steps that cover a region.

    Attributes
    ----------
    edges : int64 array, shape (n + 1,)
        0-based, ascending, in bp; the first and the last are the region's ends.
    low, high : float32 array, shape (n,)
        The lowest and the highest value of each step; NaN where there is none.
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
    """Lay a signal out over a region, in so many steps at most.

    Parameters
    ----------
    starts, ends : int64 array, shape (n,)
        0-based, half-open, in bp; ascending, not overlapping.
    values : float32 array, shape (n,)
        NaN where there is none; what no bin covers has none either.
    region : (start, end)
        0-based, half-open, in bp.
    max_steps : int
        Where the bins make more than this, the region is cut into so many equal
        columns (as far as bp allow).

    Returns
    -------
    Steps

    Raises
    ------
    UsageError
        The arrays differ in length, bins overlap or are out of order, or the region
        is empty.
    """
    first, last = region
    if not len(starts) == len(ends) == len(values) or first >= last:
        raise UsageError(
            f"a signal of {len(starts)} starts, {len(ends)} ends and {len(values)} "
            f"values over {first} to {last}: give one of each per bin and a region"
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
    n_columns = max(1, min(max_steps, last - first))
    edges = first + (last - first) * np.arange(n_columns + 1, dtype=np.int64) // (
        n_columns
    )
    begin = np.searchsorted(ends, edges[:-1], side="right")
    end = np.searchsorted(starts, edges[1:], side="left")
    return Steps(
        edges,
        _reduce(np.fmin, values, begin, end),
        _reduce(np.fmax, values, begin, end),
    )


def missing_spans(steps: Steps) -> Positions:
    """Find where a signal has no value.

    Parameters
    ----------
    steps : Steps

    Returns
    -------
    int64 array, shape (n, 2)
        Start and end of each stretch: 0-based, half-open, in bp; none touches another.
    """
    missing = np.isnan(steps.high)
    changes = np.flatnonzero(np.diff(missing, prepend=False, append=False))
    return steps.edges[changes].reshape(-1, 2)


def to_bars(
    spans: Positions, region: tuple[int, int], narrowest: float
) -> NDArray[np.float64]:
    """Cut intervals to a region and make each wide enough to be seen.

    Parameters
    ----------
    spans : int64 array, shape (n, 2)
        Start and end: 0-based, half-open, in bp; ascending.
    region : (start, end)
        0-based, half-open, in bp.
    narrowest : float
        Width in bp that a bar has at least; bars that then touch are one.

    Returns
    -------
    float64 array, shape (m, 2)
        Left and right end of each bar, inside of the region.
    """
    met = spans[(spans[:, 1] > region[0]) & (spans[:, 0] < region[1])]
    cut = np.clip(met.astype(np.float64), *region)
    middle = cut.mean(axis=1)
    half = np.maximum(np.diff(cut, axis=1)[:, 0], narrowest) / 2
    left = np.clip(middle - half, *region)
    right = np.maximum.accumulate(np.clip(middle + half, *region))
    # Of equal middles the wider may come second: sorted by their left ends.
    order = np.argsort(left, kind="stable")
    left, right = left[order], np.maximum.accumulate(right[order])
    opens = np.ones(len(left), dtype=np.bool_)
    opens[1:] = left[1:] > right[:-1]
    closes = np.append(opens[1:], True)[: len(left)]
    return np.stack([left[opens], right[closes]], axis=1)


def _reduce(function: Any, values: Values, begin: Positions, end: Positions) -> Values:
    """Reduce values[begin[i]:end[i]] for each i; NaN where that is empty."""
    reduced = np.full(len(begin), np.nan, dtype=np.float32)
    some = begin < end
    if some.any():
        # Pairs of begin and end; what lies between an end and the next begin is cut.
        cuts = np.stack([begin[some], end[some]], axis=1).ravel()
        padded = np.append(values, np.float32(np.nan))
        reduced[some] = function.reduceat(padded, cuts)[::2]
    return reduced
