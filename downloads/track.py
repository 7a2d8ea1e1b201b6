"""What a download holds: entries as it names them, and the tracks they are taken for."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from tfimpute_tracks.vocabulary import Pair

__all__ = ["Download", "DownloadedTrack", "Entry", "Source", "TrackFile"]


class Entry(NamedTuple):
    """One measurement, as its source names it.

    Attributes
    ----------
    tf, cell : str
        As the source spells them. The TF is `accessibility` of DNase-seq and ATAC-seq.
    path : Path or None
        The file of its peaks; None in a list of names only.
    key : tuple of (str, str) or None
        TF and cell line in the rows of a file of many tracks; None if the whole file is
        one track.
    rank : tuple of int
        Of several entries of a pair in sources of one kind, only those of the lowest
        rank are used.
    kind : str
        What the rank stands for, such as an output type of ENCODE.
    n_peaks : int or None
        If the source says.
    """

    tf: str
    cell: str
    path: Path | None
    key: tuple[str, str] | None = None
    rank: tuple[int, ...] = ()
    kind: str = ""
    n_peaks: int | None = None


@dataclass(frozen=True)
class Source:
    """A table, or a file, that names what was measured.

    Parameters
    ----------
    path : Path
    kind : str
        What it was recognized as, such as "ENCODE metadata".
    entries : tuple of Entry
    left_out : Counter of str
        Number of files or rows that cannot be used, by reason.
    notes : tuple of str
        Why files of a folder cannot be read.
    """

    path: Path
    kind: str
    entries: tuple[Entry, ...]
    left_out: Counter[str] = field(default_factory=Counter)
    notes: tuple[str, ...] = ()


class DownloadedTrack(NamedTuple):
    """A pair, and the entries of which its peaks are merged.

    Attributes
    ----------
    pair : Pair
        Names of the vocabulary where it has them; others as they are usually spelled.
    has_tf, has_cell : bool
        Whether the vocabulary has the TF, and the cell line.
    entries : tuple of Entry
    kinds : tuple of str
        Kinds of the sources.
    """

    pair: Pair
    has_tf: bool
    has_cell: bool
    entries: tuple[Entry, ...]
    kinds: tuple[str, ...]

    @property
    def is_known(self) -> bool:
        """Whether the vocabulary has both names."""
        return self.has_tf and self.has_cell

    @property
    def read_as(self) -> str:
        """The names as the sources spell them."""
        spelled = Counter(f"{entry.tf} in {entry.cell}" for entry in self.entries)
        return ", ".join(spelled)


@dataclass(frozen=True)
class Download:
    """Everything that was found below some paths.

    Parameters
    ----------
    sources : tuple of Source
    tracks : tuple of DownloadedTrack
        Sorted by pair; known ones first.
    left_out : Counter of str
        Number of files or rows that are not used, by reason.
    """

    sources: tuple[Source, ...]
    tracks: tuple[DownloadedTrack, ...]
    left_out: Counter[str]

    @property
    def known(self) -> tuple[DownloadedTrack, ...]:
        """Tracks of pairs that the vocabulary has."""
        return tuple(track for track in self.tracks if track.is_known)

    @property
    def candidates(self) -> tuple[DownloadedTrack, ...]:
        """Tracks with a TF or a cell line that the vocabulary lacks."""
        return tuple(track for track in self.tracks if not track.is_known)


class TrackFile(NamedTuple):
    """A pair and one file of its peaks.

    Attributes
    ----------
    pair : Pair
    path : Path
        BED with three columns or more, plain or gzip.
    is_known : bool
        As of the track.
    """

    pair: Pair
    path: Path
    is_known: bool
