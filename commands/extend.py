"""`extend`: add TFs and cell lines to a model, from a few tracks of one's own."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tfimpute_tracks.commands import options
from tfimpute_tracks.commands.console import print_result, progress_bar, show_json
from tfimpute_tracks.commands.tables import show_table

if TYPE_CHECKING:
    from tfimpute_tracks.training.extend_run import Extended

__all__ = ["extend"]


def extend(
    fasta: Annotated[
        Path, typer.Option("-g", "--fasta", help="FASTA file: plain, bgzip or gzip.")
    ],
    out: Annotated[
        Path, typer.Option("-o", "--out", help="Weights to write, .safetensors.")
    ],
    pairs_table: Annotated[
        Path | None,
        typer.Option(
            help="Tab-separated table of your tracks: tf, cell, bed (peak file, relative "
            "to the table). New TFs and cell lines are added to the model."
        ),
    ] = None,
    accessibility: Annotated[
        Path | None,
        typer.Option(
            help="Tab-separated table of ATAC-seq or DNase-seq peaks of new cell lines: "
            "cell, bed."
        ),
    ] = None,
    candidate_sites: Annotated[
        Path | None,
        typer.Option(
            help="BED of open chromatin, the background of the peaks. Default: the sites "
            "that the evidence or --accessibility says are open."
        ),
    ] = None,
    model: options.ModelName = "default",
    evidence: options.Evidence = "auto",
    test_chroms: Annotated[
        str | None,
        typer.Option(
            help="Chromosomes to evaluate at, comma-separated; nothing is fitted to "
            "them. Default: those of the model; where the FASTA has no other, the last "
            "quarter of each chromosome."
        ),
    ] = None,
    cache_dir: options.CacheDir = None,
    seed: options.Seed = 0,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace the weights if they exist.")
    ] = False,
    threads: options.Threads = "max",
    as_json: options.Json = False,
) -> None:
    """Add your TFs and cell lines to a model, from one or a few tracks, in minutes."""
    from tfimpute_tracks.api.extending import run_extension

    found = run_extension(
        fasta,
        out,
        pairs_table=pairs_table,
        accessibility=accessibility,
        candidate_sites=candidate_sites,
        model=model,
        evidence=evidence,
        test_chroms=test_chroms,
        cache_dir=cache_dir,
        seed=seed,
        overwrite=overwrite,
        threads=threads,
        progress=progress_bar,
    )
    _show(found, as_json)


def _show(found: Extended, as_json: bool) -> None:
    if as_json:
        show_json(found.record | {"files": list(map(str, found.files))})
        return
    show_table(
        "New pairs: measured ones on test sites, others as expected",
        ["pairs", "number", "AUROC", "average precision"],
        [_table_row(row) for row in found.record["accuracy"]],
    )
    print_result(" ".join(map(str, found.files)))


def _table_row(row: dict[str, Any]) -> list[Any]:
    means = (
        "-" if row[k] is None else f"{row[k]:.3f}"
        for k in ("auroc", "average_precision")
    )
    return [row["pairs"], row["number"], *means]
