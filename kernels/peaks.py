"""Tile scores to peaks: the only peak caller of the package.

A peak is a run of tiles at or above a threshold; its summit is the middle of its
highest tile. Low tiles between two high ones do not end a peak as long as the gap is
short; a tile without a value does, because its score is unknown. This rule is written
once, in ``_next_gap``. :class:`PeakCaller` applies it to scores that come in blocks;
:func:`count_peaks` applies it to the rounded scores of many pairs at once, in parts that
:func:`join_counts` puts together. Thresholds, names, files and the ends of chromosomes
are the callers' business.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tfimpute_tracks.errors import UsageError
from tfimpute_tracks.kernels.jit import njit

__all__ = [
    "MAX_GAP_TILES",
    "PeakCaller",
    "PeakCounts",
    "Peaks",
    "call_peaks",
    "count_peaks",
    "join_counts",
]

MAX_GAP_TILES = 1
"""Neighboring tiles below the threshold that do not end a peak, by default."""

Positions = NDArray[np.int64]
Scores = NDArray[np.float32]
Codes = NDArray[np.uint8]


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


class PeakCaller:
    """Joins neighboring tiles at or above a threshold into peaks, block by block.

    How the tiles are cut into blocks changes nothing.

    Parameters
    ----------
    threshold : float
        The lowest score of a tile that makes a peak.
    max_gap : int, optional
        bp of tiles below the threshold that do not end a peak. By default the width of
        ``MAX_GAP_TILES`` tiles.
    min_width : int
        Narrower peaks, in bp, are dropped.

    Raises
    ------
    UsageError
        The threshold is NaN, or `max_gap` is negative.
    """

    def __init__(
        self, threshold: float, max_gap: int | None = None, min_width: int = 0
    ) -> None:
        if np.isnan(threshold) or (max_gap is not None and max_gap < 0):
            raise UsageError(
                f"peaks with threshold {threshold} and max_gap {max_gap}: a threshold "
                "is a number, a gap is 0 bp or more"
            )
        self._threshold, self._max_gap = threshold, max_gap
        self._min_width = min_width
        self._found: dict[str, list[Peaks]] = {}  # finished, by chromosome
        self._chrom = ""  # of the last tile
        self._last: Peaks | None = None  # the last peak, which may still grow
        self._end = 0  # where the last tile ended
        self._gap = 0  # bp of low tiles behind the last peak

    def add(self, chrom: str, start: int, step: int, values: Scores) -> None:
        """Add the next tiles, after all earlier ones.

        Parameters
        ----------
        chrom : str
        start : int
            Tile i covers ``[start + i * step, start + (i + 1) * step)``: 0-based, bp.
            Tiles missing between this block and the one before end a peak.
        step : int
            In bp, at least 1.
        values : float32 array, shape (n_tiles,)
            NaN where a tile has no value.

        Raises
        ------
        UsageError
            Tiles overlap those before or are out of order, or the step is below 1.
        """
        self._check(chrom, start, step, values)
        max_gap = MAX_GAP_TILES * step if self._max_gap is None else self._max_gap
        if chrom != self._chrom:
            self._close()
            self._chrom = chrom
            gap = max_gap + 1
        elif self._last is None or start > self._end:
            gap = max_gap + 1
        else:
            gap = min(self._gap, max_gap + 1)
        is_high = values >= self._threshold
        runs = np.empty((3, np.count_nonzero(is_high)), dtype=np.int64)
        n, self._gap, continues = _find_runs(
            values, is_high, np.isnan(values), step, max_gap, gap, runs
        )
        self._end = start + step * len(values)
        if n:
            first, last, top = start + step * runs[:, :n]
            summit, score = top + step // 2, values[runs[2, :n]]
            self._append(Peaks(first, last + step, summit, score), continues)
        if self._gap > max_gap:
            self._close()

    def add_pack(
        self,
        chroms: Sequence[str],
        starts: NDArray[np.int64],
        step: int,
        lengths: NDArray[np.int64],
        values: Scores,
    ) -> None:
        """Add the next tiles of several contigs, most of which may have no peak.

        Parameters
        ----------
        chroms, starts, step, lengths, values
            As :class:`~tfimpute_tracks.genome.signal.SignalPack` has them.

        Raises
        ------
        UsageError
            As :meth:`add`.
        """
        if len(chroms) == 1:
            self.add(chroms[0], int(starts[0]), step, values)
            return
        ends = np.cumsum(lengths)
        counts = np.cumsum(np.append(0, values >= self._threshold))
        may_matter = counts[ends] > counts[ends - lengths]
        same = np.array([one == other for one, other in pairwise(chroms)], dtype=bool)
        may_matter[1:] |= same  # tiles of one chromosome have an order
        may_matter[:-1] |= same
        may_matter[-1] = True  # others may follow
        before = -1
        for i in np.flatnonzero(may_matter).tolist():
            if i > before + 1:
                self._close()
                self._chrom = ""
            first, last = int(ends[i] - lengths[i]), int(ends[i])
            self.add(chroms[i], int(starts[i]), step, values[first:last])
            before = i

    def peaks(self) -> list[tuple[str, Peaks]]:
        """Return the peaks of all tiles so far.

        Returns
        -------
        list of (chrom, Peaks)
            Of chromosomes with a peak, in the order in which they came.
        """
        found = {chrom: list(parts) for chrom, parts in self._found.items()}
        if self._last is not None:
            found.setdefault(self._chrom, []).append(self._last)
        joined = [(chrom, self._joined(parts)) for chrom, parts in found.items()]
        return [(chrom, peaks) for chrom, peaks in joined if len(peaks.start)]

    def count(self) -> int:
        """Count the peaks of all tiles so far.

        Returns
        -------
        int
        """
        return sum(len(peaks.start) for _, peaks in self.peaks())

    def _append(self, found: Peaks, continues: bool) -> None:
        """Add the peaks of a block; the first may continue the last one of the block before."""
        if continues and self._last is not None:
            last = self._last
            found.start[0] = last.start[0]
            if last.score[0] >= found.score[0]:  # of equals the first
                found.summit[0], found.score[0] = last.summit[0], last.score[0]
            self._last = None
        self._close()
        if len(found.start) > 1:
            self._finish(Peaks._make(column[:-1] for column in found))
        self._last = Peaks._make(column[-1:] for column in found)

    def _close(self) -> None:
        if self._last is not None:
            self._finish(self._last)
            self._last = None

    def _finish(self, peaks: Peaks) -> None:
        self._found.setdefault(self._chrom, []).append(peaks)

    def _joined(self, parts: list[Peaks]) -> Peaks:
        every = Peaks(
            *(np.concatenate(columns) for columns in zip(*parts, strict=True))
        )
        if self._min_width <= 0:
            return every
        is_wide = every.end - every.start >= self._min_width
        return Peaks._make(column[is_wide] for column in every)

    def _check(self, chrom: str, start: int, step: int, values: Scores) -> None:
        if values.ndim != 1 or step < 1:
            raise UsageError(
                f"peaks of tiles of {step} bp with scores of shape {values.shape}: a "
                "tile has 1 bp or more, scores are one-dimensional"
            )
        if chrom == self._chrom and start < self._end:
            raise UsageError(
                f"tiles from {chrom}:{start} (0-based) overlap those before, which end "
                f"at {self._end}: pass the blocks of a chromosome sorted by start"
            )


def call_peaks(
    start: int,
    step: int,
    values: Scores,
    threshold: float,
    max_gap: int | None = None,
    min_width: int = 0,
) -> Peaks:
    """Call the peaks of one run of tiles.

    Parameters
    ----------
    start, step, values
        As :meth:`PeakCaller.add`.
    threshold, max_gap, min_width
        As :class:`PeakCaller`.

    Returns
    -------
    Peaks

    Raises
    ------
    UsageError
        As :class:`PeakCaller` and :meth:`PeakCaller.add`.
    """
    caller = PeakCaller(threshold, max_gap, min_width)
    caller.add("region", start, step, values)
    for _, peaks in caller.peaks():
        return peaks
    nowhere = np.empty(0, np.int64)
    return Peaks(nowhere, nowhere, nowhere, np.empty(0, np.float32))


class PeakCounts(NamedTuple):
    """Numbers of peaks in some neighboring tiles, ready to be joined to the next ones.

    Attributes
    ----------
    n_peaks : int32 array, shape (n_pairs,)
    gaps : uint8 array, shape (n_pairs, 2)
        Low tiles before the first high one and behind the last, at most `max_gap` + 1,
        which also stands for a missing tile. Where no tile is high: low tiles in all.
    """

    n_peaks: NDArray[np.int32]
    gaps: Codes


def count_peaks(
    codes: Codes,
    threshold_codes: Codes,
    is_missing: NDArray[np.bool_],
    max_gap: int = MAX_GAP_TILES,
) -> PeakCounts:
    """Count the peaks of each pair in neighboring tiles.

    Parameters
    ----------
    codes : uint8 array, shape (n_pairs, n_tiles)
        Rounded scores.
    threshold_codes : uint8 array, shape (n_pairs,)
        The lowest codes that make a peak.
    is_missing : bool array, shape (n_tiles,)
    max_gap : int
        Tiles below the threshold that do not end a peak; below 255.

    Returns
    -------
    PeakCounts
    """
    n_pairs = len(codes)
    counts = np.zeros(n_pairs, dtype=np.int32)
    gaps = np.zeros((n_pairs, 2), dtype=np.uint8)
    _count_peaks(codes, threshold_codes, is_missing, max_gap, counts, gaps)
    return PeakCounts(counts, gaps)


def join_counts(
    before: PeakCounts, after: PeakCounts, max_gap: int = MAX_GAP_TILES
) -> PeakCounts:
    """Count the peaks of two runs of tiles of which one follows the other.

    Parameters
    ----------
    before, after : PeakCounts
    max_gap : int
        As for :func:`count_peaks`.

    Returns
    -------
    PeakCounts
        Of the two as one run.
    """
    (left, left_gaps), (right, right_gaps) = before, after
    between = left_gaps[:, 1].astype(np.int64) + right_gaps[:, 0]
    are_one = (left > 0) & (right > 0) & (between <= max_gap)
    across = np.minimum(between, max_gap + 1)
    gaps = np.empty_like(left_gaps)
    gaps[:, 0] = np.where(left > 0, left_gaps[:, 0], across)
    gaps[:, 1] = np.where(right > 0, right_gaps[:, 1], across)
    return PeakCounts((left + right - are_one).astype(np.int32), gaps)


@njit(nogil=True, cache=True)
def _next_gap(gap, is_high, is_missing, width, max_gap):  # type: ignore[no-untyped-def]
    """Compute the gap behind a tile: 0 where it is high, above `max_gap` for "too far"."""
    if is_missing:
        return max_gap + 1
    return 0 if is_high else min(gap + width, max_gap + 1)


@njit(cache=True)  # short; other threads would not give the interpreter back at once
def _find_runs(  # type: ignore[no-untyped-def]
    values, is_high, is_missing, width, max_gap, gap, runs
):
    """Fill in the first, the last and the highest tile of each run of high tiles."""
    n = 0
    continues = False
    for tile in range(values.size):
        if is_high[tile]:
            if n == 0 or gap > max_gap:
                continues |= n == 0 and gap <= max_gap
                runs[0, n] = runs[2, n] = tile
                n += 1
            elif values[tile] > values[runs[2, n - 1]]:
                runs[2, n - 1] = tile
            runs[1, n - 1] = tile
        gap = _next_gap(gap, is_high[tile], is_missing[tile], width, max_gap)
    return n, gap, continues


@njit(nogil=True, cache=True)
def _count_peaks(  # type: ignore[no-untyped-def]
    codes, threshold_codes, is_missing, max_gap, counts, gaps
):
    n_pairs, n_tiles = codes.shape
    for pair in range(n_pairs):
        row, threshold = codes[pair], threshold_codes[pair]
        n, gap = 0, 0
        for tile in range(n_tiles):
            is_high = row[tile] >= threshold and not is_missing[tile]
            if is_high:
                if n == 0:
                    gaps[pair, 0] = gap
                    n = 1
                elif gap > max_gap:
                    n += 1
            gap = _next_gap(gap, is_high, is_missing[tile], 1, max_gap)
        if n == 0:
            gaps[pair, 0] = gap
        gaps[pair, 1] = gap
        counts[pair] = n
