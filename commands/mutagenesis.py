"""`saturate`: every substitution of a region, and what it does to a pair."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tfimpute_tracks.commands import options
from tfimpute_tracks.commands.console import (
    log,
    print_result,
    progress_bar,
    show_json,
    show_table,
)
from tfimpute_tracks.errors import UsageError

if TYPE_CHECKING:
    from tfimpute_tracks.models import Model
    from tfimpute_tracks.variants.mutagenesis import Saturation
    from tfimpute_tracks.vocabulary import Pair

__all__ = ["saturate"]

_MOST_PAIRS = 40


def saturate(
    region: Annotated[
        str,
        typer.Option(
            "-r",
            "--region",
            "--regions",
            help="chr:start-end (1-based, inclusive), 2,000 bp at most.",
        ),
    ],
    tf: options.Tf = None,
    cell: options.Cell = None,
    pairs: options.Pairs = None,
    fasta: options.Fasta = None,
    out_dir: options.OutDir = Path("saturate-out"),
    model: options.ModelName = "default",
    threads: options.Threads = "max",
    cache_dir: options.CacheDir = None,
    as_json: options.Json = False,
) -> None:
    """Change every letter of a region to every other: a table, tracks and pictures."""
    from tfimpute_tracks.commands import inputs
    from tfimpute_tracks.genome import parse_region
    from tfimpute_tracks.models import load_model
    from tfimpute_tracks.storage import check_writable_dir
    from tfimpute_tracks.variants.mutagenesis import saturate as run
    from tfimpute_tracks.variants.mutagenesis_files import write_saturation

    loaded = load_model(model)
    chosen = inputs.choose_pairs(loaded.vocabulary, tf, cell, pairs)
    if len(chosen) > _MOST_PAIRS:
        raise UsageError(
            f"{len(chosen)} pairs, each with a picture; at most {_MOST_PAIRS}: name "
            "some with --pairs"
        )
    n_threads = inputs.set_threads(threads)
    genome = inputs.choose_genome(fasta, loaded, cache_dir)
    where = parse_region(region, genome.chrom_sizes)
    check_writable_dir(out_dir)
    n_bp = where.end - where.start
    log(
        f"{where}, {n_bp:,} bp, {len(chosen)} pair(s), model {loaded.name}, "
        f"{n_threads} thread(s)"
    )
    with progress_bar("substitutions", n_bp, "bp") as advance:
        found = run(loaded, chosen, genome, where, n_threads, lambda n: advance(n, ""))
    files = write_saturation(found, loaded, chosen, genome, out_dir)
    _tell(found, loaded, chosen, as_json, files)


def _tell(
    found: Saturation,
    model: Model,
    pairs: list[Pair],
    as_json: bool,
    files: list[Path],
) -> None:
    n_scored, n_unknown = int(found.is_scored.sum()), found.n_unknown
    n_far = len(found.codes) - n_unknown - n_scored
    if n_unknown:
        log(f"{n_unknown:,} letters left out: unknown (N)", warning=True)
    if n_far:
        log(
            f"{n_far:,} letters left out: no tile that holds them has a score, at an "
            "end of the chromosome or beside unknown sequence",
            warning=True,
        )
    rows: list[list[Any]] = []
    for i, pair in enumerate(pairs):
        rows.append([str(pair), model.status(pair)])
        for variant, change in found.extremes(i):
            rows[-1] += [str(variant), round(change, 4)]
    if as_json:
        names = (
            *("pair", "status", "lowest", "lowest_log_odds"),
            *("highest", "highest_log_odds"),
        )
        show_json(
            {
                "region": str(found.region),
                "scored": n_scored,
                "unknown": n_unknown,
                "without_score": n_far,
                "pairs": [dict(zip(names, row, strict=True)) for row in rows],
                "files": [str(file) for file in files],
            }
        )
        return
    head = ["pair", "status", "lowers most", "log-odds", "raises most", "log-odds"]
    show_table("", head, rows)
    print_result(" ".join(map(str, files)))
