"""Score a file of variants: tables of effects, the annotated VCF, tracks and heatmaps.

Records are scored a few at a time, in threads, and written in their order, so memory does
not grow with the number of variants. Every file appears atomically.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from typing import Any, NamedTuple

import numpy as np

from tfimpute_tracks.engines.ordered_map import ordered_map
from tfimpute_tracks.errors import RegionError
from tfimpute_tracks.genome import Sequences
from tfimpute_tracks.variants.allele_tracks import align_alleles
from tfimpute_tracks.variants.background import Background
from tfimpute_tracks.variants.job import VariantJob, VariantRun
from tfimpute_tracks.variants.matched_background import (
    read_regions,
    sample_matched,
    sample_variants,
)
from tfimpute_tracks.variants.normalize import Variant
from tfimpute_tracks.variants.outputs import Outputs
from tfimpute_tracks.variants.records import VariantRecord, open_variants
from tfimpute_tracks.variants.results import Allele, Results
from tfimpute_tracks.variants.validate import SkipReason, check_alleles

__all__ = ["ProgressBar", "run_variants", "score_variants"]

ProgressBar = Callable[
    [str, int | None, str], AbstractContextManager[Callable[[int], None]]
]
"""From title, total (None: unknown) and unit to a block that counts units."""


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
    with _scoring(job, genome, progress) as found, ExitStack() as stack:
        outputs = Outputs(job, genome, found.background, found.header, stack)
        for record, alleles in found.scored:
            outputs.add(record, alleles)
        return outputs.finish()


def score_variants(
    job: VariantJob, genome: Sequences, progress: ProgressBar
) -> Results:
    """Score the alleles of a file, and keep the effects in memory.

    Parameters
    ----------
    job : VariantJob
        Its folder and layout are not used, and no tracks and heatmaps are made.
    genome : Sequences
    progress : ProgressBar
        As for :func:`run_variants`.

    Returns
    -------
    Results

    Raises
    ------
    InputFileError
        As for :func:`run_variants`.
    """
    with _scoring(job, genome, progress) as found:
        results = Results(job, genome, found.background)
        for record, alleles in found.scored:
            results.add(record, alleles)
        results.finish()
        return results


class _Scoring(NamedTuple):
    """The background, the header of a VCF, and records as they are scored."""

    background: Background | None
    header: Any
    scored: Iterator[tuple[VariantRecord, list[Allele]]]


@contextmanager
def _scoring(
    job: VariantJob, genome: Sequences, progress: ProgressBar
) -> Iterator[_Scoring]:
    background, n_records = _score_background(job, genome, progress)
    with (
        open_variants(job.source) as (records, header),
        progress("variants", n_records, "variants") as advance,
    ):

        def scored() -> Iterator[tuple[VariantRecord, list[Allele]]]:
            batches = ordered_map(
                lambda batch: _score_batch(job, genome, batch),
                _batches(records, job.scorer.batch_size),
                job.threads,
            )
            for batch in batches:
                for record, alleles in batch:
                    yield record, alleles
                    advance(1)

        yield _Scoring(background, header, scored())


def _score_background(
    job: VariantJob, genome: Sequences, progress: ProgressBar
) -> tuple[Background | None, int | None]:
    """Score background variants; also return the number of records, if known."""
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
) -> list[tuple[VariantRecord, list[Allele]]]:
    alts = [record.alts or ("",) for record in records]
    checked = [
        check_alleles(genome, (r.chrom, r.pos), r.ref, own, job.fix_ref)
        for r, own in zip(records, alts, strict=True)
    ]
    valid = [
        found[0]
        for alleles in checked
        for found in alleles
        if not isinstance(found, SkipReason)
    ]
    scored = iter(_score_alleles(job, genome, valid))
    return [
        (
            record,
            [
                Allele(alt, found)
                if isinstance(found, SkipReason)
                else next(scored)._replace(alt=alt, is_swapped=found[1])
                for alt, found in zip(own, alleles, strict=True)
            ],
        )
        for record, own, alleles in zip(records, alts, checked, strict=True)
    ]


def _score_alleles(
    job: VariantJob, genome: Sequences, variants: list[Variant]
) -> Iterator[Allele]:
    found = job.scorer.scores(genome, variants)
    for variant, scores in zip(variants, found, strict=True):
        if isinstance(scores, RegionError):
            yield Allele("", SkipReason("chromosome shorter than a tile", str(scores)))
            continue
        best = scores.best()
        if any(np.isnan(side).all() for side in best):
            yield Allele("", SkipReason("unknown sequence", "around the variant"))
            continue
        track = None
        if job.write_tracks:
            seq_len = job.model.config.seq_len
            track = align_alleles(scores, seq_len, job.stride)
        yield Allele("", variant, best=best, track=track)
