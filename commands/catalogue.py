"""`catalogue`: what a bulk store holds, as a table and a map."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tfimpute_tracks.commands import options
from tfimpute_tracks.commands.console import log, print_result, show_json
from tfimpute_tracks.errors import UsageError

__all__ = ["catalogue"]


def catalogue(
    store: options.StoreDir,
    out_dir: options.OutDir = Path("catalogue"),
    tracks: Annotated[
        Path | None,
        typer.Option(help="A folder that `export` wrote, to name its files."),
    ] = None,
    form: Annotated[str, typer.Option("--format", help="tsv or parquet.")] = "tsv",
    similarity: Annotated[
        bool,
        typer.Option(
            "--map/--no-map", help="Also lay out which pairs look alike, as a picture."
        ),
    ] = True,
    seed: options.Seed = 0,
    as_json: options.Json = False,
) -> None:
    """Write a table of all pairs of a store, and a map of which look alike."""
    from tfimpute_tracks.impute.catalogue import make_catalogue
    from tfimpute_tracks.impute.similarity import draw_map, make_map
    from tfimpute_tracks.impute.store import Store
    from tfimpute_tracks.storage import check_writable_dir
    from tfimpute_tracks.storage.dataframe_io import write_frame

    if form not in {"tsv", "parquet"}:
        raise UsageError(f"--format {form!r}; give tsv or parquet")
    if tracks is not None and not tracks.is_dir():
        raise UsageError(f"--tracks {tracks} is no folder; give one `export` wrote")
    opened = Store(store)
    check_writable_dir(out_dir)
    table = make_catalogue(opened, tracks)
    files = [out_dir / f"catalogue.{form}"]
    write_frame(files[0], table, None)
    if similarity:
        log(f"laying out {len(table):,} pairs")
        layout = make_map(opened, seed)
        files += [out_dir / f"similarity.{form}", out_dir / "similarity.png"]
        write_frame(files[1], layout, None)
        draw_map(files[2], layout)
    if as_json:
        show_json({"pairs": len(table), "files": [str(file) for file in files]})
        return
    n_imputed = int((table["status"] == "imputed").sum())
    print_result(
        f"{len(table):,} pairs, {n_imputed:,} imputed; {int(table['peaks'].sum()):,} "
        "peaks at the pairs' own thresholds"
    )
    print_result(" ".join(str(file) for file in files))
