"""`report`: one page about a folder of tracks, to be mailed and opened anywhere."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tfimpute_tracks.commands import options
from tfimpute_tracks.commands.console import print_result, show_json
from tfimpute_tracks.commands.results import report_errors

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
    color_by: options.ColorBy = "family",
    model: options.ModelName = "default",
    evidence: options.Evidence = None,
    as_json: options.Json = False,
) -> None:
    """Write a self-contained HTML report: tracks, peak counts, expected accuracy."""
    from tfimpute_tracks.models import load_model
    from tfimpute_tracks.storage import check_writable_dir
    from tfimpute_tracks.tracks.track_folder import find_tracks
    from tfimpute_tracks.views.hubs.card_lookup import CardLookup
    from tfimpute_tracks.views.hubs.report import write_report

    knowledge = CardLookup(load_model(model, evidence))
    shelf = find_tracks(folder)
    dest = out or folder / "report.html"
    check_writable_dir(dest.parent)
    page = write_report(shelf, dest, knowledge, color_by)
    if as_json:
        told = {"pairs": len(shelf.tracks), "left_out": shelf.faults}
        show_json({**told, "files": [str(page)]})
    else:
        print_result(f"{len(shelf.tracks):,} pairs; {page.stat().st_size / 1e6:.1f} MB")
        print_result(str(page))
    report_errors(shelf, "the report")
