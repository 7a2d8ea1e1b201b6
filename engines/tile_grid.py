"""Where tiles lie in a stretch of letters, and what letters their scores depend on.

Tiles of `seq_len` letters start every `stride` bp. A model that looks at the
surroundings blends a tile's score with those of its neighbors (``surroundings.py``),
which start a fixed distance apart. Both lie on one row of *core* tiles, as far apart as
the two distances allow; without surroundings core tiles are the tiles.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import gcd
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tfimpute_tracks.kernels.context import blend
from tfimpute_tracks.kernels.encode import N_CODE, missing_tiles
from tfimpute_tracks.kernels.segments import SegmentGrid, segment_grid
from tfimpute_tracks.models.config import NetworkConfig

__all__ = ["TileGrid", "join_segments", "tile_grid"]

Codes = NDArray[np.uint8]
Floats = NDArray[np.float32]
Mask = NDArray[np.bool_]


class TileGrid(NamedTuple):
    """The geometry of the tiles of a model at one stride.

    Attributes
    ----------
    seq_len : int
        Letters of a tile.
    core : SegmentGrid
        Of the core tiles.
    context_tiles : int
        Neighbors on either side that a score depends on.
    spread, step : int
        Core tiles from a neighbor to the next, and from a tile to the next.
    """

    seq_len: int
    core: SegmentGrid
    context_tiles: int
    spread: int
    step: int

    @property
    def stride(self) -> int:
        """Distance of tiles in bp."""
        return self.step * self.core.stride

    @property
    def flank(self) -> int:
        """Letters before the first tile, and behind the last, that scores depend on."""
        return self.context_tiles * self.spread * self.core.stride

    def n_core(self, n_tiles: int) -> int:
        """Give the number of core tiles that neighboring tiles need.

        Parameters
        ----------
        n_tiles : int

        Returns
        -------
        int
        """
        if n_tiles == 0:
            return 0
        return (n_tiles - 1) * self.step + 2 * self.context_tiles * self.spread + 1

    def n_letters(self, n_tiles: int) -> int:
        """Give the number of letters that neighboring tiles need, halo included.

        Parameters
        ----------
        n_tiles : int

        Returns
        -------
        int
        """
        if n_tiles == 0:
            return 0
        return (n_tiles - 1) * self.stride + self.seq_len + 2 * self.flank

    def letters(self, first: int, n_tiles: int) -> slice:
        """Find the letters of some tiles among those of more.

        Parameters
        ----------
        first, n_tiles : int

        Returns
        -------
        slice
        """
        start = first * self.stride
        return slice(start, start + self.n_letters(n_tiles))

    def cores(self, first: int, n_tiles: int) -> slice:
        """Find the core tiles of some tiles among those of more.

        Parameters
        ----------
        first, n_tiles : int

        Returns
        -------
        slice
        """
        start = first * self.step
        return slice(start, start + self.n_core(n_tiles))

    def unknown(self, codes: Codes, n_tiles: int) -> Mask:
        """Tell the core tiles of which more than half of the letters are unknown.

        Parameters
        ----------
        codes : uint8 array, shape (n_letters(n_tiles),)
        n_tiles : int

        Returns
        -------
        bool array, shape (n_core(n_tiles),)
        """
        return missing_tiles(
            codes, self.core.stride, self.seq_len, self.n_core(n_tiles)
        )

    def of_tiles(self, unknown: Mask) -> Mask:
        """Take the tiles themselves out of a row of core tiles.

        Parameters
        ----------
        unknown : bool array, shape (n_core(n_tiles),)

        Returns
        -------
        bool array, shape (n_tiles,)
        """
        beside = self.context_tiles * self.spread
        return unknown[beside : len(unknown) - beside : self.step]

    def blended(
        self, logits: Floats, unknown: Mask, weights: Mapping[str, Floats]
    ) -> Floats:
        """Make logits of tiles of those of core tiles.

        Parameters
        ----------
        logits : float32 array, shape (n_core, n_pairs)
        unknown : bool array, shape (n_core,)
        weights : mapping of str to float32 array
            The model's.

        Returns
        -------
        float32 array, shape (n_tiles, n_pairs)
            What stands for an unknown tile is not defined.
        """
        if not self.context_tiles:
            return logits
        return blend(
            logits,
            unknown,
            weights["context.weight"],
            float(weights["context.bias"][0]),
            self.spread,
            self.step,
        )


def join_segments(stretches: list[Codes], apart: int) -> tuple[Codes, list[int]]:
    """Lay stretches of letters one behind the other, each where a tile may begin.

    Parameters
    ----------
    stretches : list of uint8 array, values 0..4
    apart : int
        bp from where a tile may begin to the next.

    Returns
    -------
    codes : uint8 array
        Unknown letters fill up what is left behind a stretch.
    firsts : list of int
        Where each begins, in units of `apart`.
    """
    n_periods = [-(-len(codes) // apart) for codes in stretches]
    *firsts, n = np.cumsum([0, *n_periods]).tolist()
    codes = np.full(n * apart, N_CODE, dtype=np.uint8)
    for first, stretch in zip(firsts, stretches, strict=True):
        codes[first * apart : first * apart + len(stretch)] = stretch
    return codes, firsts


def tile_grid(config: NetworkConfig, stride: int) -> TileGrid:
    """Lay out the tiles of a network.

    Parameters
    ----------
    config : NetworkConfig
    stride : int
        bp between tile starts.

    Returns
    -------
    TileGrid
    """
    apart = gcd(stride, config.stride) if config.context_tiles else stride
    core = segment_grid(config.seq_len, config.filter_length, config.pool, apart)
    return TileGrid(
        config.seq_len,
        core,
        config.context_tiles,
        config.stride // apart,
        stride // apart,
    )
