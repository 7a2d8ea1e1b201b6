"""The highest peaks of tracks: where a session or a report opens."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from tfimpute_tracks.genome import Region, read_narrowpeak
from tfimpute_tracks.tracks.record import TrackRecord
from tfimpute_tracks.tracks.track_folder import TrackFolder

__all__ = ["TopPeak", "initial_locus", "peak_scores", "top_peaks"]


class TopPeak(NamedTuple):
    """A peak.

    Attributes
    ----------
    peak : Region
    score : float
        Probability at the summit.
    """

    peak: Region
    score: float

    def window(self, flank: int) -> Region:
        """Extend the peak on both sides.

        Parameters
        ----------
        flank : int
            In bp.

        Returns
        -------
        Region
            Its end may lie beyond that of the chromosome.
        """
        chrom, start, end = self.peak
        return Region(chrom, max(start - flank, 0), end + flank)


def top_peaks(folder: Path, track: TrackRecord, n: int) -> list[TopPeak]:
    """Read the highest peaks of a track.

    Parameters
    ----------
    folder : Path
    track : TrackRecord
    n : int
        Maximum number of peaks.

    Returns
    -------
    list of TopPeak
        The highest first; empty where there is no peak or no narrowPeak file.

    Raises
    ------
    InputFileError
        The file is broken.
    """
    path = folder / track.narrowpeak
    if not track.narrowpeak or not path.exists():
        return []
    peaks = read_narrowpeak(path, allow_empty=True)
    best = peaks.sort_values("signal_value", ascending=False, kind="stable")[:n]
    rows = best[["chrom", "start", "end", "signal_value"]].itertuples(index=False)
    return [
        TopPeak(Region(str(chrom), int(start), int(end)), float(score))
        for chrom, start, end, score in rows
    ]


def peak_scores(folder: Path, track: TrackRecord, region: Region) -> list[float]:
    """Read the probabilities of a track's peaks in a region.

    Parameters
    ----------
    folder : Path
    track : TrackRecord
    region : Region

    Returns
    -------
    list of float
        At the summits of the peaks that overlap the region, in its order.

    Raises
    ------
    InputFileError
        The file is broken.
    """
    path = folder / track.narrowpeak
    if not track.narrowpeak or not path.exists():
        return []
    peaks = read_narrowpeak(path, allow_empty=True)
    own = peaks[
        (peaks["chrom"] == region.chrom)
        & (peaks["start"] < region.end)
        & (peaks["end"] > region.start)
    ]
    return [float(score) for score in own["signal_value"]]


def initial_locus(folder: TrackFolder, flank: int) -> str:
    """Choose the region that a viewer opens at.

    Parameters
    ----------
    folder : TrackFolder
    flank : int
        Sequence shown on each side of a peak, in bp.

    Returns
    -------
    str
        The highest peak of the first track that has one; else the first scored region,
        or ``all`` if that is unknown.
    """
    for track in folder.tracks:
        peaks = top_peaks(folder.path, track, 1)
        if peaks:
            return str(peaks[0].window(flank))
    return next((track.regions[0] for track in folder.tracks if track.regions), "all")
