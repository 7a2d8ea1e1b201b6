"""Score a file of variants: tables of effects, the annotated VCF, tracks and heatmaps.

Records are scored a few at a time, in threads, and written in their order, so memory does
not grow with the number of variants. Every file appears atomically.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tfimpute_tracks.engines.ordered_map import ordered_map
from tfimpute_tracks.errors import InputFileError, RegionError, listed
from tfimpute_tracks.genome import Sequences
from tfimpute_tracks.genome.chroms import find_chrom
from tfimpute_tracks.kernels.products import sigmoid
from tfimpute_tracks.models.model import Model
from tfimpute_tracks.storage import atomic_file
from tfimpute_tracks.variants.allele_tracks import (
    AlleleTrack,
    AlleleTrackFile,
    align_alleles,
    open_allele_tracks,
)
from tfimpute_tracks.variants.alleles import STRIDE, AlleleScorer, Variant
from tfimpute_tracks.variants.annotated_vcf import open_annotated
from tfimpute_tracks.variants.background import Background, log_odds_change
from tfimpute_tracks.variants.heatmaps import draw_heatmap
from tfimpute_tracks.variants.matched_background import (
    read_regions,
    sample_matched,
    sample_variants,
)
from tfimpute_tracks.variants.records import Source, VariantRecord, open_variants
from tfimpute_tracks.variants.tables import Layout, ScoredAllele, open_table
from tfimpute_tracks.variants.validate import Counts, SkipReason, check_allele
from tfimpute_tracks.vocabulary import Pair

__all__ = [
    "BackgroundOptions",
    "ProgressBar",
    "VariantJob",
    "VariantRun",
    "run_variants",
]

Floats = NDArray[np.float32]
ProgressBar = Callable[
    [str, int | None, str], AbstractContextManager[Callable[[int], None]]
]
"""From title, total (None: unknown) and unit to a block that counts units."""

_SKIPPED_COLUMNS = ("line", "chrom", "pos", "id", "ref", "alt", "reason", "detail")


class BackgroundOptions(NamedTuple):
    """The background variants of a run.

    Attributes
    ----------
    n : int
        Their number; 0 for no background, and no quantiles.
    seed : int
    regions : Path, optional
        A BED file of the regions they may lie in.
    """

    n: int = 0
    seed: int = 0
    regions: Path | None = None


@dataclass(frozen=True)
class VariantJob:
    """What to score, and what to write.

    Parameters
    ----------
    model : Model
    pairs : list of Pair
    source : Source
    out_dir : Path
    layout : Layout
        Of the table of effects.
    background : BackgroundOptions
    n_annotated : int
        Pairs with the largest effects that the annotated VCF lists for each allele.
    fix_ref : bool
        Swap REF and ALT if the genome has the alternate allele. Tables and tracks then
        report the alleles as the genome has them; the VCF keeps its own REF and ALT,
        reports the effect from one to the other, and flags the record.
    threads : int
    n_heatmaps : int
        Alleles, the first ones, of which a heatmap of TFs by cell lines is drawn.
    stride : int
        bp between tile starts.
    write_tracks : bool
        Write bigWigs of both alleles around the variants.
    """

    model: Model
    pairs: list[Pair]
    source: Source
    out_dir: Path
    layout: Layout = field(default_factory=Layout)
    background: BackgroundOptions = field(default_factory=BackgroundOptions)
    n_annotated: int = 10
    fix_ref: bool = False
    threads: int = 1
    n_heatmaps: int = 0
    stride: int = STRIDE
    write_tracks: bool = False

    @cached_property
    def scorer(self) -> AlleleScorer:
        """The scorer of the alleles."""
        return AlleleScorer(self.model, self.pairs, self.stride)

    def file(self, suffix: str) -> Path:
        """Name a result file.

        Parameters
        ----------
        suffix : str
            What follows the stem.

        Returns
        -------
        Path
        """
        return self.out_dir / f"{self.source.stem}{suffix}"


@dataclass
class VariantRun:
    """The result of a job.

    Attributes
    ----------
    counts : Counts
    files : list of Path
        The table of effects, that of skipped alleles, and the optional files.
    n_background : int
        Background variants that were scored.
    """

    counts: Counts = field(default_factory=Counts)
    files: list[Path] = field(default_factory=list)
    n_background: int = 0


class _Allele(NamedTuple):
    alt: str
    found: Variant | SkipReason
    is_swapped: bool = False
    best: tuple[Floats, Floats] | None = None
    track: AlleleTrack | None = None


def run_variants(
    job: VariantJob, genome: Sequences, progress: ProgressBar
) -> VariantRun:
    """Score the alleles of a file.

    Parameters
    ----------
    job : VariantJob
    genome : Sequences
    progress : ProgressBar
        Opened for the background and for the variants.

    Returns
    -------
    VariantRun

    Raises
    ------
    InputFileError
        The file is missing, has another format, is truncated or of another genome.
    UsageError
        Parquet is asked for, and pyarrow is not installed.
    OutputError, WriteError
        A file cannot be written.
    """
    background, n_records = _score_background(job, genome, progress)
    with (
        ExitStack() as stack,
        progress("variants", n_records, "variants") as advance,
    ):
        records, header = stack.enter_context(open_variants(job.source))
        outputs = _Outputs(job, genome, header, background, stack)
        scored = ordered_map(
            lambda batch: _score_batch(job, genome, batch),
            _batches(records, job.scorer.batch_size),
            job.threads,
        )
        for record, alleles in (pair for batch in scored for pair in batch):
            outputs.add(record, alleles)
            advance(1)
        return outputs.finish()


def _score_background(
    job: VariantJob, genome: Sequences, progress: ProgressBar
) -> tuple[Background | None, int | None]:
    """Score background variants; give also the number of records, if it is known."""
    n, seed, bed = job.background
    if not n:
        return None, None
    regions = None if bed is None else read_regions(bed, genome)
    sample = sample_variants(job.source, genome, job.fix_ref, n, seed)
    if not sample.alleles:
        return None, sample.n_records
    margin = job.model.config.seq_len
    variants = sample_matched(genome, sample, n, seed, margin, regions)
    with progress("background", len(variants), "variants") as advance:
        background = Background.score(
            job.scorer, genome, variants, job.threads, advance
        )
    return background, sample.n_records


def _batches(
    records: Iterable[VariantRecord], n_alleles: int
) -> Iterator[list[VariantRecord]]:
    """Collect records until they have as many alleles as are scored at once."""
    batch: list[VariantRecord] = []
    n = 0
    for record in records:
        batch.append(record)
        n += len(record.alts)
        if n >= n_alleles:
            yield batch
            batch, n = [], 0
    if batch:
        yield batch


def _score_batch(
    job: VariantJob, genome: Sequences, records: list[VariantRecord]
) -> list[tuple[VariantRecord, list[_Allele]]]:
    checked = [
        [
            (alt, check_allele(genome, (r.chrom, r.pos), r.ref, alt, job.fix_ref))
            for alt in r.alts or ("",)
        ]
        for r in records
    ]
    valid = [
        found[0]
        for alleles in checked
        for _, found in alleles
        if not isinstance(found, SkipReason)
    ]
    scored = iter(_score_alleles(job, genome, valid))
    return [
        (
            record,
            [
                _Allele(alt, found)
                if isinstance(found, SkipReason)
                else next(scored)._replace(alt=alt, is_swapped=found[1])
                for alt, found in alleles
            ],
        )
        for record, alleles in zip(records, checked, strict=True)
    ]


def _score_alleles(
    job: VariantJob, genome: Sequences, variants: list[Variant]
) -> Iterator[_Allele]:
    found = job.scorer.scores(genome, variants)
    for variant, scores in zip(variants, found, strict=True):
        if isinstance(scores, RegionError):
            yield _Allele(
                "", SkipReason("too close to the chromosome end", str(scores))
            )
            continue
        best = scores.best()
        if any(np.isnan(side).all() for side in best):
            yield _Allele("", SkipReason("unknown sequence", "around the variant"))
            continue
        track = None
        if job.write_tracks:
            seq_len = job.model.config.seq_len
            track = align_alleles(variant, scores, seq_len, job.stride)
        yield _Allele("", variant, best=best, track=track)


class _Outputs:
    """The files of a run, written as the alleles come."""

    def __init__(
        self,
        job: VariantJob,
        genome: Sequences,
        header: Any,
        background: Background | None,
        stack: ExitStack,
    ) -> None:
        self._job, self._genome, self._background = job, genome, background
        self._run = VariantRun(n_background=0 if background is None else background.n)
        table = job.file(f".effects.{job.layout.suffix}")
        status = [job.model.status(pair) for pair in job.pairs]
        self._effects = stack.enter_context(
            open_table(table, job.layout, job.pairs, status)
        )
        skipped = job.file(".skipped.tsv")
        path = stack.enter_context(atomic_file(skipped))
        file = stack.enter_context(path.open("w", encoding="utf-8", newline=""))
        self._skipped = csv.writer(file, delimiter="\t", lineterminator="\n")
        self._skipped.writerow(_SKIPPED_COLUMNS)
        self._run.files += [table, skipped]
        self._vcf = None
        if header is not None:
            self._run.files.append(job.file(".annotated.vcf.gz"))
            self._vcf = stack.enter_context(open_annotated(self._run.files[-1], header))
        self._tracks: AlleleTrackFile | None = None
        if job.write_tracks:
            chroms = list(genome.chrom_sizes)
            self._tracks = stack.enter_context(
                open_allele_tracks(job.out_dir, len(job.pairs), chroms, job.stride)
            )

    def add(self, record: VariantRecord, alleles: list[_Allele]) -> None:
        """Write the alleles of a record."""
        chroms = self._run.counts.chroms
        if record.chrom not in chroms:
            chroms[record.chrom] = find_chrom(record.chrom, self._genome.chrom_sizes)
        annotations: list[str] = []
        is_swapped = False
        for allele in alleles:
            if isinstance(allele.found, SkipReason):
                self._skip(record, allele.alt, allele.found)
            else:
                annotations += self._add_scored(record, allele, allele.found)
                is_swapped |= allele.is_swapped
        if self._vcf is not None:
            self._vcf.write(record, annotations, is_swapped)

    def _skip(self, record: VariantRecord, alt: str, why: SkipReason) -> None:
        self._run.counts.skipped[why.reason] += 1
        number, chrom, pos, name, ref, *_ = record
        self._skipped.writerow([number, chrom, pos, name, ref, alt, *why])

    def _add_scored(
        self, record: VariantRecord, allele: _Allele, variant: Variant
    ) -> list[str]:
        """Write a scored allele; give its entries of the annotated VCF."""
        job, counts, best = self._job, self._run.counts, allele.best
        assert best is not None
        counts.n_scored += 1
        counts.n_swapped += allele.is_swapped
        ref, alt = (sigmoid(side) for side in best)
        change = log_odds_change(*best)
        quantile = np.full_like(change, np.nan)
        if self._background is not None:
            quantile = self._background.quantiles(change)
        effects = np.stack([ref, alt, alt - ref, change, quantile])
        self._effects.add(ScoredAllele(variant, record.name, effects))
        if self._tracks is not None and allele.track is not None:
            self._tracks.add(allele.track)
        if counts.n_scored <= job.n_heatmaps:
            self._run.files += draw_heatmap(
                job.model, job.pairs, variant, (ref, alt), job.file(""), record.name
            )
        return self._annotations(allele, effects)

    def _annotations(self, allele: _Allele, effects: Floats) -> list[str]:
        """Give the pairs with the largest effects, from the record's REF to its ALT."""
        ref, alt, delta, _, quantile = effects
        if allele.is_swapped:
            ref, alt, delta = alt, ref, -delta
        most = np.argsort(-np.abs(delta), kind="stable")[: self._job.n_annotated]
        return [
            f"{allele.alt.upper()}|{pair.tf}|{pair.cell}|{ref[i]:.4g}|{alt[i]:.4g}|"
            f"{delta[i]:+.4g}|"
            + ("." if np.isnan(quantile[i]) else f"{quantile[i]:.4g}")
            for i in most
            for pair in [self._job.pairs[i]]
        ]

    def finish(self) -> VariantRun:
        """Write the tracks, which need all alleles."""
        job, run, sizes = self._job, self._run, self._genome.chrom_sizes
        _check_chroms(job.source, sizes, run.counts.chroms)
        if self._tracks is not None:
            run.files += self._tracks.write(job.file(""), job.pairs, sizes)
        return run


def _check_chroms(
    source: Source, sizes: Iterable[str], chroms: dict[str, str | None]
) -> None:
    if chroms and not any(chroms.values()):
        raise InputFileError(
            f"{source.label}: none of its chromosomes ({listed(chroms, 3)}) is in "
            f"the FASTA ({listed(sizes, 3)}); use the genome that the variants were "
            "called on"
        )
