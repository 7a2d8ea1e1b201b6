"""`split`: roles for the pairs of a table, with as many held out as can be."""

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
            help="Tab-separated table: tf, cell, bed, and replicate where a pair has "
            "several rows. A column role does not count."
        ),
    ],
    out: Annotated[Path, typer.Option("-o", "--out", help="Table to write.")],
    valid: Annotated[
        int, typer.Option(min=0, help="Held-out pairs that choose the model (valid2).")
    ] = 20,
    held_out: Annotated[
        int | None,
        typer.Option(
            min=0, help="Hold out so many pairs at most. Default: all that can be."
        ),
    ] = None,
    seed: options.Seed = 0,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace the table if it exists.")
    ] = False,
    as_json: options.Json = False,
) -> None:
    """Hold out pairs so that every TF and cell line is still trained on."""
    import numpy as np

    from tfimpute_tracks.dataset import (
        find_pair_leaks,
        format_pairs_table,
        read_pairs_table,
        split_pairs,
    )
    from tfimpute_tracks.storage import check_writable_dir, digest_file, write_text

    if out.exists() and not overwrite:
        raise UsageError(f"{out} exists; give another -o, or --overwrite to replace it")
    check_writable_dir(out.parent)
    made = split_pairs(
        read_pairs_table(pairs_table, with_roles=False), valid, held_out, seed
    )
    roles = np.array(made.roles)
    leaks = find_pair_leaks(
        made.table.pairs,
        [digest_file(bed) for bed in made.table.beds],
        np.flatnonzero(roles == "base"),
        np.flatnonzero(np.isin(roles, ("valid2", "test3"))),
    )
    write_text(out, format_pairs_table(made.table, out.parent))
    for remark in leaks.messages():
        log(remark, warning=True)
    if made.left_out:
        log(
            f"{len(made.left_out)} replicates of held-out pairs are left out: "
            f"{', '.join(made.left_out)}",
            warning=True,
        )
    summary = {
        "rows": made.counts(),
        "tfs": len(made.table.vocabulary.tfs),
        "cells": len(made.table.vocabulary.cells),
        "needed_in_base": made.n_required,
        "can_be_held_out": made.n_available,
        "left_out": list(made.left_out),
        "seed": seed,
        "leaks": leaks.to_dict(),
        "file": str(out),
    }
    if as_json:
        show_json(summary)
        return
    rows = [[f"role {role}", n] for role, n in made.counts().items()]
    named = ("tfs", "cells", "needed_in_base", "can_be_held_out", "seed")
    rows += [[name.replace("_", " "), summary[name]] for name in named]
    show_table("Pairs", ["what", "number"], rows)
    print_result(str(out))
