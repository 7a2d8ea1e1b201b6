"""The paper's revised network: a recurrent layer over windows, one output per TF.

    M      as in ``network.py``; the paper has windows of 50 positions over 1,000 bp
    g      sigmoid(E_c), (K,): the gate of cell line c, which is its embedding
    h      last state of a gated recurrent unit over M[w] * g, w = 0, 1, ...
    logit  h V[t] + v[t], an output for every TF t; the larger of the two strands'

The cell line enters before the recurrence: a sequence is convolved once and read once per
cell line, whatever the number of TFs. The loss skips TFs not measured in a cell line.
"""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import Tensor, nn

from tfimpute_tracks.models.config import RecurrentConfig
from tfimpute_tracks.models.network import MotifNetwork

__all__ = ["RecurrentTFImpute"]


class RecurrentTFImpute(MotifNetwork):
    """The paper's revised network.

    Parameters
    ----------
    config : RecurrentConfig
    n_tfs, n_cells : int
    """

    config: RecurrentConfig
    dense_layers: ClassVar[tuple[str, ...]] = ("gru",)

    def __init__(self, config: RecurrentConfig, n_tfs: int, n_cells: int) -> None:
        super().__init__(config, n_tfs, n_cells)
        k, units = config.n_filters, config.recurrent_units
        self.cell_embedding = nn.Parameter(torch.empty(n_cells, k))
        self.gru = nn.GRU(k, units, batch_first=True)
        self.tf_weight = nn.Parameter(torch.empty(n_tfs, units))
        self.tf_bias = nn.Parameter(torch.empty(n_tfs))

    def head(self, features: Tensor, tf: Tensor, cell: Tensor) -> Tensor:
        """Read the windows once per cell line; see :meth:`MotifNetwork.head`.

        Parameters
        ----------
        features : float tensor, shape (2 n, n_windows, K)
        tf, cell : int64 tensor, shape (n_pairs,)

        Returns
        -------
        float tensor, shape (n, n_pairs)
        """
        columns = torch.arange(len(tf), device=features.device)
        parts, order = [], []
        for one in torch.unique(cell):
            chosen = columns[cell == one]
            gate = torch.sigmoid(self.cell_embedding[one])
            _, last = self.gru(features * gate)  # (1, 2 n, units)
            outputs = self.tf_weight[tf[chosen]]
            parts.append(last[0] @ outputs.t() + self.tf_bias[tf[chosen]])
            order.append(chosen)
        if not parts:
            return features.new_empty((len(features) // 2, 0))
        # Not written in place: that would cost the gradient a copy per cell line.
        logits = torch.cat(parts, dim=1)[:, torch.argsort(torch.cat(order))]
        best: Tensor = logits.unflatten(0, (2, -1)).amax(dim=0)  # (n, n_pairs)
        return best

    @property
    def floats_per_tile(self) -> int:
        """float32 values per tile in :meth:`body`, for engines to plan memory."""
        return super().floats_per_tile + 2 * self.config.recurrent_units
