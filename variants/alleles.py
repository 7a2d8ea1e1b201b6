"""What a change of the sequence does to a pair's score, around the change.

Both alleles are put into the genome's letters and scored with tiles that begin every
few bp, so that the answer does not hang on how tiles happen to lie. Tiles that do not
reach the change are equal for both and left out.
"""

from __future__ import annotations

import re
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tfimpute_tracks.errors import RegionError, UsageError
from tfimpute_tracks.genome import Sequences, match_chrom, read_past_ends
from tfimpute_tracks.kernels.encode import decode, encode
from tfimpute_tracks.kernels.products import sigmoid
from tfimpute_tracks.models.cpu_engine import LookupEngine
from tfimpute_tracks.models.model import Model
from tfimpute_tracks.models.tile_grid import tile_grid
from tfimpute_tracks.vocabulary import Pair

__all__ = ["MOST_LETTERS", "AlleleScorer", "Effects", "Variant", "parse_variant"]

STEP = 5
"""bp between the starts of tiles."""
MOST_LETTERS = 50
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


class Effects(NamedTuple):
    """Scores of both alleles.

    Attributes
    ----------
    ref_centres, alt_centres : int64 arrays, shape (n_tiles,)
        Middles of the tiles over each allele, in bp from the first changed letter.
    ref, alt : float32 arrays, shape (n_pairs, n_tiles)
        Probabilities; NaN where there is none. Alleles that differ in length have
        different numbers of tiles.
    """

    ref_centres: NDArray[np.int64]
    alt_centres: NDArray[np.int64]
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
    if max(len(ref), len(alt)) > MOST_LETTERS:
        raise UsageError(
            f"an allele of {max(len(ref), len(alt))} letters; at most {MOST_LETTERS} "
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
    """

    def __init__(self, model: Model, pairs: list[Pair]) -> None:
        self._seq_len = model.config.seq_len
        self._grid = tile_grid(model.config, STEP)
        self._engine = LookupEngine(model, pairs, self._grid)

    def effects(self, genome: Sequences, variant: Variant) -> Effects:
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
        grid, seq_len = self._grid, self._seq_len
        chrom, start, ref, alt = variant
        reach = (seq_len - 1) // STEP * STEP  # a tile's start before the change
        before = min(reach, start // STEP * STEP)
        first, size = start - before, genome.chrom_sizes[chrom]
        end = min(start + len(ref) + seq_len, size)
        left = read_past_ends(genome, chrom, first - grid.halo, start)
        right = read_past_ends(genome, chrom, start + len(ref), end + grid.halo)
        sides = []
        for allele in (ref, alt):
            codes = np.concatenate([left, encode(allele), right])
            most = (len(codes) - 2 * grid.halo - seq_len) // STEP + 1
            n_tiles = min((before + len(allele) - 1) // STEP + 1, most)
            if n_tiles < 1:
                raise RegionError(
                    f"{chrom} has {size} bp, too few for a tile of {seq_len} bp over "
                    f"{variant}"
                )
            codes = codes[grid.letters(0, n_tiles)]
            values = sigmoid(self._engine.logits(codes, n_tiles))
            values[grid.of_tiles(grid.unknown(codes, n_tiles))] = np.nan
            centres = STEP * np.arange(n_tiles, dtype=np.int64) - before
            sides.append((centres + seq_len // 2, values.T))
        (ref_centres, ref_values), (alt_centres, alt_values) = sides
        return Effects(ref_centres, alt_centres, ref_values, alt_values)
