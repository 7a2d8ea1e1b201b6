"""Effects of alleles in files: tables, an annotated VCF, tracks and heatmaps."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from tfimpute_tracks.api.evidence_choice import say_sequence_only
from tfimpute_tracks.api.inputs import choose_genome
from tfimpute_tracks.api.notes import log
from tfimpute_tracks.api.pair_choice import Pairs, choose_many_pairs
from tfimpute_tracks.api.progress import ProgressBar, no_progress
from tfimpute_tracks.api.threads import limit_threads
from tfimpute_tracks.api.values import (
    as_path,
    check_choice,
    check_model,
    check_texts,
    check_whole,
    check_wholes,
    optional_path,
)
from tfimpute_tracks.api.variants import (
    MAX_STRIDE,
    check_assembly,
    choose_options,
    is_one_variant,
    make_source,
    report_run,
)
from tfimpute_tracks.errors import RunError, UsageError, check_packages, counted
from tfimpute_tracks.genome import Sequences
from tfimpute_tracks.models import load_model
from tfimpute_tracks.storage import check_output_dir
from tfimpute_tracks.variants.alleles import STRIDE
from tfimpute_tracks.variants.job import VariantJob, VariantRun
from tfimpute_tracks.variants.records import Source, check_variants, spool_stdin
from tfimpute_tracks.variants.run import run_variants
from tfimpute_tracks.variants.summary import summarize_variant

__all__ = ["WrittenEffects", "write_effects"]


class WrittenEffects(NamedTuple):
    """Effects of alleles, in files.

    Attributes
    ----------
    run : VariantRun
        Its `counts` and `files`.
    summary : dict, optional
        What changes most, where one variant was asked for.
    label : str
        Name of the variants in messages.
    """

    run: VariantRun
    summary: dict[str, Any] | None
    label: str

    def check(self) -> None:
        """Refuse a run in which no allele was scored.

        Raises
        ------
        RunError
            With the file of the reasons.
        """
        if not self.run.counts.n_scored:
            raise RunError(
                f"no allele of {self.label} could be scored; {self.run.files[1]} lists the "
                "reason for each"
            )


def write_effects(
    variants: Any,
    out_dir: str | Path,
    *,
    tf: str | None = None,
    cell: str | None = None,
    pairs: Pairs | None = None,
    every: bool = False,
    fasta: str | Path | None = None,
    model: str | Path = "default",
    min_delta: float | None = None,
    table_format: str = "tsv",
    wide: bool = False,
    n_background: int | None = None,
    background_regions: str | Path | None = None,
    seed: int = 0,
    stride: int = STRIDE,
    write_tracks: bool = False,
    n_annotated: int = 10,
    n_heatmaps: int = 0,
    fix_ref: bool = False,
    threads: int | str = "max",
    cache_dir: str | Path | None = None,
    progress: ProgressBar = no_progress,
) -> WrittenEffects:
    """Score both alleles of variants, and write tables of effects and a VCF.

    Parameters
    ----------
    variants : str, Path, DataFrame, or iterable of str
        As for :meth:`tfimpute_tracks.Model.variant_effects`; "-" for a VCF on standard
        input.
    out_dir : str or Path
    tf, cell : str, optional
        One pair; one of the two alone means all its pairs.
    pairs : optional
        As for :meth:`tfimpute_tracks.Model.scan`.
    every : bool
        All pairs; so it is for one variant where none are named.
    fasta : str or Path, optional
        None: the bundled example region.
    model : str or Path
    min_delta : float, optional
        As for :meth:`tfimpute_tracks.Model.variant_effects`.
    table_format : {"tsv", "parquet"}
    wide : bool
        A row per allele, with a delta for each pair.
    n_background, background_regions, seed : optional
        As for :meth:`tfimpute_tracks.Model.variant_effects`.
    stride : int
        bp between tile starts, 1 to 100.
    write_tracks : bool
        Write bigWigs of both alleles, of up to 20 pairs.
    n_annotated : int
        Pairs that the annotated VCF lists for each allele.
    n_heatmaps : int
        Alleles, the first ones, of which a heatmap of TFs by cell lines is drawn.
    fix_ref : bool
        Swap REF and ALT if the genome has the alternate allele.
    threads : int or "max"
    cache_dir : str or Path, optional
    progress : ProgressBar

    Returns
    -------
    WrittenEffects
        :meth:`WrittenEffects.check` raises if no allele was scored.

    Raises
    ------
    UsageError, UnknownNameError, RegionError, InputFileError
        A value, name, position or file is wrong.
    OutputError, WriteError
        A file cannot be written.

    Examples
    --------
    >>> from tfimpute_tracks.api.variant_files import write_effects
    >>> done = write_effects(
    ...     "chr20:48807376:G:A", "effects", tf="CTCF", cell="K562", n_background=0
    ... )
    >>> [path.name for path in done.run.files]
    ['chr20-48807376-G-A.effects.tsv', 'chr20-48807376-G-A.skipped.tsv']
    """
    folder, fasta = as_path(out_dir, "out_dir"), optional_path(fasta, "fasta")
    cache_dir = optional_path(cache_dir, "cache_dir")
    check_model(model)
    check_texts(tf=tf, cell=cell)
    check_choice(table_format, "table_format", ("tsv", "parquet"))
    check_whole(stride, "stride", 1, MAX_STRIDE)
    check_wholes(0, n_heatmaps=n_heatmaps)
    if n_heatmaps:
        check_packages("a heatmap", "scipy")
    check_wholes(1, n_annotated=n_annotated)
    loaded = load_model(model)
    is_one = isinstance(variants, str) and is_one_variant(variants)
    is_named = bool(tf or cell or pairs is not None)
    if not (every or is_named or is_one):
        raise UsageError(
            "no pairs selected; use --tf and --cell, one of them for all its pairs, "
            "--pairs, or --all"
        )
    every = every or not is_named
    chosen = choose_many_pairs(loaded, False, every, (tf, cell, pairs))
    layout, background = choose_options(
        len(chosen),
        min_delta=min_delta,
        table_format=table_format,
        wide=wide,
        n_background=n_background,
        background_regions=background_regions,
        seed=seed,
        write_tracks=write_tracks,
    )
    with limit_threads(threads) as n_threads:
        genome = choose_genome(fasta, loaded, cache_dir)
        with _open_source(variants, genome, folder) as opened:
            log(
                f"{counted(len(chosen), 'pair')}, model {loaded.name}, "
                f"{counted(n_threads, 'thread')}"
            )
            say_sequence_only(loaded, "comparing alleles")
            job = VariantJob(
                *(loaded, chosen, opened, folder, layout, background),
                *(n_annotated, fix_ref, n_threads, n_heatmaps, stride, write_tracks),
            )
            check_assembly(opened, genome, fix_ref)
            run = run_variants(job, genome, progress)
        summary = None
        if is_one and run.first is not None:
            summary = summarize_variant(run.first, chosen, loaded)
    report_run(run, background)
    return WrittenEffects(run, summary, opened.label)


@contextmanager
def _open_source(variants: Any, genome: Sequences, out_dir: Path) -> Iterator[Source]:
    """Find what to score; its variant is checked before a folder is made."""
    is_stdin = isinstance(variants, str | Path) and str(variants) == "-"
    source = make_source(variants, genome)
    if not is_stdin:
        check_variants(source)
    check_output_dir(out_dir)
    with ExitStack() as stack:
        if is_stdin:
            source = stack.enter_context(spool_stdin(sys.stdin.buffer, out_dir))
            check_variants(source)
        yield source
