"""The heads of the PyTorch engine: from windows of tiles to log-odds, on any device."""

from __future__ import annotations

import torch
from torch import Tensor

from tfimpute_tracks.models.model import Model
from tfimpute_tracks.models.network import TFImpute
from tfimpute_tracks.vocabulary import Pair

__all__ = ["TorchGatedHead", "TorchNetworkHead", "pick_torch_head"]

_MAX_VALUES = 1 << 26  # in the largest array that is computed in blocks
_MIX_COST = 32  # multiply-adds of a matrix product that cost as much as one of `_mix`


def pick_torch_head(
    model: Model, pairs: list[Pair], device: str
) -> TorchGatedHead | TorchNetworkHead:
    """Open the head of a model.

    Parameters
    ----------
    model : Model
    pairs : list of Pair
    device : str

    Returns
    -------
    TorchGatedHead or TorchNetworkHead
    """
    if model.config.gates_motifs:
        return TorchGatedHead(model, pairs, device)
    return TorchNetworkHead(model, pairs, device)


class TorchNetworkHead:
    """The layers after the windows, of any network family.

    Parameters
    ----------
    model : Model
    pairs : list of Pair
    device : str
    """

    def __init__(self, model: Model, pairs: list[Pair], device: str) -> None:
        self._network = model.network().to(device)
        index = torch.tensor(model.vocabulary.pair_indices(pairs), device=device)
        self._tf, self._cell = index.reshape(-1, 2).unbind(1)
        self.n_pairs = len(pairs)

    def logits(self, windows: Tensor) -> Tensor:
        """Compute the log-odds, of the better strand.

        Parameters
        ----------
        windows : float32 tensor, shape (2, n, n_windows, K)

        Returns
        -------
        float32 tensor, shape (n, n_pairs)
        """
        n = windows.shape[1]
        out = windows.new_empty((n, self.n_pairs))
        rows = max(1, _MAX_VALUES // (4 * self._network.floats_per_tile))
        columns = max(1, _MAX_VALUES // (min(n, rows) * self._network.floats_per_logit))
        for first in range(0, n, rows):
            block = out[first : first + rows]
            features = self._network.body(*windows[:, first : first + rows])
            for pair in range(0, self.n_pairs, columns):
                some = slice(pair, pair + columns)
                block[:, some] = self._network.head(
                    features, self._tf[some], self._cell[some]
                )
        return out


class TorchGatedHead:
    """The last layers of the gated network, for windows of both strands.

    The gates of few pairs are folded into the last layer, one matrix product of depth
    n_windows x K. For many, U[h, k] = sum_w W2[w, h, k] M[w, k] is formed once per tile
    and a pair adds the product g . U. Either way the units of a block of tiles and
    pairs are in memory at a time. All of it is float32: transfer of the log-odds of
    thousands of pairs takes longer.

    Parameters
    ----------
    model : Model
        Its configuration has :attr:`NetworkConfig.gates_motifs`.
    pairs : list of Pair
    device : str
    """

    def __init__(self, model: Model, pairs: list[Pair], device: str) -> None:
        network = model.network()
        assert isinstance(network, TFImpute)
        index = torch.tensor(model.vocabulary.pair_indices(pairs), dtype=torch.int64)
        tf, cell = index.reshape(-1, 2).unbind(1)
        with torch.no_grad():
            self._gates = network.gates(tf, cell).to(device)  # (n_pairs, K)
        self._weights = network.unit_weight.detach().to(device)  # (n_windows, H, K)
        self._bias = network.unit_bias.detach().to(device)
        n_windows, n_units, n_filters = self._weights.shape
        self.n_pairs = n_pairs = len(pairs)
        cheap = n_pairs * n_windows <= n_windows * _MIX_COST + n_pairs
        self._own: Tensor | None = None
        if cheap and n_pairs * self._weights.numel() <= _MAX_VALUES:
            # (n_pairs, H, n_windows, K): each pair's own last layer, as one matrix
            own = self._gates[:, None, None] * self._weights.transpose(0, 1)
            self._own = own.reshape(n_pairs * n_units, n_windows * n_filters)

    def logits(self, windows: Tensor) -> Tensor:
        """Compute the log-odds, of the better strand.

        Parameters
        ----------
        windows : float32 tensor, shape (2, n, n_windows, K)

        Returns
        -------
        float32 tensor, shape (n, n_pairs)
        """
        n = windows.shape[1]
        n_units, n_filters = self._weights.shape[1:]
        out = windows.new_empty((n, self.n_pairs))
        row = 2 * n_units * (self.n_pairs if self._own is not None else n_filters)
        rows = max(1, _MAX_VALUES // max(1, row))
        for first in range(0, n, rows):
            part = windows[:, first : first + rows].flatten(0, 1)
            block = out[first : first + rows]
            if self._own is not None:
                z = part.flatten(1) @ self._own.t()
                z = z.view(2, len(block), self.n_pairs, n_units).add_(self._bias)
                torch.amax(z, dim=(0, 3), out=block)
            else:
                self._mix(part, block)
        return out

    def _mix(self, m: Tensor, out: Tensor) -> None:
        n_units, n_filters = self._weights.shape[1:]
        u = m[:, 0, None] * self._weights[0]  # (2 n, H, K)
        for window, weights in enumerate(self._weights[1:], start=1):
            u.addcmul_(m[:, window, None], weights)
        flat = u.view(-1, n_filters)
        columns = max(1, _MAX_VALUES // len(flat))
        for first in range(0, self.n_pairs, columns):
            z = flat @ self._gates[first : first + columns].t()
            z = z.view(2, len(out), n_units, -1).add_(self._bias[:, None])
            out[:, first : first + columns] = z.amax(dim=(0, 2))
