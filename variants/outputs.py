"""Write the files of a run over variants, record by record."""

from __future__ import annotations

import csv
from contextlib import ExitStack
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tfimpute_tracks.genome import Sequences
from tfimpute_tracks.storage import atomic_file
from tfimpute_tracks.variants.allele_tracks import (
    AlleleTrackFile,
    open_allele_tracks,
)
from tfimpute_tracks.variants.annotated_vcf import open_annotated
from tfimpute_tracks.variants.background import Background
from tfimpute_tracks.variants.heatmaps import draw_heatmap
from tfimpute_tracks.variants.job import VariantJob, VariantRun
from tfimpute_tracks.variants.records import VariantRecord
from tfimpute_tracks.variants.results import SKIPPED_COLUMNS, Allele, Results
from tfimpute_tracks.variants.tables import ScoredAllele, open_table
from tfimpute_tracks.variants.validate import SkipReason

__all__ = ["Outputs"]

Floats = NDArray[np.float32]


class Outputs(Results):
    """The files of a run, written as the records come.

    Parameters
    ----------
    job : VariantJob
    genome : Sequences
    background : Background, optional
    header : pysam.VariantHeader or None
        Of a VCF, which is annotated.
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
        background: Background | None,
        header: Any,
        stack: ExitStack,
    ) -> None:
        super().__init__(job, genome, background)
        table = job.file(f".effects.{job.layout.suffix}")
        status = [job.model.status(pair) for pair in job.pairs]
        self._effects = stack.enter_context(
            open_table(table, job.layout, job.pairs, status)
        )
        skipped = job.file(".skipped.tsv")
        path = stack.enter_context(atomic_file(skipped))
        file = stack.enter_context(path.open("w", encoding="utf-8", newline=""))
        self._skipped = csv.writer(file, delimiter="\t", lineterminator="\n")
        self._skipped.writerow(SKIPPED_COLUMNS)
        self.run.files += [table, skipped]
        self._vcf = None
        if header is not None:
            self.run.files.append(job.file(".annotated.vcf.gz"))
            self._vcf = stack.enter_context(
                open_annotated(self.run.files[-1], header, job.pairs, job.source.label)
            )
        self._tracks: AlleleTrackFile | None = None
        if job.write_tracks:
            chroms = list(genome.chrom_sizes)
            self._tracks = stack.enter_context(
                open_allele_tracks(job.out_dir, len(job.pairs), chroms, job.stride)
            )

    def add(self, record: VariantRecord, alleles: list[Allele]) -> None:
        """Write the alleles of a record; see :meth:`Results.add`.

        Parameters
        ----------
        record : VariantRecord
        alleles : list of Allele
        """
        super().add(record, alleles)
        if self._vcf is None:
            return
        own_ref = _find_own_ref(alleles)
        annotations: list[str] = []
        is_swapped = False
        for allele in alleles:
            if not isinstance(allele.found, SkipReason):
                annotations += self._annotations(allele, own_ref)
                is_swapped |= allele.is_swapped
        self._vcf.write(record, annotations, is_swapped)

    def skip(self, row: tuple[object, ...]) -> None:
        """See :meth:`Results.skip`."""
        self._skipped.writerow(row)

    def keep(self, scored: ScoredAllele, allele: Allele) -> None:
        """See :meth:`Results.keep`."""
        job = self._job
        self._effects.add(scored)
        if self._tracks is not None and allele.track is not None:
            self._tracks.add(allele.track)
        if self.run.counts.n_scored <= job.n_heatmaps:
            both = scored.effects[0], scored.effects[1]
            self.run.files += draw_heatmap(
                job.model, job.pairs, scored.variant, both, job.file(""), scored.name
            )

    def _annotations(self, allele: Allele, own_ref: Floats | None) -> list[str]:
        """List the pairs with the largest effects, from the record's REF to its ALT."""
        assert allele.best is not None
        sides = allele.best
        if allele.is_swapped:
            if own_ref is None:
                return []
            sides = own_ref, sides[0 if _is_genome(allele) else 1]
        ref, alt, delta, _, quantile = self.compare(*sides)
        most = np.argsort(-np.abs(delta), kind="stable")[: self._job.n_annotated]
        return [
            f"{allele.alt.upper()}|{pair.tf}|{pair.cell}|{ref[i]:.4g}|{alt[i]:.4g}|"
            f"{delta[i]:+.4g}|"
            + ("." if np.isnan(quantile[i]) else f"{quantile[i]:.4g}")
            for i in most
            for pair in [self._job.pairs[i]]
        ]

    def finish(self) -> VariantRun:
        """Write the tracks, which need all alleles; see :meth:`Results.finish`.

        Returns
        -------
        VariantRun
        """
        run, job = super().finish(), self._job
        if self._tracks is not None:
            sizes = self._genome.chrom_sizes
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
