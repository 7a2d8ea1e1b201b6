"""What thresholds are worth along whole chromosomes, where most places are closed.

Labelled sites are open chromatin; a scan calls tiles of everything. Here the tiles and
peaks of a scan are held against measured peaks: a tile counts as bound where its center
lies in a measured peak, a called peak as confirmed where its summit does. A measured
peak is what one experiment found in sequence that short reads can be mapped to, so the
rates are of agreement with it. Where scores come from is not known here.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tfimpute_tracks.genome.signal import Signal
from tfimpute_tracks.kernels.peaks import call_peaks

__all__ = ["Intervals", "Tally", "inside", "tally_tiles"]

Floats = NDArray[np.float32]
Ints = NDArray[np.int64]


class Intervals(NamedTuple):
    """Measured peaks of a chromosome: 0-based half-open, ascending, disjoint, in bp."""

    start: Ints
    end: Ints


@dataclass(frozen=True)
class Tally:
    """Counts of a pair over chromosomes.

    Parameters
    ----------
    tiles, bound_tiles : int
        Tiles with a score, and those of them with their center in a measured peak.
    called, called_bound : int64 arrays, shape (n_levels,)
        Tiles at or above each threshold, and those of them that are bound.
    peaks, confirmed : int
        Peaks called at the pair's peak line, and those with their summit in a measured
        peak.
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

    def plus(self, other: Tally) -> Tally:
        """Add the counts of another chromosome.

        Parameters
        ----------
        other : Tally

        Returns
        -------
        Tally
        """
        names = [field.name for field in fields(self)]
        return Tally(*(getattr(self, name) + getattr(other, name) for name in names))

    def rates(self) -> NDArray[np.float64]:
        """Give the FDR of tiles at each threshold.

        Returns
        -------
        float64 array, shape (n_levels,)
            NaN where nothing is called.
        """
        with np.errstate(invalid="ignore"):
            rates: NDArray[np.float64] = 1 - self.called_bound / self.called
        return rates

    def peak_figures(self) -> dict[str, Any]:
        """Give what is known of the called peaks.

        Returns
        -------
        dict
            `peaks`; `peak_fdr`, the share of them that is not confirmed; `peak_recall`,
            the share of measured peaks that is found; `bound_tiles`, the share of all
            tiles that is bound, which is what chance confirms. None for shares of
            nothing.
        """
        confirmed = _share(self.confirmed, self.peaks)
        return {
            "peaks": self.peaks,
            "peak_fdr": None if confirmed is None else round(1 - confirmed, 4),
            "peak_recall": _share(self.found, self.measured),
            "bound_tiles": _share(self.bound_tiles, self.tiles, 6),
        }


def inside(places: Ints, intervals: Intervals) -> NDArray[np.bool_]:
    """Say which places lie in an interval.

    Parameters
    ----------
    places : int64 array, shape (n,)
        0-based, in bp.
    intervals : Intervals

    Returns
    -------
    bool array, shape (n,)
    """
    after = np.searchsorted(intervals.end, places, side="right")
    starts = np.append(intervals.start, np.iinfo(np.int64).max)
    result: NDArray[np.bool_] = starts[after] <= places
    return result


def tally_tiles(
    tiles: Signal, measured: Intervals, thresholds: Floats, peak_line: float
) -> Tally:
    """Hold a pair's tiles on a chromosome against its measured peaks.

    Parameters
    ----------
    tiles : Signal
        A pair's scores, a bin per tile; tiles without a value do not count.
    measured : Intervals
    thresholds : float32 array, shape (n_levels,)
        NaN calls nothing.
    peak_line : float
        The score that calls peaks, which are joined over one lower tile as a scan
        joins them.

    Returns
    -------
    Tally
    """
    scores = tiles.values
    is_known = ~np.isnan(scores)
    is_bound = inside(tiles.starts + tiles.step // 2, measured) & is_known
    is_called = scores[:, None] >= thresholds
    peaks = call_peaks(tiles.start, tiles.step, scores, peak_line)
    nearest = np.searchsorted(peaks.end, measured.start, side="right")
    begins = np.append(peaks.start, np.iinfo(np.int64).max)[nearest]
    return Tally(
        tiles=int(is_known.sum()),
        bound_tiles=int(is_bound.sum()),
        called=is_called.sum(axis=0),
        called_bound=is_called[is_bound].sum(axis=0),
        peaks=len(peaks.start),
        confirmed=int(inside(peaks.summit, measured).sum()),
        measured=len(measured.start),
        found=int((begins < measured.end).sum()),
    )


def _share(part: int, whole: int, digits: int = 4) -> float | None:
    return round(part / whole, digits) if whole else None
