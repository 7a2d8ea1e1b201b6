"""Tiles of several stretches of letters, scored together and by themselves.

What is around a tile is not looked at here: whoever asks blends tiles with their
neighbors when all are there. A tile's score does not depend on its company.
"""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from tfimpute_tracks.engines.cpu_engine import pick_head
from tfimpute_tracks.engines.tile_grid import TileGrid, join_segments
from tfimpute_tracks.engines.trunk import MotifTrunk
from tfimpute_tracks.kernels.sparse import gather_windows, join_rows
from tfimpute_tracks.models.model import Model
from tfimpute_tracks.vocabulary import Pair

__all__ = ["CoreScorer", "core_scorer"]

Codes = NDArray[np.uint8]
Floats = NDArray[np.float32]


class CoreScorer(Protocol):
    """A model set up to score core tiles for some pairs; thread-safe."""

    def logits(self, stretches: list[Codes], counts: list[int]) -> Floats:
        """Score neighboring core tiles of stretches.

        Parameters
        ----------
        stretches : list of uint8 array, values 0..4
            From the first tile's first letter to the last tile's last.
        counts : list of int
            Tiles of each stretch.

        Returns
        -------
        float32 array, shape (sum of `counts`, n_pairs)
            Not defined where more than half of a tile is unknown.
        """


def core_scorer(model: Model, pairs: list[Pair], grid: TileGrid) -> CoreScorer:
    """Set a model up, in the way that is quickest for its network.

    Parameters
    ----------
    model : Model
    pairs : list of Pair
    grid : TileGrid
        Whose core tiles are scored.

    Returns
    -------
    CoreScorer
    """
    if model.config.blocks:
        # PyTorch takes a second to import: only where it is needed.
        from tfimpute_tracks.engines.residual_rows import ResidualRows

        return ResidualRows(model, pairs, grid.core.stride)
    return _TileRows(model, pairs, grid._replace(reach=0, step=1))


class _TileRows:
    """Tiles of stretches laid one behind the other, through trunk and head."""

    def __init__(self, model: Model, pairs: list[Pair], grid: TileGrid) -> None:
        self._grid, self._n_filters = grid, model.config.n_filters
        self._trunk = MotifTrunk(model, grid)
        self._head = pick_head(model, pairs, self._trunk)

    def logits(self, stretches: list[Codes], counts: list[int]) -> Floats:
        core = self._grid.core
        # Tiles across two of them are left out.
        codes, firsts = join_segments(stretches, core.stride)
        n_tiles = (len(codes) - self._grid.seq_len) // core.stride + 1
        features = self._trunk.features(codes, n_tiles)
        windows = gather_windows(features, core, n_tiles, self._n_filters)
        chosen = [
            windows.rows(2 * first, 2 * (first + n))
            for first, n in zip(firsts, counts, strict=True)
            if n
        ]
        return self._head.logits(join_rows(chosen))
