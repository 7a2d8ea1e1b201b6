"""The head: what a pair makes of the motif features, for one pair or all of them.

With few pairs each pair's gates are folded into the last layer, one matrix product of
depth n_windows x K. With many, U[h, k] = sum_w W2[w, h, k] M[w, k] is formed once per
tile and a pair adds g . U only, a product of depth K. The cheaper way is taken.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from tfimpute_tracks.kernels.mixture import mix_windows
from tfimpute_tracks.models.model import Model
from tfimpute_tracks.vocabulary import Pair

__all__ = ["Head"]

Floats = NDArray[np.float32]

_MIX_COST = 4  # multiply-adds of a matrix product that one of `mix_windows` is worth
_ROOM = 1 << 24  # numbers in the largest intermediate array


class Head:
    """The last layers for a fixed list of pairs.

    Parameters
    ----------
    model : Model
    pairs : list of Pair
    """

    def __init__(self, model: Model, pairs: list[Pair]) -> None:
        weights = model.checkpoint.weights
        index = np.array(model.vocabulary.pair_indices(pairs)).reshape(-1, 2)
        both = np.concatenate(
            [
                weights["tf_embedding"][index[:, 0]],
                weights["cell_embedding"][index[:, 1]],
            ],
            axis=1,
        )
        gates = both @ weights["gate_weight"] + weights["gate_bias"]
        self.gates: Floats = expit(gates)  # (n_pairs, K)
        self._weights = weights["unit_weight"]  # (n_windows, H, K)
        self._bias = weights["unit_bias"]
        n_windows = self._weights.shape[0]
        n_pairs = len(pairs)
        self._folded = n_pairs * n_windows <= n_windows * _MIX_COST + n_pairs

    def logits(self, m: Floats) -> Floats:
        """Give the logits of windows of one strand.

        Parameters
        ----------
        m : float32 array, shape (n, n_windows, K)
            From :meth:`tfimpute_tracks.models.engine.MotifEngine.windows`.

        Returns
        -------
        float32 array, shape (n, n_pairs)
        """
        n, n_pairs = len(m), len(self.gates)
        out = np.empty((n, n_pairs), dtype=np.float32)
        n_units, n_filters = self._weights.shape[1:]
        rows = max(1, _ROOM // (n_units * n_filters))
        for first in range(0, n, rows):
            block = m[first : first + rows]
            if self._folded:
                out[first : first + rows] = self._fold(block)
            else:
                out[first : first + rows] = self._mix(block)
        return out

    def _fold(self, m: Floats) -> Floats:
        # (n_pairs, H, n_windows, K): each pair's own last layer
        own = self.gates[:, None, None] * self._weights.transpose(1, 0, 2)
        z = m.reshape(len(m), -1) @ own.reshape(-1, own[0, 0].size).T
        z = z.reshape(len(m), *own.shape[:2]) + self._bias
        logits: Floats = z.max(axis=2)
        return logits

    def _mix(self, m: Floats) -> Floats:
        n_units, n_filters = self._weights.shape[1:]
        u = mix_windows(m, self._weights).reshape(-1, n_filters)  # (n H, K)
        out = np.empty((len(m), len(self.gates)), dtype=np.float32)
        columns = max(1, _ROOM // len(u))
        for first in range(0, len(self.gates), columns):
            z = u @ self.gates[first : first + columns].T
            z = z.reshape(len(m), n_units, -1) + self._bias[:, None]
            out[:, first : first + columns] = z.max(axis=1)
        return out
