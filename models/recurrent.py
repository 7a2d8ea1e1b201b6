"""The paper's revised network: windows read in turn, one output per TF.

    M      as in ``network.py``, windows of 50 positions over 1,000 letters
    g      sigmoid(E_c): the gate of cell line c, K numbers, the embedding itself
    h      the last state of a gated recurrent unit that reads M[w] * g, w = 0, 1, ...
    logit  h V[t] + v[t], an output for every TF t

The cell line enters before the recurrence, so a sequence is convolved once and read
once per cell line, whatever the number of TFs; where a TF was not measured in a cell
line the loss leaves its output out. Strands as in ``network.py``.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from tfimpute_tracks.models.config import NetworkConfig
from tfimpute_tracks.models.network import TORCH, Backend, MotifNetwork

__all__ = ["RecurrentTFImpute"]


class RecurrentTFImpute(MotifNetwork):
    """The revised network for one vocabulary.

    Parameters
    ----------
    config : NetworkConfig
        With `recurrent_units`; `embedding_size`, `n_units` have no part in it.
    n_tfs, n_cells : int
    backend : Operations, default PLAIN
    """

    def __init__(
        self,
        config: NetworkConfig,
        n_tfs: int,
        n_cells: int,
        backend: Backend = TORCH,
    ) -> None:
        super().__init__(config, n_tfs, n_cells, backend)
        units = config.recurrent_units
        self.cell_embedding = nn.Parameter(torch.empty(n_cells, config.n_filters))
        self.reader = nn.GRU(config.n_filters, units, batch_first=True)
        self.tf_weight = nn.Parameter(torch.empty(n_tfs, units))
        self.tf_bias = nn.Parameter(torch.empty(n_tfs))

    def judge(self, features: Tensor, tf: Tensor, cell: Tensor) -> Tensor:
        """Read windows once per cell line; see :meth:`MotifNetwork.judge`.

        Parameters
        ----------
        features : float tensor, shape (2 n, n_windows, K)
        tf, cell : int64 tensor, shape (n_pairs,)

        Returns
        -------
        float tensor, shape (n, n_pairs)
            The better strand's.
        """
        columns = torch.arange(len(tf), device=features.device)
        parts, order = [], []
        for one in torch.unique(cell):
            chosen = columns[cell == one]
            gate = torch.sigmoid(self.cell_embedding[one])
            _, last = self.reader(features * gate)
            outputs = self.tf_weight[tf[chosen]]
            parts.append(last[0] @ outputs.t() + self.tf_bias[tf[chosen]])
            order.append(chosen)
        if not parts:
            return features.new_empty((len(features) // 2, 0))
        # Not written into place: that would cost the gradient a copy per cell line.
        logits = torch.cat(parts, dim=1)[:, torch.argsort(torch.cat(order))]
        best: Tensor = logits.unflatten(0, (2, -1)).amax(dim=0)
        return best
