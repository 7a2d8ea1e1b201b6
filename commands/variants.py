"""`variants`: effects of the alleles of a VCF, or of a table, on binding."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from tfimpute_tracks.commands import options
from tfimpute_tracks.commands.console import (
    log,
    print_files,
    print_result,
    progress_bar,
    show_json,
)
from tfimpute_tracks.commands.one_variant import (
    is_one_variant,
    show_variant,
    summarize_variant,
)
from tfimpute_tracks.errors import RunError, UsageError, counted, listed

if TYPE_CHECKING:
    from tfimpute_tracks.genome import Sequences
    from tfimpute_tracks.variants.job import BackgroundOptions, VariantRun
    from tfimpute_tracks.variants.records import Source

__all__ = ["variants"]

_MIN_MATCH = 0.9  # fraction of reference alleles that agree with the genome
_MANY_PAIRS = 1000
_MIN_DELTA = 0.001  # default for many pairs
_N_BACKGROUND, _N_BACKGROUND_MANY = 1000, 200
_SMALL_BACKGROUND = 100  # fewer variants give coarse quantiles


def variants(
    source: Annotated[
        str,
        typer.Argument(
            metavar="FILE|VARIANT",
            help="VCF or BCF (.vcf, .vcf.gz, .bcf), or a tab-separated table with the "
            "columns chrom, pos (1-based), ref, alt and optionally id; - for a VCF on "
            "standard input. Or one variant, such as chr20:48807376:G:A, without --tf "
            "and --cell for every pair; what changes most is printed.",
        ),
    ],
    tf: options.Tf = None,
    cell: options.Cell = None,
    pairs: options.Pairs = None,
    every: Annotated[bool, typer.Option("--all", help="Score every pair.")] = False,
    fasta: options.Fasta = None,
    out_dir: options.OutDir = Path("variants-out"),
    model: options.ModelName = "default",
    min_delta: Annotated[
        float | None,
        typer.Option(
            min=0,
            max=1,
            help="Omit rows with a smaller change in probability. Default: 0, or "
            f"{_MIN_DELTA} for more than {_MANY_PAIRS:,} pairs.",
        ),
    ] = None,
    table_format: Annotated[
        Literal["tsv", "parquet"],
        typer.Option("--format", help="Format of the table of effects."),
    ] = "tsv",
    wide: Annotated[
        bool,
        typer.Option("--wide", help="One row per allele, with a delta for each pair."),
    ] = False,
    n_background: Annotated[
        int | None,
        typer.Option(
            min=0,
            max=20_000,
            help="Number of matched background variants, among which each effect is "
            f"ranked; 0 for none. Default: {_N_BACKGROUND:,}, or "
            f"{_N_BACKGROUND_MANY} for more than {_MANY_PAIRS:,} pairs.",
        ),
    ] = None,
    background_regions: Annotated[
        Path | None,
        typer.Option(
            help="BED file of the regions from which background variants are drawn, "
            "such as accessible sites."
        ),
    ] = None,
    seed: options.Seed = 0,
    stride: Annotated[
        int,
        typer.Option(
            min=1,
            max=100,
            help="Distance between tile starts, in bp; 10 halves the run time.",
        ),
    ] = 5,
    write_tracks: Annotated[
        bool,
        typer.Option(
            "--write-tracks",
            help="Write bigWigs of both alleles and of their difference, for up to 20 "
            "pairs.",
        ),
    ] = False,
    n_annotated: Annotated[
        int,
        typer.Option(min=1, help="Pairs listed for each allele in the annotated VCF."),
    ] = 10,
    heatmaps: Annotated[
        int,
        typer.Option(
            min=0,
            max=100,
            help="Draw a heatmap of TFs by cell lines for the first N alleles.",
        ),
    ] = 0,
    fix_ref: Annotated[
        bool,
        typer.Option(
            "--fix-ref", help="Swap REF and ALT if the genome has the alternate allele."
        ),
    ] = False,
    threads: options.Threads = "max",
    cache_dir: options.CacheDir = None,
    as_json: options.Json = False,
) -> None:
    """Score both alleles of variants: tables of effects and an annotated VCF."""
    from tfimpute_tracks.api import inputs
    from tfimpute_tracks.api.evidence_choice import say_sequence_only
    from tfimpute_tracks.api.pair_choice import choose_many_pairs
    from tfimpute_tracks.models import load_model
    from tfimpute_tracks.variants.job import BackgroundOptions, VariantJob
    from tfimpute_tracks.variants.run import run_variants
    from tfimpute_tracks.variants.tables import Layout, check_layout

    loaded = load_model(model)
    is_one = is_one_variant(source)
    if is_one and not (tf or cell or pairs):
        every = True
    if not (every or tf or cell or pairs):
        raise UsageError(
            "no pairs selected; use --tf and --cell, one of them for all its pairs, "
            "--pairs, or --all"
        )
    chosen = choose_many_pairs(loaded, False, every, (tf, cell, pairs))
    is_many = len(chosen) > _MANY_PAIRS
    layout = Layout(table_format, wide, _choose_min_delta(min_delta, len(chosen), wide))
    check_layout(layout, len(chosen))
    if n_background is None:
        n_background = _N_BACKGROUND_MANY if is_many else _N_BACKGROUND
    background = BackgroundOptions(n_background, seed, background_regions)
    _check_options(len(chosen), write_tracks, background)
    n_threads = inputs.set_threads(threads)
    genome = inputs.choose_genome(fasta, loaded, cache_dir)
    with _open_source(source, is_one, genome, out_dir) as opened:
        log(
            f"{counted(len(chosen), 'pair')}, model {loaded.name}, "
            f"{counted(n_threads, 'thread')}"
        )
        say_sequence_only(loaded, "comparing alleles")
        job = VariantJob(
            *(loaded, chosen, opened, out_dir, layout, background),
            *(n_annotated, fix_ref, n_threads, heatmaps, stride, write_tracks),
        )
        _warn_assembly(opened, genome)
        run = run_variants(job, genome, progress_bar)
    summary = None
    if is_one and run.first is not None:
        summary = summarize_variant(run.first, chosen, loaded)
    _report(run, background, summary, as_json)
    if not run.counts.n_scored:
        raise RunError(
            f"no allele of {opened.label} could be scored; {run.files[1]} lists the "
            "reason for each"
        )


@contextmanager
def _open_source(
    text: str, is_one: bool, genome: Sequences, out_dir: Path
) -> Iterator[Source]:
    """Find what to score; its variant is checked before a folder is made."""
    from tfimpute_tracks.storage import check_writable_dir
    from tfimpute_tracks.variants.alleles import parse_variant
    from tfimpute_tracks.variants.records import Source, spool_stdin

    source = Source.of(Path(text))
    if is_one:
        source = Source.of_variant(parse_variant(text, genome))
    check_writable_dir(out_dir)
    with ExitStack() as stack:
        if text == "-":
            source = stack.enter_context(spool_stdin(sys.stdin.buffer, out_dir))
        yield source


def _warn_assembly(source: Source, genome: Sequences) -> None:
    """Warn of a VCF that declares chromosomes of another length than the genome's."""
    from tfimpute_tracks.genome import check_build, known_build
    from tfimpute_tracks.variants.records import declared_sizes

    sizes = declared_sizes(source)
    differences = check_build(sizes, genome.chrom_sizes)
    if differences:
        name = known_build(sizes, {}) or "another assembly"
        log(
            f"{source.label} is of {name} by its header, and not of {genome.name}: "
            f"{listed(differences, 2, '; ')}; use the FASTA of its assembly",
            warning=True,
        )


def _choose_min_delta(asked: float | None, n_pairs: int, wide: bool) -> float:
    if asked is not None:
        return asked
    if wide or n_pairs <= _MANY_PAIRS:
        return 0.0
    log(
        f"{counted(n_pairs, 'pair')}: omitting rows with a change in probability below "
        f"{_MIN_DELTA}; use --min-delta 0 to keep all rows"
    )
    return _MIN_DELTA


def _check_options(
    n_pairs: int, write_tracks: bool, background: BackgroundOptions
) -> None:
    from tfimpute_tracks.variants.allele_tracks import MAX_PAIRS

    if write_tracks and n_pairs > MAX_PAIRS:
        raise UsageError(
            f"--write-tracks with {n_pairs:,} pairs, three files each; select at most "
            f"{MAX_PAIRS} with --pairs, or --tf and --cell"
        )
    if background.regions is not None and not background.n:
        raise UsageError(
            f"--background-regions {background.regions} with --n-background 0; omit one "
            "of them"
        )


def _report(
    run: VariantRun,
    background: BackgroundOptions,
    one: dict[str, Any] | None,
    as_json: bool,
) -> None:
    counts = run.counts
    for reason, n in counts.skipped.most_common():
        log(f"{counted(n, 'allele')} not scored: {reason}", warning=True)
    if counts.n_scored and run.n_background < min(background.n, _SMALL_BACKGROUND):
        log(
            f"only {run.n_background:,} matched background variants were found near the "
            "variants: quantiles are coarse",
            warning=True,
        )
    renamed = [
        f"{theirs} to {ours}"
        for theirs, ours in counts.chroms.items()
        if ours not in (None, theirs)
    ]
    if renamed:
        log(f"renamed {listed(renamed, 3)}, as in the FASTA")
    match = counts.reference_match
    if match is not None and match < _MIN_MATCH:
        log(
            f"only {match:.1%} of the reference alleles agree with the genome: are the "
            "variants of another assembly, or are alleles swapped (--fix-ref)?",
            warning=True,
        )
    if as_json:
        show_json(
            {
                **(one or {}),
                "scored": counts.n_scored,
                "swapped": counts.n_swapped,
                "skipped": dict(counts.skipped),
                "reference_match": match,
                "background": run.n_background,
                "files": run.files,
            }
        )
        return
    if one:
        show_variant(one)
        print_files(run.files)
        return
    agree = "an unknown fraction" if match is None else f"{match:.1%}"
    print_result(
        f"{counted(counts.n_scored, 'allele')} scored ({counts.n_swapped:,} after "
        f"swapping REF and ALT), {sum(counts.skipped.values()):,} skipped; "
        f"{agree} of the reference alleles agree with the genome"
    )
    print_files(run.files)
