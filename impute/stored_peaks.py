"""Peaks of every pair, counted while a shard is written and added up over shards."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from tfimpute_tracks.engines.tiles import TileRange
from tfimpute_tracks.impute.plan import Block, Plan, Shard
from tfimpute_tracks.kernels.peaks import PeakCounts, count_peaks, join_counts

__all__ = ["PeakCounter", "add_up_peaks"]


class PeakCounter:
    """Counts the peaks of a shard's pairs; none goes from one contig to the next.

    Parameters
    ----------
    block : Block
        Tiles of the shard.
    thresholds : uint8 array, shape (n_pairs,)
        The lowest code of each pair that calls a peak.
    """

    def __init__(self, block: Block, thresholds: NDArray[np.uint8]) -> None:
        self._starts = {tiles[:2] for tiles in block.ranges}
        self._thresholds = thresholds
        self._before = np.zeros(len(thresholds), dtype=np.int32)
        self._current: PeakCounts | None = None

    def add(
        self,
        codes: NDArray[np.uint8],
        is_missing: NDArray[np.bool_],
        part: list[TileRange],
    ) -> None:
        """Count the peaks of tiles that follow those before them.

        Parameters
        ----------
        codes : uint8 array, shape (n_pairs, n_tiles)
        is_missing : bool array, shape (n_tiles,)
        part : list of TileRange
            What the tiles are.
        """
        first = 0
        for tiles in part:
            own = slice(first, first + tiles.n_tiles)
            first = own.stop
            some = np.ascontiguousarray(codes[:, own])
            counted = count_peaks(some, self._thresholds, is_missing[own])
            if self._current is None:
                self._current = counted
            elif tiles[:2] in self._starts:
                self._before += self._current.n_peaks
                self._current = counted
            else:
                self._current = join_counts(self._current, counted)

    def result(self) -> PeakCounts:
        """Return the counts.

        Returns
        -------
        PeakCounts
            Gaps are those of the last range.
        """
        assert self._current is not None
        return self._current._replace(n_peaks=self._before + self._current.n_peaks)


def add_up_peaks(
    plan: Plan, counts: Iterable[tuple[Shard, PeakCounts]]
) -> NDArray[np.int64]:
    """Add up the peaks of shards; one that spans two shards counts once.

    Parameters
    ----------
    plan : Plan
    counts : iterable of (Shard, PeakCounts)
        Of all shards, in order.

    Returns
    -------
    int64 array, shape (n_pairs,)
    """
    total = np.zeros(len(plan.tfs), dtype=np.int64)
    last: dict[int, tuple[Shard, PeakCounts]] = {}  # by the first pair
    for shard, counted in counts:
        before, joined = last.get(shard.first_pair, (shard, None))
        if joined is not None:
            if _follows(before, shard, plan.stride):
                counted = join_counts(joined, counted)
            else:
                total[before.pairs] += joined.n_peaks
        last[shard.first_pair] = shard, counted
    for shard, counted in last.values():
        total[shard.pairs] += counted.n_peaks
    return total


def _follows(before: Shard, after: Shard, stride: int) -> bool:
    tiles = before.block.ranges[-1]
    end = tiles.first + tiles.n_tiles * stride
    return (tiles.chrom, end) == after.block.ranges[0][:2]
