"""Residual blocks over rows of overlapping tiles, without repeated work.

Tiles that start a few bp apart have most of their windows in common. A block reads a
window and its two neighbors, and zeros past the ends of a tile. So after b blocks all
windows of a tile but the outer b on either side are equal to those of every other tile
at that position. These are computed once for a row of tiles, the outer ones per tile.

Products always have the same size, so a tile's score does not depend on other tiles.
"""

from __future__ import annotations

from collections.abc import Callable
from math import gcd
from typing import Any, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from tfimpute_tracks.engines.tile_grid import join_segments
from tfimpute_tracks.engines.torch_threads import one_torch_thread
from tfimpute_tracks.engines.trunk import MotifTrunk
from tfimpute_tracks.kernels.segments import segment_grid
from tfimpute_tracks.kernels.sparse import gather_windows
from tfimpute_tracks.kernels.tile_mixture import mix_tiles
from tfimpute_tracks.models.model import Model
from tfimpute_tracks.models.residual import ResidualTFImpute
from tfimpute_tracks.vocabulary import Pair

__all__ = ["ResidualRows"]

Codes = NDArray[np.uint8]
Floats = NDArray[np.float32]
Ints = NDArray[np.int64]

_ROWS = 512  # windows in a product
_TILES = 64
_PAIRS = 512


class ResidualRows:
    """A residual network set up for some pairs and rows of tiles; safe for threads.

    Parameters
    ----------
    model : Model
        With residual blocks. Neighboring tiles are not mixed here.
    pairs : list of Pair
    stride : int
        bp between the starts of tiles.
    """

    def __init__(self, model: Model, pairs: list[Pair], stride: int) -> None:
        self._network = cast(ResidualTFImpute, model.network())
        self._config = config = self._network.config
        self._stride = stride
        # Windows of all tiles, and the segments they consist of, lie on one grid.
        self._apart = apart = gcd(stride, config.pool)
        sizes = config.filter_length, config.pool, apart
        tiles = segment_grid(config.seq_len, *sizes)
        self._trunk = MotifTrunk(model, tiles)
        window = config.pool + config.filter_length - 1
        self._windows = segment_grid(window, *sizes)
        indices = np.array(model.vocabulary.pair_indices(pairs), dtype=np.int64)
        tf, cell = torch.from_numpy(indices.reshape(-1, 2)).unbind(1)
        with torch.inference_mode():
            self._gates = self._network.gates(tf, cell).t().contiguous()
            self._weights = self._network.window_weight().numpy()

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
        apart, step = self._apart, self._stride // self._apart
        codes, firsts = join_segments(segments, apart)
        tiles = np.concatenate(
            [f + step * np.arange(n) for f, n in zip(firsts, counts, strict=True)]
        )
        ahead = self._config.pool // apart * np.arange(self._config.n_windows)
        index = tiles[:, None] + ahead
        with one_torch_thread(), torch.inference_mode():
            rows = self._project(codes)
            n_inner = len(rows)
            for number in range(self._config.blocks):
                rows, index = self._block(number, rows, n_inner, index)
            return self._head(rows, index)

    def _project(self, codes: Codes) -> Tensor:
        """Compute the C channels of every window along the sequence, (n_rows, C)."""
        n_tiles = (len(codes) - self._config.seq_len) // self._apart + 1
        features = self._trunk.features(codes, n_tiles)
        n_segments = (features.offsets.size - 1) // 2
        n_rows = n_segments - self._windows.segments_per_tile + 1
        n_filters = self._config.n_filters
        windows = gather_windows(features, self._windows, n_rows, n_filters)

        def project(first: int, last: int) -> Tensor:
            some = windows.rows(2 * first, 2 * last)
            strands = some.dense(n_filters, 2 * _ROWS)
            joined = np.maximum(strands[0::2], strands[1::2])
            projected: Tensor = self._network.proj_in(torch.from_numpy(joined))
            return projected

        return _in_products(project, n_rows, self._config.channels)

    def _block(
        self, number: int, rows: Tensor, n_inner: int, index: Ints
    ) -> tuple[Tensor, Ints]:
        """Run a block, first over the windows of the row as if it had no ends.

        The outer windows of each tile follow after these. `index` holds the row of each
        window of a tile, (n_tiles, n_windows).
        """
        block: Any = self._network.blocks[number]
        n_tiles = len(index)
        apart = self._config.pool // self._apart
        # Zeros past the ends: a row of their own.
        normed = torch.cat([block.norm(rows), torch.zeros(1, rows.shape[1])])
        framed = np.pad(index, ((0, 0), (1, 1)), constant_values=len(rows))
        n_windows = index.shape[1]
        ends = np.arange(number + 1)
        outer = np.unique(np.concatenate([ends, n_windows - 1 - ends]))
        inner = np.arange(n_inner)
        own, left, right = (
            torch.from_numpy(np.concatenate([along, framed[:, outer + shift].ravel()]))
            for along, shift in (
                (inner, 1),
                (np.where(inner >= apart, inner - apart, len(rows)), 0),
                (np.where(inner < n_inner - apart, inner + apart, len(rows)), 2),
            )
        )
        both = torch.zeros(_ROWS, 2 * rows.shape[1])

        def run(first: int, last: int) -> Tensor:
            n, width = last - first, rows.shape[1]
            both[:n, :width] = normed[own[first:last]]
            both[:n, width:] = normed[left[first:last]]
            both[:n, width:] += normed[right[first:last]]
            changed: Tensor = block.update(both)
            changed[:n] += rows[own[first:last]]
            return changed

        changed = _in_products(run, len(own), rows.shape[1])
        index = index.copy()
        behind = np.arange(n_inner, n_inner + n_tiles * outer.size)
        index[:, outer] = behind.reshape(n_tiles, -1)
        return changed, index

    def _head(self, rows: Tensor, index: Ints) -> Floats:
        """Combine windows and gates, (n_tiles, n_pairs)."""
        refined = torch.relu(self._network.norm(rows)).numpy()
        n_tiles, n_pairs = len(index), self._gates.shape[1]
        out = np.empty((n_tiles, n_pairs), dtype=np.float32)
        mixed = torch.zeros(_TILES, self._config.n_units, self._config.channels)
        for first in range(0, n_tiles, _TILES):
            n = min(_TILES, n_tiles - first)
            u = mix_tiles(refined, index[first : first + n], self._weights)
            mixed[:n] = torch.from_numpy(u)
            for begin in range(0, n_pairs, _PAIRS):
                z = mixed @ self._gates[:, begin : begin + _PAIRS]
                z += self._network.unit_bias[:, None]
                best = z.amax(dim=1)[:n].numpy()
                out[first : first + n, begin : begin + _PAIRS] = best
        return out


def _in_products(
    product: Callable[[int, int], Tensor], n_rows: int, width: int
) -> Tensor:
    """Concatenate products of one size, the last one padded."""
    out = torch.empty(n_rows, width)
    for first in range(0, n_rows, _ROWS):
        last = min(n_rows, first + _ROWS)
        out[first:last] = product(first, last)[: last - first]
    return out
