"""`variants`: what the alleles of a VCF or of a table do to binding."""

from __future__ import annotations

import sys
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, NamedTuple

import typer

from tfimpute_tracks.commands import options
from tfimpute_tracks.commands.console import log, print_result, progress_bar, show_json
from tfimpute_tracks.errors import RunError, UsageError, listed

if TYPE_CHECKING:
    from tfimpute_tracks.genome import Sequences
    from tfimpute_tracks.variants.background import Background
    from tfimpute_tracks.variants.matched_background import VariantSample
    from tfimpute_tracks.variants.run import VariantJob, VariantRun
    from tfimpute_tracks.variants.validate import Counts

__all__ = ["variants"]

_FEW = 0.9  # share of references that are the genome's, of a file of the same assembly
_MANY_PAIRS, _LEAST = 1000, 0.05  # pairs of which small changes are not written unasked
_WANTED, _WANTED_OF_MANY = 1000, 200  # background variants
_SMALL = 100  # background variants, of which a quantile tells little


class _Background(NamedTuple):
    wanted: int
    seed: int
    within: Path | None


def variants(
    source: Annotated[
        Path,
        typer.Argument(
            allow_dash=True,
            help="VCF or BCF (.vcf, .vcf.gz, .bcf), or a tab-separated table with the "
            "columns chrom, pos (from 1), ref, alt and, if any, id. - for a VCF on "
            "standard input.",
        ),
    ],
    tf: options.Tf = None,
    cell: options.Cell = None,
    pairs: options.Pairs = None,
    every: Annotated[
        bool, typer.Option("--all", help="Every pair, measured or not.")
    ] = False,
    fasta: options.Fasta = None,
    out_dir: options.OutDir = Path("variants-out"),
    model: options.ModelName = "default",
    min_delta: Annotated[
        float | None,
        typer.Option(
            min=0,
            max=1,
            help="Leave rows out whose probability changes by less. Default: 0, of "
            f"more than {_MANY_PAIRS:,} pairs {_LEAST}.",
        ),
    ] = None,
    table_format: Annotated[
        Literal["tsv", "parquet"], typer.Option("--format", help="Of the effects.")
    ] = "tsv",
    wide: Annotated[
        bool, typer.Option("--wide", help="A row per allele, a delta per pair.")
    ] = False,
    background: Annotated[
        int | None,
        typer.Option(
            min=0,
            max=20_000,
            help="Variants made of the same letters nearby, among which a change gets "
            f"its quantile; 0 for none. Default: {_WANTED:,}, of more than "
            f"{_MANY_PAIRS:,} pairs {_WANTED_OF_MANY}.",
        ),
    ] = None,
    background_bed: Annotated[
        Path | None,
        typer.Option(help="Where these lie, such as accessible sites: a BED file."),
    ] = None,
    seed: options.Seed = 0,
    step: Annotated[
        int,
        typer.Option(
            min=1,
            max=100,
            help="bp between tiles, of which the best counts: 10 is half the work.",
        ),
    ] = 5,
    write_tracks: Annotated[
        bool,
        typer.Option(
            "--write-tracks",
            help="bigWigs of both alleles and of their difference, for up to 20 pairs.",
        ),
    ] = False,
    top: Annotated[
        int, typer.Option(min=1, help="Pairs that the annotated VCF tells of.")
    ] = 10,
    heat_maps: Annotated[
        int,
        typer.Option(
            "--heat-maps",
            min=0,
            max=100,
            help="Draw TFs by cell lines for so many alleles, the first ones.",
        ),
    ] = 0,
    fix_ref: Annotated[
        bool,
        typer.Option(
            "--fix-ref", help="Exchange alleles where the genome has the alternative."
        ),
    ] = False,
    threads: options.Threads = "max",
    cache_dir: options.CacheDir = None,
    as_json: options.Json = False,
) -> None:
    """Score both alleles of variants: tables of effects, and the VCF annotated."""
    from tfimpute_tracks.commands import inputs
    from tfimpute_tracks.models import load_model
    from tfimpute_tracks.storage import check_writable_dir
    from tfimpute_tracks.variants.records import Source, spooled
    from tfimpute_tracks.variants.run import VariantJob
    from tfimpute_tracks.variants.tables import Layout, check_layout

    loaded = load_model(model)
    if not (every or tf or cell or pairs):
        raise UsageError(
            "which pairs? give --tf and --cell, one of them for all its pairs, "
            "--pairs, or --all"
        )
    chosen = inputs.choose_many_pairs(loaded, False, every, (tf, cell, pairs))
    layout = Layout(table_format, wide, _least(min_delta, len(chosen), wide))
    check_layout(layout, len(chosen))
    if background is None:
        background = _WANTED if len(chosen) <= _MANY_PAIRS else _WANTED_OF_MANY
    _check_options(len(chosen), write_tracks, background, background_bed)
    n_threads = inputs.set_threads(threads)
    genome = inputs.choose_genome(fasta, loaded, cache_dir)
    check_writable_dir(out_dir)
    log(f"{len(chosen):,} pair(s), model {loaded.name}, {n_threads} thread(s)")
    with ExitStack() as stack:
        opened = (
            stack.enter_context(spooled(sys.stdin.buffer, out_dir))
            if source == Path("-")
            else Source.of(source)
        )
        job = VariantJob(
            loaded,
            chosen,
            opened,
            out_dir,
            layout,
            top=top,
            fix_ref=fix_ref,
            threads=n_threads,
            n_maps=heat_maps,
            step=step,
            tracks=write_tracks,
        )
        asked = _Background(background, seed, background_bed)
        run, n_background = _run(job, genome, asked)
    _tell(run.counts, n_background, as_json, run.files)
    if not run.counts.n_scored:
        raise RunError(
            f"no allele of {opened.told} could be scored; {run.files[1]} says why of "
            "each"
        )


def _least(asked: float | None, n_pairs: int, wide: bool) -> float:
    if asked is not None:
        return asked
    if wide or n_pairs <= _MANY_PAIRS:
        return 0.0
    log(
        f"{n_pairs:,} pairs: rows that change by less than {_LEAST} are left out; "
        "--min-delta 0 writes all"
    )
    return _LEAST


def _check_options(
    n_pairs: int, tracks: bool, background: int, within: Path | None
) -> None:
    from tfimpute_tracks.variants.allele_tracks import MAX_TRACKS

    if tracks and n_pairs > MAX_TRACKS:
        raise UsageError(
            f"--write-tracks with {n_pairs:,} pairs, three files each; name at most "
            f"{MAX_TRACKS} by --pairs, or --tf and --cell"
        )
    if within is not None and not background:
        raise UsageError(
            f"--background-bed {within} with --background 0; leave one of them out"
        )


def _run(
    job: VariantJob, genome: Sequences, asked: _Background
) -> tuple[VariantRun, int]:
    from tfimpute_tracks.variants.matched_background import survey_variants
    from tfimpute_tracks.variants.run import run_variants

    n_lines, background = None, None
    if asked.wanted:
        survey = survey_variants(
            job.source, genome, job.fix_ref, asked.wanted, asked.seed
        )
        n_lines = survey.n_lines
        if survey.drawn:
            background = _scored_background(job, genome, survey, asked)
    with progress_bar("variants", n_lines, "variants") as advance:
        run = run_variants(job, genome, lambda n: advance(n, ""), background)
    return run, 0 if background is None else background.n


def _scored_background(
    job: VariantJob, genome: Sequences, survey: VariantSample, asked: _Background
) -> Background:
    from tfimpute_tracks.variants.background import Background
    from tfimpute_tracks.variants.matched_background import draw_matched, read_within

    within = None if asked.within is None else read_within(asked.within, genome)
    margin = job.model.config.seq_len
    partners = draw_matched(genome, survey, asked.wanted, asked.seed, margin, within)
    if len(partners) < min(asked.wanted, _SMALL):
        log(
            f"only {len(partners):,} places near the variants have the same letters: "
            "quantiles tell little",
            warning=True,
        )
    with progress_bar("background", len(partners), "variants") as advance:
        return Background.of(
            job.scorer, genome, partners, job.threads, lambda n: advance(n, "")
        )


def _tell(counts: Counts, n_background: int, as_json: bool, files: list[Path]) -> None:
    share = counts.reference_share
    for reason, n in counts.faults.most_common():
        log(f"{n:,} alleles not scored: {reason}", warning=True)
    renamed = [
        f"{theirs} for {ours}"
        for theirs, ours in counts.chroms.items()
        if ours not in (None, theirs)
    ]
    if renamed:
        log(f"took {listed(renamed, 3)}, as the FASTA names it")
    if share is not None and share < _FEW:
        log(
            f"only {share:.1%} of the references are what the genome has: variants of "
            "another assembly, or with alleles exchanged (--fix-ref)?",
            warning=True,
        )
    if as_json:
        show_json(
            {
                "scored": counts.n_scored,
                "exchanged": counts.n_swapped,
                "skipped": dict(counts.faults),
                "reference_share": share,
                "background": n_background,
                "files": [str(file) for file in files],
            }
        )
        return
    known = "unknown" if share is None else f"{share:.1%}"
    print_result(
        f"{counts.n_scored:,} alleles scored, {counts.n_swapped:,} of them exchanged "
        f"first, {sum(counts.faults.values()):,} not; {known} of the references are "
        "the genome's"
    )
    print_result(" ".join(map(str, files)))
