"""Measured tracks, looked up by position: an open evidence file.

Peaks are stored as they were called, so that one file serves every stride; the coverage
of tiles is computed on demand. The chromosomes that were read last stay in memory.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tfimpute_tracks.errors import InputFileError
from tfimpute_tracks.evidence.file import (
    check_peaks,
    is_in_package,
    read_header,
    read_peaks,
    unreadable,
)
from tfimpute_tracks.evidence.peak_database import (
    ACCESSIBILITY,
    PeakDatabase,
    Peaks,
    Track,
)
from tfimpute_tracks.genome import Region
from tfimpute_tracks.genome.chroms import describe_mismatch, find_chrom
from tfimpute_tracks.kernels.coverage import Coverage, window_coverage
from tfimpute_tracks.storage import digest_arrays, digest_json
from tfimpute_tracks.vocabulary import Pair

__all__ = ["EvidenceStore", "open_evidence"]

# A scan visits one chromosome after the other, and reading one takes a tenth of a second.
_MAX_IN_MEMORY = 4

Mask = NDArray[np.bool_]
Ints = NDArray[np.int64]


class EvidenceStore:
    """Measured tracks, looked up by position; thread-safe and picklable.

    Parameters
    ----------
    path : Path
        The evidence file, from which peaks are read.
    contents : PeakDatabase
        Without peaks, which are read when they are needed.
    digest : str
        Of the contents with the peaks.
    kept : bool array, shape (n_tracks,), optional
        Tracks in use; see :meth:`subset`.

    Attributes
    ----------
    name : str
        For messages and run records: the file's name, without the ending if it comes with
        the package.
    digest : str
        sha256 of what scores can depend on: tracks, chromosomes, regions, peaks.
    tracks : tuple of Track
        In the order of the table that they were built from.
    chrom_sizes : mapping of str to int
        Chromosomes of the genome of the peaks, and their lengths in bp.
    regions : tuple of Region
        Where there are data: in genome order, none touching another.
    build : str
        Name of the genome build; empty if unknown.
    provenance : Provenance
        Source, license and citation of the peaks; empty if unknown.
    """

    def __init__(
        self, path: Path, contents: PeakDatabase, digest: str, kept: Mask | None = None
    ) -> None:
        self._path, self._contents = path, contents
        self._file_digest, self._kept = digest, kept
        self._peaks: dict[str, tuple[Peaks, int]] = {}
        self._lock = Lock()
        self.name = path.stem if is_in_package(path) else path.name
        self.chrom_sizes, self.regions = contents.chrom_sizes, contents.regions
        self.build, self.provenance = contents.build, contents.provenance
        self.digest = digest
        if kept is not None:
            self.digest = digest_json([digest, digest_arrays(kept)])

    def __reduce__(self) -> tuple[Callable[..., EvidenceStore], tuple[Any, ...]]:
        return _reopen, (self._path.absolute(), self._file_digest, self._kept)

    def __repr__(self) -> str:
        return f"EvidenceStore({str(self._path)!r}, {len(self.tracks)} tracks)"

    @cached_property
    def tracks(self) -> tuple[Track, ...]:
        """The tracks in use."""
        tracks = self._contents.tracks
        if self._kept is None:
            return tracks
        return tuple(t for t, kept in zip(tracks, self._kept, strict=True) if kept)

    def subset(self, kept: Mask) -> EvidenceStore:
        """Select some of the tracks, for example to leave out those of some pairs.

        Parameters
        ----------
        kept : bool array, shape (n_tracks,)

        Returns
        -------
        EvidenceStore
            With its own digest, of the file's and of the selection.
        """
        selected = np.ones(len(self._contents.tracks), dtype=bool)
        if self._kept is not None:
            selected = self._kept.copy()
        selected[selected] = kept
        chosen = None if selected.all() else selected
        found = EvidenceStore(self._path, self._contents, self._file_digest, chosen)
        found.name = self.name
        return found

    def tracks_of(self, pairs: Iterable[Pair]) -> Mask:
        """Find the tracks of some pairs, and those of accessibility.

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
        """Refuse a genome that the peaks were not called on.

        Parameters
        ----------
        chrom_sizes : mapping of str to int
            Chromosomes of the genome and their lengths in bp.
        genome : str
            Its name in messages.

        Raises
        ------
        InputFileError
            No chromosome is in both, or one has another length.
        """
        why = describe_mismatch(chrom_sizes, self.chrom_sizes)
        if not why:
            return
        build = f" ({self.build})" if self.build else ""
        raise InputFileError(
            f"the peaks of {self.name}{build} are of another genome than {genome}: "
            f"{why}; lift it with `tfimpute-tracks evidence lift`, build evidence from "
            "peaks of this genome, or run with --evidence none"
        )

    def has_peaks(self, chrom: str) -> Mask:
        """Find the tracks with data for a chromosome: those with a peak on it.

        Parameters
        ----------
        chrom : str
            With or without ``chr``.

        Returns
        -------
        bool array, shape (n_tracks,)
            True where the track's file has a peak on the chromosome, in the regions or
            not. All False for a chromosome without a region.
        """
        own = find_chrom(chrom, self.chrom_sizes)
        if own is None or own not in self._spans:
            return np.zeros(len(self.tracks), dtype=bool)
        found: Mask = self._contents.has_peaks.T[list(self.chrom_sizes).index(own)]
        return found.copy() if self._kept is None else found[self._kept]

    def in_coverage(self, chrom: str, starts: Ints, width: int) -> Mask:
        """Find the intervals for which there are data.

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
            Whether the interval lies completely in one of the regions.
        """
        own = find_chrom(chrom, self.chrom_sizes)
        if own is None or own not in self._spans:
            return np.zeros(len(starts), dtype=bool)
        lows, highs = self._spans[own]
        region = np.searchsorted(lows, starts, side="right") - 1
        inside: Mask = (region >= 0) & (starts + width <= highs[region])
        return inside

    def fraction_in_coverage(self, regions: Iterable[Region]) -> float:
        """Compute the fraction of some regions for which there are data.

        Parameters
        ----------
        regions : iterable of Region
            Not overlapping.

        Returns
        -------
        float
            Fraction of their bp in the regions of this store, on chromosomes with a peak.
        """
        inside = total = 0
        for chrom, start, end in regions:
            total += end - start
            own = find_chrom(chrom, self.chrom_sizes)
            if own is not None and self.has_peaks(own).any():
                lows, highs = self._spans[own]
                overlap = np.minimum(highs, end) - np.maximum(lows, start)
                inside += int(np.maximum(overlap, 0).sum())
        return inside / total if total else 0.0

    def coverage(self, chrom: str, starts: Ints, width: int) -> Coverage:
        """Compute the coverage of intervals by the peaks of each track.

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
            Empty for an unknown chromosome; meaningful where :meth:`in_coverage`.

        Raises
        ------
        InputFileError, RunError
            The file is gone or damaged.
        """
        found = self.window_coverage(chrom, starts + width // 2, (width,))
        return found._replace(fraction=found.fraction[:, 0])

    def window_coverage(
        self, chrom: str, centers: Ints, widths: Sequence[int]
    ) -> Coverage:
        """Compute the coverage of windows around the same centers: what models read.

        Parameters
        ----------
        chrom : str
            With or without ``chr``.
        centers : int64 array, shape (n,), ascending
            0-based, in bp.
        widths : sequence of int
            In bp, ascending.

        Returns
        -------
        Coverage
            Entries of the tracks with a peak in the widest window; their fractions have
            the shape (m, n_widths).

        Raises
        ------
        InputFileError, RunError
            The file is gone or damaged.
        """
        own = find_chrom(chrom, self.chrom_sizes)
        peaks, longest = (Peaks.none(), 0) if own is None else self._read(own)
        return window_coverage(*peaks, longest, centers, widths)

    def peaks(self, chrom: str) -> Peaks:
        """Read the peaks of a chromosome.

        Parameters
        ----------
        chrom : str
            One of `chrom_sizes`.

        Returns
        -------
        Peaks
            Peaks that overlap the regions.

        Raises
        ------
        InputFileError, RunError
            The file is gone or damaged.
        """
        return self._read(chrom)[0]

    def check_chroms(self, chroms: Iterable[str]) -> None:
        """Check that the files with the peaks of chromosomes are there, without reading.

        Parameters
        ----------
        chroms : iterable of str
            With or without ``chr``; unknown ones are skipped.

        Raises
        ------
        InputFileError, RunError
            A file is gone, cut short, or another one.
        """
        for chrom in chroms:
            own = find_chrom(chrom, self.chrom_sizes)
            if own is not None:
                check_peaks(self._path, self._file_digest, own)

    def check(self) -> None:
        """Read all of it, and compare the contents with their digest.

        Raises
        ------
        InputFileError, RunError
            They differ, or a file cannot be read.
        """
        header, digest = read_header(self._path)
        peaks = {
            chrom: read_peaks(self._path, header, digest, chrom)
            for chrom in header.chrom_sizes
        }
        if replace(header, peaks=peaks).digest() != self._file_digest:
            raise unreadable(self._path, "the content does not match its digest")

    @cached_property
    def _spans(self) -> dict[str, tuple[Ints, Ints]]:
        """Starts and ends of the regions, by chromosome."""
        found: dict[str, list[Region]] = {}
        for region in self.regions:
            found.setdefault(region.chrom, []).append(region)
        return {
            chrom: (np.array([r.start for r in own]), np.array([r.end for r in own]))
            for chrom, own in found.items()
        }

    def _read(self, chrom: str) -> tuple[Peaks, int]:
        """Read the peaks of a chromosome, and the length of the longest."""
        with self._lock:
            if chrom not in self._peaks:
                peaks = self._load(chrom)
                longest = int((peaks.end - peaks.start).max(initial=0))
                if len(self._peaks) == _MAX_IN_MEMORY:
                    del self._peaks[next(iter(self._peaks))]
                self._peaks[chrom] = peaks, longest
            return self._peaks[chrom]

    def _load(self, chrom: str) -> Peaks:
        peaks = read_peaks(self._path, self._contents, self._file_digest, chrom)
        return peaks if self._kept is None else peaks.of(self._kept)


def open_evidence(path: str | Path) -> EvidenceStore:
    """Open an evidence file; its peaks are read when they are needed.

    Parameters
    ----------
    path : path
        A file that `tfimpute-tracks evidence build` wrote.

    Returns
    -------
    EvidenceStore

    Raises
    ------
    InputFileError, RunError
        The file is missing, is not evidence, is of another version, is cut short or has
        invalid contents.
    """
    return EvidenceStore(Path(path), *read_header(Path(path)))


def _reopen(path: Path, digest: str, kept: Mask | None) -> EvidenceStore:
    store = open_evidence(path)
    if store.digest != digest:
        raise InputFileError(f"{path}: has changed since it was opened; run again")
    return store if kept is None else store.subset(kept)
