"""`prepare`: a data set to train on, from peaks, background sites and a FASTA."""

from __future__ import annotations

import resource
import time
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from tfimpute_tracks.commands import options
from tfimpute_tracks.commands.console import notify, say, show_json, show_table
from tfimpute_tracks.errors import UsageError

__all__ = ["prepare"]


def prepare(
    fasta: Annotated[
        Path, typer.Option("-g", "--fasta", help="FASTA file: plain, bgzip or gzip.")
    ],
    pairs_table: Annotated[
        Path,
        typer.Option(
            help="Tab-separated table: tf, cell, role (base, valid2, test3), bed (its "
            "peaks, relative to the table)."
        ),
    ],
    background: Annotated[
        Path,
        typer.Option(help="BED of the sites to learn from: DNase hypersensitive ones."),
    ],
    out: Annotated[Path, typer.Option("-o", "--out", help="Data set to write, HDF5.")],
    seq_len: Annotated[int, typer.Option(help="Length of each sequence in bp.")] = 200,
    blacklist: Annotated[
        Path | None, typer.Option(help="BED; sites that touch it are dropped.")
    ] = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace the data set if it exists.")
    ] = False,
    as_json: options.Json = False,
) -> None:
    """Label the sites of a background for every TF and cell line of a table."""
    from tfimpute_tracks.dataset import BuildConfig, build_dataset
    from tfimpute_tracks.storage import check_writable_dir

    if out.exists() and not overwrite:
        raise UsageError(f"{out} exists; give another -o, or --overwrite to replace it")
    check_writable_dir(out.parent)
    began = time.perf_counter()
    config = BuildConfig(seq_len=seq_len)
    report = build_dataset(
        fasta, pairs_table, background, out, config, blacklist, notify
    )
    summary = asdict(report) | {
        "seconds": round(time.perf_counter() - began, 1),
        "peak_memory_gb": _peak_memory_gb(),
        "file_mb": round(out.stat().st_size / 1e6, 1),
        "file": str(out),
    }
    if as_json:
        show_json(summary)
        return
    show_table("Data set", ["what", "value"], _rows(summary))
    say(str(out))


def _peak_memory_gb() -> float:
    # Linux counts in KiB.
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return round(peak * 1024 / 1e9, 2)


def _rows(summary: dict[str, Any]) -> list[list[Any]]:
    named = {name: value for name, value in summary.items() if name != "file"}
    dropped = named.pop("dropped")
    rows = [[name.removeprefix("n_"), value] for name, value in named.items()]
    rows += [[f"dropped: {reason}", number] for reason, number in dropped.items()]
    return [[name.replace("_", " "), value] for name, value in rows]
