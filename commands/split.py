"""`split`: assign roles to the pairs of a table, with as many held out as possible."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tfimpute_tracks.commands import options
from tfimpute_tracks.commands.console import log, print_result, show_json, show_table
from tfimpute_tracks.errors import UsageError

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
    from tfimpute_tracks.dataset import (
        format_pairs_table,
        read_pairs_table,
        split_pairs,
    )
    from tfimpute_tracks.storage import check_output_dir, write_text

    if out.exists() and not overwrite:
        raise UsageError(f"{out} exists; use another -o, or --overwrite to replace it")
    check_output_dir(out.parent)
    table = read_pairs_table(pairs_table, with_roles=False)
    made = split_pairs(table, valid, held_out, seed)
    leaks = made.leaks()
    write_text(out, format_pairs_table(made.table, out.parent))
    for message in leaks.messages():
        log(message, warning=True)
    if made.dropped_replicates:
        log(
            f"{len(made.dropped_replicates)} replicates of held-out pairs are dropped: "
            f"{', '.join(made.dropped_replicates)}",
            warning=True,
        )
    summary = {
        "rows": made.counts(),
        "tfs": len(made.table.vocabulary.tfs),
        "cells": len(made.table.vocabulary.cells),
        "required_in_base": made.n_required,
        "can_be_held_out": made.n_available,
        "dropped_replicates": list(made.dropped_replicates),
        "seed": seed,
        "leaks": leaks.to_dict(),
        "file": str(out),
    }
    if as_json:
        show_json(summary)
        return
    rows = [[f"role {role}", n] for role, n in made.counts().items()]
    names = ("tfs", "cells", "required_in_base", "can_be_held_out", "seed")
    rows += [[name.replace("_", " "), summary[name]] for name in names]
    show_table("Pairs", ["what", "number"], rows)
    print_result(str(out))
