"""Residual blocks over pooling windows: the deeper trunk, which no pair enters.

    H      M W_in + b_in, (n_windows, C)
    H      H + b_2 + W_2 gelu(b_1 + W_1 [N(H)[w-1] ; N(H)[w] ; N(H)[w+1]]), each block
    M'     max(0, N(H)), (n_windows, C): takes the place of M before the gates

N normalises the C numbers of a window and scales them; past the ends are zeros. The
convolution below is the paper's; blocks see which motifs stand beside which.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

__all__ = ["ResidualBlocks"]


class ResidualBlocks(nn.Module):
    """From motif features to features of motifs in company.

    Parameters
    ----------
    n_filters : int
        K, numbers per window that come in.
    channels : int
        C, numbers per window that go out.
    blocks : int
    """

    def __init__(self, n_filters: int, channels: int, blocks: int) -> None:
        super().__init__()
        self.enter = nn.Linear(n_filters, channels)
        self.blocks = nn.ModuleList(_Block(channels) for _ in range(blocks))
        self.norm = nn.LayerNorm(channels)
        self.dropout = 0.0
        """Share of each block's result that training leaves out."""

    def forward(self, m: Tensor) -> Tensor:
        """Refine motif features.

        Parameters
        ----------
        m : float tensor, shape (n, n_windows, K)

        Returns
        -------
        float tensor, shape (n, n_windows, C)
            Not negative.
        """
        h = self.enter(m)
        for block in self.blocks:
            h = h + functional.dropout(block(h), self.dropout, self.training)
        refined: Tensor = torch.relu(self.norm(h))
        return refined


class _Block(nn.Module):
    def __init__(self, channels: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(channels)
        self.neighbours = nn.Linear(3 * channels, channels)
        self.mix = nn.Linear(channels, channels)

    def forward(self, h: Tensor) -> Tensor:
        padded = functional.pad(self.norm(h), (0, 0, 1, 1))
        three = torch.cat([padded[:, :-2], padded[:, 1:-1], padded[:, 2:]], dim=2)
        changed: Tensor = self.mix(functional.gelu(self.neighbours(three)))
        return changed
