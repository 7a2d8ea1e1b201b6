"""`mutagenesis`: score every substitution of a region in silico."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tfimpute_tracks.commands import options
from tfimpute_tracks.commands.console import (
    log,
    print_files,
    progress_bar,
    show_json,
    show_table,
)
from tfimpute_tracks.errors import UsageError, counted

if TYPE_CHECKING:
    from tfimpute_tracks.models import Model
    from tfimpute_tracks.variants.mutagenesis import MutagenesisScores
    from tfimpute_tracks.vocabulary import Pair

__all__ = ["mutagenesis"]

_MAX_PAIRS = 40


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
    from tfimpute_tracks.api import inputs
    from tfimpute_tracks.api.evidence_choice import say_sequence_only
    from tfimpute_tracks.api.pair_choice import choose_pairs
    from tfimpute_tracks.api.threads import set_threads
    from tfimpute_tracks.genome import parse_region
    from tfimpute_tracks.models import load_model
    from tfimpute_tracks.storage import check_output_dir
    from tfimpute_tracks.variants.mutagenesis import score_substitutions
    from tfimpute_tracks.variants.mutagenesis_files import write_mutagenesis

    loaded = load_model(model)
    chosen = choose_pairs(loaded.vocabulary, tf, cell, pairs)
    if len(chosen) > _MAX_PAIRS:
        raise UsageError(
            f"{len(chosen)} pairs, and each gets a figure; use at most {_MAX_PAIRS} "
            "with --pairs"
        )
    n_threads = set_threads(threads)
    genome = inputs.choose_genome(fasta, loaded, cache_dir)
    where = parse_region(region, genome.chrom_sizes)
    check_output_dir(out_dir)
    n_bp = where.end - where.start
    log(
        f"{where}, {n_bp:,} bp, {counted(len(chosen), 'pair')}, model {loaded.name}, "
        f"{counted(n_threads, 'thread')}"
    )
    say_sequence_only(loaded, "comparing bases")
    with progress_bar("substitutions", n_bp, "bp") as advance:
        scores = score_substitutions(loaded, chosen, genome, where, n_threads, advance)
    files = write_mutagenesis(scores, loaded, chosen, genome, out_dir)
    _report(scores, loaded, chosen, as_json, files)


def _report(
    scores: MutagenesisScores,
    model: Model,
    pairs: list[Pair],
    as_json: bool,
    files: list[Path],
) -> None:
    n_scored, n_unknown = int(scores.is_scored.sum()), scores.n_unknown
    n_unscored = len(scores.codes) - n_unknown - n_scored
    if n_unknown:
        log(f"{counted(n_unknown, 'position')} skipped: unknown base (N)", warning=True)
    if n_unscored:
        log(
            f"{counted(n_unscored, 'position')} skipped: the sequence around them is "
            "unknown (N)",
            warning=True,
        )
    rows: list[list[Any]] = []
    for i, pair in enumerate(pairs):
        rows.append([str(pair), model.status(pair)])
        for variant, change in scores.extremes(i):
            rows[-1] += [str(variant), round(change, 4)]
    if as_json:
        names = (
            *("pair", "status", "lowest", "lowest_log_odds"),
            *("highest", "highest_log_odds"),
        )
        show_json(
            {
                "region": str(scores.region),
                "scored": n_scored,
                "unknown": n_unknown,
                "without_score": n_unscored,
                "pairs": [dict(zip(names, row, strict=True)) for row in rows],
                "files": files,
            }
        )
        return
    header = ["pair", "status", "largest decrease", "log-odds"]
    header += ["largest increase", "log-odds"]
    show_table("", header, rows)
    print_files(files)
