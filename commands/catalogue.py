"""`catalogue`: the pairs of a bulk store, as a table and a projection."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tfimpute_tracks.commands import options
from tfimpute_tracks.commands.console import (
    log,
    print_files,
    print_result,
    show_json,
)
from tfimpute_tracks.errors import UsageError, check_packages, counted

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
    from tfimpute_tracks.impute.catalogue import make_catalogue
    from tfimpute_tracks.impute.similarity import draw_projection, project_pairs
    from tfimpute_tracks.impute.store import Store
    from tfimpute_tracks.storage import check_output_dir
    from tfimpute_tracks.storage.dataframe_io import write_frame

    if form not in {"tsv", "parquet"}:
        raise UsageError(f"--format {form!r}; use tsv or parquet")
    if tracks is not None and not tracks.is_dir():
        raise UsageError(
            f"--tracks {tracks} is not a folder; use one that `export` wrote"
        )
    if similarity:
        check_packages(
            "the projection, which --no-projection leaves out,", "scipy", "sklearn"
        )
    opened = Store(store)
    check_output_dir(out_dir)
    table = make_catalogue(opened, tracks)
    files = [out_dir / f"catalogue.{form}"]
    write_frame(files[0], table, None)
    if similarity:
        log(f"projecting {len(table):,} pairs")
        layout = project_pairs(opened, seed)
        files += [out_dir / f"similarity.{form}", out_dir / "similarity.png"]
        write_frame(files[1], layout, None)
        draw_projection(files[2], layout)
    if as_json:
        show_json({"pairs": len(table), "files": [str(file) for file in files]})
        return
    n_imputed = int((table["status"] == "imputed").sum())
    print_result(
        f"{counted(len(table), 'pair')}, {n_imputed:,} imputed; "
        f"{counted(int(table['peaks'].sum()), 'peak')} at the pairs' own thresholds"
    )
    print_files(files)
