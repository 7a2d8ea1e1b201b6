"""`export`: tracks out of a bulk store."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tfimpute_tracks.commands import options
from tfimpute_tracks.commands.console import log, progress_bar
from tfimpute_tracks.commands.results import show_results
from tfimpute_tracks.errors import UsageError

__all__ = ["export"]


def export(
    store: options.StoreDir,
    tf: options.Tf = None,
    cell: options.Cell = None,
    pairs: options.Pairs = None,
    every: Annotated[
        bool, typer.Option("--all", help="Every pair of the store.")
    ] = False,
    regions: options.Regions = None,
    chroms: options.Chroms = None,
    min_contig: options.MinContig = 0,
    genes: options.RegionGenes = None,
    formats: options.Formats = None,
    out_dir: options.OutDir = Path("tracks-out"),
    threshold: options.Threshold = None,
    signal: options.Signal = "probability",
    bin_size: options.BinSize = None,
    max_zooms: options.MaxZooms = 10,
    threads: options.Threads = "max",
    overwrite: options.Overwrite = False,
    as_json: options.Json = False,
) -> None:
    """Write tracks of any pairs and regions of a bulk store."""
    from tfimpute_tracks.api.evidence_choice import report_store_evidence
    from tfimpute_tracks.api.loci import warn_outside
    from tfimpute_tracks.api.pair_choice import choose_pairs
    from tfimpute_tracks.api.threads import set_threads
    from tfimpute_tracks.genome import replace_genes, resolve_regions
    from tfimpute_tracks.impute.export import ExportJob, run_export
    from tfimpute_tracks.impute.store import Store
    from tfimpute_tracks.impute.stored_model import check_specificity
    from tfimpute_tracks.tracks.formats import choose_formats
    from tfimpute_tracks.tracks.record import TrackOptions

    if every and (tf or cell or pairs):
        raise UsageError("use --all, or --tf and --cell, or --pairs, not both")
    opened = Store(store)
    report_store_evidence(store, opened.plan)
    names = choose_formats(formats, signal)
    chosen = opened.plan.pairs
    if not every:
        chosen = choose_pairs(opened.vocabulary, tf, cell, pairs)
    where = None
    if regions or chroms or min_contig:
        sizes = opened.plan.chrom_sizes
        places = replace_genes(regions or [], sizes, genes, log)
        where = resolve_regions(places, chroms or [], sizes, log, min_contig)
        warn_outside(opened, where)
    job = ExportJob(
        opened,
        chosen,
        out_dir,
        TrackOptions(signal, bin_size, max_zooms, names),
        where,
        threshold,
        overwrite,
        set_threads(threads),
    )
    if signal == "specificity" and (warning := check_specificity(opened, chosen)):
        log(warning, warning=True)
    results = []
    with progress_bar("export", len(chosen), "pairs") as advance:
        for result in run_export(job):
            results.append(result)
            advance(1, str(result.pair))
    show_results(results, as_json)
