"""What a change of the sequence does to a pair's score, around the change.

Both alleles are put into the genome's letters and scored with tiles that begin every
few bp, so that the answer does not hang on how tiles happen to lie. Tiles that do not
reach the change are equal for both and left out.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tfimpute_tracks.engines.scorer import Scorer
from tfimpute_tracks.errors import RegionError, UsageError
from tfimpute_tracks.genome import Sequences, match_chrom
from tfimpute_tracks.kernels.encode import decode
from tfimpute_tracks.kernels.products import sigmoid
from tfimpute_tracks.models.model import Model
from tfimpute_tracks.variants.rows import AlleleRows, lay_alleles, score_rows
from tfimpute_tracks.vocabulary import Pair

__all__ = [
    "MAX_BASES",
    "AlleleEffects",
    "AlleleScorer",
    "AlleleScores",
    "Variant",
    "parse_variant",
]

Floats = NDArray[np.float32]

STEP = 5
"""bp between the starts of the tiles of a curve."""
MAX_BASES = 50
_MOST_AT_ONCE = 16  # variants
_SCORES_AT_ONCE = 1 << 23
_TYPED = re.compile(
    r"(?P<chrom>.+?)[:\s]+(?P<pos>[0-9,]+)[:\s]*(?P<ref>[A-Za-z]+)\s*(>|/|:|\s)\s*"
    r"(?P<alt>[A-Za-z]+)"
)


class Variant(NamedTuple):
    """A change of letters.

    Attributes
    ----------
    chrom : str
    start : int
        Of the first letter: 0-based.
    ref, alt : str
        Of A, C, G and T.
    """

    chrom: str
    start: int
    ref: str
    alt: str

    def __str__(self) -> str:
        return f"{self.chrom}:{self.start + 1} {self.ref}>{self.alt}"


class AlleleScores(NamedTuple):
    """Log-odds of both alleles, tile by tile.

    Attributes
    ----------
    ref_centers, alt_centers : int64 arrays, shape (n_tiles,)
        Middles of the tiles over each allele, in bp from the first changed letter.
    ref, alt : float32 arrays, shape (n_tiles, n_pairs)
        NaN where there is none. Alleles that differ in length have different numbers
        of tiles.
    """

    ref_centers: NDArray[np.int64]
    alt_centers: NDArray[np.int64]
    ref: Floats
    alt: Floats

    def best(self) -> tuple[Floats, Floats]:
        """Give the highest log-odds of each allele.

        Returns
        -------
        ref, alt : float32 arrays, shape (n_pairs,)
            NaN where no tile has a value.
        """
        ref, alt = (np.fmax.reduce(side, axis=0) for side in (self.ref, self.alt))
        return ref, alt


class AlleleEffects(NamedTuple):
    """Scores of both alleles.

    Attributes
    ----------
    ref_centers, alt_centers : int64 arrays, shape (n_tiles,)
        Middles of the tiles over each allele, in bp from the first changed letter.
    ref, alt : float32 arrays, shape (n_pairs, n_tiles)
        Probabilities; NaN where there is none. Alleles that differ in length have
        different numbers of tiles.
    """

    ref_centers: NDArray[np.int64]
    alt_centers: NDArray[np.int64]
    ref: NDArray[np.float32]
    alt: NDArray[np.float32]

    def best(self) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Give the highest score of each allele.

        Returns
        -------
        ref, alt : float32 arrays, shape (n_pairs,)
            NaN where no tile has a value.
        """
        ref, alt = (np.nan_to_num(a, nan=-1).max(axis=1) for a in (self.ref, self.alt))
        return np.where(ref < 0, np.nan, ref), np.where(alt < 0, np.nan, alt)


def parse_variant(text: str, genome: Sequences) -> Variant:
    """Read a variant, and check it against the genome.

    Parameters
    ----------
    text : str
        `chr20:48,807,376 A>G`, with the position counted from 1 as browsers do.
    genome : Sequences

    Returns
    -------
    Variant

    Raises
    ------
    UsageError
        Not of this form, no change, too long, or other letters than the genome's.
    RegionError
        An unknown chromosome, or outside of it.
    """
    typed = _TYPED.fullmatch(text.strip())
    if typed is None:
        raise UsageError(
            f"variant {text[:60]!r} is not of the form chr:position REF>ALT; write "
            "e.g. chr20:48807376 A>G, counting from 1"
        )
    ref, alt = typed["ref"].upper(), typed["alt"].upper()
    if set(ref + alt) - set("ACGT") or ref == alt:
        raise UsageError(
            f"variant {text[:60]!r} changes {ref[:20]} to {alt[:20]}; give two "
            "different alleles of the letters A, C, G and T"
        )
    if max(len(ref), len(alt)) > MAX_BASES:
        raise UsageError(
            f"an allele of {max(len(ref), len(alt))} letters; at most {MAX_BASES} "
            "are compared"
        )
    chrom = match_chrom(typed["chrom"], genome.chrom_sizes)
    start = int(typed["pos"].replace(",", "") or 0) - 1
    size = genome.chrom_sizes[chrom]
    if not 0 <= start <= size - len(ref):
        raise RegionError(
            f"variant {text[:60]!r} lies outside of {chrom}, which has {size:,} bp"
        )
    there = decode(genome.codes(chrom, start, start + len(ref)))
    if there != ref:
        hint = "the position counts from 1; is it of another assembly?"
        swapped = decode(genome.codes(chrom, start, min(start + len(alt), size)))
        if swapped == alt:
            hint = f"did you mean {alt}>{ref}?"
        raise UsageError(f"{chrom}:{start + 1} is {there}, not {ref}; {hint}")
    return Variant(chrom, start, ref, alt)


class AlleleScorer:
    """A model set up to score both alleles of variants for some pairs; thread-safe.

    Sequence alone counts: measured tracks are of the alleles that the cells had.

    Parameters
    ----------
    model : Model
    pairs : list of Pair
    step : int
        bp between the starts of tiles.

    Attributes
    ----------
    n_pairs : int
    at_once : int
        Variants that :meth:`curves` should be asked for together: more take more memory
        and no less time.
    """

    def __init__(self, model: Model, pairs: list[Pair], step: int = STEP) -> None:
        self._seq_len, self._step = model.config.seq_len, step
        self._scorer = Scorer(model, pairs, step, use_evidence=False)
        self._grid = self._scorer.grid
        self.n_pairs = len(pairs)
        # Core tiles of a change of one letter: of the reference, and what differs.
        n_core = self._grid.n_core(-(-self._seq_len // step))
        n_core += -(-self._seq_len // self._grid.core.stride)
        most = _SCORES_AT_ONCE // (n_core * len(pairs))
        self.at_once = min(_MOST_AT_ONCE, max(1, most))

    def effects(self, genome: Sequences, variant: Variant) -> AlleleEffects:
        """Score both alleles of a variant.

        Parameters
        ----------
        genome : Sequences
        variant : Variant

        Returns
        -------
        Effects

        Raises
        ------
        RegionError
            The chromosome is too short for a tile over the variant.
        """
        (curves,) = self.curves(genome, [variant])
        if isinstance(curves, RegionError):
            raise curves
        return AlleleEffects(
            curves.ref_centers,
            curves.alt_centers,
            sigmoid(curves.ref).T,
            sigmoid(curves.alt).T,
        )

    def curves(
        self, genome: Sequences, variants: Sequence[Variant]
    ) -> list[AlleleScores | RegionError]:
        """Score both alleles of several variants, which is quicker than one by one.

        Parameters
        ----------
        genome : Sequences
        variants : sequence of Variant

        Returns
        -------
        list of Curves or RegionError
            The latter where the chromosome is too short for a tile over the variant.
            The same bits whatever other variants there are.
        """
        rows: list[AlleleRows | RegionError] = []
        for chrom, start, ref, alt in variants:
            try:
                rows.append(lay_alleles(genome, (chrom, start), (ref, alt), self._grid))
            except RegionError as error:
                rows.append(error)
        laid = [row for row in rows if not isinstance(row, RegionError)]
        scored = iter(score_rows(self._scorer, laid) if laid else [])
        return [
            row if isinstance(row, RegionError) else self._drawn(row, *next(scored))
            for row in rows
        ]

    def _drawn(self, row: AlleleRows, ref: Floats, alt: Floats) -> AlleleScores:
        first = self._seq_len // 2 - row.before
        ref_centers, alt_centers = (
            first + self._step * np.arange(len(side), dtype=np.int64)
            for side in (ref, alt)
        )
        return AlleleScores(ref_centers, alt_centers, ref, alt)
