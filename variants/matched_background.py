"""Sample matched background variants: the same change at other loci nearby.

A change of the log-odds means little by itself: some pairs react to any change, and
breaking a CG has larger effects than replacing an A by a T. So alleles are sampled from
the file, and for each of them background variants with the same bases between the same
neighbors, changed in the same way, at random loci of its chromosome. Nothing is scored
here.
"""

from __future__ import annotations

import heapq
import random
from array import array
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tfimpute_tracks.genome import Sequences, match_chroms, read_past_ends
from tfimpute_tracks.genome.chroms import find_chrom
from tfimpute_tracks.kernels.encode import N_CODE, decode, encode
from tfimpute_tracks.variants.normalize import Variant, normalize
from tfimpute_tracks.variants.records import Source, open_variants
from tfimpute_tracks.variants.validate import SkipReason, check_alleles, parse_position

__all__ = ["VariantSample", "read_regions", "sample_matched", "sample_variants"]

Ints = NDArray[np.int64]
Mask = NDArray[np.bool_]
Regions = Mapping[str, tuple[Ints, Ints]]

_WIDTHS = (100_000, 1_000_000, 10_000_000)  # bp on either side, until there are enough
_MAX_EXACT = 3  # bp of a substitution up to which the replaced bases must be the same


class VariantSample(NamedTuple):
    """Alleles sampled from a file.

    Attributes
    ----------
    n_records : int
        Records in the file.
    alleles : list of Variant
        Alleles that can be scored, sampled at random; in the order of the file.
    occupied : mapping of str to int64 array
        Chromosome -> where variants of the file start, 0-based, ascending.
    """

    n_records: int
    alleles: list[Variant]
    occupied: Mapping[str, Ints]


def sample_variants(
    source: Source, genome: Sequences, fix_ref: bool, n: int, seed: int
) -> VariantSample:
    """Read a file of variants once, and sample alleles from it.

    Parameters
    ----------
    source : Source
    genome : Sequences
    fix_ref : bool
        As for :func:`check_alleles`.
    n : int
        Alleles to sample; all of them if there are fewer.
    seed : int

    Returns
    -------
    VariantSample

    Raises
    ------
    InputFileError
        As :func:`open_variants`.
    """
    rng = random.Random(seed)
    starts: dict[str, array[int]] = defaultdict(lambda: array("q"))
    # The alleles with the n smallest keys, the largest key first. Keys are random, so
    # every allele is as likely to be sampled, and few are looked up in the genome.
    chosen: list[tuple[float, int, Variant]] = []
    n_records = n_alleles = 0
    with open_variants(source) as (records, _):
        for record in records:
            n_records += 1
            chrom = find_chrom(record.chrom, genome.chrom_sizes)
            start = parse_position(record.pos)
            if chrom is not None and start is not None:
                for alt in record.alts or ("",):
                    starts[chrom].append(
                        _normal_start(Variant(chrom, start, record.ref, alt), genome)
                    )
            for i in range(len(record.alts)):
                key = rng.random()
                n_alleles += 1
                if len(chosen) == n and key >= -chosen[0][0]:
                    continue
                locus = record.chrom, record.pos
                found = check_alleles(genome, locus, record.ref, record.alts, fix_ref)[
                    i
                ]
                if isinstance(found, SkipReason):
                    continue
                variant = normalize(found[0], genome)
                heapq.heappush(chosen, (-key, n_alleles, variant))
                if len(chosen) > n:
                    heapq.heappop(chosen)
    return VariantSample(
        n_records,
        [variant for _, _, variant in sorted(chosen, key=lambda entry: entry[1])],
        {chrom: np.unique(np.array(own)) for chrom, own in starts.items()},
    )


def _normal_start(variant: Variant, genome: Sequences) -> int:
    """Find where the normal form starts; where the record does if it cannot be scored."""
    ref, alt = variant.ref.upper(), variant.alt.upper()
    is_on = 0 <= variant.start <= genome.chrom_sizes[variant.chrom] - len(ref)
    if not is_on or not ref or not alt or set(ref + alt) - set("ACGT") or ref == alt:
        return variant.start
    return normalize(variant._replace(ref=ref, alt=alt), genome).start


def read_regions(path: Path, genome: Sequences) -> Regions:
    """Read the regions that background variants may lie in.

    Parameters
    ----------
    path : Path
        A BED file.
    genome : Sequences

    Returns
    -------
    mapping of str to (int64 array, int64 array)
        Chromosome -> starts and ends, ascending and disjoint.

    Raises
    ------
    InputFileError
        No such file, or not a BED.
    RegionError
        A chromosome is not in the genome.
    """
    from tfimpute_tracks.genome import merge_intervals, read_bed

    frame = read_bed(path)
    names = frame["chrom"].unique().tolist()
    frame["chrom"] = frame["chrom"].map(
        match_chroms(names, genome.chrom_sizes, str(path))
    )
    return {
        chrom: (own["start"].to_numpy(np.int64), own["end"].to_numpy(np.int64))
        for chrom, own in merge_intervals(frame).groupby("chrom", sort=False)
    }


def sample_matched(
    genome: Sequences,
    sample: VariantSample,
    n: int,
    seed: int,
    margin: int,
    regions: Regions | None = None,
) -> list[Variant]:
    """Sample background variants, the same number for each allele of a sample.

    Parameters
    ----------
    genome : Sequences
    sample : VariantSample
    n : int
        Background variants in total.
    seed : int
    margin : int
        bp on either side of a background variant that must be known.
    regions : mapping, optional
        From :func:`read_regions`.

    Returns
    -------
    list of Variant
        Fewer than `n` if there are not enough loci. The same for the same file, genome
        and seed.

    Raises
    ------
    InputFileError
        As :meth:`Sequences.codes`.
    """
    background: list[Variant] = []
    n_alleles = len(sample.alleles)
    for i, variant in enumerate(sample.alleles):
        rng = np.random.default_rng([seed, i])
        n_own = n * (i + 1) // n_alleles - n * i // n_alleles
        change = _Change.of(variant)
        size = genome.chrom_sizes[variant.chrom]
        starts: Ints = np.empty(0, dtype=np.int64)
        for width in _WIDTHS:
            first, last = max(0, change.start - width), min(change.start + width, size)
            starts = _matching_starts(genome, change, (first, last), margin)
            occupied = _is_occupied(starts - change.n_before, variant, sample.occupied)
            starts = starts[~occupied]
            if regions is not None:
                starts = starts[_is_inside(starts, regions.get(variant.chrom))]
            if starts.size >= n_own or (first == 0 and last == size):
                break
        chosen = rng.choice(starts, min(n_own, starts.size), replace=False)
        made = (change.at(genome, start) for start in chosen.tolist())
        background += [one for one in made if one.ref != one.alt]
    return background


class _Change(NamedTuple):
    """A variant without the bases that both alleles share at their ends.

    Attributes
    ----------
    variant : Variant
    n_before, n_after : int
        Shared bases before and after the change.
    """

    variant: Variant
    n_before: int
    n_after: int

    @classmethod
    def of(cls, variant: Variant) -> _Change:
        ref, alt = variant.ref, variant.alt
        shorter = min(len(ref), len(alt))
        before = next((i for i in range(shorter) if ref[i] != alt[i]), shorter)
        rest = shorter - before
        after = next((i for i in range(rest) if ref[-1 - i] != alt[-1 - i]), rest)
        return cls(variant, before, after)

    @property
    def start(self) -> int:
        """Position of the first base that differs."""
        return self.variant.start + self.n_before

    @property
    def ref(self) -> str:
        """Bases that are replaced; empty for an insertion."""
        return self.variant.ref[self.n_before : len(self.variant.ref) - self.n_after]

    @property
    def alt(self) -> str:
        """Bases that replace them; empty for a deletion."""
        return self.variant.alt[self.n_before : len(self.variant.alt) - self.n_after]

    @property
    def is_exact(self) -> bool:
        """Whether background variants replace the same bases: a short substitution."""
        return 0 < len(self.ref) == len(self.alt) <= _MAX_EXACT

    def at(self, genome: Sequences, start: int) -> Variant:
        """Make the same change at another locus."""
        chrom, first = self.variant.chrom, start - self.n_before
        ref = decode(genome.codes(chrom, first, first + len(self.variant.ref)))
        alt = ref[: self.n_before] + self.alt + ref[len(ref) - self.n_after :]
        return Variant(chrom, first, ref, alt)


def _matching_starts(
    genome: Sequences, change: _Change, span: tuple[int, int], margin: int
) -> Ints:
    """Find where the first changed base of a background variant may be, ascending."""
    (first, last), chrom = span, change.variant.chrom
    length = len(change.ref)
    codes = read_past_ends(genome, chrom, first - margin, last + length + margin)
    n = last - first
    # Unknown bases before each position: there must be none within the margin.
    unknown = np.concatenate([[0], np.cumsum(codes == N_CODE)])
    fits: Mask = unknown[length + 2 * margin :][:n] == unknown[:n]
    if change.is_exact:
        context = read_past_ends(
            genome, chrom, change.start - 1, change.start + length + 1
        )
        bases = np.concatenate([context[:1], encode(change.ref), context[-1:]])
        for i, base in enumerate(bases.tolist()):
            if base != N_CODE:
                fits &= codes[margin - 1 + i :][:n] == base
    return first + np.flatnonzero(fits)


def _is_occupied(starts: Ints, variant: Variant, occupied: Mapping[str, Ints]) -> Mask:
    """Find which background variants overlap the start of a variant of the file."""
    own = occupied.get(variant.chrom, np.empty(0, dtype=np.int64))
    before = np.searchsorted(own, starts)
    after = np.searchsorted(own, starts + len(variant.ref))
    return before < after


def _is_inside(starts: Ints, regions: tuple[Ints, Ints] | None) -> Mask:
    if regions is None:
        return np.zeros(starts.shape, dtype=np.bool_)
    which = np.searchsorted(regions[0], starts, side="right") - 1
    inside: Mask = (which >= 0) & (starts < regions[1][which])
    return inside
