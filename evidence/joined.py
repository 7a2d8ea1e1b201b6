"""Two stores of tracks as one: those of the package, and a user's own.

On a chromosome where the first has data, the regions are its own; elsewhere those of the
second.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cached_property
from threading import Lock
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tfimpute_tracks.errors import InputFileError
from tfimpute_tracks.evidence.peak_database import Peaks, Track
from tfimpute_tracks.evidence.store import EvidenceStore
from tfimpute_tracks.genome import Region
from tfimpute_tracks.genome.chroms import describe_mismatch, find_chrom
from tfimpute_tracks.storage import digest_json

__all__ = ["JoinedStore"]

Mask = NDArray[np.bool_]


class JoinedStore(EvidenceStore):
    """The tracks of two stores of the same genome.

    Parameters
    ----------
    first, second : EvidenceStore
        Genome and provenance are those of the first.

    Raises
    ------
    InputFileError
        They are of different genomes.
    """

    def __init__(self, first: EvidenceStore, second: EvidenceStore) -> None:
        why = describe_mismatch(second.chrom_sizes, first.chrom_sizes)
        if why:
            raise InputFileError(
                f"{second.name} is of another genome than {first.name}: {why}; use "
                "tracks of one genome"
            )
        self._first, self._second = first, second
        self._peaks, self._lock = {}, Lock()
        self.name = f"{first.name} and {second.name}"
        self.chrom_sizes = first.chrom_sizes
        self.regions = _regions(first, second)
        self.build, self.provenance = first.build, first.provenance
        self.digest = digest_json([first.digest, second.digest])

    def __reduce__(self) -> tuple[Callable[..., EvidenceStore], tuple[Any, ...]]:
        return JoinedStore, (self._first, self._second)

    def __repr__(self) -> str:
        return f"JoinedStore({self._first!r}, {self._second!r})"

    @cached_property
    def tracks(self) -> tuple[Track, ...]:
        """The tracks in use: of the first store, then of the second."""
        return (*self._first.tracks, *self._second.tracks)

    def subset(self, kept: Mask) -> EvidenceStore:
        """Select some of the tracks; see :meth:`EvidenceStore.subset`.

        Parameters
        ----------
        kept : bool array, shape (n_tracks,)

        Returns
        -------
        EvidenceStore
        """
        of_first, of_second = np.split(kept, [len(self._first.tracks)])
        first = self._first if of_first.all() else self._first.subset(of_first)
        if not of_second.any():
            return first
        second = self._second if of_second.all() else self._second.subset(of_second)
        return JoinedStore(first, second)

    def has_peaks(self, chrom: str) -> Mask:
        """Find the tracks with data for a chromosome; see the other store.

        Parameters
        ----------
        chrom : str

        Returns
        -------
        bool array, shape (n_tracks,)
        """
        both = self._first.has_peaks(chrom), self._second.has_peaks(chrom)
        return np.concatenate(both)

    def check_chroms(self, chroms: Iterable[str]) -> None:
        """Check that the files with the peaks of chromosomes are there.

        Parameters
        ----------
        chroms : iterable of str

        Raises
        ------
        InputFileError, RunError
            A file is gone, cut short, or another one.
        """
        names = list(chroms)
        self._first.check_chroms(names)
        self._second.check_chroms(names)

    def check(self) -> None:
        """Read all of both, and compare the contents with their digests.

        Raises
        ------
        InputFileError, RunError
            They differ, or a file cannot be read.
        """
        self._first.check()
        self._second.check()

    def _load(self, chrom: str) -> Peaks:
        """Read the peaks of both stores, by ascending start and track."""
        first, other = (
            self._first.peaks(chrom),
            find_chrom(chrom, self._second.chrom_sizes),
        )
        if other is None:
            return first
        second = self._second.peaks(other)
        track = second.track + np.uint16(len(self._first.tracks))
        both = Peaks(
            np.concatenate([first.start, second.start]),
            np.concatenate([first.end, second.end]),
            np.concatenate([first.track, track]),
        )
        order = np.lexsort((both.track, both.start))
        return Peaks(both.start[order], both.end[order], both.track[order])


def _regions(first: EvidenceStore, second: EvidenceStore) -> tuple[Region, ...]:
    """List the regions of the first, and those of other chromosomes, in genome order."""
    chroms = list(first.chrom_sizes)
    known = {region.chrom for region in first.regions}
    found = list(first.regions)
    for region in second.regions:
        own = find_chrom(region.chrom, first.chrom_sizes)
        if own is not None and own not in known:
            found.append(region._replace(chrom=own))
    return tuple(sorted(found, key=lambda r: (chroms.index(r.chrom), r.start)))
