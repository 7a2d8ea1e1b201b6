"""The FDR of thresholds along whole chromosomes, most of which is closed chromatin.

Labeled sites are open chromatin; a scan calls tiles everywhere. Here the tiles and peaks
of a scan are compared with measured peaks: a tile is bound where its center lies in a
measured peak, a called peak is confirmed where its summit does. A measured peak is what
one experiment found in sequence that short reads can be mapped to, so these rates
measure agreement with that experiment.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tfimpute_tracks.genome.signal import Signal
from tfimpute_tracks.kernels.peaks import call_peaks

__all__ = ["Intervals", "PeakCounts", "compare_peaks", "inside"]

Floats = NDArray[np.float32]
Ints = NDArray[np.int64]


class Intervals(NamedTuple):
    """Measured peaks of a chromosome: 0-based half-open, ascending, disjoint, in bp."""

    start: Ints
    end: Ints


@dataclass(frozen=True)
class PeakCounts:
    """Counts of a pair on a chromosome.

    Parameters
    ----------
    tiles, bound_tiles : int
        Tiles with a score, and those of them with their center in a measured peak.
    called, called_bound : int64 arrays, shape (n_levels,)
        Tiles at or above each threshold, and those of them that are bound.
    peaks, confirmed : int
        Peaks called at the pair's peak-calling threshold, and those with their summit in
        a measured peak.
    measured, found : int
        Measured peaks, and those that a called peak overlaps.
    """

    tiles: int
    bound_tiles: int
    called: Ints
    called_bound: Ints
    peaks: int
    confirmed: int
    measured: int
    found: int

    def rates(self) -> NDArray[np.float64]:
        """Compute the FDR of tiles at each threshold.

        Returns
        -------
        float64 array, shape (n_levels,)
            NaN where nothing is called.
        """
        with np.errstate(invalid="ignore"):
            rates: NDArray[np.float64] = 1 - self.called_bound / self.called
        return rates

    def peak_metrics(self) -> dict[str, Any]:
        """Compute the metrics of the called peaks.

        Returns
        -------
        dict
            `peaks`; `peak_fdr`, the fraction of them that is not confirmed;
            `peak_recall`, the fraction of measured peaks that is found; `bound_tiles`,
            the fraction of all tiles that is bound, which random peaks would confirm.
            None for a fraction of nothing.
        """
        confirmed = _fraction(self.confirmed, self.peaks)
        return {
            "peaks": self.peaks,
            "peak_fdr": None if confirmed is None else round(1 - confirmed, 4),
            "peak_recall": _fraction(self.found, self.measured),
            "bound_tiles": _fraction(self.bound_tiles, self.tiles, 6),
        }


def inside(positions: Ints, intervals: Intervals) -> NDArray[np.bool_]:
    """Test which positions lie in an interval.

    Parameters
    ----------
    positions : int64 array, shape (n,)
        0-based, in bp.
    intervals : Intervals

    Returns
    -------
    bool array, shape (n,)
    """
    after = np.searchsorted(intervals.end, positions, side="right")
    starts = np.append(intervals.start, np.iinfo(np.int64).max)
    result: NDArray[np.bool_] = starts[after] <= positions
    return result


def compare_peaks(
    tiles: Signal, measured: Intervals, thresholds: Floats, peak_threshold: float
) -> PeakCounts:
    """Compare a pair's tiles and peaks on a chromosome with its measured peaks.

    Parameters
    ----------
    tiles : Signal
        A pair's scores, a bin per tile; tiles without a value do not count.
    measured : Intervals
    thresholds : float32 array, shape (n_levels,)
        NaN calls nothing.
    peak_threshold : float
        The score that calls peaks; they are joined across one lower tile, as in a scan.

    Returns
    -------
    PeakCounts
    """
    scores = tiles.values
    is_known = ~np.isnan(scores)
    is_bound = inside(tiles.starts + tiles.step // 2, measured) & is_known
    is_called = scores[:, None] >= thresholds
    peaks = call_peaks(tiles.start, tiles.step, scores, peak_threshold)
    nearest = np.searchsorted(peaks.end, measured.start, side="right")
    begins = np.append(peaks.start, np.iinfo(np.int64).max)[nearest]
    return PeakCounts(
        tiles=int(is_known.sum()),
        bound_tiles=int(is_bound.sum()),
        called=is_called.sum(axis=0),
        called_bound=is_called[is_bound].sum(axis=0),
        peaks=len(peaks.start),
        confirmed=int(inside(peaks.summit, measured).sum()),
        measured=len(measured.start),
        found=int((begins < measured.end).sum()),
    )


def _fraction(part: int, whole: int, digits: int = 4) -> float | None:
    return round(part / whole, digits) if whole else None
