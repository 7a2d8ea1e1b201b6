"""`scan`: tracks of one or a few pairs over chromosomes."""

from __future__ import annotations

import time
from pathlib import Path

from tfimpute_tracks.commands import options
from tfimpute_tracks.commands.console import RateLog, log, print_result, progress_bar
from tfimpute_tracks.commands.results import show_results

__all__ = ["scan"]


def scan(
    tf: options.Tf = None,
    cell: options.Cell = None,
    pairs: options.Pairs = None,
    fasta: options.Fasta = None,
    regions: options.Regions = None,
    chroms: options.Chroms = None,
    out_dir: options.OutDir = Path("tracks-out"),
    model: options.ModelName = "default",
    evidence: options.Evidence = None,
    stride: options.Stride = None,
    signal: options.Signal = "probability",
    bin_size: options.BinSize = None,
    max_zooms: options.MaxZooms = 10,
    threshold: options.Threshold = None,
    threads: options.Threads = "max",
    device: options.Device = "auto",
    precision: options.Precision = "exact",
    cache_dir: options.CacheDir = None,
    cache_limit: options.CacheLimit = 20.0,
    no_cache: options.NoCache = False,
    overwrite: options.Overwrite = False,
    dry_run: options.DryRun = False,
    as_json: options.Json = False,
) -> None:
    """Scan sequence for one or a few pairs: bigWig, narrowPeak, bigBed, receipt."""
    from tfimpute_tracks.commands import inputs
    from tfimpute_tracks.commands.context_report import warn_stride
    from tfimpute_tracks.commands.evidence_report import report_evidence
    from tfimpute_tracks.engines.engine import pick_device
    from tfimpute_tracks.models import load_model
    from tfimpute_tracks.storage import check_writable_dir
    from tfimpute_tracks.tracks import ScanJob, plan_tiles, run_scan
    from tfimpute_tracks.tracks.rendering import TrackOptions

    loaded = load_model(model, evidence)
    chosen = inputs.choose_pairs(loaded.vocabulary, tf, cell, pairs)
    place = pick_device(device)
    n_threads = inputs.set_threads(threads)
    genome = inputs.choose_genome(fasta, loaded, cache_dir)
    where = inputs.choose_regions(genome, fasta, regions or [], chroms or [])
    step = stride or loaded.config.stride
    rendering = TrackOptions(signal, bin_size, max_zooms)
    rendering.tiles_per_bin(step)
    job = ScanJob(
        loaded,
        chosen,
        where,
        out_dir,
        step,
        threshold,
        place,
        fast=precision == "fast",
        overwrite=overwrite,
        threads=n_threads,
        cache=None if no_cache else inputs.choose_cache(cache_dir, cache_limit),
        rendering=rendering,
    )
    ranges = plan_tiles(where, dict(genome.chrom_sizes), loaded.config.seq_len, step)
    bases = sum(r.n_tiles for r in ranges) * step
    check_writable_dir(out_dir)
    flank = loaded.config.flank
    around = f" with {flank} bp on either side" if flank else ""
    log(
        f"{len(chosen)} pair(s), {bases / 1e6:.2f} Mb, tiles of "
        f"{loaded.config.seq_len} bp every {step} bp{around}, model {loaded.name}, "
        f"device {place}, {n_threads} thread(s)"
    )
    warn_stride(loaded.config, step)
    report_evidence(loaded, genome, chosen, where)
    if dry_run:
        print_result(f"would write {len(chosen)} track(s) to {out_dir}")
        return
    began = time.monotonic()
    with progress_bar("scan", bases, "Mb", 1e6) as advance:
        results = list(run_scan(job, genome, RateLog(bases, advance)))
    seconds = time.monotonic() - began
    kept = ""
    if job.cache and job.cache.hits:
        kept = f", {job.cache.hits} blocks of tiles from the cache"
    log(f"{seconds:.1f} s, {bases / 1e6 / seconds:.2f} Mb/s, writing included{kept}")
    n_ambiguous = sum(genome.ambiguous.values())
    if n_ambiguous:
        log(f"{n_ambiguous:,} IUPAC or stray letters were read as N")
    show_results(
        results,
        loaded.status,
        as_json,
        f"IGV: choose genome {fasta or 'hg19'}, File > Load from File the files below, "
        f"go to {where[0]}",
    )
