"""Tracks of one or a few pairs, in files: inputs, and one call."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

from tfimpute_tracks.api.context_report import warn_stride
from tfimpute_tracks.api.evidence_choice import check_evidence, report_evidence
from tfimpute_tracks.api.inputs import (
    Regions,
    check_cache_limit,
    choose_cache,
    choose_genome,
    choose_regions,
    written_regions,
)
from tfimpute_tracks.api.loaded import LoadedModel
from tfimpute_tracks.api.notes import log
from tfimpute_tracks.api.own_cell import add_cell
from tfimpute_tracks.api.pair_choice import Pairs, choose_pairs
from tfimpute_tracks.api.progress import ProgressBar, RateLog, no_progress
from tfimpute_tracks.api.scan import scan_job
from tfimpute_tracks.api.threads import limit_threads
from tfimpute_tracks.api.values import (
    as_path,
    check_choice,
    check_model,
    check_texts,
    check_threshold,
    check_whole,
    check_wholes,
    join_texts,
    optional_path,
)
from tfimpute_tracks.errors import counted
from tfimpute_tracks.genome import Region, Sequences, known_build
from tfimpute_tracks.storage import check_output_dir
from tfimpute_tracks.storage.table import read_rows
from tfimpute_tracks.tracks import ScanJob, run_scan
from tfimpute_tracks.tracks.formats import choose_formats
from tfimpute_tracks.tracks.record import TrackOptions
from tfimpute_tracks.tracks.signals import SIGNALS, SignalName
from tfimpute_tracks.tracks.writer import PairResult
from tfimpute_tracks.vocabulary import Pair

__all__ = ["WrittenScan", "choose_track_options", "scan_to_files"]

_FLANK = 5_000  # bp shown on either side of a peak
_SIGNAL = 6  # column of a narrowPeak
_HEADERS = ("#", "track", "browser")


class WrittenScan(NamedTuple):
    """Tracks in files.

    Attributes
    ----------
    pairs : list of Pair
    regions : list of Region
        What was scanned.
    build : str, optional
        Name of the assembly, if it is known.
    results : list of PairResult
        The files of each pair; none after a dry run.
    place : Region
        Where a browser shows something: the first region that was asked for, or else the
        highest peak, with 5 kb on either side.
    """

    pairs: list[Pair]
    regions: list[Region]
    build: str | None
    results: list[PairResult]
    place: Region


def scan_to_files(
    out_dir: str | Path,
    *,
    tf: str | None = None,
    cell: str | None = None,
    pairs: Pairs | None = None,
    cell_accessibility: str | Path | None = None,
    cell_name: str | None = None,
    fasta: str | Path | None = None,
    assembly: str | None = None,
    regions: Regions | None = None,
    chroms: list[str] | None = None,
    min_contig: int = 0,
    genes: str | Path | None = None,
    model: str | Path = "default",
    evidence: str | Path = "auto",
    stride: int | None = None,
    signal: SignalName = "probability",
    bin_size: int | None = None,
    max_zooms: int = 10,
    formats: str | Iterable[str] | None = None,
    threshold: float | None = None,
    threads: int | str = "max",
    device: str = "auto",
    precision: str = "exact",
    cache_dir: str | Path | None = None,
    cache_limit: float | None = None,
    overwrite: bool = False,
    dry_run: bool = False,
    progress: ProgressBar = no_progress,
) -> WrittenScan:
    """Scan pairs along regions of any length, and write tracks that resume.

    :meth:`tfimpute_tracks.Model.scan` returns the same values in memory.

    Parameters
    ----------
    out_dir : str or Path
        Tracks that are there, of the same inputs, are kept.
    tf, cell : str, optional
        One pair.
    pairs : optional
        As for :meth:`tfimpute_tracks.Model.scan`.
    cell_accessibility, cell_name : optional
        Peaks of a cell type that the model does not know, and its name.
    fasta : str or Path, optional
        None: the bundled example region.
    assembly : str, optional
        Its name; by default recognized by its chromosomes.
    regions : optional
        As for :meth:`tfimpute_tracks.Model.scan`.
    chroms : list of str, optional
        Names or patterns of whole chromosomes.
    min_contig : int
        Shorter contigs that are not named are left out, in bp.
    genes : str or Path, optional
        GTF, GFF3 or BED of the genes that `regions` may name.
    model : str or Path
    evidence : str or Path
        `auto`, `none`, or a file.
    stride : int, optional
        bp between tile starts.
    signal : {"probability", "score", "log-odds", "specificity"}
    bin_size : int, optional
        bp of a bin, whose value is the mean of its tiles.
    max_zooms : int
        Zoom levels of a bigWig.
    formats, threshold : optional
        As for :meth:`tfimpute_tracks.Scan.write` and :meth:`tfimpute_tracks.Model.scan`.
    threads, device, precision
        As for :meth:`tfimpute_tracks.Model.scan`.
    cache_dir : str or Path, optional
    cache_limit : float, optional
        Size of the tile cache, in GB; None for no cache.
    overwrite : bool
        Make tracks again that are there.
    dry_run : bool
        Only check what would be done.
    progress : ProgressBar

    Returns
    -------
    WrittenScan

    Raises
    ------
    UsageError, UnknownNameError, RegionError, InputFileError, DeviceError
        A value, name, region, file or device is wrong.
    OutputError, WriteError, ValidationError
        A file cannot be written, or does not read back as written.

    Examples
    --------
    >>> from tfimpute_tracks.api.scan_files import scan_to_files
    >>> region = "chr20:48,590,001-48,610,000"
    >>> done = scan_to_files("tracks", tf="CTCF", cell="K562", regions=region)
    >>> done.results[0].record.n_peaks
    2
    """
    folder, fasta = as_path(out_dir, "out_dir"), optional_path(fasta, "fasta")
    peaks = optional_path(cell_accessibility, "cell_accessibility")
    known, cache_dir = (
        optional_path(genes, "genes"),
        optional_path(cache_dir, "cache_dir"),
    )
    check_model(model)
    check_evidence(evidence)
    check_cache_limit(cache_limit)
    check_threshold(threshold)
    if stride is not None:
        check_whole(stride, "stride", 1)
    track_options = choose_track_options(signal, bin_size, max_zooms, formats)
    check_texts(tf=tf, cell=cell, cell_name=cell_name, assembly=assembly)
    check_texts(device=device)
    check_wholes(0, min_contig=min_contig)
    source = add_cell(model, peaks, cell_name, fasta, evidence, cache_dir)
    loaded = LoadedModel(source, evidence)
    chosen = choose_pairs(loaded.vocabulary, tf, cell or cell_name, pairs)
    genome = choose_genome(fasta, loaded.core, cache_dir, assembly)
    where = choose_regions(
        genome, fasta, written_regions(regions), chroms, known, min_contig
    )
    with limit_threads(threads) as n_threads:
        cache = None
        if cache_limit is not None:
            cache = choose_cache(cache_dir, cache_limit)
        job = scan_job(
            *(loaded, genome, chosen, where, folder),
            stride=stride,
            threshold=check_threshold(threshold),
            device=device,
            precision=precision,
            overwrite=overwrite,
            threads=n_threads,
            cache=cache,
            options=track_options,
            assembly=assembly,
        )
        n_bases = _log_plan(job, genome)
        check_output_dir(folder)
        results = [] if dry_run else _run(job, genome, n_bases, progress)
    build = known_build(genome.chrom_sizes, {})
    is_whole = regions is None and fasta is not None
    peak = _highest_peak(folder, results, genome.chrom_sizes) if is_whole else None
    return WrittenScan(chosen, where, build, results, peak or where[0])


def _highest_peak(
    folder: Path, results: list[PairResult], sizes: Mapping[str, int]
) -> Region | None:
    """Find the highest peak of the first pair that has peaks."""
    for result in results:
        name = result.record.narrowpeak
        rows = read_rows(folder / name, "narrowPeak", _HEADERS) if name else iter(())
        peaks = (row for _, row in rows)
        best = max(peaks, key=lambda row: float(row[_SIGNAL]), default=None)
        if best is not None:
            chrom, start, end = best[0], int(best[1]), int(best[2])
            first = max(start - _FLANK, 0)
            return Region(chrom, first, min(end + _FLANK, sizes[chrom]))
    return None


def choose_track_options(
    signal: SignalName,
    bin_size: int | None,
    max_zooms: int,
    formats: str | Iterable[str] | None,
) -> TrackOptions:
    """Check what is asked of a track, apart from what is scored.

    Parameters
    ----------
    signal : {"probability", "score", "log-odds", "specificity"}
    bin_size : int, optional
        In bp.
    max_zooms : int
    formats : str or iterable of str, optional

    Returns
    -------
    TrackOptions

    Raises
    ------
    UsageError
        A value is invalid, or a format does not hold the signal.
    """
    check_choice(signal, "signal", SIGNALS)
    check_wholes(1, bin_size=bin_size)
    check_wholes(0, max_zooms=max_zooms)
    names = [join_texts(formats, "formats")] if formats else None
    return TrackOptions(signal, bin_size, max_zooms, choose_formats(names, signal))


def _log_plan(job: ScanJob, genome: Sequences) -> int:
    """Log what will be scanned, and return its length in bp."""
    n_bases = sum(tiles.n_tiles for tiles in job.ranges(genome)) * job.stride
    config = job.model.config
    flank = f" with {config.flank} bp on either side" if config.flank else ""
    log(
        f"{counted(len(job.pairs), 'pair')}, {n_bases / 1e6:.2f} Mb, tiles of "
        f"{config.seq_len} bp every {job.stride} bp{flank}, model {job.model.name}, "
        f"device {job.device}, {counted(job.threads, 'thread')}"
    )
    warn_stride(config, job.stride)
    report_evidence(job.model, job.pairs, job.regions)
    return n_bases


def _run(
    job: ScanJob, genome: Sequences, n_bases: int, progress: ProgressBar
) -> list[PairResult]:
    began = time.monotonic()
    with progress("scan", n_bases, "Mb", 1e6) as advance:
        count = RateLog(n_bases, advance)
        results = list(run_scan(job, genome, count))
    seconds = time.monotonic() - began
    cached = ""
    if job.cache and job.cache.hits:
        cached = f", {counted(job.cache.hits, 'block')} of tiles from the cache"
    if count.n_done:
        rate = f"{n_bases / 1e6 / seconds:.2f} Mb/s including writing{cached}"
    else:
        rate = "nothing to compute: all tracks are there already"
    log(f"{seconds:.1f} s, {rate}")
    n_ambiguous = sum(genome.ambiguous.values())
    if n_ambiguous:
        log(f"{n_ambiguous:,} IUPAC codes or unknown characters were read as N")
    return results
