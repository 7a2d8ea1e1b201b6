"""`explain`: the motif instances that contribute to a score, as a track."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tfimpute_tracks.commands import options
from tfimpute_tracks.commands.console import (
    print_files,
    print_result,
    progress_bar,
    show_json,
)

__all__ = ["explain"]

_N_SHOWN = 5


def explain(
    regions: Annotated[
        list[str],
        typer.Option(
            "-r",
            "--region",
            help="Region: chr:start-end (1-based, inclusive), or peaks as BED or "
            "narrowPeak. The tile with the highest score in each is explained. "
            "Repeatable.",
        ),
    ],
    tf: options.Tf = None,
    cell: options.Cell = None,
    pairs: options.Pairs = None,
    fasta: options.Fasta = None,
    genes: options.RegionGenes = None,
    out_dir: options.OutDir = Path("explain-out"),
    model: options.ModelName = "default",
    min_contribution: Annotated[
        float,
        typer.Option(
            min=0, help="Omit motif instances with a smaller change in log-odds."
        ),
    ] = 0.25,
    filter_names: Annotated[
        Path | None,
        typer.Option(
            help="filters.tsv written by `motifs`, with the names of filters. Default: "
            "that of a bundled model."
        ),
    ] = None,
    plots: Annotated[
        int, typer.Option(min=0, max=100, help="Draw the first N tiles of each pair.")
    ] = 0,
    cache_dir: options.CacheDir = None,
    as_json: options.Json = False,
) -> None:
    """Explain scores by the contributions of motif instances: BED and a table."""
    from tfimpute_tracks.api.explaining import explain_regions

    tiles, files = explain_regions(
        regions,
        out_dir,
        tf=tf,
        cell=cell,
        pairs=pairs,
        fasta=fasta,
        genes=genes,
        model=model,
        min_contribution=min_contribution,
        filter_names=filter_names,
        n_plots=plots,
        cache_dir=cache_dir,
        progress=progress_bar,
    )
    if as_json:
        show_json({"tiles": tiles, "files": files})
        return
    for tile in tiles[:_N_SHOWN]:
        print_result(
            f"{tile['pair']} {tile['tile']}: log-odds {tile['logit']:.2f} = "
            f"{tile['baseline']:.2f} without motifs {tile['motifs']}"
        )
    if len(tiles) > _N_SHOWN:
        print_result(f"... and {len(tiles) - _N_SHOWN:,} more tiles")
    print_files(files)
