"""How measured tracks change the score of a pair: the definition, in plain PyTorch.

For a pair p = (t, c) at a tile, z is the log-odds from sequence, and y_q the fraction of
the tile's middle that the peaks of track q = (t_q, c_q) cover. Multi-head attention goes
from the pair to the tracks,

    a_k(p, q)  =  <Q_k E_t, K_k E_(t_q)> + <Q'_k E'_c, K'_k E'_(c_q)>
                  + alpha_k [t = t_q] + beta_k [c = c_q]
    A_k        =  sum_q exp(a_k(p, q)) y_q / (exp(n_k) + sum_q exp(a_k(p, q)))

over the available tracks except those of the pair itself. An unavailable track is left
out, while one without a peak here lowers A_k. n_k is the null logit: it weighs more the
fewer similar tracks there are. A small network then computes

    phi_k  =  log(1 + 100 A_k) / 2
    h      =  max(0, u z + U phi + b + B E_t + B' E'_c + D d)
    z'     =  o h + r z + r' phi + e + f E_t + f' E'_c

where d says which tracks are available: log(1 + number) of other cell lines of the TF and
of other TFs in the cell line, whether there are none of each, and whether the cell line's
accessibility was measured. An accessibility track is one of a TF that has no query.

E and E' are this network's own embeddings. It is trained with tracks left out at random.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn

from tfimpute_tracks.models.evidence_weights import SAME_LOGIT, EvidenceConfig

__all__ = ["EvidenceNetwork", "TrackTensors"]

_INIT_STD = 0.3
_UNIT = 3.0  # log-odds that count as 1, so that all inputs are of similar size


class TrackTensors(NamedTuple):
    """The measured tracks.

    Attributes
    ----------
    tf, cell : int64 tensor, shape (n_tracks,)
        Rows of the embeddings; TF `n_tfs` is accessibility.
    available : bool tensor, shape (n_tracks,)
        Tracks to use.
    """

    tf: Tensor
    cell: Tensor
    available: Tensor


class EvidenceNetwork(nn.Module):
    """Log-odds of pairs from sequence and measured tracks.

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
        width, inputs = heads * config.head_size, 1 + heads

        def normal(*shape: int, std: float = _INIT_STD) -> nn.Parameter:
            return nn.Parameter(torch.randn(*shape) * std)

        self.tf_embedding = normal(n_tfs, size)
        self.cell_embedding = normal(n_cells, size)
        self.tf_query, self.tf_key, self.cell_query, self.cell_key = (
            normal(size, width, std=size**-0.5) for _ in range(4)
        )
        self.accessibility_key = normal(1, width)
        # From heads that look for the same TF to heads that look for the same cell line.
        self.same_tf = nn.Parameter(torch.linspace(0, SAME_LOGIT, heads))
        self.same_cell = nn.Parameter(torch.linspace(SAME_LOGIT, 0, heads))
        self.null_logit = nn.Parameter(torch.ones(heads))
        self.input_weight = normal(inputs, hidden, std=inputs**-0.5)
        self.hidden_bias = nn.Parameter(torch.zeros(hidden))
        self.tf_bias = nn.Parameter(torch.zeros(size, hidden))
        self.cell_bias = nn.Parameter(torch.zeros(size, hidden))
        self.available_bias = nn.Parameter(torch.zeros(5, hidden))
        self.output_weight = normal(hidden, std=hidden**-0.5)
        self.direct_weight = nn.Parameter(torch.zeros(inputs))
        self.output_bias = nn.Parameter(torch.zeros(1))
        self.tf_output = nn.Parameter(torch.zeros(size))
        self.cell_output = nn.Parameter(torch.zeros(size))

    def forward(
        self,
        logits: Tensor,
        coverage: Tensor,
        tf: Tensor,
        cell: Tensor,
        tracks: TrackTensors,
    ) -> Tensor:
        """Score pairs at tiles.

        Parameters
        ----------
        logits : float tensor, shape (n, n_pairs)
            z, from sequence.
        coverage : float tensor, shape (n, n_tracks)
            y, the fraction of each tile's middle under the peaks of each track.
        tf, cell : int64 tensor, shape (n_pairs,)
        tracks : TrackTensors

        Returns
        -------
        float tensor, shape (n, n_pairs)
            z', log-odds.
        """
        phi = self._attend(coverage, tf, cell, tracks)
        inputs = torch.cat(
            [logits[..., None] / _UNIT, phi], 2
        )  # (n, n_pairs, 1 + heads)
        available = self._available(tf, cell, tracks)
        tf_rows, cell_rows = self.tf_embedding[tf], self.cell_embedding[cell]
        bias = (
            self.hidden_bias
            + tf_rows @ self.tf_bias
            + cell_rows @ self.cell_bias
            + available @ self.available_bias
        )
        hidden = (inputs @ self.input_weight + bias).relu()  # (n, n_pairs, hidden)
        own = tf_rows @ self.tf_output + cell_rows @ self.cell_output  # (n_pairs,)
        direct = inputs @ self.direct_weight  # (n, n_pairs)
        return hidden @ self.output_weight + direct + own + self.output_bias

    def attention_logits(self) -> tuple[Tensor, Tensor]:
        """Compute the two terms of a: a_k(p, q) = by_tf[k, t, t_q] + by_cell[k, c, c_q].

        Returns
        -------
        by_tf : float tensor, shape (heads, n_tfs, n_tfs + 1)
            From a pair's TF to a track's; the last is accessibility.
        by_cell : float tensor, shape (heads, n_cells, n_cells)
        """
        shape = self.config.heads, self.config.head_size

        def split(rows: Tensor) -> Tensor:
            heads: Tensor = rows.unflatten(-1, shape)  # (n, heads, head_size)
            return heads

        tf_keys = torch.cat([self.tf_embedding @ self.tf_key, self.accessibility_key])
        by_tf = torch.einsum(
            "phd,qhd->hpq", split(self.tf_embedding @ self.tf_query), split(tf_keys)
        )
        by_cell = torch.einsum(
            "phd,qhd->hpq",
            split(self.cell_embedding @ self.cell_query),
            split(self.cell_embedding @ self.cell_key),
        )
        same_tf = torch.eye(self.n_tfs, self.n_tfs + 1)
        by_tf = by_tf + self.same_tf[:, None, None] * same_tf
        same_cell = torch.eye(self.n_cells)
        return by_tf, by_cell + self.same_cell[:, None, None] * same_cell

    def _attend(
        self, coverage: Tensor, tf: Tensor, cell: Tensor, tracks: TrackTensors
    ) -> Tensor:
        """Compute phi, shape (n, n_pairs, heads)."""
        by_tf, by_cell = self.attention_logits()
        scores = by_tf[:, tf][:, :, tracks.tf] + by_cell[:, cell][:, :, tracks.cell]
        own = (tf[:, None] == tracks.tf) & (cell[:, None] == tracks.cell)
        scores = scores.masked_fill(own | ~tracks.available, -torch.inf)
        null = self.null_logit[:, None, None].expand(-1, len(tf), 1)
        weights = torch.cat([scores, null], 2).softmax(2)[:, :, :-1]
        heads, n_pairs, n_tracks = weights.shape
        means = coverage @ weights.reshape(-1, n_tracks).T  # (n, heads * n_pairs)
        phi = torch.log1p(100 * means).unflatten(1, (heads, n_pairs)) / 2
        by_pair: Tensor = phi.transpose(1, 2)  # (n, n_pairs, heads)
        return by_pair

    def _available(self, tf: Tensor, cell: Tensor, tracks: TrackTensors) -> Tensor:
        """Compute d, shape (n_pairs, 5)."""
        same_tf = (tf[:, None] == tracks.tf) & tracks.available
        same_cell = (cell[:, None] == tracks.cell) & tracks.available
        is_open = tracks.tf == self.n_tfs
        n_cells = (same_tf & ~same_cell).sum(1)
        n_tfs = (same_cell & ~same_tf & ~is_open).sum(1)
        n_open = (same_cell & is_open).sum(1)
        columns = [n_cells.log1p(), n_tfs.log1p(), n_cells == 0, n_tfs == 0, n_open > 0]
        return torch.stack([column.float() for column in columns], 1)
