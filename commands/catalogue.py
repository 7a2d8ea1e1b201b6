"""`catalogue`: the pairs of a bulk store, as a table and a projection."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tfimpute_tracks.commands import options
from tfimpute_tracks.commands.console import (
    print_files,
    print_result,
    show_json,
)
from tfimpute_tracks.errors import counted

__all__ = ["catalogue"]


def catalogue(
    store: options.StoreDir,
    out_dir: options.OutDir = Path("catalogue"),
    tracks: Annotated[
        Path | None,
        typer.Option(help="Folder that `export` wrote, whose files the table lists."),
    ] = None,
    form: Annotated[str, typer.Option("--format", help="tsv or parquet.")] = "tsv",
    similarity: Annotated[
        bool,
        typer.Option(
            "--projection/--no-projection",
            help="Also project pairs to two dimensions by similarity, as a table and a "
            "figure.",
        ),
    ] = True,
    seed: options.Seed = 0,
    as_json: options.Json = False,
) -> None:
    """Write a table of all pairs of a store, and a projection by similarity."""
    from tfimpute_tracks.api.catalogue import write_catalogue

    table, files = write_catalogue(
        store,
        out_dir,
        tracks=tracks,
        table_format=form,
        projection=similarity,
        seed=seed,
    )
    if as_json:
        show_json({"pairs": len(table), "files": [str(file) for file in files]})
        return
    n_imputed = int((table["status"] == "imputed").sum())
    print_result(
        f"{counted(len(table), 'pair')}, {n_imputed:,} imputed; "
        f"{counted(int(table['peaks'].sum()), 'peak')} at the pairs' own thresholds"
    )
    print_files(files)
