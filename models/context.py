"""The contribution of neighboring tiles to a tile's score, in plain PyTorch.

    z'  =  sum_k v[k] max_{|j| <= k} z_j  +  b,   k = 0 ... R

z_j is the network's logit of the j-th tile from the one in question. A neighbor of which
more than half is unknown takes the logit of the tile itself. Peaks are wider than motifs:
a protein bound next to a site is often found at the site, too, the less so the farther
away it binds. v and b are the same for all pairs, because only sites whose flanking
sequence is known can teach them. A scan mixes whole rows of logits
(``kernels/context.py``).
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

__all__ = ["TileContext"]


class TileContext(nn.Module):
    """The last step of a network that uses neighboring tiles.

    Parameters
    ----------
    n_tiles : int
        R, neighbors on either side.
    """

    def __init__(self, n_tiles: int) -> None:
        super().__init__()
        self.n_tiles = n_tiles
        self.weight = nn.Parameter(torch.empty(n_tiles + 1))
        self.bias = nn.Parameter(torch.empty(1))
        self.reset()

    def reset(self) -> None:
        """Ignore the neighbors: the logit of the tile itself is the result."""
        with torch.no_grad():
            self.weight.zero_()
            self.weight[0] = 1.0
            self.bias.zero_()

    def forward(self, logits: Tensor, unknown: Tensor) -> Tensor:
        """Mix the logits of tiles with those of their neighbors.

        Parameters
        ----------
        logits : float tensor, shape (n, 2 R + 1, n_pairs)
            Of the neighbors, from the left; the tile itself in the middle.
        unknown : bool tensor, shape (n, 2 R + 1)

        Returns
        -------
        float tensor, shape (n, n_pairs)
        """
        r = self.n_tiles
        own = logits[:, r]  # (n, n_pairs)
        known = torch.where(unknown[:, :, None], own[:, None], logits)
        mixed = self.bias + self.weight[0] * own
        for k in range(1, r + 1):
            strongest = known[:, r - k : r + k + 1].amax(dim=1)  # (n, n_pairs)
            mixed = mixed + self.weight[k] * strongest
        return mixed
