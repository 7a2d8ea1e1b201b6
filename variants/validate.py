"""Check which alleles can be scored, and the reason for those that cannot.

No allele is dropped silently: one that cannot be scored gets a reason, by which it is
counted, and a detail. If most reference alleles differ from the genome, the variants are
probably those of another assembly.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from tfimpute_tracks.genome import Sequences
from tfimpute_tracks.genome.chroms import find_chrom
from tfimpute_tracks.kernels.encode import decode
from tfimpute_tracks.storage.table import explain_number
from tfimpute_tracks.variants.alleles import MAX_BASES
from tfimpute_tracks.variants.normalize import Variant, changed_length
from tfimpute_tracks.variants.records import VariantRecord

__all__ = [
    "Counts",
    "SkipReason",
    "check_alleles",
    "match_references",
    "parse_position",
]

_BASES = frozenset("ACGT")
_MAX_DIGITS = 12  # of a position: a longer one is on no chromosome
_DIFFERS = "reference differs from the genome"
_SWAPPED = "alleles look swapped"


class SkipReason(NamedTuple):
    """Why an allele cannot be scored.

    Attributes
    ----------
    reason : str
        One of a few, to be counted.
    detail : str
    """

    reason: str
    detail: str = ""


Checked = tuple[Variant, bool] | SkipReason


@dataclass
class Counts:
    """Counts of scored and skipped alleles.

    Attributes
    ----------
    n_scored, n_swapped : int
        Scored alleles; and those of them whose REF was swapped with an ALT first.
    skipped : Counter of str
        By reason.
    chroms : dict of str to str or None
        From the chromosomes of the file to their names in the genome.
    """

    n_scored: int = 0
    n_swapped: int = 0
    skipped: Counter[str] = field(default_factory=Counter)
    chroms: dict[str, str | None] = field(default_factory=dict)

    @property
    def n_wrong(self) -> int:
        """Alleles whose REF differs from the genome."""
        return self.skipped[_DIFFERS] + self.skipped[_SWAPPED] + self.n_swapped

    @property
    def reference_match(self) -> float | None:
        """Fraction of the alleles compared with the genome whose REF agrees with it."""
        n = self.n_scored - self.n_swapped + self.n_wrong
        return (n - self.n_wrong) / n if n else None


def parse_position(pos: str) -> int | None:
    """Read a position.

    Parameters
    ----------
    pos : str
        1-based.

    Returns
    -------
    int or None
        0-based; None if the text is not a position.
    """
    return int(pos) - 1 if pos.isdecimal() and len(pos) <= _MAX_DIGITS else None


def check_alleles(
    genome: Sequences,
    locus: tuple[str, str],
    ref: str,
    alts: Sequence[str],
    fix_ref: bool,
) -> list[Checked]:
    """Find the alleles of a record in the genome.

    Parameters
    ----------
    genome : Sequences
    locus : (str, str)
        Chromosome, with or without ``chr``, and 1-based position.
    ref : str
    alts : sequence of str
    fix_ref : bool
        Swap REF with the alternate allele that the genome has, if it has one.

    Returns
    -------
    list of (Variant, bool) or SkipReason
        For each of `alts`: the variant as it is written, from the allele that the genome
        has, and whether that is an alternate allele instead of REF; or why there is none.
    """
    found = [_check_allele(genome, locus, ref, alt, fix_ref) for alt in alts]
    swaps = (one[0] for one in found if not isinstance(one, SkipReason) and one[1])
    swap = next(swaps, None)
    if swap is None:
        return found
    # The other alternate alleles are compared with what the genome has, too.
    for i, (one, alt) in enumerate(zip(found, alts, strict=True)):
        if isinstance(one, SkipReason) and one.reason == _DIFFERS:
            again = _check_allele(genome, locus, swap.ref, alt, False)
            found[i] = again if isinstance(again, SkipReason) else (again[0], True)
    return found


def match_references(
    genome: Sequences, records: Iterable[VariantRecord], fix_ref: bool
) -> float | None:
    """Compare reference alleles with the genome.

    Parameters
    ----------
    genome : Sequences
    records : iterable of VariantRecord
    fix_ref : bool
        As for :func:`check_alleles`: alleles that can be swapped agree.

    Returns
    -------
    float or None
        Fraction of the alleles whose REF agrees; None where none can be compared.
    """
    counts = Counts()
    for record in records:
        locus = record.chrom, record.pos
        for found in check_alleles(genome, locus, record.ref, record.alts, fix_ref):
            if isinstance(found, SkipReason):
                counts.skipped[found.reason] += 1
            else:
                counts.n_scored += 1
    return counts.reference_match


def _check_allele(
    genome: Sequences, locus: tuple[str, str], ref: str, alt: str, fix_ref: bool
) -> Checked:
    chrom, pos = locus
    ref, alt = ref.upper(), alt.upper()
    invalid = _check_bases(ref, alt)
    if invalid:
        return invalid
    own = find_chrom(chrom, genome.chrom_sizes)
    if own is None:
        return SkipReason("unknown chromosome", chrom)
    start = parse_position(pos)
    size = genome.chrom_sizes[own]
    if start is None and not pos.isdecimal():
        detail = explain_number(pos) or f"{pos[:20]!r} is not one of 1, 2, 3 ..."
        return SkipReason("invalid position", detail)
    if start is None or not 0 <= start <= size - len(ref):
        return SkipReason("outside of the chromosome", f"{own} has {size:,} bp")
    longest = max(len(ref), len(alt))
    found = decode(genome.codes(own, start, min(start + longest, size)))
    if found[: len(ref)] == ref:
        return Variant(own, start, ref, alt), False
    detail = f"the genome has {found[: len(ref)]}"
    # The shorter allele of an indel matches many sequences by chance.
    if len(ref) == len(alt) and found == alt:
        if fix_ref:
            return Variant(own, start, alt, ref), True
        return SkipReason(_SWAPPED, detail)
    if set(found[: len(ref)]) - _BASES:
        return SkipReason("unknown sequence", detail)
    return SkipReason(_DIFFERS, detail)


def _check_bases(ref: str, alt: str) -> SkipReason | None:
    if alt == "*":
        return SkipReason("spanning deletion", alt)
    if alt in ("", "."):
        return SkipReason("no alternate allele", alt)
    if alt.startswith("<") or set("[]") & set(alt):
        return SkipReason("symbolic allele", alt[:40])
    if not ref or set(ref + alt) - _BASES:
        return SkipReason("bases other than A, C, G and T", f"{ref[:20]} {alt[:20]}")
    if ref == alt:
        return SkipReason("alternate allele is the reference", ref[:20])
    longest = changed_length(ref, alt)
    if longest > MAX_BASES:
        return SkipReason(f"longer than {MAX_BASES} bp", f"{longest} bp")
    return None
