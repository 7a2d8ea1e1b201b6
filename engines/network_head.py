"""The head of deeper networks: everything after the motif features, in PyTorch.

Residual blocks and recurrence are dense matrix products, which PyTorch does well. Motif
features come from the same look-up kernels as for the gated network: what a tile shares
with its neighbors is computed once, and the tile cache serves all families.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from tfimpute_tracks.engines.torch_threads import one_torch_thread
from tfimpute_tracks.kernels.sparse import SparseRows
from tfimpute_tracks.models.model import Model
from tfimpute_tracks.vocabulary import Pair

__all__ = ["NetworkHead"]

# Products always have the same size, the last one padded: the order of the sums inside
# a product may depend on its size, and a tile's score must not depend on its neighbors.
_TILES = 128
_PAIRS_AT_ONCE = 1024


class NetworkHead:
    """The layers after the motif features, for a fixed list of pairs; on the CPU.

    Parameters
    ----------
    model : Model
    pairs : list of Pair
    """

    def __init__(self, model: Model, pairs: list[Pair]) -> None:
        self._network = model.network()
        config = model.config
        self._shape = config.n_windows, config.n_filters
        indices = np.array(model.vocabulary.pair_indices(pairs), dtype=np.int64)
        tf, cell = indices.reshape(-1, 2).T
        # By cell line: a recurrent network reads a tile once for each.
        self._order = np.lexsort((tf, cell))
        self._tf, self._cell = (torch.from_numpy(i[self._order]) for i in (tf, cell))

    def logits(self, windows: SparseRows) -> NDArray[np.float32]:
        """Compute the log-odds of tiles, of the better strand.

        Parameters
        ----------
        windows : SparseRows
            From :func:`tfimpute_tracks.kernels.sparse.gather_windows`.

        Returns
        -------
        float32 array, shape (n_tiles, n_pairs)
        """
        n_tiles = (windows.offsets.size - 1) // 2
        out = np.empty((n_tiles, len(self._order)), dtype=np.float32)
        with one_torch_thread(), torch.inference_mode():
            for first in range(0, n_tiles, _TILES):
                n = min(_TILES, n_tiles - first)
                m = self._dense(windows.rows(2 * first, 2 * (first + n)))
                out[first : first + n, self._order] = self._score(m)[:n]
        return out

    def _dense(self, rows: SparseRows) -> torch.Tensor:
        """Lay windows out as the network reads them, (2 tiles, n_windows, K)."""
        n_windows, n_filters = self._shape
        dense = rows.dense(n_windows * n_filters, 2 * _TILES)
        return torch.from_numpy(dense).view(-1, n_windows, n_filters)

    def _score(self, m: torch.Tensor) -> NDArray[np.float32]:
        features = self._network.body(m[0::2], m[1::2])
        parts = [
            self._network.head(
                features,
                self._tf[first : first + _PAIRS_AT_ONCE],
                self._cell[first : first + _PAIRS_AT_ONCE],
            )
            for first in range(0, len(self._order), _PAIRS_AT_ONCE)
        ]
        logits: NDArray[np.float32] = torch.cat(parts, dim=1).numpy()
        return logits
