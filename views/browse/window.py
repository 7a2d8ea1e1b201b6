"""What the page shows of a window: the signal at screen resolution, and the peaks.

A window of up to ``LiveScores.max_bp`` is computed at once. A wider one shows what is
computed already.
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

__all__ = ["PeakList", "downsample", "window_peaks", "window_signal"]

_FLANK = 50_000  # bp on each side of a window where its peaks may begin or end
_MAX_PEAKS = 5000


class PeakList(NamedTuple):
    """Peaks of a window.

    Attributes
    ----------
    peaks : Peaks
    threshold : float
    n_peaks : int
        Number of peaks of the window; `peaks` may hold the highest ones only.
    is_known : bool
        Whether any tile has a value: it is computed, and its sequence is known.
    """

    peaks: Peaks
    threshold: float
    n_peaks: int
    is_known: bool


def window_signal(
    scores: LiveScores,
    pair: Pair,
    signal: str,
    region: Region,
    bp_per_pixel: float,
    summary: str = "max",
) -> Signal:
    """Compute the signal of a window with about one value per pixel.

    Parameters
    ----------
    scores : LiveScores
    pair : Pair
    signal : str
        Of :data:`tfimpute_tracks.tracks.signals.SIGNALS`.
    region : Region
    bp_per_pixel : float
    summary : {"max", "mean"}
        As :func:`downsample`.

    Returns
    -------
    Signal

    Raises
    ------
    RegionError
        No tile is centered there.
    UsageError
        Another `summary`.
    """
    compute = region.end - region.start <= scores.max_bp
    tiles = scores.signal(pair, signal, region, compute)
    n_per_bin = max(1, int(bp_per_pixel / scores.stride))
    index = (tiles.start - scores.run.offset) // scores.stride
    skip, values = downsample(tiles.values, index, n_per_bin, summary)
    start = tiles.start - skip * scores.stride
    return Signal(region.chrom, start, n_per_bin * scores.stride, values)


def window_peaks(
    scores: LiveScores, pair: Pair, region: Region, max_peaks: int = _MAX_PEAKS
) -> PeakList:
    """Call the peaks of a window, equal to those of `scan`.

    Parameters
    ----------
    scores : LiveScores
    pair : Pair
    region : Region
    max_peaks : int
        Maximum number of peaks returned: the highest ones.

    Returns
    -------
    PeakList

    Raises
    ------
    RegionError
        No tile is centered there.
    """
    chrom, start, end = region
    size = scores.genome.chrom_sizes[chrom]
    wider = Region(chrom, max(start - _FLANK, 0), min(end + _FLANK, size))
    compute = wider.end - wider.start <= scores.max_bp + 2 * _FLANK
    tiles = scores.signal(pair, "probability", wider, compute)
    threshold = scores.model.threshold(pair)
    peaks = call_peaks(tiles.start, tiles.step, tiles.values, threshold)
    shown = np.flatnonzero((peaks.end > start) & (peaks.start < end))
    n_peaks = len(shown)
    if n_peaks > max_peaks:
        highest = np.argsort(-peaks.score[shown], kind="stable")[:max_peaks]
        shown = np.sort(shown[highest])
    chosen = Peaks._make(column[shown] for column in peaks)
    is_shown = (tiles.starts + tiles.step > start) & (tiles.starts < end)
    is_known = bool((is_shown & ~np.isnan(tiles.values)).any())
    return PeakList(chosen, threshold, n_peaks, is_known)


def downsample(
    values: NDArray[np.float32], index: int, n_per_bin: int, summary: str
) -> tuple[int, NDArray[np.float32]]:
    """Summarize tiles in bins that lie on a fixed grid of the chromosome.

    Parameters
    ----------
    values : float32 array, shape (n_tiles,)
        NaN where there is no value.
    index : int
        Index of the first tile on its chromosome. Bins begin at tiles whose index is a
        multiple of `n_per_bin`.
    n_per_bin : int
        Tiles of a bin.
    summary : {"max", "mean"}
        A bin's value: the one furthest from zero, or the mean.

    Returns
    -------
    skip : int
        Number of tiles by which the first bin begins before the first tile.
    binned : float32 array, shape (n_bins,)
        NaN where no tile of the bin has a value.

    Raises
    ------
    UsageError
        Another `summary`.
    """
    if summary not in {"max", "mean"}:
        raise UsageError(f"summary {summary!r}; use max or mean")
    if n_per_bin == 1:
        return 0, values
    skip = index % n_per_bin
    n_after = -(skip + len(values)) % n_per_bin
    padded = np.pad(values, (skip, n_after), constant_values=np.nan)
    bins = padded.reshape(-1, n_per_bin)
    has_value = ~np.isnan(bins)
    if summary == "mean":
        total = np.where(has_value, bins, 0).sum(axis=1, dtype=np.float64)
        with np.errstate(invalid="ignore"):
            return skip, (total / has_value.sum(axis=1)).astype(np.float32)
    furthest = np.where(has_value, np.abs(bins), -1).argmax(axis=1)
    return skip, bins[np.arange(len(bins)), furthest]
