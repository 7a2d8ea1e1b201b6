"""From peak files to what a store of evidence holds: read, merge, check, cut.

Peaks that overlap or touch within a file become one. What cannot be used is left out
and told; what speaks of another build is refused.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tfimpute_tracks.errors import InputFileError, UnknownNameError, UsageError, listed
from tfimpute_tracks.evidence.peak_database import (
    ACCESSIBILITY,
    PeakDatabase,
    Peaks,
    Track,
)
from tfimpute_tracks.genome import Region, merge_intervals, read_bed
from tfimpute_tracks.genome.chroms import find_chrom
from tfimpute_tracks.storage import digest_file
from tfimpute_tracks.vocabulary import Pair, Vocabulary

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["BuildReport", "PeakFile", "build_evidence"]

_MAX_TRACKS = 2**16  # a peak names its track in 16 bits
_MAX_SIZE = 2**31 - 1  # bp of a chromosome: places are written in 32 bits
_Part = tuple[NDArray[np.int64], NDArray[np.int64], int]  # starts, ends, track


class PeakFile(NamedTuple):
    """A file of peaks, and what was measured.

    Attributes
    ----------
    pair : Pair
        As it was typed; the TF may be :data:`ACCESSIBILITY`.
    replicate : str
        Tells files of one pair apart.
    path : Path
        BED with three columns or more, plain or gzip.
    """

    pair: Pair
    replicate: str
    path: Path

    def __str__(self) -> str:
        return f"{self.pair}" + (f"/{self.replicate}" if self.replicate else "")


@dataclass
class BuildReport:
    """What became of the files.

    Parameters
    ----------
    unknown : list of str
        Why files were left out whose TF or cell line nobody knows.
    empty : list of str
        Pairs whose files were left out for want of a peak.
    renamed : list of str
        Rows that turned out to be of a pair that another row had under another name,
        and are now replicates of it.
    unknown_chromosomes : dict of str to int
        Peaks that were left out, by chromosome that the genome lacks.
    """

    unknown: list[str] = field(default_factory=list)
    empty: list[str] = field(default_factory=list)
    renamed: list[str] = field(default_factory=list)
    unknown_chromosomes: dict[str, int] = field(default_factory=dict)


def build_evidence(
    files: Sequence[PeakFile],
    vocabulary: Vocabulary,
    chrom_sizes: Mapping[str, int],
    regions: Sequence[Region] | None = None,
    build: str = "",
    advance: Callable[[int], None] = lambda _: None,
) -> tuple[PeakDatabase, BuildReport]:
    """Read peak files into what a store holds.

    Parameters
    ----------
    files : sequence of PeakFile
        Those of one pair differ in their replicates.
    vocabulary : Vocabulary
        TFs and cell lines to keep; the names in the store are its own.
    chrom_sizes : mapping of str to int
        Of the genome that the peaks lie on.
    regions : sequence of Region, optional
        What to keep of it; by default every chromosome with peaks.
    build : str
        Name of the genome's build.
    advance : callable
        Told the files done.

    Returns
    -------
    Contents, BuildReport

    Raises
    ------
    InputFileError
        A file is missing or damaged, or its peaks lie beyond chromosomes' ends or on
        none of the genome's: another build.
    UsageError
        Two files have the same names, nothing is left, or there are too many tracks.
    """
    report = BuildReport()
    named = _name(files, vocabulary, report)
    builder = _Builder(chrom_sizes)
    for file, as_known in zip(files, named, strict=True):
        if as_known is not None:
            table = _read(file, chrom_sizes, report)
            if table is not None:
                builder.add(as_known, table)
        advance(1)
    if not builder.tracks:
        raise UsageError(
            f"none of {len(files)} peak files is of a TF and a cell line that are "
            "known, and holds a peak; `tfimpute-tracks info tfs` and `info cells` list "
            "the names"
        )
    return builder.finish(regions, build), report


class _Builder:
    """Gathers the peaks of one track after the other, by chromosome."""

    def __init__(self, chrom_sizes: Mapping[str, int]) -> None:
        self._sizes = dict(chrom_sizes)
        self._names = list(chrom_sizes)
        self.tracks: list[Track] = []
        self._has_peaks: list[NDArray[np.bool_]] = []
        self._parts: dict[str, list[_Part]] = {}

    def add(self, file: PeakFile, table: pd.DataFrame) -> None:
        """Take the merged peaks of a file, which is named as in the vocabulary."""
        number = len(self.tracks)
        if number == _MAX_TRACKS:
            raise UsageError(f"more than {_MAX_TRACKS:,} tracks; leave some out")
        digest = digest_file(file.path)
        self.tracks.append(Track(file.pair, file.replicate, len(table), digest))
        self._has_peaks.append(np.isin(self._names, table["chrom"].unique()))
        for chrom, rows in table.groupby("chrom", sort=False):
            places = rows["start"].to_numpy(np.int64), rows["end"].to_numpy(np.int64)
            self._parts.setdefault(str(chrom), []).append((*places, number))

    def finish(self, regions: Sequence[Region] | None, build: str) -> PeakDatabase:
        """Put all of it together, as far as it meets the regions."""
        has_peaks = np.array(self._has_peaks)
        if regions is None:
            used = [self._names[i] for i in np.flatnonzero(has_peaks.any(axis=0))]
            regions = [Region(name, 0, self._sizes[name]) for name in used]
        kept = _in_order(regions, self._names)
        spans: dict[str, list[tuple[int, int]]] = {}
        for chrom, start, end in kept:
            spans.setdefault(chrom, []).append((start, end))
        peaks = {
            chrom: _side_by_side(self._parts[chrom], some)
            for chrom, some in spans.items()
            if chrom in self._parts
        }
        tracks = tuple(self.tracks)
        return PeakDatabase(tracks, self._sizes, kept, has_peaks, peaks, build)


def _name(
    files: Sequence[PeakFile], vocabulary: Vocabulary, report: BuildReport
) -> list[PeakFile | None]:
    """Give files the names of the vocabulary, or None where nobody knows them."""
    named: list[PeakFile | None] = []
    typed: dict[str, Path] = {}
    taken: set[tuple[Pair, str]] = set()
    for file in files:
        if str(file) in typed:
            raise UsageError(
                f"{file} is told of {typed[str(file)]} and of {file.path}; keep one of "
                "the two, or tell them apart in a column replicate"
            )
        typed[str(file)] = file.path
        try:
            pair = _known(file.pair, vocabulary)
        except UnknownNameError as error:
            report.unknown.append(f"{file}: {error}")
            named.append(None)
            continue
        known = file._replace(pair=pair)
        if (pair, file.replicate) in taken:
            # Another row had the pair under another name: an alias, or another case.
            known = known._replace(replicate=str(file))
            report.renamed.append(f"{file} is a replicate of {pair}")
        taken.add((pair, known.replicate))
        named.append(known)
    return named


def _known(pair: Pair, vocabulary: Vocabulary) -> Pair:
    if pair.tf.lower() == ACCESSIBILITY:
        return Pair(ACCESSIBILITY, vocabulary.cell(pair.cell))
    return vocabulary.pair(pair)


def _read(
    file: PeakFile, chrom_sizes: Mapping[str, int], report: BuildReport
) -> pd.DataFrame | None:
    """Read and merge the peaks of a file; None where it has none."""
    table = read_bed(file.path, allow_empty=True)
    if table.empty:
        report.empty.append(str(file))
        return None
    counts = table["chrom"].value_counts(sort=False).to_dict()
    found = {name: find_chrom(name, chrom_sizes) for name in counts}
    known = {name: own for name, own in found.items() if own is not None}
    if not known:
        raise InputFileError(
            f"{file.path}: its chromosomes ({listed(counts, 3)}) are none of the "
            f"genome's ({listed(chrom_sizes, 3)}); use peaks of the same build, or set "
            "the chromosome sizes of theirs with -g or --chrom-sizes"
        )
    unknown = report.unknown_chromosomes
    for name in counts.keys() - known.keys():
        unknown[name] = unknown.get(name, 0) + int(counts[name])
    table = table[table["chrom"].isin(known)]
    table = merge_intervals(table.assign(chrom=table["chrom"].map(known)))
    sizes = table["chrom"].map(dict(chrom_sizes))
    beyond = table[table["end"] > sizes.clip(upper=_MAX_SIZE)]
    if not beyond.empty:
        row = beyond.iloc[0]
        place = Region(row["chrom"], int(row["start"]), int(row["end"]))
        raise InputFileError(
            f"{file.path}: {place} lies beyond the end of {place.chrom}, which has "
            f"{chrom_sizes[place.chrom]:,} bp: peaks of another build? Give the sizes "
            "of theirs with -g or --chrom-sizes"
        )
    return table


def _in_order(regions: Sequence[Region], chroms: list[str]) -> tuple[Region, ...]:
    """Sort regions, and join those that overlap or touch."""
    rank = {name: i for i, name in enumerate(chroms)}
    joined: list[Region] = []
    for region in sorted(regions, key=lambda r: (rank[r.chrom], r.start)):
        last = joined[-1] if joined else None
        if last and last.chrom == region.chrom and region.start <= last.end:
            joined[-1] = last._replace(end=max(last.end, region.end))
        else:
            joined.append(region)
    return tuple(joined)


def _side_by_side(parts: list[_Part], spans: list[tuple[int, int]]) -> Peaks:
    """Put the peaks of all tracks together, as far as they meet some spans."""
    start = np.concatenate([starts for starts, _, _ in parts])
    end = np.concatenate([ends for _, ends, _ in parts])
    numbers = np.array([number for _, _, number in parts], dtype=np.uint16)
    track = np.repeat(numbers, [len(starts) for starts, _, _ in parts])
    lows, highs = np.array(spans).T
    # The first span that ends behind a peak's start is the first that it can meet.
    nearest = np.searchsorted(highs, start, side="right")
    kept = np.append(lows, np.iinfo(np.int64).max)[nearest] < end
    start, end, track = start[kept], end[kept], track[kept]
    order = np.lexsort((track, start))
    return Peaks(start[order], end[order], track[order])
