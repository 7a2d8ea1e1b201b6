"""Both alleles of variants as rows of tiles; tiles that are the same are scored once.

A score depends on the tiles over the variant and, if the model mixes neighbors, on the
tiles next to them. Most of those do not overlap the variant, so they are the same for both
alleles. Rows of several variants are scored together, because the network is slow for a
few tiles at a time; the score of a tile does not depend on the other ones.
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

__all__ = ["AlleleRows", "lay_out_alleles", "score_rows"]

Codes = NDArray[np.uint8]
Floats = NDArray[np.float32]


class AlleleRows(NamedTuple):
    """Both alleles in the sequence of the genome, from the first tile to the last.

    Attributes
    ----------
    before : int
        bp from the start of the first tile to the variant.
    ref, alt : uint8 arrays, shape (grid.n_codes(n_tiles),), values 0..4
        Flanks included.
    n_ref, n_alt : int
        Tiles over each allele.
    changed : slice
        Base tiles of the alternate allele that differ from those of the reference.
    """

    before: int
    ref: Codes
    alt: Codes
    n_ref: int
    n_alt: int
    changed: slice


def lay_out_alleles(
    genome: Sequences, locus: tuple[str, int], alleles: tuple[str, str], grid: TileGrid
) -> AlleleRows:
    """Put both alleles into the sequence of the genome.

    Parameters
    ----------
    genome : Sequences
    locus : (str, int)
        Chromosome, as the genome calls it, and the start of the variant, 0-based.
    alleles : (str, str)
        Reference and alternate allele, of A, C, G and T.
    grid : TileGrid
        Tiles start at multiples of its stride from the variant, as long as they overlap
        it and lie on the chromosome.

    Returns
    -------
    AlleleRows

    Raises
    ------
    RegionError
        The chromosome is too short for a tile over the variant.
    """
    chrom, start = locus
    seq_len, stride, flank = grid.seq_len, grid.stride, grid.flank
    size = genome.chrom_sizes[chrom]
    before = min((seq_len - 1) // stride * stride, start // stride * stride)
    stop = start + len(alleles[0])
    end = min(stop + seq_len, size)
    codes = read_past_ends(genome, chrom, start - before - flank, end + flank)
    left, right = codes[: before + flank], codes[before + flank + len(alleles[0]) :]
    rows, counts = [], []
    for allele in alleles:
        row = np.concatenate([left, encode(allele), right])
        most = (len(row) - 2 * flank - seq_len) // stride + 1
        n_tiles = min((before + len(allele) - 1) // stride + 1, most)
        if n_tiles < 1:
            raise RegionError(
                f"{chrom} has {size} bp, too few for a tile of {seq_len} bp over "
                f"{chrom}:{start + 1} {'>'.join(alleles)}"
            )
        rows.append(row[grid.code_slice(0, n_tiles)])
        counts.append(n_tiles)
    ref, alt = rows
    changed = _changed_tiles(ref, alt, grid, grid.n_base(counts[1]))
    return AlleleRows(before, ref, alt, counts[0], counts[1], changed)


def _changed_tiles(ref: Codes, alt: Codes, grid: TileGrid, n_alt: int) -> slice:
    """Find the base tiles of the alternate allele that the reference does not have."""
    shared = min(len(ref), len(alt))
    n_shared = (shared - grid.seq_len) // grid.base.stride + 1
    n_differing = np.cumsum(ref[:shared] != alt[:shared])
    starts = grid.base.stride * np.arange(n_shared)
    before = np.where(starts > 0, n_differing[starts - 1], 0)
    changed = np.flatnonzero(n_differing[starts + grid.seq_len - 1] - before)
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
        float32 arrays, shape (n_tiles, n_pairs): log-odds by sequence only; NaN for tiles
        of which more than half is unknown. The same bits whatever other rows there are.
    """
    grid, step = scorer.grid, scorer.grid.base.stride
    segments, counts = [], []
    for row in rows:
        n_changed = row.changed.stop - row.changed.start
        first = row.changed.start * step
        last = (row.changed.stop - 1) * step + grid.seq_len if n_changed else 0
        segments += [row.ref, row.alt[first:last]]
        counts += [grid.n_base(row.n_ref), n_changed]
    logits = scorer.base_logits(segments, counts)
    parts = np.split(logits, np.cumsum(counts)[:-1])
    found = []
    for row, ref, changed in zip(rows, parts[0::2], parts[1::2], strict=True):
        rest = ref[row.changed.stop : grid.n_base(row.n_alt)]
        alt = np.concatenate([ref[: row.changed.start], changed, rest])
        found.append(
            (
                scorer.mix(ref, grid.unknown(row.ref, row.n_ref)),
                scorer.mix(alt, grid.unknown(row.alt, row.n_alt)),
            )
        )
    return found
