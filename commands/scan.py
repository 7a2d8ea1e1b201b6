"""`scan`: tracks of one or a few pairs over chromosomes."""

from __future__ import annotations

from pathlib import Path

from tfimpute_tracks.commands import options
from tfimpute_tracks.commands.console import print_result, progress_bar
from tfimpute_tracks.commands.results import show_results
from tfimpute_tracks.errors import counted

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
    from tfimpute_tracks.api.scan_files import scan_to_files

    done = scan_to_files(
        out_dir,
        tf=tf,
        cell=cell,
        pairs=pairs,
        cell_accessibility=cell_accessibility,
        cell_name=cell_name,
        fasta=fasta,
        assembly=assembly,
        regions=regions or None,
        chroms=chroms,
        min_contig=min_contig,
        genes=genes,
        model=model,
        evidence=evidence,
        stride=stride,
        signal=signal,
        bin_size=bin_size,
        max_zooms=max_zooms,
        formats=formats,
        threshold=threshold,
        threads=threads,
        device=device,
        precision=precision,
        cache_dir=cache_dir,
        cache_limit=None if no_cache else cache_limit,
        overwrite=overwrite,
        dry_run=dry_run,
        progress=progress_bar,
    )
    if dry_run:
        print_result(f"would write {counted(len(done.pairs), 'track')} to {out_dir}")
        return
    show_results(
        done.results,
        as_json,
        f"IGV: choose genome {done.build or fasta}, File > Load "
        f"from File the files below, go to {done.place}",
    )
