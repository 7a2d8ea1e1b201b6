"""A deeper trunk: residual blocks between the motif features and the gates.

    M      as in ``network.py``, of short windows
    J      max(M, M of the reverse strand read backwards), (n_windows, K)
    H      J W_in + b_in, (n_windows, C)
    H      H + b_2 + W_2 gelu(b_1 + W_1 [N(H)[w] ; N(H)[w-1] + N(H)[w+1]]), each block
    M'     max(0, N(H)), (n_windows, C)
    logit  as from M, with W2[w] = W2[n_windows - 1 - w]

N normalizes the C numbers of a window and scales them; past the ends are zeros. The
blocks see which motifs stand beside which, on either strand; neighbors left and right
count the same, and so do windows at the same distance from the middle. So a sequence
and its reverse complement have one score, and are read once.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from tfimpute_tracks.models.config import NetworkConfig
from tfimpute_tracks.models.network import TORCH, Backend, TFImpute

__all__ = ["ResidualTFImpute"]


class ResidualTFImpute(TFImpute):
    """The deeper network for one vocabulary.

    Parameters
    ----------
    config : NetworkConfig
        With `blocks` and `channels`.
    n_tfs, n_cells : int
    backend : Operations, default PLAIN

    Attributes
    ----------
    dropout : float
        Share of each block's result, and of the numbers that the gates multiply, that
        training leaves out.
    """

    def __init__(
        self,
        config: NetworkConfig,
        n_tfs: int,
        n_cells: int,
        backend: Backend = TORCH,
    ) -> None:
        super().__init__(config, n_tfs, n_cells, backend)
        self.enter = nn.Linear(config.n_filters, config.channels)
        self.blocks = nn.ModuleList(
            _Block(config.channels) for _ in range(config.blocks)
        )
        self.norm = nn.LayerNorm(config.channels)
        self.dropout = 0.0
        n = config.n_windows
        self._mirror = [min(w, n - 1 - w) for w in range(n)]

    def features(self, forward: Tensor, reverse: Tensor) -> Tensor:
        """Join the strands and run the blocks; see :meth:`MotifNetwork.features`.

        Parameters
        ----------
        forward, reverse : float tensor, shape (n, n_windows, K)

        Returns
        -------
        float tensor, shape (n, n_windows, C)
            Not negative.
        """
        h = self.enter(torch.maximum(forward, reverse.flip(1)))
        for block in self.blocks:
            h = h + functional.dropout(block(h), self.dropout, self.training)
        refined = torch.relu(self.norm(h.float()))
        return functional.dropout(refined, self.dropout, self.training)

    def judge(self, features: Tensor, tf: Tensor, cell: Tensor) -> Tensor:
        """Put features and gates together; see :meth:`MotifNetwork.judge`.

        Parameters
        ----------
        features : float tensor, shape (n, n_windows, C)
        tf, cell : int64 tensor, shape (n_pairs,)

        Returns
        -------
        float tensor, shape (n, n_pairs)
        """
        return self.units(features, self.mirrored_weights(), self.gates(tf, cell))

    def mirrored_weights(self) -> Tensor:
        """Give W2 for every window, the same at the same distance from the middle.

        Returns
        -------
        float tensor, shape (n_windows, H, C)
        """
        return self.unit_weight[self._mirror]


class _Block(nn.Module):
    def __init__(self, channels: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(channels)
        self.around = nn.Linear(2 * channels, channels)
        self.mix = nn.Linear(channels, channels)

    def forward(self, h: Tensor) -> Tensor:
        # In bfloat16 the gradients of many windows would be summed with 8 bits.
        padded = functional.pad(self.norm(h.float()), (0, 0, 1, 1))
        beside = padded[:, :-2] + padded[:, 2:]
        return self.change(torch.cat([padded[:, 1:-1], beside], dim=2))

    def change(self, both: Tensor) -> Tensor:
        """Give what is added to windows, by their own numbers and those beside them."""
        changed: Tensor = self.mix(functional.gelu(self.around(both)))
        return changed
