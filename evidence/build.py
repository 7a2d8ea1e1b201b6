"""From peak files to a peak database: read, merge, check, and restrict to regions.

Peaks of a file that overlap or touch become one. Files and peaks that cannot be used
are left out and reported; files whose peaks extend beyond the genome are refused.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tfimpute_tracks.errors import (
    InputFileError,
    UnknownNameError,
    UsageError,
    counted,
    listed,
)
from tfimpute_tracks.evidence.peak_database import (
    ACCESSIBILITY,
    PeakDatabase,
    Peaks,
    Track,
)
from tfimpute_tracks.genome import Region, merge_intervals, read_bed
from tfimpute_tracks.genome.chroms import find_chrom
from tfimpute_tracks.genome.track_files import check_track_files
from tfimpute_tracks.storage import digest_file
from tfimpute_tracks.vocabulary import Pair, Vocabulary

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["BuildReport", "PeakFile", "build_evidence"]

_MAX_TRACKS = 2**16  # a peak names its track in 16 bits
_MAX_SIZE = 2**31 - 1  # bp of a chromosome: positions are written in 32 bits
_Part = tuple[NDArray[np.int64], NDArray[np.int64], int]  # starts, ends, track


class PeakFile(NamedTuple):
    """A file of peaks, and what was measured.

    Attributes
    ----------
    pair : Pair
        As typed; the TF may be :data:`ACCESSIBILITY`.
    replicate : str
        Distinguishes files of one pair.
    path : Path
        BED with three columns or more, plain or gzip.
    """

    pair: Pair
    replicate: str
    path: Path

    def __str__(self) -> str:
        return f"{self.pair}" + (f"/{self.replicate}" if self.replicate else "")

    @property
    def label(self) -> str:
        """What messages call it: `CTCF:K562`, `the accessibility of K562`."""
        if self.pair.tf != ACCESSIBILITY:
            return str(self)
        name = f"the accessibility of {self.pair.cell}"
        return name + (f"/{self.replicate}" if self.replicate else "")


@dataclass
class BuildReport:
    """What was left out, or changed.

    Parameters
    ----------
    unknown : list of str
        Messages about files with an unknown TF or cell line, which are left out.
    empty : list of str
        Pairs, and their files, which are empty and left out.
    elsewhere : list of str
        Messages about files with peaks on none of the genome's chromosomes, which are
        left out.
    renamed : list of str
        Messages about files of a pair that another row has under another name; they
        become replicates of it.
    unknown_chromosomes : dict of str to int
        Number of peaks left out, by chromosome that the genome lacks.
    """

    unknown: list[str] = field(default_factory=list)
    empty: list[str] = field(default_factory=list)
    elsewhere: list[str] = field(default_factory=list)
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
    """Read peak files into a peak database.

    Parameters
    ----------
    files : sequence of PeakFile
        Files of one pair differ in their replicates.
    vocabulary : Vocabulary
        TFs and cell lines to keep; the database uses its names.
    chrom_sizes : mapping of str to int
        Chromosomes of the genome of the peaks, and their lengths in bp.
    regions : sequence of Region, optional
        Where to keep peaks; by default every chromosome with peaks.
    build : str
        Name of the genome build.
    advance : callable
        Called with the number of files done since the last call.

    Returns
    -------
    PeakDatabase, BuildReport

    Raises
    ------
    InputFileError
        A file is missing or damaged, or it is of another build: its peaks extend beyond
        a chromosome. No file has peaks on the genome's chromosomes, or two pairs have
        the same peaks.
    UsageError
        Two files have the same names, nothing is left, or there are too many tracks.
    """
    report = BuildReport()
    named = _name(files, vocabulary, report)
    names = [
        (known or file)._replace(replicate="").label
        for file, known in zip(files, named, strict=True)
    ]
    check_track_files(zip(names, [file.path for file in files], strict=True))
    builder = _Builder(chrom_sizes)
    for file, known in zip(files, named, strict=True):
        # A file that will not be used is checked all the same: it is as wrong.
        table = _read(file, chrom_sizes, BuildReport() if known is None else report)
        if known is not None and table is not None:
            builder.add(known, table)
        advance(1)
    if not builder.tracks and report.elsewhere:
        raise InputFileError(report.elsewhere[0])
    if not builder.tracks and not report.unknown:
        more = f", as are {counted(len(files) - 1, 'other file')}" if files[1:] else ""
        raise InputFileError(
            f"{files[0].path}: is empty{more}; {files[0].label} needs peaks"
        )
    if not builder.tracks:
        raise UsageError(
            f"none of {counted(len(files), 'peak file')} has a peak of a known TF and cell "
            f"line: {len(report.unknown):,} of unknown names, {len(report.empty):,} "
            "empty; `tfimpute-tracks info tfs` and `info cells` list the names"
        )
    return builder.finish(regions, build), report


class _Builder:
    """Collects the peaks of one track after the other, by chromosome."""

    def __init__(self, chrom_sizes: Mapping[str, int]) -> None:
        self._sizes = dict(chrom_sizes)
        self._names = list(chrom_sizes)
        self.tracks: list[Track] = []
        self._has_peaks: list[NDArray[np.bool_]] = []
        self._parts: dict[str, list[_Part]] = {}

    def add(self, file: PeakFile, table: pd.DataFrame) -> None:
        """Add the merged peaks of a file, which is named as in the vocabulary."""
        number = len(self.tracks)
        if number == _MAX_TRACKS:
            raise UsageError(f"more than {_MAX_TRACKS:,} tracks; use fewer peak files")
        digest = digest_file(file.path)
        self.tracks.append(Track(file.pair, file.replicate, len(table), digest))
        self._has_peaks.append(np.isin(self._names, table["chrom"].unique()))
        for chrom, rows in table.groupby("chrom", sort=False):
            spans = rows["start"].to_numpy(np.int64), rows["end"].to_numpy(np.int64)
            self._parts.setdefault(str(chrom), []).append((*spans, number))

    def finish(self, regions: Sequence[Region] | None, build: str) -> PeakDatabase:
        """Combine the peaks that overlap the regions."""
        has_peaks = np.array(self._has_peaks)
        if regions is None:
            used = [self._names[i] for i in np.flatnonzero(has_peaks.any(axis=0))]
            regions = [Region(name, 0, self._sizes[name]) for name in used]
        kept = _merge_regions(regions, self._names)
        spans: dict[str, list[tuple[int, int]]] = {}
        for chrom, start, end in kept:
            spans.setdefault(chrom, []).append((start, end))
        peaks = {
            chrom: _combine(self._parts[chrom], chrom_spans)
            for chrom, chrom_spans in spans.items()
            if chrom in self._parts
        }
        tracks = tuple(self.tracks)
        return PeakDatabase(tracks, self._sizes, kept, has_peaks, peaks, build)


def _name(
    files: Sequence[PeakFile], vocabulary: Vocabulary, report: BuildReport
) -> list[PeakFile | None]:
    """Rename files as in the vocabulary; None where a name is unknown."""
    named: list[PeakFile | None] = []
    typed: dict[str, Path] = {}
    taken: set[tuple[Pair, str]] = set()
    for file in files:
        if str(file) in typed:
            raise UsageError(
                f"{file.label} is listed with {typed[str(file)]} and with {file.path}; keep "
                "one of the two, or distinguish them in a column replicate"
            )
        typed[str(file)] = file.path
        try:
            pair = _known(file.pair, vocabulary)
        except UnknownNameError as error:
            report.unknown.append(f"{file.label}: {error}")
            named.append(None)
            continue
        known = file._replace(pair=pair)
        if (pair, file.replicate) in taken:
            # Another row has the pair under another name: an alias, or another case.
            known = known._replace(replicate=str(file))
            report.renamed.append(
                f"{file.label} is a replicate of {known._replace(replicate='').label}"
            )
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
    """Read and merge the peaks of a file; None if it has none on the genome."""
    table = read_bed(file.path, allow_empty=True)
    if table.empty:
        report.empty.append(f"{file.label}, {file.path.name}")
        return None
    counts = table["chrom"].value_counts(sort=False).to_dict()
    found = {name: find_chrom(name, chrom_sizes) for name in counts}
    known = {name: own for name, own in found.items() if own is not None}
    if not known:
        report.elsewhere.append(
            f"{file.label}, {file.path.name}: its chromosomes ({listed(counts, 3)}) are "
            f"none of the genome's ({listed(chrom_sizes, 3)}); use peaks of the same build, or "
            "their genome with -g"
        )
        return None
    unknown = report.unknown_chromosomes
    for name in counts.keys() - known.keys():
        unknown[name] = unknown.get(name, 0) + int(counts[name])
    table = table[table["chrom"].isin(known)]
    table = merge_intervals(table.assign(chrom=table["chrom"].map(known)))
    sizes = table["chrom"].map(dict(chrom_sizes))
    beyond = table[table["end"] > sizes.clip(upper=_MAX_SIZE)]
    if not beyond.empty:
        row = beyond.iloc[0]
        peak = Region(row["chrom"], int(row["start"]), int(row["end"]))
        raise InputFileError(
            f"{file.path}: {peak} extends beyond {peak.chrom}, which has "
            f"{chrom_sizes[peak.chrom]:,} bp: peaks of another build? Name their genome "
            "with -g"
        )
    return table


def _merge_regions(regions: Sequence[Region], chroms: list[str]) -> tuple[Region, ...]:
    """Sort regions, and merge those that overlap or touch."""
    rank = {name: i for i, name in enumerate(chroms)}
    joined: list[Region] = []
    for region in sorted(regions, key=lambda r: (rank[r.chrom], r.start)):
        last = joined[-1] if joined else None
        if last and last.chrom == region.chrom and region.start <= last.end:
            joined[-1] = last._replace(end=max(last.end, region.end))
        else:
            joined.append(region)
    return tuple(joined)


def _combine(parts: list[_Part], spans: list[tuple[int, int]]) -> Peaks:
    """Combine the peaks of all tracks that overlap some spans."""
    start = np.concatenate([starts for starts, _, _ in parts])
    end = np.concatenate([ends for _, ends, _ in parts])
    numbers = np.array([number for _, _, number in parts], dtype=np.uint16)
    track = np.repeat(numbers, [len(starts) for starts, _, _ in parts])
    lows, highs = np.array(spans).T
    # Only the first span that ends beyond a peak's start can be the first to overlap it.
    nearest = np.searchsorted(highs, start, side="right")
    kept = np.append(lows, np.iinfo(np.int64).max)[nearest] < end
    start, end, track = start[kept], end[kept], track[kept]
    order = np.lexsort((track, start))
    return Peaks(start[order], end[order], track[order])
