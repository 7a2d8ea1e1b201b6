"""The geometry of segments: overlapping tiles without repeated work.

A tile covers `seq_len` bp; tiles start every `stride` bp. Each tile has
P = seq_len - filter_length + 1 filter positions, divided into pooling windows, from the
left on the forward strand and from the right on the reverse strand. All window borders
of all tiles, modulo `stride`, divide each stride period into a few *segments*, and every
window of every tile consists of consecutive segments. The maximum of each segment is
therefore computed once, and serves all tiles and both strands exactly.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

__all__ = ["SegmentGrid", "pooling_windows", "segment_grid"]

Ints = NDArray[np.int64]


class SegmentGrid(NamedTuple):
    """Positions of segments, and the segments of each pooling window of a tile.

    Attributes
    ----------
    stride : int
        In bp.
    borders : int64 array, shape (n_per_stride,)
        First position of each segment of a stride period, ascending from 0.
    forward, reverse : int64 array, shape (n_windows, 2)
        Half-open ranges of the segments of each pooling window of the tile that starts
        with segment 0. Windows of the reverse strand are in the order of the reverse
        complement: from the right.
    """

    stride: int
    borders: Ints
    forward: Ints
    reverse: Ints

    @property
    def segments_per_tile(self) -> int:
        """Segments from a tile's first position to its last, at least one."""
        return int(max(self.forward.max(), self.reverse.max()))

    def n_segments(self, n_tiles: int) -> int:
        """Count the segments of neighboring tiles.

        Parameters
        ----------
        n_tiles : int

        Returns
        -------
        int
        """
        if n_tiles == 0:
            return 0
        return (n_tiles - 1) * self.borders.size + self.segments_per_tile

    def feature_rows(self, first: int, n_tiles: int) -> slice:
        """Find the motif features of some tiles among those of more.

        Parameters
        ----------
        first, n_tiles : int

        Returns
        -------
        slice
            Of rows, two per segment: one for each strand.
        """
        start = 2 * first * self.borders.size
        return slice(start, start + 2 * self.n_segments(n_tiles))

    def spans(self, n_tiles: int) -> tuple[Ints, Ints]:
        """Compute the positions of the segments of neighboring tiles.

        Parameters
        ----------
        n_tiles : int

        Returns
        -------
        starts, ends : int64 array, shape (n_segments(n_tiles),)
            Half-open, in bp from the first tile's start.
        """
        index = np.arange(self.n_segments(n_tiles) + 1)
        period, within = np.divmod(index, self.borders.size)
        edges = period * self.stride + self.borders[within]
        return edges[:-1], edges[1:]


def pooling_windows(seq_len: int, filter_length: int, pool: int) -> Ints:
    """Divide the filter positions of a sequence into pooling windows.

    Parameters
    ----------
    seq_len, filter_length, pool : int
        In bp; the last window may be shorter than `pool`.

    Returns
    -------
    int64 array, shape (n_windows, 2)
        Half-open ranges of positions.
    """
    n_positions = seq_len - filter_length + 1
    starts = np.arange(0, n_positions, pool)
    return np.stack([starts, np.minimum(starts + pool, n_positions)], axis=1)


def segment_grid(
    seq_len: int, filter_length: int, pool: int, stride: int
) -> SegmentGrid:
    """Compute the segments of a network's tiles at one stride.

    Parameters
    ----------
    seq_len, filter_length, pool, stride : int
        In bp; any positive values with filter_length <= seq_len.

    Returns
    -------
    SegmentGrid
    """
    forward = pooling_windows(seq_len, filter_length, pool)
    n_positions = seq_len - filter_length + 1
    reverse = n_positions - forward[:, ::-1]
    windows = np.concatenate([forward, reverse])
    borders = np.unique(np.append(windows % stride, 0))

    def to_segments(positions: Ints) -> Ints:
        period, within = np.divmod(positions, stride)
        return period * borders.size + np.searchsorted(borders, within)

    return SegmentGrid(stride, borders, to_segments(forward), to_segments(reverse))
