"""`info`: lists of models, TFs, cell lines and pairs."""

from __future__ import annotations

import sys
from typing import Annotated, Any, Literal

import typer

from tfimpute_tracks.commands import options
from tfimpute_tracks.commands.console import log, print_result, show_json
from tfimpute_tracks.commands.tables import show_table
from tfimpute_tracks.errors import counted

__all__ = ["info"]

_SHOWN = 40  # rows on a terminal; a file or a pipe gets all
_NOUNS = {"models": "model", "tfs": "TF", "cells": "cell line", "pairs": "pair"}
_TITLES = {
    "tile": "tile (bp)",
    "stride": "stride (bp)",
    "context": "context (bp)",
    "kib": "size (KiB)",
    "expression": "RNA (log2 of TPM + 1)",
}
_ALWAYS = {"model", "tf", "cell", "status", "auroc", "expected auroc", "threshold"}


def info(
    topic: Annotated[
        Literal["models", "tfs", "cells", "pairs"], typer.Argument(help="What to list.")
    ] = "models",
    model: options.ModelName = "default",
    evidence: Annotated[
        Literal["auto", "none"],
        typer.Option(
            "-e",
            "--evidence",
            help="What TFs, cell lines and pairs are listed for. auto: predictions with "
            "evidence, if the model has weights that read it. none: sequence only.",
        ),
    ] = "auto",
    tf: options.Tf = None,
    cell: options.Cell = None,
    as_json: options.Json = False,
) -> None:
    """List models, TFs, cell lines or pairs, with status and expected accuracy."""
    from tfimpute_tracks.api.listing import list_records

    records = list_records(topic, model=model, evidence=evidence, tf=tf, cell=cell)
    if as_json:
        show_json(records)
        return
    columns = list(records[0])
    is_long = len(records) > _SHOWN and sys.stdout.isatty()
    rows = [
        [_shown(name, record[name]) for name in columns]
        for record in (records[:_SHOWN] if is_long else records)
    ]
    titles = [_TITLES.get(name, name.replace("_", " ")) for name in columns]
    optional = [title for title in reversed(titles) if title not in _ALWAYS]
    show_table("", titles, rows, optional)
    print_result(counted(len(records), _NOUNS[topic]))
    if topic == "models":
        log(
            "AUROC: mean over pairs, at open-chromatin sites of chr20. Held out: 57 pairs "
            "that the two held-out models were not trained on; the other two were"
        )
    if is_long:
        log(
            f"the first {_SHOWN} are shown; select with --tf and --cell, or write all to "
            f"a file: tfimpute-tracks info {topic} > {topic}.txt"
        )


def _shown(column: str, value: Any) -> Any:
    if value is None:
        return "-"
    # Of a TF that binds few sites they are small.
    is_threshold = column == "threshold" or column.startswith("fdr")
    return f"{value:.6g}" if is_threshold else value
