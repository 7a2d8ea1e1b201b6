"""The CPU engine: motif features of the trunk, and sparse products of the heads.

A block of sequence goes through on one thread; threads work on blocks of their own.
Features can be kept, and :meth:`LookupEngine.feature_logits` scores them again.
"""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from tfimpute_tracks.engines.head import GatedHead, TileHead
from tfimpute_tracks.engines.trunk import MotifTrunk
from tfimpute_tracks.errors import check_packages
from tfimpute_tracks.kernels.segments import SegmentGrid
from tfimpute_tracks.kernels.sparse import SparseRows, gather_windows
from tfimpute_tracks.models.model import Model
from tfimpute_tracks.vocabulary import Pair

__all__ = ["LookupEngine", "pick_head"]


class LookupEngine:
    """A model set up for some pairs and tiles of one grid; on the CPU.

    Parameters
    ----------
    model : Model
    pairs : list of Pair
    grid : SegmentGrid
    fast : bool
        As for :class:`MotifTrunk`.
    trunk : MotifTrunk, optional
        Of the same model and grid, to be shared with other engines.

    Attributes
    ----------
    trunk : MotifTrunk
    """

    device = "cpu"

    def __init__(
        self,
        model: Model,
        pairs: list[Pair],
        grid: SegmentGrid,
        fast: bool = False,
        trunk: MotifTrunk | None = None,
    ) -> None:
        self.trunk = trunk or MotifTrunk(model, grid, fast)
        self._grid = grid
        self._head = _pick_feature_head(model, pairs, grid, self.trunk)

    def logits(self, codes: NDArray[np.uint8], n_tiles: int) -> NDArray[np.float32]:
        """Score neighboring tiles; see :meth:`Engine.logits`.

        Parameters
        ----------
        codes : uint8 array, values 0..4
        n_tiles : int

        Returns
        -------
        float32 array, shape (n_tiles, n_pairs)
        """
        return self.feature_logits(self.trunk.features(codes, n_tiles), n_tiles)

    def feature_logits(self, features: SparseRows, n_tiles: int) -> NDArray[np.float32]:
        """Score tiles by their motif features.

        Parameters
        ----------
        features : SparseRows
            From :meth:`MotifTrunk.features`.
        n_tiles : int

        Returns
        -------
        float32 array, shape (n_tiles, n_pairs)
            As :meth:`logits`.
        """
        grid, parts = self._grid, []
        for first in range(0, n_tiles, self._head.tiles_at_once):
            n = min(self._head.tiles_at_once, n_tiles - first)
            rows = grid.feature_rows(first, n)
            some = features.rows(rows.start, rows.stop)
            parts.append(self._head.feature_logits(some, n))
        return parts[0] if len(parts) == 1 else np.concatenate(parts)


class _FeatureHead(Protocol):
    """From the motif features of neighboring tiles to their log-odds."""

    tiles_at_once: int

    def feature_logits(
        self, features: SparseRows, n_tiles: int
    ) -> NDArray[np.float32]: ...


class _TileByTile:
    """Each tile by itself, through its own windows."""

    tiles_at_once = 1024  # their windows stay in the second-level cache

    def __init__(
        self, model: Model, pairs: list[Pair], grid: SegmentGrid, trunk: MotifTrunk
    ) -> None:
        self._grid, self._n_filters = grid, model.config.n_filters
        self._head = pick_head(model, pairs, trunk)

    def feature_logits(self, features: SparseRows, n_tiles: int) -> NDArray[np.float32]:
        windows = gather_windows(features, self._grid, n_tiles, self._n_filters)
        return self._head.logits(windows)


def _pick_feature_head(
    model: Model, pairs: list[Pair], grid: SegmentGrid, trunk: MotifTrunk
) -> _FeatureHead:
    if model.config.supports_rows:
        check_packages(f"model {model.name}", "torch")
        # PyTorch takes a second to import: only where it is needed.
        from tfimpute_tracks.engines.residual_rows import ResidualRows, shares_rows

        if shares_rows(model.config, grid):
            return ResidualRows(model, pairs, grid.stride)
    return _TileByTile(model, pairs, grid, trunk)


def pick_head(model: Model, pairs: list[Pair], trunk: MotifTrunk) -> TileHead:
    """Open the head of a model: sparse products for the gated network.

    Parameters
    ----------
    model : Model
    pairs : list of Pair
    trunk : MotifTrunk
        Of the model; its probe shows how dense features are.

    Returns
    -------
    TileHead
    """
    if model.config.gates_motifs:
        return GatedHead(model, pairs, trunk.probe)
    check_packages(f"model {model.name}", "torch")
    # PyTorch takes a second to import: only where it is needed.
    from tfimpute_tracks.engines.network_head import NetworkHead

    return NetworkHead(model, pairs)
