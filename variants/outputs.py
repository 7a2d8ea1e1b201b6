"""Write the files of a run over variants, record by record."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from contextlib import ExitStack
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tfimpute_tracks.errors import InputFileError, listed
from tfimpute_tracks.genome import Sequences
from tfimpute_tracks.genome.chroms import find_chrom
from tfimpute_tracks.kernels.products import sigmoid
from tfimpute_tracks.storage import atomic_file
from tfimpute_tracks.variants.allele_tracks import (
    AlleleTrack,
    AlleleTrackFile,
    open_allele_tracks,
)
from tfimpute_tracks.variants.annotated_vcf import open_annotated
from tfimpute_tracks.variants.background import Background, log_odds_change
from tfimpute_tracks.variants.heatmaps import draw_heatmap
from tfimpute_tracks.variants.job import VariantJob, VariantRun
from tfimpute_tracks.variants.normalize import Variant
from tfimpute_tracks.variants.records import Source, VariantRecord
from tfimpute_tracks.variants.tables import ScoredAllele, open_table
from tfimpute_tracks.variants.validate import SkipReason

__all__ = ["Allele", "Outputs"]

Floats = NDArray[np.float32]

_SKIPPED_COLUMNS = ("line", "chrom", "pos", "id", "ref", "alt", "reason", "detail")


class Allele(NamedTuple):
    """An alternate allele of a record, scored or not.

    Attributes
    ----------
    alt : str
        As in the record.
    found : Variant or SkipReason
        The variant as the genome has it, or why it cannot be scored.
    is_swapped : bool
        Whether the genome has an alternate allele instead of REF.
    best : (float32 array, float32 array), each of shape (n_pairs,), optional
        Log-odds of the best tile over the reference and over the alternate allele.
    track : AlleleTrack, optional
    """

    alt: str
    found: Variant | SkipReason
    is_swapped: bool = False
    best: tuple[Floats, Floats] | None = None
    track: AlleleTrack | None = None


class Outputs:
    """The files of a run, written as the records come.

    Parameters
    ----------
    job : VariantJob
    genome : Sequences
    header : pysam.VariantHeader or None
        Of a VCF, which is annotated.
    background : Background, optional
    stack : ExitStack
        Completes the files when it closes without an error.

    Raises
    ------
    UsageError
        Parquet is asked for, and pyarrow is not installed.
    WriteError
        A file cannot be created.
    """

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
            self._vcf = stack.enter_context(
                open_annotated(self._run.files[-1], header, job.pairs)
            )
        self._tracks: AlleleTrackFile | None = None
        if job.write_tracks:
            chroms = list(genome.chrom_sizes)
            self._tracks = stack.enter_context(
                open_allele_tracks(job.out_dir, len(job.pairs), chroms, job.stride)
            )

    def add(self, record: VariantRecord, alleles: list[Allele]) -> None:
        """Write the alleles of a record.

        Parameters
        ----------
        record : VariantRecord
        alleles : list of Allele
        """
        chroms = self._run.counts.chroms
        if record.chrom not in chroms:
            chroms[record.chrom] = find_chrom(record.chrom, self._genome.chrom_sizes)
        annotations: list[str] = []
        is_swapped = False
        own_ref = _find_own_ref(alleles)
        for allele in alleles:
            if isinstance(allele.found, SkipReason):
                self._skip(record, allele.alt, allele.found)
            else:
                self._add_scored(record, allele, allele.found)
                annotations += self._annotations(allele, own_ref)
                is_swapped |= allele.is_swapped
        if self._vcf is not None:
            self._vcf.write(record, annotations, is_swapped)

    def _skip(self, record: VariantRecord, alt: str, why: SkipReason) -> None:
        self._run.counts.skipped[why.reason] += 1
        number, chrom, pos, name, ref, *_ = record
        self._skipped.writerow([number, chrom, pos, name, ref, alt, *why])

    def _add_scored(
        self, record: VariantRecord, allele: Allele, variant: Variant
    ) -> None:
        """Write a scored allele, as the genome has it."""
        job, counts = self._job, self._run.counts
        assert allele.best is not None
        counts.n_scored += 1
        counts.n_swapped += allele.is_swapped
        effects = self._compare(*allele.best)
        scored = ScoredAllele(variant, record.name, effects, allele.is_swapped)
        self._run.first = self._run.first or scored
        self._effects.add(scored)
        if self._tracks is not None and allele.track is not None:
            self._tracks.add(allele.track)
        if counts.n_scored <= job.n_heatmaps:
            self._run.files += draw_heatmap(
                *(job.model, job.pairs, variant, (effects[0], effects[1])),
                *(job.file(""), record.name),
            )

    def _compare(self, ref: Floats, alt: Floats) -> Floats:
        """Compute the effects of an allele, from the log-odds of both sides."""
        p_ref, p_alt = sigmoid(ref), sigmoid(alt)
        change = log_odds_change(ref, alt)
        quantile = np.full_like(change, np.nan)
        if self._background is not None:
            quantile = self._background.quantiles(change)
        return np.stack([p_ref, p_alt, p_alt - p_ref, change, quantile])

    def _annotations(self, allele: Allele, own_ref: Floats | None) -> list[str]:
        """List the pairs with the largest effects, from the record's REF to its ALT."""
        assert allele.best is not None
        sides = allele.best
        if allele.is_swapped:
            if own_ref is None:
                return []
            sides = own_ref, sides[0 if _is_genome(allele) else 1]
        ref, alt, delta, _, quantile = self._compare(*sides)
        most = np.argsort(-np.abs(delta), kind="stable")[: self._job.n_annotated]
        return [
            f"{allele.alt.upper()}|{pair.tf}|{pair.cell}|{ref[i]:.4g}|{alt[i]:.4g}|"
            f"{delta[i]:+.4g}|"
            + ("." if np.isnan(quantile[i]) else f"{quantile[i]:.4g}")
            for i in most
            for pair in [self._job.pairs[i]]
        ]

    def finish(self) -> VariantRun:
        """Write the tracks, which need all alleles.

        Returns
        -------
        VariantRun

        Raises
        ------
        InputFileError
            No chromosome of the variants is in the genome.
        """
        job, run, sizes = self._job, self._run, self._genome.chrom_sizes
        _check_chroms(job.source, sizes, run.counts.chroms)
        if self._tracks is not None:
            run.files += self._tracks.write(job.file(""), job.pairs, sizes)
        return run


def _find_own_ref(alleles: list[Allele]) -> Floats | None:
    """Find the log-odds of a record's REF that is not the genome's allele."""
    found = (one.best[1] for one in alleles if one.best and _is_genome(one))
    return next(found, None)


def _is_genome(allele: Allele) -> bool:
    """Report whether the genome has this alternate allele instead of REF."""
    found = allele.found
    return (
        allele.is_swapped
        and not isinstance(found, SkipReason)
        and found.ref == allele.alt.upper()
    )


def _check_chroms(
    source: Source, sizes: Iterable[str], chroms: dict[str, str | None]
) -> None:
    if chroms and not any(chroms.values()):
        raise InputFileError(
            f"{source.label}: none of its chromosomes ({listed(chroms, 3)}) is in "
            f"the FASTA ({listed(sizes, 3)}); use the genome that the variants were "
            "called on"
        )
