"""Which tiles of a shard some regions need, and which of them are read together."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tfimpute_tracks.engines.tiles import TileRange
from tfimpute_tracks.genome import Region
from tfimpute_tracks.impute.plan import Block, Plan

__all__ = ["NearSpans", "Span", "by_chrom", "find_spans", "near_spans"]

Ints = NDArray[np.int64]

Span = tuple[int, TileRange]
"""Tiles, and the row of the first one in their shard."""


class NearSpans(NamedTuple):
    """Spans of a shard that are read together.

    Attributes
    ----------
    first, last : int
        Rows of the shard, half-open.
    ranges : tuple of TileRange
        The tiles of each span.
    rows : int64 array, shape (n_tiles,), or None
        Their rows, counted from the first; None where they are all there are.
    """

    first: int
    last: int
    ranges: tuple[TileRange, ...]
    rows: Ints | None

    def take(self, values: NDArray[Any]) -> NDArray[Any]:
        """Choose the values of the spans.

        Parameters
        ----------
        values : array, shape (..., last - first)

        Returns
        -------
        array, shape (..., n_tiles)
        """
        return values if self.rows is None else values[..., self.rows]


def by_chrom(regions: Iterable[Region]) -> dict[str, Ints]:
    """Gather regions by chromosome.

    Parameters
    ----------
    regions : iterable of Region
        Sorted, not overlapping.

    Returns
    -------
    dict of str to int64 array, shape (2, n_regions)
        Starts and ends.
    """
    found: dict[str, list[tuple[int, int]]] = {}
    for chrom, start, end in regions:
        found.setdefault(chrom, []).append((start, end))
    return {chrom: np.array(places).T for chrom, places in found.items()}


def find_spans(
    block: Block, plan: Plan, places: dict[str, Ints] | None
) -> Iterator[Span]:
    """Find the tiles of a block that regions need, range by range.

    Parameters
    ----------
    block : Block
    plan : Plan
    places : dict of str to int64 array, optional
        From :func:`by_chrom`; by default everything is needed.

    Yields
    ------
    Span
        No tile twice.
    """
    row = 0
    for name, begin, n_tiles in block.ranges:
        if places is None:
            yield row, TileRange(name, begin, n_tiles)
        elif name in places:
            starts, ends = places[name] - (begin + plan.offset)
            some = slice(
                np.searchsorted(ends, 0, "right"),
                np.searchsorted(starts, n_tiles * plan.stride),
            )
            firsts = np.maximum(starts[some] // plan.stride, 0)
            lasts = np.minimum(-(-ends[some] // plan.stride), n_tiles)
            # Regions that are close share a tile.
            firsts[1:] = np.maximum(firsts[1:], lasts[:-1])
            for first, last in zip(firsts.tolist(), lasts.tolist(), strict=True):
                if first < last:
                    tiles = TileRange(name, begin + first * plan.stride, last - first)
                    yield row + first, tiles
        row += n_tiles


def near_spans(spans: list[Span], n_tiles: int) -> Iterator[NearSpans]:
    """Group spans that are close, as those of short contigs.

    Parameters
    ----------
    spans : list of Span
        Of one shard, in order; one at least.
    n_tiles : int
        So many tiles between two part them.

    Yields
    ------
    NearSpans
    """
    rows = np.array([row for row, _ in spans])
    lengths = np.array([tiles.n_tiles for _, tiles in spans])
    ends = rows + lengths
    cuts = np.flatnonzero(rows[1:] - ends[:-1] >= n_tiles) + 1
    for begin, end in pairwise([0, *cuts.tolist(), len(spans)]):
        first, last, n = int(rows[begin]), int(ends[end - 1]), lengths[begin:end]
        before = np.cumsum(n) - n
        index = np.arange(int(n.sum())) + np.repeat(rows[begin:end] - first - before, n)
        ranges = tuple(tiles for _, tiles in spans[begin:end])
        is_whole = len(index) == last - first
        yield NearSpans(first, last, ranges, None if is_whole else index)
