"""`scan`: tracks of one or a few pairs over chromosomes."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

from tfimpute_tracks.commands import options
from tfimpute_tracks.commands.console import RateLog, log, print_result, progress_bar
from tfimpute_tracks.commands.results import show_results
from tfimpute_tracks.errors import counted

if TYPE_CHECKING:
    from tfimpute_tracks.genome import Sequences
    from tfimpute_tracks.tracks import ScanJob
    from tfimpute_tracks.tracks.writer import PairResult

__all__ = ["scan"]


def scan(
    tf: options.Tf = None,
    cell: options.Cell = None,
    pairs: options.Pairs = None,
    cell_accessibility: options.CellAccessibility = None,
    cell_name: options.CellName = None,
    fasta: options.Fasta = None,
    assembly: options.Assembly = None,
    regions: options.Regions = None,
    chroms: options.Chroms = None,
    min_contig: options.MinContig = 0,
    genes: options.RegionGenes = None,
    out_dir: options.OutDir = Path("tracks-out"),
    model: options.ModelName = "default",
    evidence: options.Evidence = "auto",
    stride: options.Stride = None,
    signal: options.Signal = "probability",
    bin_size: options.BinSize = None,
    max_zooms: options.MaxZooms = 10,
    formats: options.Formats = None,
    threshold: options.Threshold = None,
    threads: options.Threads = "max",
    device: options.Device = "auto",
    precision: options.Precision = "exact",
    cache_dir: options.CacheDir = None,
    cache_limit: options.CacheLimit = 5.0,
    no_cache: options.NoCache = False,
    overwrite: options.Overwrite = False,
    dry_run: options.DryRun = False,
    as_json: options.Json = False,
) -> None:
    """Predict tracks of one or a few pairs: bigWig, narrowPeak, bigBed."""
    from tfimpute_tracks.api import inputs
    from tfimpute_tracks.api.model import load_model
    from tfimpute_tracks.api.own_cell import add_cell
    from tfimpute_tracks.api.pair_choice import choose_pairs
    from tfimpute_tracks.api.scan import scan_job
    from tfimpute_tracks.api.threads import set_threads
    from tfimpute_tracks.genome import known_build
    from tfimpute_tracks.storage import check_output_dir
    from tfimpute_tracks.tracks.formats import choose_formats
    from tfimpute_tracks.tracks.record import TrackOptions

    model = str(
        add_cell(model, cell_accessibility, cell_name, fasta, evidence, cache_dir)
    )
    loaded = load_model(model, evidence)
    chosen = choose_pairs(loaded.vocabulary, tf, cell or cell_name, pairs)
    names = choose_formats(formats, signal)
    genome = inputs.choose_genome(fasta, loaded.core, cache_dir, assembly)
    job = scan_job(
        loaded,
        genome,
        chosen,
        inputs.choose_regions(genome, fasta, regions, chroms, genes, min_contig),
        out_dir,
        stride=stride,
        threshold=threshold,
        device=device,
        precision=precision,
        overwrite=overwrite,
        threads=set_threads(threads),
        cache=None if no_cache else inputs.choose_cache(cache_dir, cache_limit),
        options=TrackOptions(signal, bin_size, max_zooms, names),
        assembly=assembly,
    )
    n_bases = _log_plan(job, genome)
    check_output_dir(out_dir)
    if dry_run:
        print_result(f"would write {counted(len(job.pairs), 'track')} to {out_dir}")
        return
    results = _run(job, genome, n_bases)
    show_results(
        results,
        as_json,
        f"IGV: choose genome {known_build(genome.chrom_sizes, {}) or fasta}, File > Load "
        f"from File the files below, go to {job.regions[0]}",
    )


def _log_plan(job: ScanJob, genome: Sequences) -> int:
    """Log what will be scanned, and return its length in bp."""
    from tfimpute_tracks.api.context_report import warn_stride
    from tfimpute_tracks.api.evidence_choice import report_evidence

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


def _run(job: ScanJob, genome: Sequences, n_bases: int) -> list[PairResult]:
    from tfimpute_tracks.tracks import run_scan

    began = time.monotonic()
    with progress_bar("scan", n_bases, "Mb", 1e6) as advance:
        progress = RateLog(n_bases, advance)
        results = list(run_scan(job, genome, progress))
    seconds = time.monotonic() - began
    cached = ""
    if job.cache and job.cache.hits:
        cached = f", {counted(job.cache.hits, 'block')} of tiles from the cache"
    if progress.n_done:
        rate = f"{n_bases / 1e6 / seconds:.2f} Mb/s including writing{cached}"
    else:
        rate = "nothing to compute: all tracks are there already"
    log(f"{seconds:.1f} s, {rate}")
    n_ambiguous = sum(genome.ambiguous.values())
    if n_ambiguous:
        log(f"{n_ambiguous:,} IUPAC codes or unknown characters were read as N")
    return results
