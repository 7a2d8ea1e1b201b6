"""`hub`: a UCSC track hub and IGV sessions of a folder of tracks."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tfimpute_tracks.commands import options
from tfimpute_tracks.commands.console import progress_bar
from tfimpute_tracks.commands.results import show_view
from tfimpute_tracks.errors import counted

__all__ = ["hub"]


def hub(
    folder: Annotated[
        Path,
        typer.Argument(
            help="Folder of tracks that `scan` or `export` wrote, or a bulk store. "
            "Tracks of a store are first exported into --out-dir."
        ),
    ],
    tf: options.Tf = None,
    cell: options.Cell = None,
    pairs: options.Pairs = None,
    out_dir: Annotated[
        Path | None,
        typer.Option("-o", "--out-dir", help="Hub folder; for a bulk store only."),
    ] = None,
    no_export: Annotated[
        bool,
        typer.Option(
            "--no-export",
            help="For a bulk store: write the hub without exporting the tracks.",
        ),
    ] = False,
    assembly: Annotated[
        str | None,
        typer.Option(
            "--assembly",
            help="UCSC name of the assembly, such as hg38. Default: from the receipts "
            "or the chromosome lengths.",
        ),
    ] = None,
    fasta_url: Annotated[
        str | None,
        typer.Option(
            "--fasta-url",
            help="FASTA file of the IGV sessions, relative to the hub folder. Default: "
            "the viewer's own copy of the assembly.",
        ),
    ] = None,
    email: Annotated[
        str, typer.Option("--email", help="Contact address shown in the hub.")
    ] = "nobody@example.org",
    color_by: options.ColorBy = "family",
    model: options.ModelName = "default",
    threads: options.Threads = "max",
    as_json: options.Json = False,
) -> None:
    """Write a UCSC track hub and IGV sessions for a folder of tracks."""
    from tfimpute_tracks.api.hubs import make_hub

    tracks, files = make_hub(
        folder,
        tf=tf,
        cell=cell,
        pairs=pairs,
        out_dir=out_dir,
        no_export=no_export,
        assembly=assembly,
        fasta_url=fasta_url,
        email=email,
        color_by=color_by,
        model=model,
        threads=threads,
        progress=progress_bar,
    )
    show_view(
        tracks,
        files,
        f"{counted(len(tracks.tracks), 'pair')}. UCSC: copy {tracks.path} to a web server "
        "that answers range requests and paste the URL of hub.txt into My Data > Track Hubs. "
        "IGV: File > Open Session > igv.session.xml",
        as_json,
    )
