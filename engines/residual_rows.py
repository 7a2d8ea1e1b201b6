"""Residual blocks over rows of overlapping tiles, without repeated work.

Tiles that start a few bp apart have most of their windows in common. A block reads a
window and its two neighbors, and zeros past the ends of a tile. So after b blocks all
windows of a tile but the outer b on either side are equal to those of every other tile
at that position. These are computed once for a row of tiles, the outer ones per tile.

Products always have the same size, so a tile's score does not depend on other tiles.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from math import gcd
from typing import Any, NamedTuple, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from tfimpute_tracks.engines.tile_grid import join_segments
from tfimpute_tracks.engines.torch_threads import one_torch_thread
from tfimpute_tracks.engines.trunk import MotifTrunk
from tfimpute_tracks.kernels.residual import add_neighbors, project_windows
from tfimpute_tracks.kernels.segments import SegmentGrid, segment_grid
from tfimpute_tracks.kernels.sparse import SparseRows, gather_windows
from tfimpute_tracks.kernels.tile_mixture import mix_tiles
from tfimpute_tracks.models.config import NetworkConfig
from tfimpute_tracks.models.model import Model
from tfimpute_tracks.models.residual import ResidualTFImpute
from tfimpute_tracks.vocabulary import Pair

__all__ = ["ResidualRows", "shares_rows"]

Codes = NDArray[np.uint8]
Floats = NDArray[np.float32]
Ints = NDArray[np.int64]

_ROWS = 512  # windows in a product
_MAX_ROWS = 12 * _ROWS  # along the sequence, at a time
_TILES = 64
_PAIRS = 512


def shares_rows(config: NetworkConfig, grid: SegmentGrid) -> bool:
    """Check whether rows of overlapping tiles are less work than tile after tile.

    Parameters
    ----------
    config : NetworkConfig
    grid : SegmentGrid
        Of the tiles.

    Returns
    -------
    bool
        Each segment is a row, and neighboring tiles have windows in common.
    """
    if not config.supports_rows:
        return False
    rows_per_tile = grid.stride // gcd(grid.stride, config.pool)
    return grid.borders.size == rows_per_tile < config.n_windows


class ResidualRows:
    """A residual network set up for some pairs and rows of tiles; safe for threads.

    Parameters
    ----------
    model : Model
        With residual blocks. Neighboring tiles are not mixed here.
    pairs : list of Pair
    stride : int
        bp between the starts of tiles.

    Attributes
    ----------
    tiles_at_once : int
        Neighboring tiles that fill whole products.
    """

    def __init__(self, model: Model, pairs: list[Pair], stride: int) -> None:
        self._network = cast(ResidualTFImpute, model.network())
        self._config = config = self._network.config
        self._model = model
        # Windows of all tiles, and the segments they consist of, lie on one grid.
        self._apart = apart = gcd(stride, config.pool)
        self._sizes = config.filter_length, config.pool, apart
        window = config.pool + config.filter_length - 1
        self._windows = segment_grid(window, *self._sizes)
        self._step, self._ahead = stride // apart, config.pool // apart
        first_tile = self._ahead * (config.n_windows - 1) + 1
        self.tiles_at_once = max(1, (_MAX_ROWS - first_tile) // self._step + 1)
        indices = np.array(model.vocabulary.pair_indices(pairs), dtype=np.int64)
        tf, cell = torch.from_numpy(indices.reshape(-1, 2)).unbind(1)
        with torch.inference_mode():
            gates = self._network.gates(tf, cell).t()
            # The last row multiplies the bias of a unit.
            self._gates = torch.cat([gates, torch.ones(1, gates.shape[1])])
            self._weights = self._network.window_weight().numpy()
            blocks = self._network.blocks
            self._layers = [_layers(block) for block in blocks]

    def logits(self, segments: list[Codes], counts: list[int]) -> Floats:
        """Score neighboring tiles of separate segments.

        Parameters
        ----------
        segments : list of uint8 array, values 0..4
            From the first base of the first tile to the last base of the last one.
        counts : list of int
            Tiles of each segment.

        Returns
        -------
        float32 array, shape (sum of `counts`, n_pairs)
            Log-odds, of the better strand; not defined where more than half of a tile
            is unknown.
        """
        apart, step = self._apart, self._step
        codes, firsts = join_segments(segments, apart)
        tiles = np.concatenate(
            [f + step * np.arange(n) for f, n in zip(firsts, counts, strict=True)]
        )
        n_tiles = (len(codes) - self._config.seq_len) // apart + 1
        return self._logits(self._trunk.features(codes, n_tiles), tiles)

    def parts(
        self, segments: list[Codes], counts: list[int], origins: object
    ) -> Iterator[tuple[slice, Floats]]:
        """Score all pairs at once: windows of both alleles differ in every channel.

        Parameters
        ----------
        segments, counts
            As for :meth:`logits`.
        origins : object
            Not used.

        Yields
        ------
        pairs : slice
        logits : float32 array, shape (sum of `counts`, n_pairs)
        """
        yield slice(None), self.logits(segments, counts)

    def feature_logits(self, features: SparseRows, n_tiles: int) -> Floats:
        """Score neighboring tiles by their motif features.

        Parameters
        ----------
        features : SparseRows
            From a :class:`MotifTrunk` of a grid that :func:`shares_rows` accepts.
        n_tiles : int

        Returns
        -------
        float32 array, shape (n_tiles, n_pairs)
            As :meth:`logits`.
        """
        return self._logits(features, self._step * np.arange(n_tiles))

    @cached_property
    def _trunk(self) -> MotifTrunk:
        grid = segment_grid(self._config.seq_len, *self._sizes)
        return MotifTrunk(self._model, grid)

    def _logits(self, features: SparseRows, tiles: Ints) -> Floats:
        """Score the tiles that start with some of the rows."""
        ahead = self._ahead * np.arange(self._config.n_windows)
        index = tiles[:, None] + ahead
        with one_torch_thread(), torch.inference_mode():
            rows = self._project(features)
            n_inner = len(rows)
            for number in range(self._config.blocks):
                rows, index = self._block(number, rows, n_inner, index)
            return self._head(rows, index)

    def _project(self, features: SparseRows) -> Tensor:
        """Compute the C channels of every window along the sequence, (n_rows, C)."""
        n_segments = (features.offsets.size - 1) // 2
        n_rows = n_segments - self._windows.segments_per_tile + 1
        n_filters = self._config.n_filters
        windows = gather_windows(features, self._windows, n_rows, n_filters)
        projection = self._network.proj_in
        weights = projection.weight.t().numpy(), projection.bias.numpy()
        return torch.from_numpy(project_windows(windows, *weights))

    def _block(
        self, number: int, rows: Tensor, n_inner: int, index: Ints
    ) -> tuple[Tensor, Ints]:
        """Run a block, first over the windows of the row as if it had no ends.

        The outer windows of each tile follow after these. `index` holds the row of each
        window of a tile, (n_tiles, n_windows). The first layer is linear, so each row is
        multiplied once, for itself and for either neighbor.
        """
        block: Any = self._network.blocks[number]
        n_tiles, n_windows = index.shape
        apart = self._ahead
        framed = np.pad(index, ((0, 0), (1, 1)), constant_values=len(rows))
        ends = np.arange(number + 1)
        outer = np.unique(np.concatenate([ends, n_windows - 1 - ends]))
        inner = np.arange(n_inner)
        own, left, right = (
            np.concatenate([along, framed[:, outer + shift].ravel()])
            for along, shift in (
                (inner, 1),
                (np.where(inner >= apart, inner - apart, len(rows)), 0),
                (np.where(inner < n_inner - apart, inner + apart, len(rows)), 2),
            )
        )
        first, last = self._layers[number]
        products = _linear(block.norm(rows), first, spare=1)
        products[-1] = 0  # past the ends
        hidden = add_neighbors(products.numpy(), own, left, right)
        changed = _linear(functional.gelu(torch.from_numpy(hidden)), last)
        changed[:n_inner] += rows[:n_inner]
        changed[n_inner:] += rows[torch.from_numpy(own[n_inner:])]
        index = index.copy()
        behind = np.arange(n_inner, n_inner + n_tiles * outer.size)
        index[:, outer] = behind.reshape(n_tiles, -1)
        return changed, index

    def _head(self, rows: Tensor, index: Ints) -> Floats:
        """Combine windows and gates, (n_tiles, n_pairs)."""
        refined = torch.relu(self._network.norm(rows)).numpy()
        n_tiles, n_pairs = len(index), self._gates.shape[1]
        out = np.empty((n_tiles, n_pairs), dtype=np.float32)
        mixed = torch.zeros(_TILES, self._config.n_units, self._config.channels + 1)
        mixed[:, :, -1] = self._network.unit_bias
        for first in range(0, n_tiles, _TILES):
            n = min(_TILES, n_tiles - first)
            u = mix_tiles(refined, index[first : first + n], self._weights)
            mixed[:n, :, :-1] = torch.from_numpy(u)
            for begin in range(0, n_pairs, _PAIRS):
                z = mixed @ self._gates[:, begin : begin + _PAIRS]
                best = z.amax(dim=1)[:n].numpy()
                out[first : first + n, begin : begin + _PAIRS] = best
        return out


class _Layer(NamedTuple):
    """A linear layer: weights (inputs, outputs) and bias."""

    weight: Tensor
    bias: Tensor


def _layers(block: Any) -> tuple[_Layer, _Layer]:
    """Arrange the layers of a block.

    The first one stacks what a window adds to itself, with the bias, and to a neighbor.
    """
    by_own, by_neighbor = block.conv.weight.chunk(2, dim=1)
    bias = block.conv.bias
    weight = torch.cat([by_own, by_neighbor]).t().contiguous()
    first = _Layer(weight, torch.cat([bias, torch.zeros_like(bias)]))
    last = _Layer(block.proj_out.weight.t().contiguous(), block.proj_out.bias)
    return first, last


def _linear(rows: Tensor, layer: _Layer, spare: int = 0) -> Tensor:
    """Multiply rows in products of one size, the last one padded.

    `spare` rows without values follow.
    """
    n_rows, (weight, bias) = len(rows), layer
    out = torch.empty(n_rows + spare, len(bias))
    for first in range(0, n_rows, _ROWS):
        some = rows[first : first + _ROWS]
        n = len(some)
        if n < _ROWS:
            some = torch.cat([some, some.new_zeros(_ROWS - n, rows.shape[1])])
        out[first : first + n] = torch.addmm(bias, some, weight)[:n]
    return out
