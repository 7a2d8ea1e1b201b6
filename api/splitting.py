"""Pairs held out of a pairs table: inputs, and one call."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tfimpute_tracks.api.notes import log
from tfimpute_tracks.api.values import as_path, check_wholes
from tfimpute_tracks.dataset import format_pairs_table, read_pairs_table, split_pairs
from tfimpute_tracks.errors import UsageError, counted
from tfimpute_tracks.storage import check_output_dir, write_text

__all__ = ["split_table"]


def split_table(
    pairs_table: str | Path,
    out: str | Path,
    *,
    valid: int = 20,
    held_out: int | None = None,
    seed: int = 0,
    overwrite: bool = False,
) -> dict[str, Any]:
    """Hold out pairs so that every TF and cell line is still trained on.

    Parameters
    ----------
    pairs_table : str or Path
        Tab-separated table: tf, cell, bed, and replicate where a pair has several rows.
    out : str or Path
        The table with roles.
    valid : int
        Held-out pairs for model selection (role valid2).
    held_out : int, optional
        Maximum number of pairs to hold out; by default as many as possible.
    seed : int
    overwrite : bool
        Replace the table if it exists.

    Returns
    -------
    dict
        Numbers of rows by role (`rows`), of TFs and cell lines, what the held-out pairs
        share with others (`leaks`), and the file.

    Raises
    ------
    UsageError, InputFileError, OutputError, WriteError
        A value is invalid, the table cannot be read, or the file exists.

    Examples
    --------
    >>> from tfimpute_tracks.api.splitting import split_table
    >>> split_table("all-pairs.tsv", "pairs.tsv", valid=0)["rows"]
    {'base': 2, 'test3': 2}
    """
    source, dest = as_path(pairs_table, "pairs_table"), as_path(out, "out")
    check_wholes(0, valid=valid, held_out=held_out, seed=seed)
    if dest.exists() and not overwrite:
        raise UsageError(f"{dest} exists; use another -o, or --overwrite to replace it")
    check_output_dir(dest.parent)
    table = read_pairs_table(source, with_roles=False)
    made = split_pairs(table, valid, held_out, seed)
    leaks = made.leaks()
    write_text(dest, format_pairs_table(made.table, dest.parent))
    for message in leaks.messages():
        log(message, warning=True)
    if made.dropped_replicates:
        log(
            f"left out: {counted(len(made.dropped_replicates), 'replicate')} of held-out "
            f"pairs: {', '.join(made.dropped_replicates)}",
            warning=True,
        )
    return {
        "rows": made.counts(),
        "tfs": len(made.table.vocabulary.tfs),
        "cells": len(made.table.vocabulary.cells),
        "required_in_base": made.n_required,
        "can_be_held_out": made.n_available,
        "dropped_replicates": list(made.dropped_replicates),
        "seed": seed,
        "leaks": leaks.to_dict(),
        "file": str(dest),
    }
