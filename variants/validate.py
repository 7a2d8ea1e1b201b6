"""Which alleles can be scored, and of the others why not.

Nothing is dropped: what cannot be scored has a reason, by which it is counted, and a
detail. A reference that is not the genome's tells most: one in a while is a mistake,
most of them are another assembly.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import NamedTuple

from tfimpute_tracks.genome import Sequences
from tfimpute_tracks.genome.chroms import find_chrom
from tfimpute_tracks.kernels.encode import decode
from tfimpute_tracks.variants.alleles import MAX_BASES, Variant

__all__ = ["Counts", "SkipReason", "check_allele"]

_LETTERS = frozenset("ACGT")
_DIGITS = 12  # of a position: what is longer lies on no chromosome
_DIFFERS = "reference differs from the genome"
_SWAPPED = "alleles look swapped"


class SkipReason(NamedTuple):
    """Why an allele cannot be scored.

    Attributes
    ----------
    reason : str
        One of few, to be counted.
    detail : str
    """

    reason: str
    detail: str = ""


@dataclass
class Counts:
    """What became of alleles.

    Attributes
    ----------
    n_scored, n_swapped : int
        Scored; and those of them whose alleles were exchanged first.
    faults : Counter of str
        By reason.
    chroms : dict of str to str or None
        Chromosomes of the file, and what the genome calls them.
    """

    n_scored: int = 0
    n_swapped: int = 0
    faults: Counter[str] = field(default_factory=Counter)
    chroms: dict[str, str | None] = field(default_factory=dict)

    @property
    def reference_share(self) -> float | None:
        """Share of the alleles held against the genome whose reference is its own."""
        wrong = self.faults[_DIFFERS] + self.faults[_SWAPPED] + self.n_swapped
        n = self.n_scored - self.n_swapped + wrong
        return (n - wrong) / n if n else None


def check_allele(
    genome: Sequences, place: tuple[str, str], ref: str, alt: str, fix: bool
) -> tuple[Variant, bool] | SkipReason:
    """Find an allele in the genome.

    Parameters
    ----------
    genome : Sequences
    place : (str, str)
        Chromosome, with or without ``chr``, and position from 1.
    ref, alt : str
    fix : bool
        Exchange alleles where the alternative is what the genome has.

    Returns
    -------
    (Variant, bool) or Fault
        And whether the alleles were exchanged.
    """
    chrom, pos = place
    ref, alt = ref.upper(), alt.upper()
    fault = _of_letters(ref, alt)
    if fault:
        return fault
    own = find_chrom(chrom, genome.chrom_sizes)
    if own is None:
        return SkipReason("unknown chromosome", chrom)
    start = int(pos) - 1 if pos.isdecimal() and len(pos) <= _DIGITS else -1
    size = genome.chrom_sizes[own]
    if not 0 <= start <= size - len(ref):
        return SkipReason("outside of the chromosome", f"{own} has {size:,} bp")
    longest = max(len(ref), len(alt))
    there = decode(genome.codes(own, start, min(start + longest, size)))
    if there[: len(ref)] == ref:
        return Variant(own, start, ref, alt), False
    told = f"the genome has {there[: len(ref)]}"
    # Of an indel the shorter allele begins many words: it proves nothing.
    if len(ref) == len(alt) and there == alt:
        if fix:
            return Variant(own, start, alt, ref), True
        return SkipReason(_SWAPPED, told)
    if set(there[: len(ref)]) - _LETTERS:
        return SkipReason("unknown sequence", told)
    return SkipReason(_DIFFERS, told)


def _of_letters(ref: str, alt: str) -> SkipReason | None:
    if alt == "*":
        return SkipReason("spanning deletion", alt)
    if alt in ("", "."):
        return SkipReason("no alternative", alt)
    if alt.startswith("<") or set("[]") & set(alt):
        return SkipReason("symbolic alternative", alt[:40])
    if not ref or set(ref + alt) - _LETTERS:
        return SkipReason("letters other than A, C, G and T", f"{ref[:20]} {alt[:20]}")
    if ref == alt:
        return SkipReason("alternative is the reference", ref[:20])
    if max(len(ref), len(alt)) > MAX_BASES:
        longest = max(len(ref), len(alt))
        return SkipReason(f"longer than {MAX_BASES} letters", f"{longest} letters")
    return None
