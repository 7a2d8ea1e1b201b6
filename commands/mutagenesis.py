"""`mutagenesis`: score every substitution of a region in silico."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tfimpute_tracks.commands import options
from tfimpute_tracks.commands.console import print_files, progress_bar, show_json
from tfimpute_tracks.commands.tables import show_table

if TYPE_CHECKING:
    from tfimpute_tracks.api.mutagenesis import Mutated

__all__ = ["mutagenesis"]


def mutagenesis(
    region: Annotated[
        str,
        typer.Option(
            "-r",
            "--region",
            help="chr:start-end (1-based, inclusive), at most 2,000 bp.",
        ),
    ],
    tf: options.Tf = None,
    cell: options.Cell = None,
    pairs: options.Pairs = None,
    fasta: options.Fasta = None,
    out_dir: options.OutDir = Path("mutagenesis-out"),
    model: options.ModelName = "default",
    threads: options.Threads = "max",
    cache_dir: options.CacheDir = None,
    as_json: options.Json = False,
) -> None:
    """In-silico saturation mutagenesis: score every substitution of a region."""
    from tfimpute_tracks.api.mutagenesis import mutate_region

    done = mutate_region(
        region,
        out_dir,
        tf=tf,
        cell=cell,
        pairs=pairs,
        fasta=fasta,
        model=model,
        threads=threads,
        cache_dir=cache_dir,
        progress=progress_bar,
    )
    _report(done, as_json)


def _report(done: Mutated, as_json: bool) -> None:
    scores = done.scores
    rows: list[list[Any]] = []
    for i, (pair, status) in enumerate(zip(done.pairs, done.status, strict=True)):
        rows.append([str(pair), status])
        for variant, change in scores.extremes(i):
            rows[-1] += [str(variant), round(change, 4)]
    if as_json:
        names = (
            *("pair", "status", "lowest", "lowest_log_odds"),
            *("highest", "highest_log_odds"),
        )
        n_scored = int(scores.is_scored.sum())
        show_json(
            {
                "region": str(scores.region),
                "scored": n_scored,
                "unknown": scores.n_unknown,
                "without_score": len(scores.codes) - scores.n_unknown - n_scored,
                "pairs": [dict(zip(names, row, strict=True)) for row in rows],
                "files": done.files,
            }
        )
        return
    header = ["pair", "status", "largest decrease", "log-odds"]
    header += ["largest increase", "log-odds"]
    show_table("", header, rows)
    print_files(done.files)
