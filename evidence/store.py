"""A store of evidence: measured tracks, looked up by place.

Peaks are kept as they were called, so that one file serves every stride; what they
cover of tiles is found as one looks. A chromosome is read once and kept.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import cached_property
from importlib.resources import files
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tfimpute_tracks.errors import InputFileError, listed
from tfimpute_tracks.evidence.file import read_head, read_peaks, write_evidence
from tfimpute_tracks.evidence.peak_database import (
    ACCESSIBILITY,
    PeakDatabase,
    Peaks,
    Track,
)
from tfimpute_tracks.genome import Region
from tfimpute_tracks.genome.chroms import find_chrom
from tfimpute_tracks.kernels.coverage import Coverage, interval_coverage
from tfimpute_tracks.storage import digest_arrays, digest_json
from tfimpute_tracks.vocabulary import Pair

__all__ = [
    "ACCESSIBILITY",
    "Coverage",
    "EvidenceStore",
    "Track",
    "bundled_evidence",
    "open_evidence",
    "write_evidence",
]

_BUNDLED = "hg19.chr20.evidence.h5"

Mask = NDArray[np.bool_]
Ints = NDArray[np.int64]


class EvidenceStore:
    """Measured tracks, looked up by place; safe for threads, and it pickles.

    Parameters
    ----------
    path : Path
        Where peaks are read from.
    contents : Contents
        Without peaks, which are read as they are needed.
    digest : str
        Of the contents, peaks included.
    kept : bool array, shape (n_tracks,), optional
        Tracks that take part; see :meth:`subset`.

    Attributes
    ----------
    name : str
        What messages and receipts call it: the file's name.
    digest : str
        sha256 of what scores can depend on: tracks, chromosomes, regions, peaks.
    tracks : tuple of Track
        In the order of the table that they were built from.
    chrom_sizes : mapping of str to int
    regions : tuple of Region
    build : str
    """

    def __init__(
        self, path: Path, contents: PeakDatabase, digest: str, kept: Mask | None = None
    ) -> None:
        self._path, self._contents = path, contents
        self._whole_digest, self._kept = digest, kept
        self._peaks: dict[str, tuple[Peaks, int]] = {}
        self._lock = Lock()
        self.name = path.name
        self.digest = digest
        if kept is not None:
            self.digest = digest_json([digest, digest_arrays(kept)])

    def __reduce__(self) -> tuple[Callable[..., EvidenceStore], tuple[Any, ...]]:
        return _reopen, (self._path.absolute(), self._whole_digest, self._kept)

    def __repr__(self) -> str:
        return f"EvidenceStore({str(self._path)!r}, {len(self.tracks)} tracks)"

    @cached_property
    def tracks(self) -> tuple[Track, ...]:
        """The tracks there are."""
        every = self._contents.tracks
        if self._kept is None:
            return every
        return tuple(t for t, kept in zip(every, self._kept, strict=True) if kept)

    @property
    def chrom_sizes(self) -> Mapping[str, int]:
        """Chromosomes of the genome that the peaks lie on, and their lengths in bp."""
        return self._contents.chrom_sizes

    @property
    def regions(self) -> tuple[Region, ...]:
        """Where the store says anything: in genome order, none touching another."""
        return self._contents.regions

    @property
    def build(self) -> str:
        """Name of the genome's build; empty when unknown."""
        return self._contents.build

    def subset(self, kept: Mask) -> EvidenceStore:
        """Give a store of some of the tracks, to leave those of some pairs out, say.

        Parameters
        ----------
        kept : bool array, shape (n_tracks,)

        Returns
        -------
        EvidenceStore
            With a digest of its own, which tells the file's and what was taken of it.
        """
        whole = np.ones(len(self._contents.tracks), dtype=bool)
        if self._kept is not None:
            whole = self._kept.copy()
        whole[whole] = kept
        every = None if whole.all() else whole
        return EvidenceStore(self._path, self._contents, self._whole_digest, every)

    def tracks_of(self, pairs: Iterable[Pair]) -> Mask:
        """Tell the tracks of some pairs; accessibility is of no pair and always told.

        Parameters
        ----------
        pairs : iterable of Pair

        Returns
        -------
        bool array, shape (n_tracks,)
        """
        wanted = set(pairs)
        return np.array(
            [t.pair in wanted or t.pair.tf == ACCESSIBILITY for t in self.tracks],
            dtype=bool,
        )

    def check_genome(self, chrom_sizes: Mapping[str, int], genome: str) -> None:
        """Refuse a genome that the peaks do not lie on.

        Parameters
        ----------
        chrom_sizes : mapping of str to int
            Chromosomes and their lengths in bp.
        genome : str
            What messages call it.

        Raises
        ------
        InputFileError
            No chromosome is in both, or one has another length.
        """
        found = {name: find_chrom(name, self.chrom_sizes) for name in chrom_sizes}
        shared = [(name, own) for name, own in found.items() if own is not None]
        odd = [
            f"{name} has {chrom_sizes[name]:,} bp and not {self.chrom_sizes[own]:,}"
            for name, own in shared
            if chrom_sizes[name] != self.chrom_sizes[own]
        ]
        if shared and not odd:
            return
        why = listed(odd, 3, "; ") or f"it has none of {listed(self.chrom_sizes, 4)}"
        build = f" ({self.build})" if self.build else ""
        raise InputFileError(
            f"the peaks of {self.name}{build} lie on another genome than {genome}: "
            f"{why}; build evidence from peaks of this genome, or go without it"
        )

    def has_peaks(self, chrom: str) -> Mask:
        """Tell the tracks that say anything of a chromosome: those with a peak there.

        Parameters
        ----------
        chrom : str
            With or without ``chr``.

        Returns
        -------
        bool array, shape (n_tracks,)
            True where the track's file has a peak on the chromosome, in the regions or
            not. All False for a chromosome that no region is of.
        """
        own = find_chrom(chrom, self.chrom_sizes)
        if own is None or own not in self._spans:
            return np.zeros(len(self.tracks), dtype=bool)
        found: Mask = self._contents.has_peaks.T[list(self.chrom_sizes).index(own)]
        return found.copy() if self._kept is None else found[self._kept]

    def in_coverage(self, chrom: str, starts: Ints, width: int) -> Mask:
        """Tell the stretches that lie where the store says anything.

        Parameters
        ----------
        chrom : str
            With or without ``chr``.
        starts : int64 array, shape (n,)
            0-based, in bp.
        width : int
            In bp.

        Returns
        -------
        bool array, shape (n,)
            Whether all of the stretch lies in one of the regions.
        """
        own = find_chrom(chrom, self.chrom_sizes)
        if own is None or own not in self._spans:
            return np.zeros(len(starts), dtype=bool)
        lows, highs = self._spans[own]
        place = np.searchsorted(lows, starts, side="right") - 1
        inside: Mask = (place >= 0) & (starts + width <= highs[place])
        return inside

    def fraction_in_coverage(self, regions: Iterable[Region]) -> float:
        """Tell of how much of some regions the store says anything.

        Parameters
        ----------
        regions : iterable of Region
            Not overlapping.

        Returns
        -------
        float
            Share of their bp that lies in its own, on chromosomes with a peak.
        """
        told = total = 0
        for chrom, start, end in regions:
            total += end - start
            own = find_chrom(chrom, self.chrom_sizes)
            if own is not None and self.has_peaks(own).any():
                lows, highs = self._spans[own]
                overlap = np.minimum(highs, end) - np.maximum(lows, start)
                told += int(np.maximum(overlap, 0).sum())
        return told / total if total else 0.0

    def coverage(self, chrom: str, starts: Ints, width: int) -> Coverage:
        """Find what tracks cover of stretches.

        Parameters
        ----------
        chrom : str
            With or without ``chr``.
        starts : int64 array, shape (n,), ascending
            0-based, in bp.
        width : int
            In bp.

        Returns
        -------
        Coverage
            Nothing, of a chromosome that the store does not know. Of stretches that are
            not :meth:`in_coverage` it means nothing.

        Raises
        ------
        InputFileError
            The file is gone or damaged.
        """
        own = find_chrom(chrom, self.chrom_sizes)
        peaks, longest = (Peaks.none(), 0) if own is None else self._read(own)
        return interval_coverage(*peaks, longest, starts, width)

    def peaks(self, chrom: str) -> Peaks:
        """Give the peaks of a chromosome.

        Parameters
        ----------
        chrom : str
            One of `chrom_sizes`.

        Returns
        -------
        Peaks
            Those that overlap the regions.

        Raises
        ------
        InputFileError
            The file is gone or damaged.
        """
        return self._read(chrom)[0]

    def check(self) -> bool:
        """Read all of the file, and see whether it is what it says.

        Returns
        -------
        bool
            Whether the digest is that of the contents.

        Raises
        ------
        InputFileError
            It cannot be read.
        """
        head, digest = read_head(self._path)
        peaks = {
            chrom: read_peaks(self._path, head, digest, chrom)
            for chrom in head.chrom_sizes
        }
        parts = head.tracks, head.chrom_sizes, head.regions, head.has_peaks, peaks
        return PeakDatabase(*parts).digest() == self._whole_digest

    @cached_property
    def _spans(self) -> dict[str, tuple[Ints, Ints]]:
        """Starts and ends of the regions by chromosome."""
        found: dict[str, list[Region]] = {}
        for region in self.regions:
            found.setdefault(region.chrom, []).append(region)
        return {
            chrom: (np.array([r.start for r in some]), np.array([r.end for r in some]))
            for chrom, some in found.items()
        }

    def _read(self, chrom: str) -> tuple[Peaks, int]:
        """Give the peaks of a chromosome and the length of the longest."""
        with self._lock:
            if chrom not in self._peaks:
                parts = self._path, self._contents, self._whole_digest, chrom
                peaks = self._of_kept(read_peaks(*parts))
                longest = int((peaks.end - peaks.start).max(initial=0))
                self._peaks[chrom] = peaks, longest
            return self._peaks[chrom]

    def _of_kept(self, peaks: Peaks) -> Peaks:
        if self._kept is None:
            return peaks
        kept = self._kept[peaks.track]
        number = np.cumsum(self._kept) - 1
        track = number[peaks.track[kept]].astype(np.uint16)
        return Peaks(peaks.start[kept], peaks.end[kept], track)


def open_evidence(path: str | Path) -> EvidenceStore:
    """Open a store; its peaks are read as they are needed.

    Parameters
    ----------
    path : path
        A file that `tfimpute-tracks evidence build` wrote.

    Returns
    -------
    EvidenceStore

    Raises
    ------
    InputFileError
        The file is missing, is no such store, is of another version, is cut short or
        holds what cannot be true.
    """
    return EvidenceStore(Path(path), *read_head(Path(path)))


def bundled_evidence() -> EvidenceStore:
    """Open the tracks of the stretch of hg19 that ships.

    Returns
    -------
    EvidenceStore
    """
    return open_evidence(
        Path(str(files("tfimpute_tracks") / "evidence" / "data" / _BUNDLED))
    )


def _reopen(path: Path, digest: str, kept: Mask | None) -> EvidenceStore:
    store = open_evidence(path)
    if store.digest != digest:
        raise InputFileError(f"{path}: has changed since it was opened; run again")
    return store if kept is None else store.subset(kept)
