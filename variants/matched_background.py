"""Background variants: the same change of letters elsewhere in the neighborhood.

A change of log-odds says little by itself: some pairs answer to any change, and a CG
that is broken weighs more than an A exchanged for a T. So variants of the file are
drawn, and each gets partners: the same letters between the same neighbors, changed in
the same way, at random places of its own chromosome. Nothing is scored here.
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
from tfimpute_tracks.variants.alleles import Variant
from tfimpute_tracks.variants.records import Source, open_variants
from tfimpute_tracks.variants.validate import SkipReason, check_allele

__all__ = ["VariantSample", "draw_matched", "read_within", "survey_variants"]

Ints = NDArray[np.int64]
Mask = NDArray[np.bool_]
Within = Mapping[str, tuple[Ints, Ints]]

_WIDTHS = (100_000, 1_000_000, 10_000_000)  # bp on either side, until there are enough
_DIGITS = 12  # of a position: what is longer lies on no chromosome
_MOST_EXACT = 3  # letters of a substitution whose partners have the same ones


class VariantSample(NamedTuple):
    """What a first reading of a file finds.

    Attributes
    ----------
    n_lines : int
    drawn : list of Variant
        Alleles that can be scored, drawn at random; in the order of the file.
    taken : mapping of str to int64 array
        Chromosome -> where its variants start, 0-based, ascending.
    """

    n_lines: int
    drawn: list[Variant]
    taken: Mapping[str, Ints]


def survey_variants(
    source: Source, genome: Sequences, fix: bool, most: int, seed: int
) -> VariantSample:
    """Read a file of variants once, and draw alleles from it.

    Parameters
    ----------
    source : Source
    genome : Sequences
    fix : bool
        As for :func:`check_allele`.
    most : int
        Alleles to draw; of fewer all.
    seed : int

    Returns
    -------
    Survey

    Raises
    ------
    InputFileError
        As :func:`open_variants`.
    """
    rng = random.Random(seed)
    starts: dict[str, array[int]] = defaultdict(lambda: array("q"))
    # The alleles with the smallest keys, largest key first: each is as likely as the
    # others to be among them, and few have to be looked up in the genome.
    chosen: list[tuple[float, int, Variant]] = []
    n_lines = n_alleles = 0
    with open_variants(source) as (lines, _):
        for line in lines:
            n_lines += 1
            own = find_chrom(line.chrom, genome.chrom_sizes)
            if own is not None and line.pos.isdecimal() and len(line.pos) <= _DIGITS:
                starts[own].append(int(line.pos) - 1)
            for alt in line.alts:
                key = rng.random()
                n_alleles += 1
                if len(chosen) == most and key >= -chosen[0][0]:
                    continue
                place = line.chrom, line.pos
                found = check_allele(genome, place, line.ref, alt, fix)
                if isinstance(found, SkipReason):
                    continue
                heapq.heappush(chosen, (-key, n_alleles, found[0]))
                if len(chosen) > most:
                    heapq.heappop(chosen)
    return VariantSample(
        n_lines,
        [variant for _, _, variant in sorted(chosen, key=lambda entry: entry[1])],
        {chrom: np.unique(np.array(places)) for chrom, places in starts.items()},
    )


def read_within(path: Path, genome: Sequences) -> Within:
    """Read the regions that partners may lie in.

    Parameters
    ----------
    path : Path
        A BED file.
    genome : Sequences

    Returns
    -------
    mapping of str to (int64 array, int64 array)
        Chromosome -> starts and ends, ascending and apart.

    Raises
    ------
    InputFileError
        No such file, or no BED.
    RegionError
        A chromosome is not the genome's.
    """
    from tfimpute_tracks.genome import merge_intervals, read_bed

    frame = read_bed(path)
    names = frame["chrom"].unique().tolist()
    frame["chrom"] = frame["chrom"].map(
        match_chroms(names, genome.chrom_sizes, str(path))
    )
    return {
        chrom: (some["start"].to_numpy(np.int64), some["end"].to_numpy(np.int64))
        for chrom, some in merge_intervals(frame).groupby("chrom", sort=False)
    }


def draw_matched(
    genome: Sequences,
    survey: VariantSample,
    wanted: int,
    seed: int,
    margin: int,
    within: Within | None = None,
) -> list[Variant]:
    """Draw partners for the alleles of a survey, each as many as any other.

    Parameters
    ----------
    genome : Sequences
    survey : Survey
    wanted : int
        Partners of all together.
    seed : int
    margin : int
        bp on either side of a partner that must be known.
    within : mapping, optional
        From :func:`read_within`.

    Returns
    -------
    list of Variant
        Fewer than `wanted` where there are no more places. The same for the same file,
        genome and seed.

    Raises
    ------
    InputFileError
        As :meth:`Sequences.codes`.
    """
    partners: list[Variant] = []
    n = len(survey.drawn)
    for i, variant in enumerate(survey.drawn):
        rng = np.random.default_rng([seed, i])
        share = wanted * (i + 1) // n - wanted * i // n
        change = _Change.of(variant)
        starts: Ints = np.empty(0, dtype=np.int64)
        for width in _WIDTHS:
            first = max(0, change.start - width)
            last = min(change.start + width, genome.chrom_sizes[variant.chrom])
            starts = _places(genome, change, (first, last), margin)
            starts = starts[~_is_taken(starts - change.ahead, variant, survey.taken)]
            if within is not None:
                starts = starts[_is_within(starts, within.get(variant.chrom))]
            if starts.size >= share or (
                first == 0 and last == genome.chrom_sizes[variant.chrom]
            ):
                break
        chosen = rng.choice(starts, min(share, starts.size), replace=False)
        made = (change.at(genome, start) for start in chosen.tolist())
        partners += [partner for partner in made if partner.ref != partner.alt]
    return partners


class _Change(NamedTuple):
    """A variant without the letters that both alleles share at their ends.

    Attributes
    ----------
    variant : Variant
    ahead, behind : int
        Shared letters before and behind.
    """

    variant: Variant
    ahead: int
    behind: int

    @classmethod
    def of(cls, variant: Variant) -> _Change:
        ref, alt = variant.ref, variant.alt
        shorter = min(len(ref), len(alt))
        ahead = next((i for i in range(shorter) if ref[i] != alt[i]), shorter)
        most = shorter - ahead
        behind = next((i for i in range(most) if ref[-1 - i] != alt[-1 - i]), most)
        return cls(variant, ahead, behind)

    @property
    def start(self) -> int:
        """Where the first letter that differs stands."""
        return self.variant.start + self.ahead

    @property
    def ref(self) -> str:
        """Letters that are replaced; none of an insertion."""
        return self.variant.ref[self.ahead : len(self.variant.ref) - self.behind]

    @property
    def alt(self) -> str:
        """Letters that replace them; none of a deletion."""
        return self.variant.alt[self.ahead : len(self.variant.alt) - self.behind]

    @property
    def is_exact(self) -> bool:
        """Whether partners have the same letters: a substitution of few."""
        return 0 < len(self.ref) == len(self.alt) <= _MOST_EXACT

    def at(self, genome: Sequences, start: int) -> Variant:
        """Make the same change elsewhere."""
        chrom, first = self.variant.chrom, start - self.ahead
        ref = decode(genome.codes(chrom, first, first + len(self.variant.ref)))
        alt = ref[: self.ahead] + self.alt + ref[len(ref) - self.behind :]
        return Variant(chrom, first, ref, alt)


def _places(
    genome: Sequences, change: _Change, span: tuple[int, int], margin: int
) -> Ints:
    """Find where the first changed letter of a partner may stand, ascending."""
    (first, last), chrom = span, change.variant.chrom
    length = len(change.ref)
    codes = read_past_ends(genome, chrom, first - margin, last + length + margin)
    n = last - first
    # Unknown letters before each place: none may be near.
    unknown = np.concatenate([[0], np.cumsum(codes == N_CODE)])
    fits: Mask = unknown[length + 2 * margin :][:n] == unknown[:n]
    if change.is_exact:
        about = read_past_ends(genome, chrom, change.start - 1, change.start + length)
        after = read_past_ends(
            genome, chrom, change.start + length, change.start + length + 1
        )
        letters = np.concatenate([about[:1], encode(change.ref), after])
        for i, letter in enumerate(letters.tolist()):
            if letter != N_CODE:
                fits &= codes[margin - 1 + i :][:n] == letter
    return first + np.flatnonzero(fits)


def _is_taken(starts: Ints, variant: Variant, taken: Mapping[str, Ints]) -> Mask:
    """Tell the partners that a variant of the file starts in."""
    own = taken.get(variant.chrom, np.empty(0, dtype=np.int64))
    before = np.searchsorted(own, starts)
    behind = np.searchsorted(own, starts + len(variant.ref))
    return before < behind


def _is_within(starts: Ints, regions: tuple[Ints, Ints] | None) -> Mask:
    if regions is None:
        return np.zeros(starts.shape, dtype=np.bool_)
    which = np.searchsorted(regions[0], starts, side="right") - 1
    inside: Mask = (which >= 0) & (starts < regions[1][which])
    return inside
