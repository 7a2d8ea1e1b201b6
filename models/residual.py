"""A deeper network: residual blocks between the motif features and the gates.

    M      as in ``network.py``, of short windows
    J      max(M, M of the reverse strand read backwards), (n_windows, K)
    H      J W_in + b_in, (n_windows, C)
    H      H + b_2 + W_2 gelu(b_1 + W_1 [N(H)[w] ; N(H)[w-1] + N(H)[w+1]]), each block
    M'     max(0, N(H)), (n_windows, C)
    logit  as from M, with W2[w] = W2[n_windows - 1 - w]

N is a layer norm over the C features of a window; windows past the ends are zeros. The
blocks see which motifs lie next to each other, on either strand. Left and right neighbors
are summed, and windows at the same distance from the middle share W2, so a sequence and
its reverse complement have the same score and are read once.
"""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional

from tfimpute_tracks.models.config import ResidualConfig
from tfimpute_tracks.models.network import TFImpute

__all__ = ["ResidualTFImpute"]


class ResidualTFImpute(TFImpute):
    """The network with residual blocks.

    Parameters
    ----------
    config : ResidualConfig
    n_tfs, n_cells : int
    """

    config: ResidualConfig
    dense_layers: ClassVar[tuple[str, ...]] = ("proj_in", "blocks", "norm")

    def __init__(self, config: ResidualConfig, n_tfs: int, n_cells: int) -> None:
        super().__init__(config, n_tfs, n_cells)
        c, n = config.channels, config.n_windows
        self.proj_in = nn.Linear(config.n_filters, c)
        self.blocks = nn.ModuleList(_Block(c) for _ in range(config.blocks))
        self.norm, self.relu = nn.LayerNorm(c), nn.ReLU()
        self._mirror = [min(w, n - 1 - w) for w in range(n)]

    def body(self, forward: Tensor, reverse: Tensor) -> Tensor:
        """Join the strands and run the blocks; see :meth:`MotifNetwork.body`.

        Parameters
        ----------
        forward, reverse : float tensor, shape (n, n_windows, K)

        Returns
        -------
        float tensor, shape (n, n_windows, C)
            M', at least 0.
        """
        joined = self.backend.maximum(forward, reverse.flip(1))  # (n, n_windows, K)
        h = self.proj_in(joined)  # (n, n_windows, C)
        for block in self.blocks:
            h = h + functional.dropout(block(h), self.dropout, self.training)
        m = self.relu(self.norm(_precise(h)))
        return functional.dropout(m, self.dropout, self.training)

    def head(self, features: Tensor, tf: Tensor, cell: Tensor) -> Tensor:
        """Gate the features; see :meth:`MotifNetwork.head`.

        Parameters
        ----------
        features : float tensor, shape (n, n_windows, C)
        tf, cell : int64 tensor, shape (n_pairs,)

        Returns
        -------
        float tensor, shape (n, n_pairs)
        """
        return self.unit_logits(features, tf, cell).amax(dim=1)

    def window_weight(self) -> Tensor:
        """Return W2 of every window, the same at the same distance from the middle.

        Returns
        -------
        float tensor, shape (n_windows, H, C)
        """
        return self.unit_weight[self._mirror]


class _Block(nn.Module):
    def __init__(self, channels: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(channels)
        self.conv = nn.Linear(2 * channels, channels)
        self.proj_out = nn.Linear(channels, channels)
        self.gelu = nn.GELU()

    def forward(self, h: Tensor) -> Tensor:  # (n, n_windows, C)
        # In bfloat16 the gradients of many windows would be summed with 8 bits.
        padded = functional.pad(self.norm(_precise(h)), (0, 0, 1, 1))
        neighbors = padded[:, :-2] + padded[:, 2:]  # (n, n_windows, C)
        windows = torch.cat([padded[:, 1:-1], neighbors], dim=2)
        added: Tensor = self.proj_out(self.gelu(self.conv(windows)))
        return added


def _precise(h: Tensor) -> Tensor:
    """Give a layer norm float32 at least."""
    return h if h.dtype == torch.float64 else h.float()
