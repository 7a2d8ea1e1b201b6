"""Tiles of separate segments of sequence, scored together and each by itself.

Callers with many short segments, the alleles of variants, have few tiles in each. Here
they go through the network at once. A tile's score does not depend on the others.
"""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from tfimpute_tracks.engines.cpu_engine import pick_head
from tfimpute_tracks.engines.tile_grid import join_segments
from tfimpute_tracks.engines.trunk import MotifTrunk
from tfimpute_tracks.errors import check_packages
from tfimpute_tracks.kernels.segments import SegmentGrid
from tfimpute_tracks.kernels.sparse import gather_windows, join_rows
from tfimpute_tracks.models.model import Model
from tfimpute_tracks.vocabulary import Pair

__all__ = ["SegmentEngine", "open_segment_engine"]

Codes = NDArray[np.uint8]
Floats = NDArray[np.float32]


class SegmentEngine(Protocol):
    """A model set up to score tiles of separate segments; safe for threads."""

    def logits(self, segments: list[Codes], counts: list[int]) -> Floats:
        """Score neighboring tiles of each segment.

        Parameters
        ----------
        segments : list of uint8 array, values 0..4
            From the first base of the first tile to the last base of the last one.
        counts : list of int
            Tiles of each segment.

        Returns
        -------
        float32 array, shape (sum of `counts`, n_pairs)
            Log-odds; not defined where more than half of a tile is unknown.
        """


def open_segment_engine(
    model: Model, pairs: list[Pair], grid: SegmentGrid
) -> SegmentEngine:
    """Set a model up, by the fastest method for its network.

    Parameters
    ----------
    model : Model
    pairs : list of Pair
    grid : SegmentGrid
        How tiles of one segment lie.

    Returns
    -------
    SegmentEngine
    """
    if model.config.supports_rows:
        check_packages(f"model {model.name}", "torch")
        # PyTorch takes a second to import: only where it is needed.
        from tfimpute_tracks.engines.residual_rows import ResidualRows

        return ResidualRows(model, pairs, grid.stride)
    return _JoinedSegments(model, pairs, grid)


class _JoinedSegments:
    """Segments laid end to end, through trunk and head."""

    def __init__(self, model: Model, pairs: list[Pair], grid: SegmentGrid) -> None:
        self._grid, self._config = grid, model.config
        self._trunk = MotifTrunk(model, grid)
        self._head = pick_head(model, pairs, self._trunk)

    def logits(self, segments: list[Codes], counts: list[int]) -> Floats:
        # Tiles that cross from one segment into the next are left out.
        codes, firsts = join_segments(segments, self._grid.stride)
        n_tiles = (len(codes) - self._config.seq_len) // self._grid.stride + 1
        features = self._trunk.features(codes, n_tiles)
        windows = gather_windows(features, self._grid, n_tiles, self._config.n_filters)
        chosen = [
            windows.rows(2 * first, 2 * (first + n))
            for first, n in zip(firsts, counts, strict=True)
            if n
        ]
        return self._head.logits(join_rows(chosen))
