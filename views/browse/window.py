"""What a window of the page shows of a pair: signal at the screen's grain, and peaks.

What can be computed at once is computed; a wider window shows what has been computed
there before.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tfimpute_tracks.errors import UsageError
from tfimpute_tracks.genome import Region
from tfimpute_tracks.genome.signal import Signal
from tfimpute_tracks.kernels.peaks import Peaks, call_peaks
from tfimpute_tracks.views.browse.scores import LiveScores
from tfimpute_tracks.vocabulary import Pair

__all__ = ["AT_ONCE", "PeakList", "draw_peaks", "draw_signal", "reduce_tiles"]

AT_ONCE = 20_000_000
"""bp that a request computes; it is about a second's work of two cores."""
_BESIDE = 50_000  # bp beside a window in which a peak of it may begin or end
_MOST_PEAKS = 5000

Floats = NDArray[np.float32]


class PeakList(NamedTuple):
    """Peaks of a window.

    Attributes
    ----------
    peaks : Peaks
    threshold : float
    n_peaks : int
        Of the window; `peaks` holds the highest of them where they are many.
    """

    peaks: Peaks
    threshold: float
    n_peaks: int


def draw_signal(
    scores: LiveScores,
    pair: Pair,
    signal: str,
    region: Region,
    bp_per_pixel: float,
    how: str = "max",
) -> Signal:
    """Give the signal of a window, a value per tile or, further out, per pixel.

    Parameters
    ----------
    scores : LiveScores
    pair : Pair
    signal : str
        Of :data:`tfimpute_tracks.tracks.signals.SIGNALS`.
    region : Region
    bp_per_pixel : float
    how : {"max", "mean"}
        What a pixel shows of its tiles: the value furthest from zero, or the mean.

    Returns
    -------
    Signal

    Raises
    ------
    RegionError
        No tile is drawn there.
    """
    first, values = _values(scores, pair, signal, region)
    n_per_bin = max(1, int(bp_per_pixel / scores.stride))
    skip, reduced = reduce_tiles(values, first // scores.stride, n_per_bin, how)
    width = n_per_bin * scores.stride
    start = first - skip * scores.stride + scores.layout.offset
    return Signal(region.chrom, start, width, reduced)


def draw_peaks(scores: LiveScores, pair: Pair, region: Region) -> PeakList:
    """Call the peaks of a window, as `scan` calls them.

    Parameters
    ----------
    scores : LiveScores
    pair : Pair
    region : Region

    Returns
    -------
    PeakList

    Raises
    ------
    RegionError
        No tile is drawn there.
    """
    size = scores.genome.chrom_sizes[region.chrom]
    wider = Region(
        region.chrom, max(region.start - _BESIDE, 0), min(region.end + _BESIDE, size)
    )
    first, values = _values(scores, pair, "probability", wider, _BESIDE)
    stride, threshold = scores.stride, scores.model.threshold(pair)
    peaks = call_peaks(first + scores.layout.offset, stride, values, threshold)
    here = (peaks.end > region.start) & (peaks.start < region.end)
    kept = np.flatnonzero(here)
    n_peaks = len(kept)
    if n_peaks > _MOST_PEAKS:
        highest = np.argsort(-peaks.score[kept], kind="stable")[:_MOST_PEAKS]
        kept = np.sort(kept[highest])
    some = Peaks._make(column[kept] for column in peaks)
    return PeakList(some, threshold, n_peaks)


def reduce_tiles(
    values: Floats, index: int, n_per_bin: int, how: str
) -> tuple[int, Floats]:
    """Sum up so many tiles in one value, on the chromosome's own grid.

    Parameters
    ----------
    values : float32 array, shape (n_tiles,)
        NaN where there is none.
    index : int
        Of the first tile on its chromosome: bins begin at its multiples of `n_per_bin`.
    n_per_bin : int
    how : {"max", "mean"}
        The value furthest from zero, or the mean, of those there are.

    Returns
    -------
    skip : int
        Tiles by which the first bin begins before the first tile.
    reduced : float32 array, shape (n_bins,)
        NaN where no tile of the bin has a value.

    Raises
    ------
    UsageError
        Another word than those two.
    """
    if how not in {"max", "mean"}:
        raise UsageError(f"{how!r} sums up no bins; use max or mean")
    if n_per_bin == 1:
        return 0, values
    skip = index % n_per_bin
    behind = -(skip + len(values)) % n_per_bin
    padded = np.pad(values, (skip, behind), constant_values=np.nan)
    bins = padded.reshape(-1, n_per_bin)
    known = ~np.isnan(bins)
    if how == "mean":
        total = np.where(known, bins, 0).sum(axis=1, dtype=np.float64)
        counts = known.sum(axis=1)
        with np.errstate(invalid="ignore"):
            return skip, (total / counts).astype(np.float32)
    far = np.where(known, np.abs(bins), -1).argmax(axis=1)
    return skip, bins[np.arange(len(bins)), far]


def _values(
    scores: LiveScores, pair: Pair, signal: str, region: Region, beside: int = 0
) -> tuple[int, Floats]:
    if region.end - region.start <= AT_ONCE + 2 * beside:
        return scores.signal(pair, signal, region)
    return scores.known_signal(pair, signal, region)
