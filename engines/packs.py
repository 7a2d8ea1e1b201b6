"""Short regions scored together: small contigs, many peaks.

A block of a few tiles costs as much time as one of a few hundred. So neighboring short
blocks are laid end to end, as one row of tiles; those that cross from one block into the
next are computed and left out. A score does not depend on the others.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tfimpute_tracks.engines.tile_grid import TileGrid, join_segments
from tfimpute_tracks.engines.tiles import TileRange, read_codes
from tfimpute_tracks.genome import Sequences

__all__ = [
    "TilePack",
    "count_tiles",
    "group_blocks",
    "group_rows",
    "pack_tiles",
    "read_pack",
    "split_rows",
]

Codes = NDArray[np.uint8]
Ints = NDArray[np.int64]

_MAX_TILES = 4096  # few enough for every thread to have some


class TilePack(NamedTuple):
    """Tiles of several regions, laid end to end.

    Attributes
    ----------
    members : tuple of TileRange
    firsts : tuple of int
        Row of each member's first tile; between them are tiles to leave out.
    """

    members: tuple[TileRange, ...]
    firsts: tuple[int, ...]

    @property
    def n_tiles(self) -> int:
        """Rows, those to leave out included."""
        return self.firsts[-1] + self.members[-1].n_tiles

    def without_gaps(self, rows: NDArray[Any]) -> NDArray[Any]:
        """Leave out the rows between the members.

        Parameters
        ----------
        rows : array, shape (n_tiles, ...)

        Returns
        -------
        array
            The rows of the tiles of one member after the other.
        """
        n = np.array([tiles.n_tiles for tiles in self.members])
        ends = np.cumsum(n)
        index = np.arange(ends[-1]) + np.repeat(self.firsts - (ends - n), n)
        found: NDArray[Any] = rows[index]
        return found

    def placed(
        self, first: int, n: int, stride: int
    ) -> Iterator[tuple[slice, TileRange]]:
        """Find the tiles of some rows; see :meth:`TileRange.placed`.

        Parameters
        ----------
        first, n : int
        stride : int
            In bp.

        Yields
        ------
        rows : slice
        tiles : TileRange
        """
        for row, (chrom, start, n_tiles) in zip(self.firsts, self.members, strict=True):
            begin, end = max(row, first), min(row + n_tiles, first + n)
            if begin < end:
                at = start + (begin - row) * stride
                rows = slice(begin - first, end - first)
                yield rows, TileRange(chrom, at, end - begin)


def group_blocks(
    blocks: Iterable[TileRange], grid: TileGrid, max_tiles: int
) -> Iterator[tuple[TileRange, ...]]:
    """Group neighboring short blocks.

    Parameters
    ----------
    blocks : iterable of TileRange
    grid : TileGrid
    max_tiles : int
        Of the longest block.

    Yields
    ------
    tuple of TileRange
        The blocks in their order; a long one is alone.
    """
    most = min(max_tiles, _MAX_TILES)
    group: list[TileRange] = []
    n = 0
    for tiles in blocks:
        n_own = -(-grid.n_codes(tiles.n_tiles) // grid.stride)
        if group and n + n_own > most:
            yield tuple(group)
            group, n = [], 0
        group.append(tiles)
        n += n_own
    if group:
        yield tuple(group)


def count_tiles(ranges: Iterable[TileRange]) -> int:
    """Count the tiles of several ranges.

    Parameters
    ----------
    ranges : iterable of TileRange

    Returns
    -------
    int
    """
    return sum(tiles.n_tiles for tiles in ranges)


def split_rows(ranges: Iterable[TileRange]) -> Iterator[tuple[TileRange, slice]]:
    """Find the rows of each range where the tiles of all follow one another.

    Parameters
    ----------
    ranges : iterable of TileRange

    Yields
    ------
    tiles : TileRange
    rows : slice
    """
    first = 0
    for tiles in ranges:
        yield tiles, slice(first, first + tiles.n_tiles)
        first += tiles.n_tiles


def group_rows(
    placed: Iterable[tuple[slice, TileRange]],
    has_peaks: Callable[[str], NDArray[np.bool_]],
    stride: int,
    seq_len: int,
) -> Iterator[tuple[str, slice | Ints, Ints]]:
    """Group rows of scores that are conditioned on evidence together.

    Parameters
    ----------
    placed : iterable of (slice, TileRange)
        Rows, and their tiles.
    has_peaks : callable
        Which tracks have peaks on a chromosome.
    stride, seq_len : int
        In bp.

    Yields
    ------
    chrom : str
    rows : slice, or int64 array
    centers : int64 array
        Of the tiles. Rows of all chromosomes without a peak come last, under the name of
        one of them: there the position does not matter.
    """
    others: list[Ints] = []
    name = ""
    for rows, tiles in placed:
        if has_peaks(tiles.chrom).any():
            yield tiles.chrom, rows, tiles.centers(stride, seq_len)
        else:
            others.append(np.arange(rows.start, rows.stop))
            name = tiles.chrom
    if others:
        index = np.concatenate(others)
        yield name, index, index


def pack_tiles(
    codes: list[Codes], members: Sequence[TileRange], grid: TileGrid
) -> tuple[Codes, TilePack]:
    """Lay the sequence of several regions end to end.

    Parameters
    ----------
    codes : list of uint8 array
        Of each region, flanks included.
    members : sequence of TileRange
    grid : TileGrid

    Returns
    -------
    codes : uint8 array, shape (grid.n_codes(pack.n_tiles),)
    pack : TilePack
    """
    joined, firsts = join_segments(codes, grid.stride, grid.flank)
    pack = TilePack(tuple(members), tuple(firsts))
    return joined[: grid.n_codes(pack.n_tiles)], pack


def read_pack(
    genome: Sequences, ranges: Sequence[TileRange], grid: TileGrid
) -> tuple[Codes, TileRange | TilePack]:
    """Read the sequence of ranges that are scored together.

    Parameters
    ----------
    genome : Sequences
    ranges : sequence of TileRange
        Each completely inside its chromosome.
    grid : TileGrid

    Returns
    -------
    codes : uint8 array, shape (grid.n_codes(tiles.n_tiles),)
    tiles : TileRange or TilePack
        The only range, or all of them end to end.

    Raises
    ------
    RegionError, InputFileError
        As :func:`tfimpute_tracks.engines.tiles.read_codes`.
    """
    codes = [read_codes(genome, tiles, grid) for tiles in ranges]
    if len(ranges) == 1:
        return codes[0], ranges[0]
    return pack_tiles(codes, ranges, grid)
