"""`variants`: effects of the alleles of a VCF, or of a table, on binding."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from tfimpute_tracks.commands import options
from tfimpute_tracks.commands.console import (
    print_files,
    print_result,
    progress_bar,
    show_json,
)
from tfimpute_tracks.commands.one_variant import (
    show_variant,
)
from tfimpute_tracks.errors import counted
from tfimpute_tracks.variants import (
    MANY_PAIRS,
    MIN_DELTA,
    N_BACKGROUND,
    N_BACKGROUND_MANY,
)

if TYPE_CHECKING:
    from tfimpute_tracks.variants.job import VariantRun

__all__ = ["variants"]


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
            f"{MIN_DELTA} for more than {MANY_PAIRS:,} pairs.",
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
            f"ranked; 0 for none. Default: {N_BACKGROUND:,}, or "
            f"{N_BACKGROUND_MANY} for more than {MANY_PAIRS:,} pairs.",
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
    from tfimpute_tracks.api.variant_files import write_effects

    done = write_effects(
        source,
        out_dir,
        tf=tf,
        cell=cell,
        pairs=pairs,
        every=every,
        fasta=fasta,
        model=model,
        min_delta=min_delta,
        table_format=table_format,
        wide=wide,
        n_background=n_background,
        background_regions=background_regions,
        seed=seed,
        stride=stride,
        write_tracks=write_tracks,
        n_annotated=n_annotated,
        n_heatmaps=heatmaps,
        fix_ref=fix_ref,
        threads=threads,
        cache_dir=cache_dir,
        progress=progress_bar,
    )
    _report(done.run, done.summary, as_json)
    done.check()


def _report(
    run: VariantRun,
    one: dict[str, Any] | None,
    as_json: bool,
) -> None:
    counts = run.counts
    match = counts.reference_match
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
