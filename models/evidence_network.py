"""What measured tracks add to a pair's score: the definition, in plain PyTorch.

For a pair p = (t, c) at a tile, z is the log-odds that a network makes of its letters,
and y_q the share of the tile's middle that the peaks of track q = (t_q, c_q) cover.
Attention of several heads goes from the pair to the tracks,

    a_k(p, q)  =  <Q_k E_t, K_k E_(t_q)> + <Q'_k E'_c, K'_k E'_(c_q)>
                  + alpha_k [t = t_q] + beta_k [c = c_q]
    A_k        =  sum_q exp(a_k(p, q)) y_q / (exp(n_k) + sum_q exp(a_k(p, q)))

where sums go over the tracks there are, but never over those of the pair itself. So a
track that is missing takes no part, one without a peak here votes against; n_k stands
for the doubt that remains, and weighs the more the fewer tracks are alike. A small
network then makes of it

    phi_k  =  log(1 + 100 A_k) / 2
    h      =  max(0, u z + U phi + b + B E_t + B' E'_c + D d)
    z'     =  o h + r z + r' phi + e + f E_t + f' E'_c

with d what there is to go by: log(1 + number) of other cell lines of the TF and of
other TFs in the cell line, whether there is none of each, and whether the cell line's
accessibility was measured. An accessibility track is one of a TF that has no Q.

E and E' are embeddings of this network's own; it learns with tracks left out.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn

from tfimpute_tracks.models.evidence_weights import SAME, EvidenceConfig

__all__ = ["EvidenceNetwork", "TrackTensors"]

_START = 0.3  # of random weights
_UNIT = 3.0  # log-odds that count as one: inputs of about the same size learn alike


class TrackTensors(NamedTuple):
    """The tracks there are.

    Attributes
    ----------
    tf, cell : int64 tensor, shape (n_tracks,)
        Rows of the embeddings; a TF of `n_tfs` is accessibility.
    available : bool tensor, shape (n_tracks,)
        Those that take part.
    """

    tf: Tensor
    cell: Tensor
    available: Tensor


class EvidenceNetwork(nn.Module):
    """Log-odds of pairs by letters and by measured tracks.

    Parameters
    ----------
    config : EvidenceConfig
    n_tfs, n_cells : int
    """

    def __init__(self, config: EvidenceConfig, n_tfs: int, n_cells: int) -> None:
        super().__init__()
        self.config = config
        self.n_tfs, self.n_cells = n_tfs, n_cells
        heads, size, hidden = config.heads, config.embedding_size, config.hidden
        width = heads * config.depth

        def drawn(*shape: int, scale: float = _START) -> nn.Parameter:
            return nn.Parameter(torch.randn(*shape) * scale)

        self.tf_embedding = drawn(n_tfs, size)
        self.cell_embedding = drawn(n_cells, size)
        self.tf_query, self.tf_key, self.cell_query, self.cell_key = (
            drawn(size, width, scale=size**-0.5) for _ in range(4)
        )
        self.accessibility_key = drawn(1, width)
        # From heads that ask the same TF to heads that ask the same cell line.
        self.same_tf = nn.Parameter(torch.linspace(0, SAME, heads))
        self.same_cell = nn.Parameter(torch.linspace(SAME, 0, heads))
        self.doubt = nn.Parameter(torch.ones(heads))
        inputs = 1 + heads
        self.input_weight = drawn(inputs, hidden, scale=inputs**-0.5)
        self.hidden_bias = nn.Parameter(torch.zeros(hidden))
        self.tf_bias = nn.Parameter(torch.zeros(size, hidden))
        self.cell_bias = nn.Parameter(torch.zeros(size, hidden))
        self.known_bias = nn.Parameter(torch.zeros(5, hidden))
        self.output_weight = drawn(hidden, scale=hidden**-0.5)
        self.direct_weight = nn.Parameter(torch.zeros(inputs))
        self.output_bias = nn.Parameter(torch.zeros(1))
        self.tf_output = nn.Parameter(torch.zeros(size))
        self.cell_output = nn.Parameter(torch.zeros(size))

    def forward(
        self,
        logits: Tensor,
        shares: Tensor,
        tf: Tensor,
        cell: Tensor,
        tracks: TrackTensors,
    ) -> Tensor:
        """Score pairs at tiles.

        Parameters
        ----------
        logits : float tensor, shape (n, n_pairs)
            By letters.
        shares : float tensor, shape (n, n_tracks)
            Of each tile's middle under the peaks of each track.
        tf, cell : int64 tensor, shape (n_pairs,)
        tracks : TrackTensors

        Returns
        -------
        float tensor, shape (n, n_pairs)
            Log-odds.
        """
        votes = self._votes(shares, tf, cell, tracks)
        inputs = torch.cat([logits[..., None] / _UNIT, votes], 2)
        known = self._known(tf, cell, tracks)
        tf_rows, cell_rows = self.tf_embedding[tf], self.cell_embedding[cell]
        bias = (
            self.hidden_bias
            + tf_rows @ self.tf_bias
            + cell_rows @ self.cell_bias
            + known @ self.known_bias
        )
        hidden = (inputs @ self.input_weight + bias).relu()
        own = tf_rows @ self.tf_output + cell_rows @ self.cell_output
        direct = inputs @ self.direct_weight
        return hidden @ self.output_weight + direct + own + self.output_bias

    def attention(self) -> tuple[Tensor, Tensor]:
        """Give what the logarithm of a track's weight is the sum of.

        Returns
        -------
        by_tf : float tensor, shape (heads, n_tfs, n_tfs + 1)
            From a pair's TF to a track's; the last is accessibility.
        by_cell : float tensor, shape (heads, n_cells, n_cells)
        """
        shape = self.config.heads, self.config.depth

        def asked(rows: Tensor, weight: Tensor) -> Tensor:
            parts: Tensor = (rows @ weight).unflatten(-1, shape)
            return parts

        tf_keys = torch.cat([self.tf_embedding @ self.tf_key, self.accessibility_key])
        by_tf = torch.einsum(
            "phd,qhd->hpq",
            asked(self.tf_embedding, self.tf_query),
            tf_keys.unflatten(-1, shape),
        )
        by_cell = torch.einsum(
            "phd,qhd->hpq",
            asked(self.cell_embedding, self.cell_query),
            asked(self.cell_embedding, self.cell_key),
        )
        same_tf = torch.eye(self.n_tfs, self.n_tfs + 1)
        by_tf = by_tf + self.same_tf[:, None, None] * same_tf
        same_cell = torch.eye(self.n_cells)
        return by_tf, by_cell + self.same_cell[:, None, None] * same_cell

    def _votes(
        self, shares: Tensor, tf: Tensor, cell: Tensor, tracks: TrackTensors
    ) -> Tensor:
        """Give phi, shape (n, n_pairs, heads)."""
        by_tf, by_cell = self.attention()
        scores = by_tf[:, tf][:, :, tracks.tf] + by_cell[:, cell][:, :, tracks.cell]
        own = (tf[:, None] == tracks.tf) & (cell[:, None] == tracks.cell)
        scores = scores.masked_fill(own | ~tracks.available, -torch.inf)
        doubt = self.doubt[:, None, None].expand(-1, len(tf), 1)
        weights = torch.cat([scores, doubt], 2).softmax(2)[:, :, :-1]
        heads, n_pairs, n_tracks = weights.shape
        means = shares @ weights.reshape(-1, n_tracks).T
        votes = torch.log1p(100 * means).unflatten(1, (heads, n_pairs)) / 2
        by_pair: Tensor = votes.transpose(1, 2)
        return by_pair

    def _known(self, tf: Tensor, cell: Tensor, tracks: TrackTensors) -> Tensor:
        """Give d, shape (n_pairs, 5)."""
        same_tf = (tf[:, None] == tracks.tf) & tracks.available
        same_cell = (cell[:, None] == tracks.cell) & tracks.available
        is_open = tracks.tf == self.n_tfs
        n_cells = (same_tf & ~same_cell).sum(1)
        n_tfs = (same_cell & ~same_tf & ~is_open).sum(1)
        n_open = (same_cell & is_open).sum(1)
        columns = [n_cells.log1p(), n_tfs.log1p(), n_cells == 0, n_tfs == 0, n_open > 0]
        return torch.stack([column.float() for column in columns], 1)
