"""How measured tracks change the score of a pair: the definition, in plain PyTorch.

For a pair p = (t, c) at a tile, z is the log-odds from sequence. Track q = (t_q, c_q) has
the values y_q: the fractions of three windows around the middle of the tile (150, 450 and
1,050 bp) that its peaks cover. The wider ones say how strong a peak is and what is near.
The tracks are read in two ways.

**Attention** goes from the pair to the tracks, head by head, and reads the narrowest
window, y_q0:

    a_k(p, q)  =  <Q_k E_t, K_k E_(t_q)> + <Q'_k E'_c, K'_k E'_(c_q)>
                  + alpha_k [t = t_q] + beta_k [c = c_q]
    A_k        =  sum_q exp(a_k(p, q)) y_q0 / (exp(n_k) + sum_q exp(a_k(p, q)))
    phi_k      =  log(1 + 100 A_k) / 2

over the available tracks except those of the pair itself. An unavailable track is left
out, while one without a peak here lowers A_k. n_k is the null logit: it weighs more the
fewer similar tracks there are.

**The summary** of a tile describes all tracks at once, the same for every pair:

    s     =  max(0, sum_q (V_q0 + sum_i V_qi y_qi) + b)
    e(p)  =  <norm(s), v(p)> + v_0(p)

over the same tracks; V_q0 says that the track is available. The other V_q have the
precision of bfloat16, which halves what a scan reads. V_q and v(p) are made of
embeddings of a TF and a cell line, w(t, c) = A F_t + B F'_c + (C F_t) tanh(D F'_c), so a
track or a pair that nobody measured has them, too. norm() has a mean of 0 and a variance
of 1. For a pair with tracks of its own the sum is another one, without them.

A small network computes the result:

    h     =  max(0, u z + u' e + U phi + b + B E_t + B' E'_c + D d)
    z'    =  o h + r z + r' e + r'' phi + f_0 + f E_t + f' E'_c

where d says which tracks are available: log(1 + number) of other cell lines of the TF and
of other TFs in the cell line, whether there are none of each, and whether the cell line's
accessibility was measured. An accessibility track is one of a TF that has no query.

All embeddings are this network's own. It is trained with tracks left out at random.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.functional import dropout, layer_norm

from tfimpute_tracks.models.evidence_weights import (
    SAME_LOGIT,
    SUMMARY_INPUTS,
    EvidenceConfig,
)

__all__ = [
    "EvidenceNetwork",
    "SummaryNetwork",
    "TrackTensors",
]

_INIT_STD = 0.3
_UNIT = 3.0  # log-odds that count as 1, so that all inputs are of similar size
_MEAN_LOGIT = -3.0  # of a bound site


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


class SummaryNetwork(nn.Module):
    """Log-odds of pairs from a summary of all tracks at a tile; e of the definition.

    Parameters
    ----------
    config : EvidenceConfig
    n_tfs, n_cells : int
    """

    def __init__(self, config: EvidenceConfig, n_tfs: int, n_cells: int) -> None:
        super().__init__()
        self.size = config.summary
        size, width = config.summary_embedding, SUMMARY_INPUTS * config.summary

        def normal(*shape: int, std: float = _INIT_STD) -> nn.Parameter:
            return nn.Parameter(torch.randn(*shape) * std)

        self.track_tf = normal(n_tfs + 1, size)
        self.track_cell = normal(n_cells, size)
        by_track = 0.2 * size**-0.5
        self.track_by_tf = normal(size, width, std=by_track)
        self.track_by_cell = normal(size, width, std=by_track)
        self.track_by_both = normal(size, width, std=by_track)
        self.track_gate = normal(size, width)
        self.summary_bias = nn.Parameter(torch.zeros(self.size))
        self.pair_tf, self.pair_cell = normal(n_tfs, size), normal(n_cells, size)
        self.pair_by_tf = normal(size, self.size + 1, std=0.05)
        self.pair_by_cell = normal(size, self.size + 1, std=0.05)
        self.pair_by_both = normal(size, self.size, std=0.05)
        self.pair_gate = normal(size, self.size)
        self.pair_bias = nn.Parameter(torch.zeros(self.size + 1))
        with torch.no_grad():
            self.pair_bias[-1] = _MEAN_LOGIT

    def forward(
        self,
        coverage: Tensor,
        available: Tensor,
        tf: Tensor,
        cell: Tensor,
        tracks: TrackTensors,
        dropped: float = 0,
    ) -> Tensor:
        """Score pairs of which no track is available.

        Parameters
        ----------
        coverage : float tensor, shape (n, 3, n_tracks)
            Fractions of the windows under the peaks of each track.
        available : float tensor, shape (n, n_tracks)
            1 for the tracks to use at each tile, 0 for others; `tracks.available` is
            not read.
        tf, cell : int64 tensor, shape (n_pairs,)
        tracks : TrackTensors
        dropped : float, optional
            Fraction of the summary to drop at random, for training.

        Returns
        -------
        float tensor, shape (n, n_pairs)
            e, log-odds.
        """
        values = torch.cat([coverage * available[:, None], available[:, None]], 1)
        weight = self.track_vectors(tracks.tf, tracks.cell).flatten(0, 1)
        hidden = values.flatten(1) @ weight.to(values.dtype)
        return self._log_odds(hidden, self.pair_vectors(tf, cell), dropped)

    def excluding_own(
        self, coverage: Tensor, tf: Tensor, cell: Tensor, tracks: TrackTensors
    ) -> Tensor:
        """Score pairs, each by all available tracks but its own.

        Parameters
        ----------
        coverage, tf, cell, tracks
            As for :meth:`forward`.

        Returns
        -------
        float tensor, shape (n, n_pairs)
        """
        vectors = self.pair_vectors(tf, cell)
        columns = []
        for pair in range(len(tf)):
            own = (tracks.tf == tf[pair]) & (tracks.cell == cell[pair])
            used = (tracks.available & ~own).float()
            values = torch.cat([coverage, torch.ones_like(coverage[:, :1])], 1) * used
            weight = self.track_vectors(tracks.tf, tracks.cell).flatten(0, 1)
            hidden = values.flatten(1) @ weight
            columns.append(self._log_odds(hidden, vectors[pair : pair + 1]))
        return torch.cat(columns, 1)

    def track_vectors(self, tf: Tensor, cell: Tensor) -> Tensor:
        """Compute V: what the windows and the presence of a track add to the summary.

        Parameters
        ----------
        tf, cell : int64 tensor, shape (n_tracks,)

        Returns
        -------
        float tensor, shape (4, n_tracks, summary)
            For the coverage of each window, and for being available.
        """
        by_tf, by_cell = self.track_tf[tf], self.track_cell[cell]
        both = (by_tf @ self.track_by_both) * torch.tanh(by_cell @ self.track_gate)
        found = by_tf @ self.track_by_tf + by_cell @ self.track_by_cell + both
        each = found.unflatten(1, (SUMMARY_INPUTS, self.size)).transpose(0, 1)
        return torch.cat([each[:-1].bfloat16().to(each.dtype), each[-1:]])

    def pair_vectors(self, tf: Tensor, cell: Tensor) -> Tensor:
        """Compute v, and v_0 in the last column.

        Parameters
        ----------
        tf, cell : int64 tensor, shape (n_pairs,)

        Returns
        -------
        float tensor, shape (n_pairs, summary + 1)
        """
        by_tf, by_cell = self.pair_tf[tf], self.pair_cell[cell]
        both = (by_tf @ self.pair_by_both) * torch.tanh(by_cell @ self.pair_gate)
        found = self.pair_bias + by_tf @ self.pair_by_tf + by_cell @ self.pair_by_cell
        scaled = (found[:, :-1] + both) * self.size**-0.5
        return torch.cat([scaled, found[:, -1:]], 1)

    def _log_odds(self, hidden: Tensor, vectors: Tensor, dropped: float = 0) -> Tensor:
        summary = layer_norm((hidden + self.summary_bias).relu(), (self.size,))
        summary = dropout(summary, dropped)
        weight = vectors[:, :-1].T.to(summary.dtype)
        return (summary @ weight).float() + vectors[:, -1]


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
        width, inputs = heads * config.head_size, 2 + heads

        def normal(*shape: int, std: float = _INIT_STD) -> nn.Parameter:
            return nn.Parameter(torch.randn(*shape) * std)

        self.summary = SummaryNetwork(config, n_tfs, n_cells)
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
        # It starts as the summary's log-odds.
        self.direct_weight = nn.Parameter(torch.zeros(inputs))
        with torch.no_grad():
            self.direct_weight[1] = _UNIT
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
        coverage : float tensor, shape (n, 3, n_tracks)
            y, the fractions of the windows under the peaks of each track.
        tf, cell : int64 tensor, shape (n_pairs,)
        tracks : TrackTensors

        Returns
        -------
        float tensor, shape (n, n_pairs)
            z', log-odds.
        """
        summary = self.summary.excluding_own(coverage, tf, cell, tracks)
        return self.combine(logits, summary, coverage, tf, cell, tracks)

    def combine(
        self,
        logits: Tensor,
        summary: Tensor,
        coverage: Tensor,
        tf: Tensor,
        cell: Tensor,
        tracks: TrackTensors,
    ) -> Tensor:
        """Score pairs whose log-odds from the summary are known.

        Parameters
        ----------
        logits : float tensor, shape (n, n_pairs)
            z.
        summary : float tensor, shape (n, n_pairs)
            e.
        coverage, tf, cell, tracks
            As for :meth:`forward`.

        Returns
        -------
        float tensor, shape (n, n_pairs)
            z', log-odds.
        """
        phi = self._attend(coverage, tf, cell, tracks)
        known = torch.stack([logits, summary], 2) / _UNIT
        inputs = torch.cat([known, phi], 2)  # (n, n_pairs, 2 + heads)
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
        means = torch.einsum("nq,hpq->nph", coverage[:, 0], weights)
        phi: Tensor = torch.log1p(100 * means) / 2
        return phi

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
