"""`export`: tracks out of a bulk store."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tfimpute_tracks.commands import options
from tfimpute_tracks.commands.console import progress_bar
from tfimpute_tracks.commands.results import show_results

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
    from tfimpute_tracks.api.exporting import export_tracks

    results = export_tracks(
        store,
        out_dir,
        tf=tf,
        cell=cell,
        pairs=pairs,
        every=every,
        regions=regions or None,
        chroms=chroms,
        min_contig=min_contig,
        genes=genes,
        formats=formats,
        threshold=threshold,
        signal=signal,
        bin_size=bin_size,
        max_zooms=max_zooms,
        threads=threads,
        processes=True,
        overwrite=overwrite,
        progress=progress_bar,
    )
    show_results(results, as_json)
