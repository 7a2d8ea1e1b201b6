"""A peak database in memory: tracks, their peaks, and a digest of both."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tfimpute_tracks.genome import Region
from tfimpute_tracks.storage import digest_arrays, digest_json
from tfimpute_tracks.vocabulary import Pair

__all__ = ["ACCESSIBILITY", "PeakDatabase", "Peaks", "Provenance", "Track"]

ACCESSIBILITY = "accessibility"
"""Replaces the TF in the pair of a track of accessible chromatin (DNase, ATAC)."""


class Track(NamedTuple):
    """A measured track.

    Attributes
    ----------
    pair : Pair
        Of a TF, or of :data:`ACCESSIBILITY`, and a cell line.
    replicate : str
        Distinguishes tracks of one pair; else empty.
    n_peaks : int
        Merged peaks of its file on the chromosomes of the genome, whatever the regions.
    digest : str
        Of the file.
    """

    pair: Pair
    replicate: str
    n_peaks: int
    digest: str


class Provenance(NamedTuple):
    """Where peaks come from, in words for a reader.

    Attributes
    ----------
    source : str
        Who measured and who processed them, and where they were taken from.
    license : str
        Under which they may be used.
    citation : str
        What to cite.
    """

    source: str = ""
    license: str = ""
    citation: str = ""


class Peaks(NamedTuple):
    """The peaks of all tracks on a chromosome, by ascending start and track.

    Attributes
    ----------
    start, end : int64 array, shape (n,)
        0-based, half-open; peaks of one track neither overlap nor touch.
    track : uint16 array, shape (n,)
        Index of the track.
    """

    start: NDArray[np.int64]
    end: NDArray[np.int64]
    track: NDArray[np.uint16]

    @classmethod
    def none(cls) -> Peaks:
        """Make an empty set of peaks.

        Returns
        -------
        Peaks
        """
        nothing = np.empty(0, np.int64)
        return cls(nothing, nothing, np.empty(0, np.uint16))

    def of(self, kept: NDArray[np.bool_]) -> Peaks:
        """Restrict the peaks to those of some tracks.

        Parameters
        ----------
        kept : bool array, shape (n_tracks,)

        Returns
        -------
        Peaks
            Indices of the tracks count those that are kept.
        """
        used = kept[self.track]
        number = np.cumsum(kept) - 1
        track = number[self.track[used]].astype(np.uint16)
        return Peaks(self.start[used], self.end[used], track)


@dataclass(frozen=True, eq=False)
class PeakDatabase:
    """Tracks and their peaks; the contents of an evidence file.

    Attributes
    ----------
    tracks : tuple of Track
    chrom_sizes : mapping of str to int
        In bp, in genome order.
    regions : tuple of Region
        In genome order; none overlaps or touches another. Outside of them there are no
        data.
    has_peaks : bool array, shape (n_tracks, n_chroms)
        Whether a track's file has a peak on a chromosome, in the order of
        `chrom_sizes`. Without one, the track has no data for the chromosome.
    peaks : mapping of str to Peaks
        By chromosome; peaks that overlap the regions.
    build : str
        Name of the genome build; empty if unknown.
    provenance : Provenance
        Not part of the digest.
    """

    tracks: tuple[Track, ...]
    chrom_sizes: Mapping[str, int]
    regions: tuple[Region, ...]
    has_peaks: NDArray[np.bool_]
    peaks: Mapping[str, Peaks]
    build: str = ""
    provenance: Provenance = field(default_factory=Provenance)

    def digest(self) -> str:
        """Digest what scores can depend on: names and positions, not files.

        Returns
        -------
        str
            ``sha256:<hex>``
        """
        facts = [
            [[*track.pair, track.replicate] for track in self.tracks],
            dict(self.chrom_sizes),
            [str(region) for region in self.regions],
            digest_arrays(self.has_peaks),
            {
                name: digest_arrays(*peaks)
                for name, peaks in self.peaks.items()
                if len(peaks.start)
            },
        ]
        return digest_json(facts)
