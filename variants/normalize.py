"""Write a variant in its one normal form, so that its scores do not depend on the writing.

The same change of a sequence can be written with common bases on either side, and an
indel in a repeat at several positions. The normal form is that of `bcftools norm`: as few
bases as possible, as far to the left as possible.
"""

from __future__ import annotations

from typing import NamedTuple

from tfimpute_tracks.genome import Sequences
from tfimpute_tracks.kernels.encode import decode

__all__ = ["Variant", "changed_length", "normalize", "trim"]

_BLOCK = 64  # bases read at once on the left


class Variant(NamedTuple):
    """A replacement of bases.

    Attributes
    ----------
    chrom : str
    start : int
        Of the first base, 0-based.
    ref, alt : str
        Of A, C, G and T.
    """

    chrom: str
    start: int
    ref: str
    alt: str

    def __str__(self) -> str:
        return f"{self.chrom}:{self.start + 1} {self.ref}>{self.alt}"


def trim(variant: Variant) -> Variant:
    """Remove the bases that both alleles share at either end; each keeps one.

    Parameters
    ----------
    variant : Variant

    Returns
    -------
    Variant
    """
    chrom, start, ref, alt = variant
    while min(len(ref), len(alt)) > 1 and ref[-1] == alt[-1]:
        ref, alt = ref[:-1], alt[:-1]
    n = 0
    while min(len(ref), len(alt)) > n + 1 and ref[n] == alt[n]:
        n += 1
    return Variant(chrom, start + n, ref[n:], alt[n:])


def changed_length(ref: str, alt: str) -> int:
    """Measure the longer allele without the bases that both share at either end.

    Parameters
    ----------
    ref, alt : str

    Returns
    -------
    int
        In bp.
    """
    trimmed = trim(Variant("", 0, ref, alt))
    return max(len(trimmed.ref), len(trimmed.alt))


def normalize(variant: Variant, genome: Sequences) -> Variant:
    """Trim a variant, and move an indel as far to the left as its sequence allows.

    Parameters
    ----------
    variant : Variant
        Its reference allele is that of the genome.
    genome : Sequences

    Returns
    -------
    Variant
        The same for every writing of the same change.
    """
    chrom, start, ref, alt = trim(variant)
    left = ""
    while ref[-1] == alt[-1] and start > 0:
        if not left:
            left = decode(genome.codes(chrom, max(0, start - _BLOCK), start))
        # One allele is a single base here: what is deleted or inserted moves by one.
        ref, alt, left = left[-1] + ref[:-1], left[-1] + alt[:-1], left[:-1]
        start -= 1
    return trim(Variant(chrom, start, ref, alt))
