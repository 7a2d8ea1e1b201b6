"""Effects of alleles: what a run takes by default, what is said about it, its table."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import nullcontext
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from tfimpute_tracks.api.notes import log
from tfimpute_tracks.api.values import check_number, check_whole, optional_path
from tfimpute_tracks.errors import InputFileError, UsageError, counted, listed
from tfimpute_tracks.genome import Sequences, check_build, known_build
from tfimpute_tracks.storage.input_paths import is_input
from tfimpute_tracks.variants import (
    MANY_PAIRS,
    MIN_DELTA,
    N_BACKGROUND,
    N_BACKGROUND_MANY,
)
from tfimpute_tracks.variants.alleles import STRIDE, is_variant, parse_variant
from tfimpute_tracks.variants.job import BackgroundOptions, VariantJob, VariantRun
from tfimpute_tracks.variants.records import (
    Source,
    VariantRecord,
    declared_sizes,
    open_variants,
)
from tfimpute_tracks.variants.results import SKIPPED_COLUMNS, Results
from tfimpute_tracks.variants.run import score_variants
from tfimpute_tracks.variants.tables import COLUMNS, Layout, check_layout
from tfimpute_tracks.variants.validate import match_references
from tfimpute_tracks.vocabulary import Pair

if TYPE_CHECKING:
    import pandas as pd

    from tfimpute_tracks.models.model import Model

__all__ = [
    "MAX_STRIDE",
    "check_assembly",
    "choose_options",
    "effects_frame",
    "effects_of",
    "is_one_variant",
    "make_source",
    "report_run",
]

MAX_STRIDE = 100
"""Of scores of alleles, in bp."""
_COLUMNS = ("chrom", "pos", "ref", "alt")
_SMALL_BACKGROUND = 100  # fewer variants give coarse quantiles
_MIN_MATCH = 0.9  # fraction of reference alleles that agree with the genome
_BY_CHANCE = 0.4  # more than agree with another assembly
_MIN_WRONG = 3  # alleles: fewer say nothing about the rest
_COMPARED = 1000  # records


def is_one_variant(source: str) -> bool:
    """Distinguish a variant from a file of variants.

    Parameters
    ----------
    source : str
        A file of that name counts as one.

    Returns
    -------
    bool
    """
    return source != "-" and not is_input(Path(source)) and is_variant(source)


def make_source(variants: Any, genome: Sequences) -> Source:
    """Find what to score.

    Parameters
    ----------
    variants : str, Path, DataFrame, or iterable of str
        A VCF, BCF or tab-separated table; a variant such as "chr20:48807376:G:A", or
        several of them; or a table with the columns chrom, pos (1-based), ref, alt and
        optionally id.
    genome : Sequences

    Returns
    -------
    Source

    Raises
    ------
    UsageError
        There is no variant, or a text is malformed.
    RegionError
        A position is outside of the genome.
    InputFileError
        A table lacks a column.
    """
    if isinstance(variants, Path) or (
        isinstance(variants, str) and not is_one_variant(variants)
    ):
        return Source.of(Path(variants))
    if isinstance(variants, str):
        return Source.of_variant(parse_variant(variants, genome))
    records = tuple(
        _rows_of(variants)
        if hasattr(variants, "columns")
        else _texts_of(variants, genome)
    )
    if not records:
        raise UsageError("no variant; use a VCF, a table, or chr20:48807376:G:A")
    return Source(Path(), "variants", "the variants", records)


def _texts_of(variants: Any, genome: Sequences) -> Iterator[VariantRecord]:
    several = variants if isinstance(variants, Iterable) else ()
    for number, text in enumerate(several, start=1):
        chrom, start, ref, alt = parse_variant(str(text), genome)
        yield VariantRecord(number, chrom, str(start + 1), "", ref, (alt,))


def _rows_of(table: pd.DataFrame) -> Iterator[VariantRecord]:
    missing = [name for name in _COLUMNS if name not in table.columns]
    if missing:
        raise InputFileError(
            f"the table of variants has no column {missing[0]!r}; it needs "
            f"{', '.join(_COLUMNS)}, and may have id"
        )
    ids = table["id"] if "id" in table.columns else [""] * len(table)
    rows = zip(*(table[name] for name in _COLUMNS), ids, strict=True)
    for number, (chrom, pos, ref, alt, name) in enumerate(rows, start=1):
        alts = tuple(str(alt).split(","))
        named = "" if name is None or name != name else str(name)
        if isinstance(pos, float) and pos.is_integer():
            pos = int(pos)  # a column of numbers of which some are missing
        yield VariantRecord(number, str(chrom), str(pos), named, str(ref), alts)


def choose_options(
    n_pairs: int,
    *,
    min_delta: float | None = None,
    table_format: str = "tsv",
    wide: bool = False,
    n_background: int | None = None,
    background_regions: str | Path | None = None,
    seed: int = 0,
    write_tracks: bool = False,
) -> tuple[Layout, BackgroundOptions]:
    """Choose what depends on the number of pairs, and check what excludes each other.

    Parameters
    ----------
    n_pairs : int
    min_delta : float, optional
        Rows with a smaller change in probability are left out. By default 0, or
        :data:`MIN_DELTA` for more than :data:`MANY_PAIRS` pairs.
    table_format : {"tsv", "parquet"}
    wide : bool
        A row per allele, with a delta for each pair.
    n_background : int, optional
        Matched background variants, among which effects are ranked; 0 for none. By
        default :data:`N_BACKGROUND`, or :data:`N_BACKGROUND_MANY` for many pairs.
    background_regions : str or Path, optional
        BED file of the regions they are drawn from.
    seed : int
    write_tracks : bool
        Whether bigWigs of both alleles are asked for.

    Returns
    -------
    Layout, BackgroundOptions

    Raises
    ------
    UsageError
        Options exclude each other, there are too many pairs for them, or a value is out
        of range.
    """
    n = n_background
    if n is None:
        n = N_BACKGROUND_MANY if n_pairs > MANY_PAIRS else N_BACKGROUND
    for name, value in {"n_background": n, "seed": seed}.items():
        check_whole(value, name)
    layout = Layout(table_format, wide, _choose_min_delta(min_delta, n_pairs, wide))
    check_layout(layout, n_pairs)
    regions = optional_path(background_regions, "background_regions")
    background = BackgroundOptions(n, seed, regions)
    _check_options(n_pairs, write_tracks, background)
    return layout, background


def _choose_min_delta(asked: float | None, n_pairs: int, wide: bool) -> float:
    if asked is not None:
        return check_number(asked, "min_delta", 0, 1)
    if wide or n_pairs <= MANY_PAIRS:
        return 0.0
    log(
        f"{counted(n_pairs, 'pair')}: omitting rows with a change in probability below "
        f"{MIN_DELTA}; use --min-delta 0 to keep all rows"
    )
    return MIN_DELTA


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


def check_assembly(source: Source, genome: Sequences, fix_ref: bool = False) -> None:
    """Compare the chromosomes that a VCF declares with the genome's.

    Headers outlive a conversion, so one that differs is an error only where reference
    alleles differ as well.

    Parameters
    ----------
    source : Source
    genome : Sequences
    fix_ref : bool
        Alleles that look swapped are to be swapped.

    Raises
    ------
    InputFileError
        The variants are of another assembly; or as
        :func:`tfimpute_tracks.variants.records.open_variants`.
    """
    sizes = declared_sizes(source)
    differences = check_build(sizes, genome.chrom_sizes)
    if not differences:
        return
    name = known_build(sizes, {}) or "another assembly"
    said = f"{source.label} is of {name} by its header, and not of {genome.name}: "
    with open_variants(source) as (records, _):
        match = match_references(genome, islice(records, _COMPARED), fix_ref)
    if match is not None and match < _MIN_MATCH:
        raise InputFileError(
            f"{said}{match:.0%} of its first reference alleles agree; use -g with the "
            "FASTA of its assembly, or convert the variants"
        )
    log(
        f"{said}{listed(differences, 2, '; ')}; use the FASTA of its assembly",
        warning=True,
    )


def report_run(run: VariantRun, background: BackgroundOptions) -> None:
    """Say what was left out, and what makes the results doubtful.

    Parameters
    ----------
    run : VariantRun
    background : BackgroundOptions
        What was asked for.
    """
    counts = run.counts
    for reason, n in counts.skipped.most_common():
        log(f"{counted(n, 'allele')} not scored: {reason}", warning=True)
    if counts.n_scored and run.n_background < min(background.n, _SMALL_BACKGROUND):
        where = (
            f"in {background.regions}" if background.regions else "near the variants"
        )
        found = f"{run.n_background:,} of {background.n:,} matched background variants"
        effect = (
            "quantiles are coarse" if run.n_background else "there are no quantiles"
        )
        log(f"{found} were found {where}: {effect}", warning=True)
    renamed = [
        f"{theirs} to {ours}"
        for theirs, ours in counts.chroms.items()
        if ours not in (None, theirs)
    ]
    if renamed:
        log(f"renamed {listed(renamed, 3)}, as in the FASTA")
    match = counts.reference_match
    if match is not None and match < _MIN_MATCH and counts.n_wrong >= _MIN_WRONG:
        are_swapped = not counts.n_swapped and match > _BY_CHANCE
        log(
            f"only {match:.1%} of the reference alleles agree with the genome: are the "
            "variants of another assembly"
            f"{', or are alleles swapped (--fix-ref)' if are_swapped else ''}?",
            warning=True,
        )


def effects_frame(results: Results, job: VariantJob) -> pd.DataFrame:
    """Make the long table of effects.

    Parameters
    ----------
    results : Results
    job : VariantJob

    Returns
    -------
    DataFrame
        The columns of `tfimpute-tracks variants`, a row per allele and pair.
        ``attrs["skipped"]`` lists the alleles that could not be scored, one dict each.
    """
    import pandas as pd

    alleles = results.scored
    rows = [np.flatnonzero(np.abs(a.delta) >= job.layout.min_delta) for a in alleles]
    sizes = [row.size for row in rows]
    about = [
        [allele.variant.chrom for allele in alleles],
        [allele.variant.start + 1 for allele in alleles],
        [allele.name for allele in alleles],
        [allele.variant.ref for allele in alleles],
        [allele.variant.alt for allele in alleles],
        [allele.is_swapped for allele in alleles],
    ]
    status = [job.model.status(pair) for pair in job.pairs]
    known = [*zip(*job.pairs, strict=True), status]
    which = np.concatenate([np.empty(0, dtype=np.int64), *rows])
    effects = [np.empty((5, 0), dtype=np.float32)]
    effects += [a.effects[:, row] for a, row in zip(alleles, rows, strict=True)]
    kinds = (object, np.int64, object, object, object, bool)
    columns = [
        *(np.repeat(np.array(c, k), sizes) for c, k in zip(about, kinds, strict=True)),
        *(np.array(column, dtype=object)[which] for column in known),
        *np.concatenate(effects, axis=1),
    ]
    frame = pd.DataFrame(dict(zip(COLUMNS, columns, strict=True)))
    frame.attrs["skipped"] = [
        dict(zip(SKIPPED_COLUMNS, row, strict=True)) for row in results.skipped
    ]
    return frame


def effects_of(
    model: Model,
    genome: Sequences,
    pairs: list[Pair],
    variants: Any,
    *,
    stride: int = STRIDE,
    fix_ref: bool = False,
    threads: int = 1,
    **options: Any,
) -> pd.DataFrame:
    """Score variants, and make the table of their effects.

    Parameters
    ----------
    model : Model
    genome : Sequences
    pairs : list of Pair
    variants : str, Path, DataFrame, or iterable of str
        As for :func:`make_source`.
    stride : int
        bp between tile starts.
    fix_ref : bool
    threads : int
    **options
        As for :func:`choose_options`.

    Returns
    -------
    DataFrame
        From :func:`effects_frame`.

    Raises
    ------
    UsageError, RegionError, InputFileError
        As :func:`make_source`, :func:`choose_options` and
        :func:`tfimpute_tracks.variants.run.score_variants`.
    """
    check_whole(stride, "stride", 1, MAX_STRIDE)
    layout, background = choose_options(len(pairs), **options)
    source = make_source(variants, genome)
    job = VariantJob(
        *(model, pairs, source, Path(), layout, background),
        fix_ref=fix_ref,
        threads=threads,
        stride=stride,
    )
    check_assembly(source, genome, fix_ref)
    results = score_variants(job, genome, lambda *_: nullcontext(lambda n: None))
    report_run(results.run, background)
    return effects_frame(results, job)
