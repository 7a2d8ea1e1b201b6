"""Which tiles a scan scores, and in which blocks.

Tiles start at multiples of the stride, so the track of a region is a slice of the track
of its chromosome. Blocks are cut where those of a whole chromosome would be cut, so the
cache of one scan serves the next, whatever its regions.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tfimpute_tracks.engines.tile_grid import TileGrid
from tfimpute_tracks.errors import RegionError, listed
from tfimpute_tracks.genome import Region, Sequences, read_past_ends
from tfimpute_tracks.genome.signal import Signal

__all__ = [
    "TileRange",
    "cut_blocks",
    "cut_parts",
    "no_known_tile",
    "plan_tiles",
    "read_codes",
    "score_offset",
    "tiles_to_ends",
    "too_short",
]


class TileRange(NamedTuple):
    """Neighboring tiles of a chromosome.

    Attributes
    ----------
    chrom : str
    first : int
        Start of the first tile: 0-based, in bp.
    n_tiles : int
    """

    chrom: str
    first: int
    n_tiles: int

    def span(self, stride: int, seq_len: int) -> tuple[int, int]:
        """Return the interval that the tiles cover.

        Parameters
        ----------
        stride, seq_len : int
            In bp.

        Returns
        -------
        start, end : int
            0-based, half-open.
        """
        return self.first, self.first + (self.n_tiles - 1) * stride + seq_len

    def without_gaps(self, rows: NDArray[Any]) -> NDArray[Any]:
        """See :meth:`tfimpute_tracks.engines.packs.TilePack.without_gaps`."""
        return rows

    def centers(self, stride: int, seq_len: int) -> NDArray[np.int64]:
        """Return the center of each tile.

        Parameters
        ----------
        stride, seq_len : int
            In bp.

        Returns
        -------
        int64 array, shape (n_tiles,)
            0-based: seq_len // 2 bp of the tile come before it.
        """
        return self.first + seq_len // 2 + stride * np.arange(self.n_tiles)

    def signal(self, values: NDArray[np.float32], stride: int, seq_len: int) -> Signal:
        """Lay scores of the tiles out along the chromosome.

        Parameters
        ----------
        values : float32 array, shape (n_tiles,)
        stride, seq_len : int
            In bp.

        Returns
        -------
        Signal
            A score is drawn over the `stride` bp at the center of its tile. Where the
            stride is longer than a tile, the first bin begins before the chromosome.
        """
        start = self.first + score_offset(seq_len, stride)
        return Signal(self.chrom, start, stride, values)

    def placed(
        self, first: int, n: int, stride: int
    ) -> Iterator[tuple[slice, TileRange]]:
        """Find the tiles of some rows of scores.

        Parameters
        ----------
        first, n : int
            The rows: tiles from the first one on.
        stride : int
            In bp.

        Yields
        ------
        rows : slice
            Among the n.
        tiles : TileRange
            That they belong to.
        """
        yield slice(0, n), TileRange(self.chrom, self.first + first * stride, n)

    def parts(self, stride: int, n_tiles: int) -> list[TileRange]:
        """Cut the tiles into parts, from the first one on.

        Parameters
        ----------
        stride : int
            In bp.
        n_tiles : int
            Tiles of each part but the last.

        Returns
        -------
        list of TileRange
        """
        return [
            TileRange(
                self.chrom,
                self.first + done * stride,
                min(n_tiles, self.n_tiles - done),
            )
            for done in range(0, self.n_tiles, n_tiles)
        ]


def score_offset(seq_len: int, stride: int) -> int:
    """Return the distance from a tile's start to where its score is drawn.

    Parameters
    ----------
    seq_len, stride : int
        In bp.

    Returns
    -------
    int
        In bp; below 0 where the stride is longer than a tile.
    """
    return (seq_len - stride) // 2


def plan_tiles(
    regions: list[Region], chrom_sizes: dict[str, int], seq_len: int, stride: int
) -> list[TileRange]:
    """Find the tiles whose bins overlap the regions.

    Parameters
    ----------
    regions : list of Region
        Sorted, not overlapping.
    chrom_sizes : dict of name to bp
    seq_len, stride : int
        In bp.

    Returns
    -------
    list of TileRange
        Without duplicates, and apart from each other; tiles lie completely inside their
        chromosome.

    Raises
    ------
    RegionError
        No tile overlaps any region.
    """
    offset = score_offset(seq_len, stride)
    ranges: list[TileRange] = []
    next_free: dict[str, int] = {}
    for chrom, start, end in regions:
        first = max(-(-(start - offset - stride + 1) // stride), 0)
        first = max(first, next_free.get(chrom, 0))
        last = min(
            (end - 1 - offset) // stride, (chrom_sizes[chrom] - seq_len) // stride
        )
        if last < first:
            continue
        if ranges and ranges[-1].chrom == chrom and first == next_free[chrom]:
            n_tiles = ranges[-1].n_tiles + last - first + 1
            ranges[-1] = ranges[-1]._replace(n_tiles=n_tiles)
        else:
            ranges.append(TileRange(chrom, first * stride, last - first + 1))
        next_free[chrom] = last + 1
    if not ranges:
        raise RegionError(
            f"no tile of {seq_len} bp fits {regions[0]}"
            f"{' or the other regions' if len(regions) > 1 else ''}; the ends of a "
            f"chromosome have no score: use a region further in, or a longer sequence"
        )
    return ranges


def tiles_to_ends(
    region: Region, size: int, seq_len: int, stride: int
) -> list[TileRange]:
    """Find the tiles that predict a region, also at the ends of a chromosome.

    Parameters
    ----------
    region : Region
    size : int
        bp of its chromosome.
    seq_len, stride : int
        In bp.

    Returns
    -------
    list of TileRange
        Tiles whose bins overlap the region. No bin lies at the ends of a chromosome:
        there it is the first tile, or the one that ends where the chromosome does, which
        may not start at a multiple of the stride.

    Raises
    ------
    RegionError
        The chromosome is shorter than a tile.
    """
    chrom, start, end = region
    last = size - seq_len
    if last < 0:
        raise too_short(chrom, f"{size} bp", seq_len)
    first_bin = max(score_offset(seq_len, stride), 0)
    end_of_bins = last // stride * stride + score_offset(seq_len, stride) + stride
    ranges = []
    if end <= first_bin:
        ranges.append(TileRange(chrom, 0, 1))
    elif start < end_of_bins:
        ranges = plan_tiles([region], {chrom: size}, seq_len, stride)
    if end > end_of_bins and (last % stride or not ranges):
        ranges.append(TileRange(chrom, last, 1))
    return ranges


def no_known_tile(regions: Iterable[Region]) -> RegionError:
    """Make the error about regions of unknown sequence.

    Parameters
    ----------
    regions : iterable of Region

    Returns
    -------
    RegionError
    """
    return RegionError(
        f"the sequence at {listed(regions, 3)} is unknown (N): no tile has a score; use "
        "a region of known sequence"
    )


def too_short(chrom: str, length: str, seq_len: int) -> RegionError:
    """Make the error about a chromosome that no tile fits.

    Parameters
    ----------
    chrom : str
    length : str
        What it has, such as "120 bp".
    seq_len : int
        bp of a tile.

    Returns
    -------
    RegionError
    """
    return RegionError(
        f"{chrom} has {length}; a tile has {seq_len} bp: use a longer sequence"
    )


def read_codes(
    genome: Sequences, tiles: TileRange, grid: TileGrid
) -> NDArray[np.uint8]:
    """Read the sequence that the scores of tiles depend on.

    Parameters
    ----------
    genome : Sequences
    tiles : TileRange
        Completely inside its chromosome.
    grid : TileGrid

    Returns
    -------
    uint8 array, shape (grid.n_codes(n_tiles),), values 0..4
        Flanks past the ends of the chromosome are N.

    Raises
    ------
    RegionError, InputFileError
        As :meth:`tfimpute_tracks.genome.Sequences.codes`.
    """
    start, end = tiles.span(grid.stride, grid.seq_len)
    return read_past_ends(genome, tiles.chrom, start - grid.flank, end + grid.flank)


def cut_blocks(
    ranges: Iterable[TileRange], stride: int, tiles_per_block: int
) -> list[TileRange]:
    """Cut ranges at multiples of a number of tiles of their chromosomes.

    Parameters
    ----------
    ranges : iterable of TileRange
    stride : int
        In bp.
    tiles_per_block : int

    Returns
    -------
    list of TileRange
        The same tiles in the same order. A range that is off the grid of the chromosome
        is cut from its own first tile.
    """
    blocks = []
    for chrom, first, n_tiles in ranges:
        index, off_grid = divmod(first, stride)
        done = 0
        while done < n_tiles:
            position = done if off_grid else index + done
            n = min(n_tiles - done, tiles_per_block - position % tiles_per_block)
            blocks.append(TileRange(chrom, first + done * stride, n))
            done += n
    return blocks


def cut_parts(
    ranges: Iterable[TileRange], stride: int, n_tiles: int
) -> list[list[TileRange]]:
    """Cut ranges, laid one after the other, into parts of equal size.

    Parameters
    ----------
    ranges : iterable of TileRange
    stride : int
        In bp.
    n_tiles : int
        Tiles of each part but the last.

    Returns
    -------
    list of list of TileRange
        The ranges of each part, in order.
    """
    parts: list[list[TileRange]] = []
    n_free = 0
    for chrom, first, n in ranges:
        done = 0
        while done < n:
            if not n_free:
                parts.append([])
                n_free = n_tiles
            some = min(n_free, n - done)
            parts[-1].append(TileRange(chrom, first + done * stride, some))
            done, n_free = done + some, n_free - some
    return parts
