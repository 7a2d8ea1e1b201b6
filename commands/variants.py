"""`variants`: what the alleles of a VCF or of a table do to binding."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tfimpute_tracks.commands import options
from tfimpute_tracks.commands.console import notify, progress_bar, say, show_json
from tfimpute_tracks.errors import RunError, UsageError

if TYPE_CHECKING:
    from tfimpute_tracks.variants.checked import Counts

__all__ = ["variants"]

_FEW = 0.9  # share of references that are the genome's, of a file of the same assembly


def variants(
    source: Annotated[
        Path,
        typer.Argument(
            help="VCF or BCF (.vcf, .vcf.gz, .bcf), or a tab-separated table with the "
            "columns chrom, pos (from 1), ref, alt and, if any, id."
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
        float,
        typer.Option(
            min=0, max=1, help="Leave rows out whose probability changes by less."
        ),
    ] = 0.0,
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
    from tfimpute_tracks.variants.run import VariantJob, run_variants

    loaded = load_model(model)
    if not (every or tf or cell or pairs):
        raise UsageError(
            "which pairs? give --tf and --cell, one of them for all its pairs, "
            "--pairs, or --all"
        )
    chosen = inputs.choose_many_pairs(loaded, False, every, (tf, cell, pairs))
    n_threads = inputs.set_threads(threads)
    genome = inputs.choose_genome(fasta, loaded, cache_dir)
    check_writable_dir(out_dir)
    job = VariantJob(
        loaded, chosen, source, out_dir, min_delta, top, fix_ref, n_threads, heat_maps
    )
    notify(f"{len(chosen):,} pair(s), model {loaded.name}, {n_threads} thread(s)")
    with progress_bar("variants", None, "variants") as advance:
        run = run_variants(job, genome, lambda n: advance(n, ""))
    _tell(run.counts, as_json, run.files)
    if not run.counts.n_scored:
        raise RunError(
            f"no allele of {source} could be scored; {run.files[1]} says why of each"
        )


def _tell(counts: Counts, as_json: bool, files: list[Path]) -> None:
    share = counts.reference_share
    for reason, n in counts.faults.most_common():
        notify(f"{n:,} alleles not scored: {reason}", warning=True)
    if share is not None and share < _FEW:
        notify(
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
                "files": [str(file) for file in files],
            }
        )
        return
    known = "unknown" if share is None else f"{share:.1%}"
    say(
        f"{counts.n_scored:,} alleles scored, {counts.n_swapped:,} of them exchanged "
        f"first, {sum(counts.faults.values()):,} not; {known} of the references are "
        "the genome's"
    )
    say(" ".join(map(str, files)))
