"""`report`: a self-contained HTML page about a folder of tracks."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tfimpute_tracks.commands import options
from tfimpute_tracks.commands.console import log
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
    from tfimpute_tracks.genome import bundled_genes, parse_locus
    from tfimpute_tracks.genome.genes import read_genes
    from tfimpute_tracks.models.loading import load_modes
    from tfimpute_tracks.storage import check_output_dir
    from tfimpute_tracks.tracks.track_folder import find_tracks
    from tfimpute_tracks.views.hubs.card_lookup import CardLookup
    from tfimpute_tracks.views.hubs.report import (
        is_bundled,
        track_chroms,
        write_report,
    )

    card = CardLookup(load_modes(model))
    tracks = find_tracks(folder)
    path = out or folder / "report.html"
    check_output_dir(path.parent)
    sizes = track_chroms(tracks)
    if genes is None and is_bundled(tracks.tracks):
        genes = bundled_genes()
    locus = parse_locus(region, sizes, genes, log) if region else None
    known = read_genes(genes, sizes) if genes else None
    write_report(tracks, path, card, color_by, locus=locus, genes=known)
    megabytes = path.stat().st_size / 1e6
    show_view(
        tracks,
        [path],
        f"{counted(len(tracks.tracks), 'pair')}; {megabytes:.1f} MB",
        as_json,
    )
