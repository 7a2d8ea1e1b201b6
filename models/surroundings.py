"""What a tile's neighbours add to its score: the definition, in plain PyTorch.

    z'  =  sum_k v[|k|] z_k  +  v_best max_k z_k  +  b,   k = -R ... R

z_k is what the network makes of the k-th tile from the one in question; a neighbour of
which more than half is unknown counts like the tile itself. A protein that binds beside
a site is often found at it, too, for peaks are wider than motifs: the strongest tile
around says nearly as much as the tile itself. The few numbers are the same for every
pair, because only places with known letters around them can teach them. The scan blends
whole rows of scores (``kernels/surroundings.py``).
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

__all__ = ["Surroundings"]


class Surroundings(nn.Module):
    """The last step of a network that looks at a tile's neighbours.

    Parameters
    ----------
    reach : int
        R, neighbours on either side.
    """

    def __init__(self, reach: int) -> None:
        super().__init__()
        self.reach = reach
        self.weight = nn.Parameter(torch.empty(reach + 2))
        self.bias = nn.Parameter(torch.empty(1))
        self.leave_out()

    def leave_out(self) -> None:
        """Begin with what the tile itself says."""
        with torch.no_grad():
            self.weight.zero_()
            self.weight[0] = 1.0
            self.bias.zero_()

    def forward(self, logits: Tensor, unknown: Tensor) -> Tensor:
        """Blend the logits of tiles with those of their neighbours.

        Parameters
        ----------
        logits : float tensor, shape (n, 2 R + 1, n_pairs)
            Of the neighbours, from the left; the tile itself in the middle.
        unknown : bool tensor, shape (n, 2 R + 1)

        Returns
        -------
        float tensor, shape (n, n_pairs)
        """
        own = logits[:, self.reach]
        around = torch.where(unknown[:, :, None], own[:, None], logits)
        distance = (torch.arange(2 * self.reach + 1) - self.reach).abs()
        near = self.weight[distance.to(logits.device)]
        summed = torch.einsum("k,nkp->np", near, around)
        return summed + self.weight[-1] * around.amax(dim=1) + self.bias
