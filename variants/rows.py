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
from tfimpute_tracks.engines.tiles import too_short
from tfimpute_tracks.genome import Sequences, read_past_ends
from tfimpute_tracks.kernels.encode import encode

__all__ = ["AlleleRows", "bp_before", "lay_out_alleles", "score_rows"]

Codes = NDArray[np.uint8]
Floats = NDArray[np.float32]


class AlleleRows(NamedTuple):
    """Both alleles in the sequence of the genome, from the first tile to the last.

    Attributes
    ----------
    before : (int, int)
        bp from the start of the first tile to the variant, for each allele.
    ref, alt : uint8 arrays, shape (grid.n_codes(n_tiles),), values 0..4
        Flanks included.
    n_ref, n_alt : int
        Tiles over each allele.
    changed : slice
        Base tiles of the alternate allele that differ from those of the reference.
    """

    before: tuple[int, int]
    ref: Codes
    alt: Codes
    n_ref: int
    n_alt: int
    changed: slice


def bp_before(start: int, size: int, grid: TileGrid) -> int | None:
    """Measure how far before a variant the first tile over it starts.

    Parameters
    ----------
    start : int
        Of the variant, 0-based.
    size : int
        bp of the chromosome with the allele that the tiles lie over.
    grid : TileGrid

    Returns
    -------
    int or None
        A multiple of the stride. Where no such tile ends on the chromosome, the tiles
        are moved: the first one ends where the chromosome does. None if the chromosome
        is shorter than a tile.
    """
    last = size - grid.seq_len
    if last < 0:
        return None
    step = grid.stride
    before = min((grid.seq_len - 1) // step * step, start // step * step)
    return max(before, start - last)


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
        it and lie on the chromosome. Next to an end of the chromosome they are moved to
        where they do, see :func:`bp_before`.

    Returns
    -------
    AlleleRows

    Raises
    ------
    RegionError
        The chromosome is too short for a tile.
    """
    chrom, start = locus
    seq_len, stride, flank = grid.seq_len, grid.stride, grid.flank
    size, n_ref = genome.chrom_sizes[chrom], len(alleles[0])
    sizes = [size + len(allele) - n_ref for allele in alleles]
    ref_before, alt_before = (bp_before(start, n_bp, grid) for n_bp in sizes)
    if ref_before is None or alt_before is None:
        length = f"{size} bp"
        if ref_before is not None:
            length = f"{sizes[1]} bp with {'>'.join(alleles)} at {start + 1}"
        raise too_short(chrom, length, seq_len)
    most = max(ref_before, alt_before)
    end = min(start + n_ref + seq_len, size)
    codes = read_past_ends(genome, chrom, start - most - flank, end + flank)
    right = codes[most + flank + n_ref :]
    rows, counts = [], []
    for allele, n_before in zip(alleles, (ref_before, alt_before), strict=True):
        left = codes[most - n_before : most + flank]
        row = np.concatenate([left, encode(allele), right])
        n_fitting = (len(row) - 2 * flank - seq_len) // stride + 1
        n_tiles = min((n_before + len(allele) - 1) // stride + 1, n_fitting)
        rows.append(row[grid.code_slice(0, n_tiles)])
        counts.append(n_tiles)
    ref, alt = rows
    n_base = grid.n_base(counts[1])
    changed = slice(0, n_base)  # where the alleles' tiles start at different positions
    if ref_before == alt_before:
        changed = _changed_tiles(ref, alt, grid, n_base)
    before = ref_before, alt_before
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
    segments, counts, origins = [], [], []
    for row in rows:
        n_changed = row.changed.stop - row.changed.start
        first = row.changed.start * step
        last = (row.changed.stop - 1) * step + grid.seq_len if n_changed else 0
        segments += [row.ref, row.alt[first:last]]
        counts += [grid.n_base(row.n_ref), n_changed]
        origins += [None, row.changed.start]
    found = [_Sides.empty(row, scorer) for row in rows]
    for pairs, logits in scorer.segments.parts(segments, counts, origins):
        parts = np.split(logits, np.cumsum(counts)[:-1])
        for sides, ref, changed in zip(found, parts[0::2], parts[1::2], strict=True):
            sides.fill(scorer, pairs, ref, changed)
    return [(sides.ref, sides.alt) for sides in found]


class _Sides(NamedTuple):
    """Scores of both alleles, filled in a few pairs at a time."""

    row: AlleleRows
    unknown: tuple[NDArray[np.bool_], NDArray[np.bool_]]
    ref: Floats
    alt: Floats

    @staticmethod
    def empty(row: AlleleRows, scorer: Scorer) -> _Sides:
        grid, n_pairs = scorer.grid, len(scorer.pairs)
        unknown = grid.unknown(row.ref, row.n_ref), grid.unknown(row.alt, row.n_alt)
        ref, alt = (
            np.empty((n, n_pairs), dtype=np.float32) for n in (row.n_ref, row.n_alt)
        )
        return _Sides(row, unknown, ref, alt)

    def fill(self, scorer: Scorer, pairs: slice, ref: Floats, changed: Floats) -> None:
        """Mix base tiles: those of the reference, and those that differ."""
        self.ref[:, pairs] = scorer.mix(ref, self.unknown[0], pairs)
        first, last = self.row.changed.start, self.row.changed.stop
        if last <= len(ref):
            ref[first:last] = changed  # most tiles are the same: they are not copied
            alt = ref[: scorer.grid.n_base(self.row.n_alt)]
        else:
            alt = np.concatenate([ref[:first], changed])
        self.alt[:, pairs] = scorer.mix(alt, self.unknown[1], pairs)
