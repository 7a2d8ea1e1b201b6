"""`report`: one page about a folder of tracks, to be mailed and opened anywhere."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tfimpute_tracks.commands import options
from tfimpute_tracks.commands.console import say, show_json
from tfimpute_tracks.commands.results import tell_faults

__all__ = ["report"]


def report(
    folder: Annotated[
        Path, typer.Argument(help="Folder of tracks that `scan` or `export` wrote.")
    ],
    out: Annotated[
        Path | None,
        typer.Option(
            "-o", "--out", help="The page. Default: report.html in the folder."
        ),
    ] = None,
    colour_by: Annotated[
        str, typer.Option(help="What gets colours of its own: family, tf or cell.")
    ] = "family",
    model: options.ModelName = "default",
    evidence: options.Evidence = None,
    as_json: options.Json = False,
) -> None:
    """Write one page with tracks at their highest peaks, summaries and receipts."""
    from tfimpute_tracks.models import load_model
    from tfimpute_tracks.storage import check_writable_dir
    from tfimpute_tracks.tracks.shelf import find_tracks
    from tfimpute_tracks.viewers.knowledge import Knowledge
    from tfimpute_tracks.viewers.report import write_report

    knowledge = Knowledge(load_model(model, evidence))
    shelf = find_tracks(folder)
    dest = out or folder / "report.html"
    check_writable_dir(dest.parent)
    page = write_report(shelf, dest, knowledge, colour_by)
    if as_json:
        told = {"pairs": len(shelf.tracks), "left_out": shelf.faults}
        show_json({**told, "files": [str(page)]})
    else:
        say(f"{len(shelf.tracks):,} pairs; {page.stat().st_size / 1e6:.1f} MB")
        say(str(page))
    tell_faults(shelf, "the report")
