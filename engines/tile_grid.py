"""Where the tiles of a segment lie, and which bases their scores depend on.

Tiles of `seq_len` bp start every `stride` bp. A model with context mixes the score of a
tile with those of its neighbors (``models/context.py``), which start a fixed distance
apart. Both lie on one row of *base tiles*, as far apart as the two distances allow.
Without context the base tiles are the tiles.
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
        bp of a tile.
    base : SegmentGrid
        Of the base tiles.
    context : int
        Neighbors on either side that a score depends on.
    spread, step : int
        Base tiles from a neighbor to the next, and from a tile to the next.
    """

    seq_len: int
    base: SegmentGrid
    context: int
    spread: int
    step: int

    @property
    def stride(self) -> int:
        """Distance between tile starts, in bp."""
        return self.step * self.base.stride

    @property
    def flank(self) -> int:
        """Distance that scores depend on beyond the tiles, on either side, in bp."""
        return self.context * self.spread * self.base.stride

    def n_base(self, n_tiles: int) -> int:
        """Return the number of base tiles under neighboring tiles.

        Parameters
        ----------
        n_tiles : int

        Returns
        -------
        int
        """
        if n_tiles == 0:
            return 0
        return (n_tiles - 1) * self.step + 2 * self.context * self.spread + 1

    def n_codes(self, n_tiles: int) -> int:
        """Return the bases that neighboring tiles depend on, flanks included.

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

    def code_slice(self, first: int, n_tiles: int) -> slice:
        """Find the codes of some tiles among those of more.

        Parameters
        ----------
        first, n_tiles : int

        Returns
        -------
        slice
        """
        start = first * self.stride
        return slice(start, start + self.n_codes(n_tiles))

    def base_slice(self, first: int, n_tiles: int) -> slice:
        """Find the base tiles of some tiles among those of more.

        Parameters
        ----------
        first, n_tiles : int

        Returns
        -------
        slice
        """
        start = first * self.step
        return slice(start, start + self.n_base(n_tiles))

    def unknown(self, codes: Codes, n_tiles: int) -> Mask:
        """Find the base tiles of which more than half is not A, C, G or T.

        Parameters
        ----------
        codes : uint8 array, shape (n_codes(n_tiles),)
        n_tiles : int

        Returns
        -------
        bool array, shape (n_base(n_tiles),)
        """
        n_base = self.n_base(n_tiles)
        return missing_tiles(codes, self.base.stride, self.seq_len, n_base)

    def tile_mask(self, unknown: Mask) -> Mask:
        """Select the tiles among their base tiles.

        Parameters
        ----------
        unknown : bool array, shape (n_base(n_tiles),)

        Returns
        -------
        bool array, shape (n_tiles,)
        """
        flank = self.context * self.spread
        return unknown[flank : len(unknown) - flank : self.step]

    def mix(
        self, logits: Floats, unknown: Mask, weights: Mapping[str, Floats]
    ) -> Floats:
        """Mix the log-odds of base tiles into those of tiles.

        Parameters
        ----------
        logits : float32 array, shape (n_base, n_pairs)
        unknown : bool array, shape (n_base,)
        weights : mapping of str to float32 array
            The model's.

        Returns
        -------
        float32 array, shape (n_tiles, n_pairs)
            Not defined for an unknown tile.
        """
        if not self.context:
            return logits
        return blend(
            logits,
            unknown,
            weights["context.weight"],
            float(weights["context.bias"][0]),
            self.spread,
            self.step,
        )


def join_segments(
    segments: list[Codes], step: int, flank: int = 0
) -> tuple[Codes, list[int]]:
    """Lay segments of sequence end to end, each where a tile may start.

    Segments whose flanks are unknown, as past the ends of a contig, share one.

    Parameters
    ----------
    segments : list of uint8 array, values 0..4
    step : int
        bp between positions where a tile may start.
    flank : int
        In bp, at either end of each segment.

    Returns
    -------
    codes : uint8 array
        Filled up with N after each segment.
    firsts : list of int
        Where each segment starts, in steps.
    """
    n, firsts = 0, []
    after_unknown = False
    unknown = bytes([N_CODE]) * flank
    for segment in segments:
        # Bytes compare ten times as fast as short arrays.
        before = flank > 0 and segment[:flank].tobytes() == unknown
        after = flank > 0 and segment[len(segment) - flank :].tobytes() == unknown
        if after_unknown and before:
            n -= flank // step
        firsts.append(n)
        n += -(-len(segment) // step)
        after_unknown = after
    codes = np.full(n * step, N_CODE, dtype=np.uint8)
    for first, segment in zip(firsts, segments, strict=True):
        codes[first * step : first * step + len(segment)] = segment
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
    step = gcd(stride, config.stride) if config.context_tiles else stride
    base = segment_grid(config.seq_len, config.filter_length, config.pool, step)
    return TileGrid(
        config.seq_len,
        base,
        config.context_tiles,
        config.stride // step,
        stride // step,
    )
