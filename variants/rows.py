"""Both alleles of variants as rows of tiles; only what differs of them is scored twice.

A score depends on the tiles about the change, and of a model that looks at
surroundings on their neighbors, too: most of these do not reach the change, are the
same letters in both alleles, and are scored once. Rows of several variants go through
the network together, for a few tiles at a time would leave it half empty; what a tile
scores does not depend on its company.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tfimpute_tracks.engines.scorer import Scorer
from tfimpute_tracks.engines.tile_grid import TileGrid
from tfimpute_tracks.errors import RegionError
from tfimpute_tracks.genome import Sequences, read_past_ends
from tfimpute_tracks.kernels.encode import encode

__all__ = ["AlleleRows", "lay_alleles", "score_rows"]

Codes = NDArray[np.uint8]
Floats = NDArray[np.float32]


class AlleleRows(NamedTuple):
    """Both alleles in the genome's letters, from the first tile to the last.

    Attributes
    ----------
    before : int
        bp from the start of the first tile to the change.
    ref, alt : uint8 arrays, shape (grid.n_codes(n_tiles),), values 0..4
        Halo included.
    n_ref, n_alt : int
        Tiles over each allele.
    own : slice
        Core tiles of the alternative that are scored for themselves; those before and
        behind are the reference's.
    """

    before: int
    ref: Codes
    alt: Codes
    n_ref: int
    n_alt: int
    own: slice


def lay_alleles(
    genome: Sequences, place: tuple[str, int], letters: tuple[str, str], grid: TileGrid
) -> AlleleRows:
    """Put both alleles into the genome's letters.

    Parameters
    ----------
    genome : Sequences
    place : (str, int)
        Chromosome, as the genome calls it, and the first changed letter, 0-based.
    letters : (str, str)
        Reference and alternative, of A, C, G and T.
    grid : TileGrid
        Tiles begin at multiples of its stride from the change, as far as they reach it
        and lie on the chromosome.

    Returns
    -------
    AlleleRows

    Raises
    ------
    RegionError
        The chromosome is too short for a tile over the variant.
    """
    chrom, start = place
    seq_len, step, flank = grid.seq_len, grid.stride, grid.flank
    size = genome.chrom_sizes[chrom]
    reach = (seq_len - 1) // step * step
    before = min(reach, start // step * step)
    stop = start + len(letters[0])
    end = min(stop + seq_len, size)
    codes = read_past_ends(genome, chrom, start - before - flank, end + flank)
    left, right = codes[: before + flank], codes[before + flank + len(letters[0]) :]
    sides, counts = [], []
    for allele in letters:
        side = np.concatenate([left, encode(allele), right])
        most = (len(side) - 2 * flank - seq_len) // step + 1
        n_tiles = min((before + len(allele) - 1) // step + 1, most)
        if n_tiles < 1:
            raise RegionError(
                f"{chrom} has {size} bp, too few for a tile of {seq_len} bp over "
                f"{chrom}:{start + 1} {'>'.join(letters)}"
            )
        sides.append(side[grid.code_slice(0, n_tiles)])
        counts.append(n_tiles)
    ref, alt = sides
    own = _differing(ref, alt, grid, grid.n_base(counts[1]))
    return AlleleRows(before, ref, alt, counts[0], counts[1], own)


def _differing(ref: Codes, alt: Codes, grid: TileGrid, n_alt: int) -> slice:
    """Find the core tiles of the alternative that the reference does not have."""
    shared = min(len(ref), len(alt))
    n_shared = (shared - grid.seq_len) // grid.base.stride + 1
    n_differing = np.cumsum(ref[:shared] != alt[:shared])
    starts = grid.base.stride * np.arange(n_shared)
    before = np.where(starts > 0, n_differing[starts - 1], 0)
    within = n_differing[starts + grid.seq_len - 1] - before
    changed = np.flatnonzero(within)
    if n_alt > n_shared:
        return slice(int(changed[0]) if changed.size else n_shared, n_alt)
    if not changed.size:
        return slice(0, 0)
    return slice(int(changed[0]), int(changed[-1]) + 1)


def score_rows(scorer: Scorer, rows: list[AlleleRows]) -> list[tuple[Floats, Floats]]:
    """Score both alleles of variants.

    Parameters
    ----------
    scorer : Scorer
    rows : list of AlleleRows
        One or more, laid out on the grid of the scorer.

    Returns
    -------
    list of (ref, alt)
        float32 arrays, shape (n_tiles, n_pairs): log-odds by sequence alone; NaN for a
        tile of which more than half is unknown. The same bits whatever other rows
        there are.
    """
    grid, step = scorer.grid, scorer.grid.base.stride
    segments, counts = [], []
    for row in rows:
        own = row.own
        first, last = own.start * step, (own.stop - 1) * step + grid.seq_len
        segments += [row.ref, row.alt[first : last if own.stop > own.start else 0]]
        counts += [grid.n_base(row.n_ref), own.stop - own.start]
    logits = scorer.base_logits(segments, counts)
    parts = np.split(logits, np.cumsum(counts)[:-1])
    found = []
    for row, ref, own_alt in zip(rows, parts[0::2], parts[1::2], strict=True):
        rest = ref[row.own.stop : grid.n_base(row.n_alt)]
        alt = np.concatenate([ref[: row.own.start], own_alt, rest])
        found.append(
            (
                scorer.mix(ref, grid.unknown(row.ref, row.n_ref)),
                scorer.mix(alt, grid.unknown(row.alt, row.n_alt)),
            )
        )
    return found
