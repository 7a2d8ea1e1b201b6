"""What a run over variants counts and compares, whatever becomes of the results."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tfimpute_tracks.errors import InputFileError, listed
from tfimpute_tracks.genome import Sequences
from tfimpute_tracks.genome.chroms import find_chrom
from tfimpute_tracks.kernels.products import sigmoid
from tfimpute_tracks.variants.allele_tracks import AlleleTrack
from tfimpute_tracks.variants.background import Background, log_odds_change
from tfimpute_tracks.variants.job import VariantJob, VariantRun
from tfimpute_tracks.variants.normalize import Variant
from tfimpute_tracks.variants.records import Source, VariantRecord
from tfimpute_tracks.variants.tables import ScoredAllele
from tfimpute_tracks.variants.validate import SkipReason

__all__ = ["SKIPPED_COLUMNS", "Allele", "Results"]

Floats = NDArray[np.float32]

SKIPPED_COLUMNS = ("line", "chrom", "pos", "id", "ref", "alt", "reason", "detail")
"""Columns of the alleles that could not be scored."""


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


class Results:
    """The alleles of a run: these are kept in memory, those of ``outputs`` in files.

    Parameters
    ----------
    job : VariantJob
    genome : Sequences
    background : Background, optional

    Attributes
    ----------
    run : VariantRun
    scored : list of ScoredAllele
    skipped : list of tuple
        Rows of :data:`SKIPPED_COLUMNS`.
    """

    def __init__(
        self, job: VariantJob, genome: Sequences, background: Background | None
    ) -> None:
        self._job, self._genome, self._background = job, genome, background
        self.run = VariantRun(n_background=0 if background is None else background.n)
        self.scored: list[ScoredAllele] = []
        self.skipped: list[tuple[object, ...]] = []

    def add(self, record: VariantRecord, alleles: list[Allele]) -> None:
        """Add the alleles of a record.

        Parameters
        ----------
        record : VariantRecord
        alleles : list of Allele
        """
        chroms, counts = self.run.counts.chroms, self.run.counts
        if record.chrom not in chroms:
            chroms[record.chrom] = find_chrom(record.chrom, self._genome.chrom_sizes)
        for allele in alleles:
            if isinstance(allele.found, SkipReason):
                counts.skipped[allele.found.reason] += 1
                number, chrom, pos, name, ref, *_ = record
                self.skip((number, chrom, pos, name, ref, allele.alt, *allele.found))
                continue
            assert allele.best is not None
            counts.n_scored += 1
            counts.n_swapped += allele.is_swapped
            scored = ScoredAllele(
                allele.found, record.name, self.compare(*allele.best), allele.is_swapped
            )
            self.run.first = self.run.first or scored
            self.keep(scored, allele)

    def skip(self, row: tuple[object, ...]) -> None:
        """Keep an allele that could not be scored.

        Parameters
        ----------
        row : tuple
            Of :data:`SKIPPED_COLUMNS`.
        """
        self.skipped.append(row)

    def keep(self, scored: ScoredAllele, allele: Allele) -> None:
        """Keep a scored allele, as the genome has it.

        Parameters
        ----------
        scored : ScoredAllele
        allele : Allele
            What it was made of.
        """
        self.scored.append(scored)

    def compare(self, ref: Floats, alt: Floats) -> Floats:
        """Compute the effects of an allele.

        Parameters
        ----------
        ref, alt : float32 array, shape (n_pairs,)
            Log-odds of both sides.

        Returns
        -------
        float32 array, shape (5, n_pairs)
            As :attr:`tfimpute_tracks.variants.tables.ScoredAllele.effects`.
        """
        p_ref, p_alt = sigmoid(ref), sigmoid(alt)
        change = log_odds_change(ref, alt)
        quantile = np.full_like(change, np.nan)
        if self._background is not None:
            quantile = self._background.quantiles(change)
        return np.stack([p_ref, p_alt, p_alt - p_ref, change, quantile])

    def finish(self) -> VariantRun:
        """Complete the run.

        Returns
        -------
        VariantRun

        Raises
        ------
        InputFileError
            No chromosome of the variants is in the genome.
        """
        sizes, chroms = self._genome.chrom_sizes, self.run.counts.chroms
        _check_chroms(self._job.source, sizes, chroms)
        return self.run


def _check_chroms(
    source: Source, sizes: Iterable[str], chroms: dict[str, str | None]
) -> None:
    if chroms and not any(chroms.values()):
        raise InputFileError(
            f"{source.label}: none of its chromosomes ({listed(chroms, 3)}) is in "
            f"the FASTA ({listed(sizes, 3)}); use the genome that the variants were "
            "called on"
        )
