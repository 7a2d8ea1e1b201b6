"""Places worth opening: the highest peaks of a folder's tracks."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from tfimpute_tracks.genome import Region, read_narrowpeak
from tfimpute_tracks.tracks.track_folder import TrackFolder, TrackRecord

__all__ = ["Place", "first_place", "top_places"]


class Place(NamedTuple):
    """A peak.

    Attributes
    ----------
    peak : Region
    score : float
        The probability at its summit.
    """

    peak: Region
    score: float

    def window(self, beside: int) -> Region:
        """Give the peak with its surroundings.

        Parameters
        ----------
        beside : int
            bp on each side.

        Returns
        -------
        Region
        """
        chrom, start, end = self.peak
        return Region(chrom, max(start - beside, 0), end + beside)


def top_places(folder: Path, track: TrackRecord, most: int) -> list[Place]:
    """Give the highest peaks of a track.

    Parameters
    ----------
    folder : Path
    track : ShelfTrack
    most : int

    Returns
    -------
    list of Place
        The highest first; empty where the track has no narrowPeak file, or will have
        one later, or has no peak.

    Raises
    ------
    InputFileError
        The file is broken.
    """
    path = folder / track.narrowpeak
    if not track.narrowpeak or not path.exists():
        return []
    peaks = read_narrowpeak(path, allow_empty=True)
    best = peaks.sort_values("signal_value", ascending=False, kind="stable")[:most]
    rows = best[["chrom", "start", "end", "signal_value"]].itertuples(index=False)
    return [
        Place(Region(str(chrom), int(start), int(end)), float(score))
        for chrom, start, end, score in rows
    ]


def first_place(shelf: TrackFolder, beside: int) -> Region | str:
    """Give the place that a viewer should open at.

    Parameters
    ----------
    shelf : Shelf
    beside : int
        bp on each side of a peak.

    Returns
    -------
    Region or str
        Of the highest peak of the first track that has one; else the first region
        that was scored, as it was told, or ``all`` where nothing is known.
    """
    for track in shelf.tracks:
        places = top_places(shelf.folder, track, 1)
        if places:
            return places[0].window(beside)
    return next((track.regions[0] for track in shelf.tracks if track.regions), "all")
