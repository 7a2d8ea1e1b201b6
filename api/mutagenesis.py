"""In-silico saturation mutagenesis of a region: inputs, and one call."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from tfimpute_tracks.api.evidence_choice import say_sequence_only
from tfimpute_tracks.api.inputs import check_bundled, choose_genome, one_region
from tfimpute_tracks.api.notes import log
from tfimpute_tracks.api.pair_choice import Pairs, choose_pairs
from tfimpute_tracks.api.progress import ProgressBar, no_progress
from tfimpute_tracks.api.threads import limit_threads
from tfimpute_tracks.api.values import (
    as_path,
    check_model,
    check_texts,
    optional_path,
)
from tfimpute_tracks.errors import UsageError, counted
from tfimpute_tracks.genome import parse_region
from tfimpute_tracks.models import load_model
from tfimpute_tracks.storage import check_output_dir
from tfimpute_tracks.variants.mutagenesis import MutagenesisScores, score_substitutions
from tfimpute_tracks.variants.mutagenesis_files import write_mutagenesis
from tfimpute_tracks.vocabulary import Pair

__all__ = ["Mutated", "mutate_region"]

_MAX_PAIRS = 40


class Mutated(NamedTuple):
    """Scores of the substitutions of a region.

    Attributes
    ----------
    scores : MutagenesisScores
    pairs : list of Pair
    status : list of str
        Of each pair.
    files : list of Path
    """

    scores: MutagenesisScores
    pairs: list[Pair]
    status: list[str]
    files: list[Path]


def mutate_region(
    region: str | tuple[str, int, int],
    out_dir: str | Path,
    *,
    tf: str | None = None,
    cell: str | None = None,
    pairs: Pairs | None = None,
    fasta: str | Path | None = None,
    model: str | Path = "default",
    threads: int | str = "max",
    cache_dir: str | Path | None = None,
    progress: ProgressBar = no_progress,
) -> Mutated:
    """Score every substitution of a region, and write tables and figures.

    Parameters
    ----------
    region : str or (chrom, start, end)
        A text is 1-based with both ends included; a tuple is 0-based and half-open. At
        most 2,000 bp.
    out_dir : str or Path
    tf, cell : str, optional
        One pair.
    pairs : optional
        As for :meth:`tfimpute_tracks.Model.scan`; at most 40.
    fasta : str or Path, optional
        None: the bundled example region.
    model : str or Path
    threads : int or "max"
    cache_dir : str or Path, optional
    progress : ProgressBar

    Returns
    -------
    Mutated

    Raises
    ------
    UsageError, UnknownNameError, RegionError, InputFileError
        A value, name, region or file is wrong.
    OutputError, WriteError
        A file cannot be written.

    Examples
    --------
    >>> from tfimpute_tracks.api.mutagenesis import mutate_region
    >>> done = mutate_region(
    ...     "chr20:48,599,600-48,599,620", "mutated", tf="CTCF", cell="K562"
    ... )
    >>> lowest, highest = done.scores.extremes(0)
    >>> lowest[1] < 0 < highest[1]
    True
    """
    folder, fasta = as_path(out_dir, "out_dir"), optional_path(fasta, "fasta")
    cache_dir = optional_path(cache_dir, "cache_dir")
    check_model(model)
    check_texts(tf=tf, cell=cell)
    written = one_region(region)
    loaded = load_model(model)
    chosen = choose_pairs(loaded.vocabulary, tf, cell, pairs)
    if len(chosen) > _MAX_PAIRS:
        raise UsageError(
            f"{len(chosen)} pairs, and each gets a figure; use at most {_MAX_PAIRS} "
            "with --pairs"
        )
    with limit_threads(threads) as n_threads:
        genome = choose_genome(fasta, loaded, cache_dir)
        where = parse_region(written, genome.chrom_sizes)
        if fasta is None:
            check_bundled([where])
        check_output_dir(folder)
        n_bp = where.end - where.start
        log(
            f"{where}, {n_bp:,} bp, {counted(len(chosen), 'pair')}, model {loaded.name}, "
            f"{counted(n_threads, 'thread')}"
        )
        say_sequence_only(loaded, "comparing bases")
        with progress("substitutions", n_bp, "bp") as advance:
            scores = score_substitutions(
                loaded, chosen, genome, where, n_threads, advance
            )
        files = write_mutagenesis(scores, loaded, chosen, genome, folder)
    _warn(scores)
    return Mutated(scores, chosen, [loaded.status(pair) for pair in chosen], files)


def _warn(scores: MutagenesisScores) -> None:
    """Warn of positions without scores."""
    n_unscored = len(scores.codes) - scores.n_unknown - int(scores.is_scored.sum())
    for n, why in (
        (scores.n_unknown, "unknown base (N)"),
        (n_unscored, "the sequence around them is unknown (N)"),
    ):
        if n:
            log(f"{counted(n, 'position')} skipped: {why}", warning=True)
