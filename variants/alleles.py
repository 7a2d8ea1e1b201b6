"""Score both alleles of a variant with the tiles over it.

Each allele is put into the sequence of the genome and scored with tiles that start every
few bp, so that the result does not depend on where tiles happen to lie. Tiles that do not
overlap the variant are the same for both alleles and left out.
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
from tfimpute_tracks.models.model import Model
from tfimpute_tracks.variants.normalize import Variant, changed_length, normalize
from tfimpute_tracks.variants.rows import AlleleRows, lay_out_alleles, score_rows
from tfimpute_tracks.vocabulary import Pair

__all__ = [
    "MAX_BASES",
    "STRIDE",
    "AlleleScorer",
    "AlleleScores",
    "is_variant",
    "parse_variant",
]

Floats = NDArray[np.float32]

STRIDE = 5
"""Default distance between tile starts, in bp."""
MAX_BASES = 50
"""Of an allele."""
_MAX_BATCH = 16  # variants
_MAX_BATCH_SCORES = 1 << 23
_TYPED = re.compile(
    # Repetitions have limits: without, a row of commas would be tried in all ways.
    r"(?P<chrom>.{1,200}?)[:\s,_-]{1,9}(?:g\.)?(?P<pos>[0-9][0-9,]{0,19})[:\s,_-]{0,9}"
    r"(?:(?:\.|rs[0-9]+)[:\s,_-]{1,9})?"  # an ID, as between the columns of a VCF
    r"(?P<ref>[A-Za-z]+)\s{0,9}[>/:\s,_-]\s{0,9}(?P<alt>[A-Za-z]+)"
)
_POSITION = re.compile(r"[^\s/]+:[0-9,]+([:\s>].*)?")  # and no alleles, or odd ones
_DBSNP = re.compile(r"rs[0-9]+")
_FORM = "write e.g. chr20:48807376:G:A or chr20:48,807,376 G>A, with a 1-based position"


class AlleleScores(NamedTuple):
    """Log-odds of both alleles, tile by tile.

    Attributes
    ----------
    variant : Variant
        In its normal form, which was scored.
    ref_centers, alt_centers : int64 arrays, shape (n_tiles,)
        Centers of the tiles over each allele, in bp from the start of `variant`.
    ref, alt : float32 arrays, shape (n_tiles, n_pairs)
        NaN for tiles without a score. Alleles that differ in length have different
        numbers of tiles.
    """

    variant: Variant
    ref_centers: NDArray[np.int64]
    alt_centers: NDArray[np.int64]
    ref: Floats
    alt: Floats

    def best(self) -> tuple[Floats, Floats]:
        """Compute the highest log-odds of each allele.

        Returns
        -------
        ref, alt : float32 arrays, shape (n_pairs,)
            NaN if no tile has a score.
        """
        ref, alt = (np.fmax.reduce(side, axis=0) for side in (self.ref, self.alt))
        return ref, alt


def is_variant(text: str) -> bool:
    """Distinguish a variant from the name of a file.

    Parameters
    ----------
    text : str

    Returns
    -------
    bool
        Also true for a position without alleles, and for an ID of dbSNP.
    """
    typed = text.strip()
    forms = (_TYPED, _POSITION, _DBSNP)
    return any(form.fullmatch(typed) for form in forms)


def parse_variant(text: str, genome: Sequences) -> Variant:
    """Parse a variant, and check it against the genome.

    Parameters
    ----------
    text : str
        `chr20:48,807,376 G>A`, with a 1-based position; between chromosome, position and
        alleles there may be colons, blanks, tabs, dashes, underscores or commas.
    genome : Sequences

    Returns
    -------
    Variant
        As it was written.

    Raises
    ------
    UsageError
        Another form, two equal alleles, a long allele, or a reference allele that differs
        from the genome.
    RegionError
        The chromosome is unknown, or the position is outside of it.
    """
    typed = _TYPED.fullmatch(text.strip())
    if typed is None:
        why = ": IDs are not looked up" if _DBSNP.fullmatch(text.strip()) else ""
        raise UsageError(
            f"variant {text[:60]!r} is not of the form chr:position REF>ALT{why}; {_FORM}"
        )
    ref, alt = typed["ref"].upper(), typed["alt"].upper()
    if set(ref + alt) - set("ACGT") or ref == alt:
        raise UsageError(
            f"variant {text[:60]!r} changes {ref[:20]} to {alt[:20]}; use two different "
            "alleles of the bases A, C, G and T"
        )
    longest = changed_length(ref, alt)
    if longest > MAX_BASES:
        raise UsageError(
            f"variant {text[:60]!r} has an allele of {longest} bp; use at most "
            f"{MAX_BASES} bp"
        )
    chrom = match_chrom(typed["chrom"], genome.chrom_sizes)
    start = int(typed["pos"].replace(",", "") or 0) - 1
    size = genome.chrom_sizes[chrom]
    if not 0 <= start <= size - len(ref):
        raise RegionError(
            f"variant {text[:60]!r} is outside of {chrom}, which has {size:,} bp"
        )
    found = decode(genome.codes(chrom, start, start + len(ref)))
    if found != ref:
        hint = "positions are 1-based; is the variant of another assembly?"
        if not set(found) & set("ACGT"):
            hint = f"{genome.name} does not have the sequence there"
        elif decode(genome.codes(chrom, start, min(start + len(alt), size))) == alt:
            hint = f"did you mean {alt}>{ref}?"
        raise UsageError(f"{chrom}:{start + 1} is {found}, not {ref}; {hint}")
    return Variant(chrom, start, ref, alt)


class AlleleScorer:
    """A model set up to score both alleles of variants for some pairs; thread-safe.

    It scores by sequence only: measured tracks are of the alleles that the cells had.

    Parameters
    ----------
    model : Model
    pairs : list of Pair
    stride : int
        bp between tile starts.

    Attributes
    ----------
    n_pairs : int
    batch_size : int
        Variants that :meth:`scores` should get at once: more of them take more memory
        and save no time.
    """

    def __init__(self, model: Model, pairs: list[Pair], stride: int = STRIDE) -> None:
        self._seq_len, self._stride = model.config.seq_len, stride
        self._scorer = Scorer(model, pairs, stride, use_evidence=False)
        self._grid = self._scorer.grid
        self.n_pairs = len(pairs)
        # Base tiles of a single-nucleotide variant: of the reference, and those that
        # differ.
        n_base = self._grid.n_base(-(-self._seq_len // stride))
        n_base += -(-self._seq_len // self._grid.base.stride)
        most = _MAX_BATCH_SCORES // (n_base * len(pairs))
        self.batch_size = min(_MAX_BATCH, max(1, most))

    def score(self, genome: Sequences, variant: Variant) -> AlleleScores:
        """Score both alleles of one variant.

        Parameters
        ----------
        genome : Sequences
        variant : Variant

        Returns
        -------
        AlleleScores

        Raises
        ------
        RegionError
            The chromosome is shorter than a tile.
        """
        (scores,) = self.scores(genome, [variant])
        if isinstance(scores, RegionError):
            raise scores
        return scores

    def scores(
        self, genome: Sequences, variants: Sequence[Variant]
    ) -> list[AlleleScores | RegionError]:
        """Score both alleles of several variants, faster than one by one.

        Parameters
        ----------
        genome : Sequences
        variants : sequence of Variant

        Returns
        -------
        list of AlleleScores or RegionError
            An error if the chromosome is shorter than a tile. The same bits whatever other
            variants there are.
        """
        rows: list[AlleleRows | RegionError] = []
        normal = [normalize(variant, genome) for variant in variants]
        for chrom, start, ref, alt in normal:
            try:
                rows.append(
                    lay_out_alleles(genome, (chrom, start), (ref, alt), self._grid)
                )
            except RegionError as error:
                rows.append(error)
        laid = [row for row in rows if not isinstance(row, RegionError)]
        scored = iter(score_rows(self._scorer, laid) if laid else [])
        return [
            row
            if isinstance(row, RegionError)
            else self._placed(variant, row, *next(scored))
            for variant, row in zip(normal, rows, strict=True)
        ]

    def _placed(
        self, variant: Variant, row: AlleleRows, ref: Floats, alt: Floats
    ) -> AlleleScores:
        ref_centers, alt_centers = (
            self._seq_len // 2 - before + self._stride * np.arange(len(side))
            for before, side in zip(row.before, (ref, alt), strict=True)
        )
        return AlleleScores(variant, ref_centers, alt_centers, ref, alt)
