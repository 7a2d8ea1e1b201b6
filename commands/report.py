"""`report`: a self-contained HTML page about a folder of tracks."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tfimpute_tracks.commands import options
from tfimpute_tracks.commands.results import show_view
from tfimpute_tracks.errors import counted

__all__ = ["report"]


def report(
    folder: options.TrackDir,
    out: Annotated[
        Path | None,
        typer.Option(
            "-o",
            "--out",
            help="HTML file to write. Default: report.html in the folder.",
        ),
    ] = None,
    region: Annotated[
        str | None,
        typer.Option(
            "-r",
            "--region",
            help="Region to show first: chr:start-end (1-based, both ends included), or a "
            "gene.",
        ),
    ] = None,
    genes: Annotated[
        Path | None,
        typer.Option(
            "--genes",
            help="Gene annotation, GTF, GFF3 or BED: shown, and named next to each peak. "
            "Default: that of the bundled example region, for its tracks.",
        ),
    ] = None,
    color_by: options.ColorBy = "family",
    model: options.ModelName = "default",
    as_json: options.Json = False,
) -> None:
    """Write a self-contained HTML report: tracks, peak counts, expected accuracy."""
    from tfimpute_tracks.api.reporting import make_report

    tracks, files = make_report(
        folder, out, region=region, genes=genes, color_by=color_by, model=model
    )
    megabytes = files[0].stat().st_size / 1e6
    show_view(
        tracks,
        files,
        f"{counted(len(tracks.tracks), 'pair')}; {megabytes:.1f} MB",
        as_json,
    )
