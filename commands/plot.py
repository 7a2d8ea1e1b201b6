"""`plot`: the tracks of a region as a figure for a paper."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tfimpute_tracks.commands import options
from tfimpute_tracks.commands.console import print_result, show_json

__all__ = ["plot"]


def plot(
    folder: Annotated[
        Path | None,
        typer.Argument(help="Folder of tracks. Default: compute the scores."),
    ] = None,
    region: Annotated[
        str | None,
        typer.Option(
            "-r",
            "--region",
            help="Region: chr:start-end (1-based, inclusive), or a gene. Default: around "
            "CEBPB, where scores or tracks are of the bundled example region.",
        ),
    ] = None,
    tf: options.Tf = None,
    cell: options.Cell = None,
    pairs: options.Pairs = None,
    fasta: options.Fasta = None,
    genes: options.Genes = None,
    signal: options.Signal = "probability",
    out: Annotated[
        Path, typer.Option("-o", "--out", help="Figure file: .svg, .png or .pdf.")
    ] = Path("locus.svg"),
    width: Annotated[
        float,
        typer.Option(
            min=60, max=400, help="Width in mm; a column is 89, a page is 183."
        ),
    ] = 183.0,
    model: options.ModelName = "default",
    evidence: options.Evidence = "auto",
    cache_dir: options.CacheDir = None,
    as_json: options.Json = False,
) -> None:
    """Draw the tracks, peaks and genes of a region, ready for print."""
    from tfimpute_tracks.api.plotting import plot_region

    done = plot_region(
        out,
        region,
        folder=folder,
        tf=tf,
        cell=cell,
        pairs=pairs,
        fasta=fasta,
        genes=genes,
        signal=signal,
        width=width,
        model=model,
        evidence=evidence,
        cache_dir=cache_dir,
    )
    if as_json:
        peaks = {str(track.pair): track.peaks.tolist() for track in done.tracks}
        show_json({"region": str(done.region), "peaks": peaks, "files": [out]})
        return
    print_result(str(out))
