"""What a tile's neighbors add to its score: the definition, in plain PyTorch.

    z'  =  sum_k v[k] max_{|j| <= k} z_j  +  b,   k = 0 ... R

z_j is what the network makes of the j-th tile from the one in question; a neighbor of
which more than half is unknown counts like the tile itself. A protein that binds beside
a site is often found at it, too, for peaks are wider than motifs: the strongest tile
around says nearly as much as the tile itself, and the less the farther off it may be.
The few numbers are the same for every pair, because only places with known letters
around them can teach them. The scan blends whole rows of scores
(``kernels/context.py``).
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

__all__ = ["Surroundings"]


class Surroundings(nn.Module):
    """The last step of a network that looks at a tile's neighbors.

    Parameters
    ----------
    reach : int
        R, neighbors on either side.
    """

    def __init__(self, reach: int) -> None:
        super().__init__()
        self.reach = reach
        self.weight = nn.Parameter(torch.empty(reach + 1))
        self.bias = nn.Parameter(torch.empty(1))
        self.leave_out()

    def leave_out(self) -> None:
        """Begin with what the tile itself says."""
        with torch.no_grad():
            self.weight.zero_()
            self.weight[0] = 1.0
            self.bias.zero_()

    def forward(self, logits: Tensor, unknown: Tensor) -> Tensor:
        """Blend the logits of tiles with those of their neighbors.

        Parameters
        ----------
        logits : float tensor, shape (n, 2 R + 1, n_pairs)
            Of the neighbors, from the left; the tile itself in the middle.
        unknown : bool tensor, shape (n, 2 R + 1)

        Returns
        -------
        float tensor, shape (n, n_pairs)
        """
        own = logits[:, self.reach]
        around = torch.where(unknown[:, :, None], own[:, None], logits)
        blended = self.bias + self.weight[0] * own
        for k in range(1, self.reach + 1):
            within = around[:, self.reach - k : self.reach + k + 1]
            blended = blended + self.weight[k] * within.amax(dim=1)
        return blended
