"""`split`: assign roles to the pairs of a table, with as many held out as possible."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tfimpute_tracks.commands import options
from tfimpute_tracks.commands.console import print_result, show_json
from tfimpute_tracks.commands.tables import show_table

__all__ = ["split"]


def split(
    pairs_table: Annotated[
        Path,
        typer.Argument(
            help="Tab-separated table: tf, cell, bed, and replicate where a pair "
            "has several rows. A column role is ignored."
        ),
    ],
    out: Annotated[Path, typer.Option("-o", "--out", help="Table to write.")],
    valid: Annotated[
        int,
        typer.Option(
            min=0, help="Number of held-out pairs for model selection (role valid2)."
        ),
    ] = 20,
    held_out: Annotated[
        int | None,
        typer.Option(
            min=0,
            help="Maximum number of pairs to hold out. Default: as many as possible.",
        ),
    ] = None,
    seed: options.Seed = 0,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace the table if it exists.")
    ] = False,
    as_json: options.Json = False,
) -> None:
    """Hold out pairs so that every TF and cell line is still trained on."""
    from tfimpute_tracks.api.splitting import split_table

    summary = split_table(
        pairs_table,
        out,
        valid=valid,
        held_out=held_out,
        seed=seed,
        overwrite=overwrite,
    )
    if as_json:
        show_json(summary)
        return
    rows = [[f"role {role}", n] for role, n in summary["rows"].items()]
    names = ("tfs", "cells", "required_in_base", "can_be_held_out", "seed")
    rows += [[name.replace("_", " "), summary[name]] for name in names]
    show_table("Pairs", ["what", "number"], rows)
    print_result(str(out))
