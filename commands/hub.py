"""`hub`: a UCSC track hub over a folder of tracks."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tfimpute_tracks.commands import options
from tfimpute_tracks.commands.console import say, show_json

__all__ = ["hub"]


def hub(
    folder: Annotated[
        Path, typer.Argument(help="Folder of tracks that `scan` or `export` wrote.")
    ],
    genome: Annotated[
        str, typer.Option("--genome", help="UCSC's name of the assembly.")
    ] = "hg19",
    email: Annotated[
        str, typer.Option("--email", help="Whom to ask about the hub.")
    ] = "nobody@example.org",
    as_json: options.Json = False,
) -> None:
    """Write hub.txt beside tracks: for UCSC's browser, and igv.js."""
    from tfimpute_tracks.tracks.hub import find_tracks, write_hub

    tracks = find_tracks(folder)
    files = write_hub(folder, tracks, genome, email)
    if as_json:
        show_json({"pairs": len(tracks), "files": [str(file) for file in files]})
        return
    say(
        f"{len(tracks):,} pairs; put {folder} on a web server that answers range "
        "requests, and paste the address of hub.txt into My Data > Track Hubs"
    )
    say(" ".join(str(file) for file in files))
