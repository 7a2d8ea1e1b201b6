"""The network of TFImpute (Qin and Feng, PLoS Comput Biol 2017), readable in one go.

    X      one-hot of S, (L, 4), columns A C G T; other letters are rows of zeros
    Y      valid convolution, (L - F + 1, K)
    R      max(0, Y - b)
    M      maximum of R over each pooling window, (n_windows, K)
    g      sigmoid([E_t ; E_c] W1 + b1), (K,): the gate of the pair (t, c)
    z      vec(M * g) W2 + b2, (H,)
    logit  max_h z_h, and P = sigmoid(logit), the larger of the two strands'

This file is the definition: everything faster (look-up tables in training, the scan's
segments) must agree with it, and the tests compare. Two steps can be exchanged for
faster ones through :class:`Backend`; nothing else differs between devices.

The convolution, W and b do not know the pair. So each sequence is convolved once for
all its pairs, which is what makes both training and imputing everything affordable.

:class:`MotifNetwork` is what all networks begin with, up to M; :class:`TFImpute` goes
on as above. The deeper network (``residual.py``) and the paper's revised one
(``recurrent.py``) go on otherwise. Any of them may look at a tile's neighbors, too
(``surroundings.py``).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from tfimpute_tracks.kernels.encode import N_CODE, one_hot_tensor
from tfimpute_tracks.models.config import NetworkConfig
from tfimpute_tracks.models.context import Surroundings

__all__ = [
    "TORCH",
    "Backend",
    "MotifNetwork",
    "TFImpute",
    "mixed_windows",
    "pooled_convolution",
]


def pooled_convolution(codes: Tensor, filters: Tensor, pool: int) -> Tensor:
    """Convolve one-hot sequences and keep the maximum of each pooling window.

    Bias and ReLU come after the maximum, which they leave where it is.

    Parameters
    ----------
    codes : uint8 tensor, shape (n, L), values 0..4
    filters : float tensor, shape (K, F, 4)
    pool : int
        Positions per window.

    Returns
    -------
    float tensor, shape (n, n_windows, K)
        max over each window of Y.
    """
    x = one_hot_tensor(codes, filters.dtype).transpose(1, 2)  # (n, 4, L)
    y = functional.conv1d(x, filters.transpose(1, 2))  # (n, K, P)
    m = functional.max_pool1d(y, pool, ceil_mode=True)  # (n, K, n_windows)
    return m.transpose(1, 2)


def mixed_windows(m: Tensor, weights: Tensor) -> Tensor:
    """Form U[h, k] = sum_w W2[w, h, k] M[w, k], which no pair enters.

    Parameters
    ----------
    m : float tensor, shape (n, n_windows, K)
    weights : float tensor, shape (n_windows, H, K)

    Returns
    -------
    float tensor, shape (n, H, K)
    """
    return torch.einsum("nwk,whk->nhk", m, weights)


class Backend(NamedTuple):
    """The two steps that have faster forms; see :data:`TORCH`."""

    pooled_convolution: Callable[[Tensor, Tensor, int], Tensor]
    mixed_windows: Callable[[Tensor, Tensor], Tensor]


TORCH = Backend(pooled_convolution, mixed_windows)
"""The steps as plain PyTorch, for any device: the reference."""


class MotifNetwork(nn.Module, ABC):
    """Motif features, and what families of networks have in common beside them.

    Parameters
    ----------
    config : NetworkConfig
    n_tfs, n_cells : int
        Size of the vocabulary.
    backend : Operations, default PLAIN
    """

    def __init__(
        self,
        config: NetworkConfig,
        n_tfs: int,
        n_cells: int,
        backend: Backend = TORCH,
    ) -> None:
        super().__init__()
        self.config = config
        self.n_tfs, self.n_cells = n_tfs, n_cells
        self.backend = backend
        self.filters = nn.Parameter(
            torch.empty(config.n_filters, config.filter_length, 4)
        )
        self.bias = nn.Parameter(torch.empty(config.n_filters))
        self.surroundings = Surroundings(config.reach) if config.reach else None

    def windows(self, codes: Tensor) -> Tensor:
        """Give the motif features of sequences: the paper's M, before the gate.

        Parameters
        ----------
        codes : uint8 tensor, shape (n, L)

        Returns
        -------
        float tensor, shape (n, n_windows, K)
        """
        y = self.backend.pooled_convolution(codes, self.filters, self.config.pool)
        return torch.relu(y - self.bias)

    def features(self, forward: Tensor, reverse: Tensor) -> Tensor:
        """Give what pairs judge a sequence by; it knows no pair.

        Parameters
        ----------
        forward, reverse : float tensor, shape (n, n_windows, K)
            Motif features of sequences and of their reverse complements.

        Returns
        -------
        float tensor
            Both, one behind the other, (2 n, n_windows, K), unless a family makes
            something else of them.
        """
        return torch.cat([forward, reverse])

    @abstractmethod
    def judge(self, features: Tensor, tf: Tensor, cell: Tensor) -> Tensor:
        """Give the logits of sequences with pairs.

        Parameters
        ----------
        features : float tensor
            From :meth:`features`.
        tf, cell : int64 tensor, shape (n_pairs,)
            Rows of the vocabulary.

        Returns
        -------
        float tensor, shape (n, n_pairs)
            The same for a sequence and its reverse complement.
        """

    def forward(self, codes: Tensor, tf: Tensor, cell: Tensor) -> Tensor:
        """Give the logits of every sequence with every pair.

        Parameters
        ----------
        codes : uint8 tensor, shape (n, L) or (n, span), values 0..4
            Tiles alone, or with the letters around them on which their scores depend
            (`config.span`), where the network looks at these.
        tf, cell : int64 tensor, shape (n_pairs,)

        Returns
        -------
        float tensor, shape (n, n_pairs)
        """
        length, stride = self.config.seq_len, self.config.stride
        if self.surroundings is None or codes.shape[1] == length:
            return self.alone(codes, tf, cell)
        tiles = codes.unfold(1, length, stride)  # (n, 2 R + 1, L)
        unknown = 2 * (tiles >= N_CODE).sum(dim=2) > length
        logits = self.alone(tiles.flatten(0, 1), tf, cell)
        blended: Tensor = self.surroundings(logits.unflatten(0, unknown.shape), unknown)
        return blended

    def alone(self, codes: Tensor, tf: Tensor, cell: Tensor) -> Tensor:
        """Give the logits of tiles without a look at what is around them.

        Parameters
        ----------
        codes : uint8 tensor, shape (n, L), values 0..4
        tf, cell : int64 tensor, shape (n_pairs,)

        Returns
        -------
        float tensor, shape (n, n_pairs)
        """
        complement = torch.tensor([3, 2, 1, 0, 4], dtype=codes.dtype)
        reverse = complement.to(codes.device)[codes.long()].flip(1)
        m = self.windows(torch.cat([codes, reverse]))  # (2 n, n_windows, K)
        return self.judge(self.features(*m.unflatten(0, (2, -1))), tf, cell)


class TFImpute(MotifNetwork):
    """The network for one vocabulary.

    Parameters
    ----------
    config : NetworkConfig
        Without `recurrent_units`.
    n_tfs, n_cells : int
        Rows of the two embeddings.
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
        k, h, e = config.n_features, config.n_units, config.embedding_size
        self.tf_embedding = nn.Parameter(torch.empty(n_tfs, e))
        self.cell_embedding = nn.Parameter(torch.empty(n_cells, e))
        self.gate_weight = nn.Parameter(torch.empty(2 * e, k))
        self.gate_bias = nn.Parameter(torch.empty(k))
        self.unit_weight = nn.Parameter(torch.empty(config.n_unit_windows, h, k))
        self.unit_bias = nn.Parameter(torch.empty(h))

    def gates(self, tf: Tensor, cell: Tensor) -> Tensor:
        """Give the gates of pairs.

        Parameters
        ----------
        tf, cell : int64 tensor, shape (n_pairs,)
            Rows of the embeddings.

        Returns
        -------
        float tensor, shape (n_pairs, K)
        """
        both = torch.cat([self.tf_embedding[tf], self.cell_embedding[cell]], dim=1)
        return torch.sigmoid(both @ self.gate_weight + self.gate_bias)

    def judge(self, features: Tensor, tf: Tensor, cell: Tensor) -> Tensor:
        """Put windows and gates together; the better strand's logits.

        Parameters
        ----------
        features : float tensor, shape (2 n, n_windows, K)
        tf, cell : int64 tensor, shape (n_pairs,)

        Returns
        -------
        float tensor, shape (n, n_pairs)
            The sigmoid is monotone, so its maximum over strands is taken here.
        """
        logits = self.units(features, self.unit_weight, self.gates(tf, cell))
        best: Tensor = logits.unflatten(0, (2, -1)).amax(dim=0)
        return best

    def units(self, m: Tensor, weights: Tensor, gates: Tensor) -> Tensor:
        """Give the largest unit: max_h (vec(M * g) W2 + b2)_h.

        Parameters
        ----------
        m : float tensor, shape (n, n_windows, n_features)
        weights : float tensor, shape (n_windows, H, n_features)
        gates : float tensor, shape (n_pairs, n_features)
            From :meth:`gates`.

        Returns
        -------
        float tensor, shape (n, n_pairs)
        """
        u = self.backend.mixed_windows(m, weights)  # (n, H, n_features)
        z = u @ gates.t() + self.unit_bias[:, None]  # (n, H, n_pairs)
        logits: Tensor = z.amax(dim=1)
        return logits
