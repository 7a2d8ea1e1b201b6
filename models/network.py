"""The network of TFImpute (Qin and Feng, PLoS Comput Biol 2017).

    X      one-hot of the sequence S, (L, 4), columns A C G T; rows of zeros for others
    Y      valid convolution, (L - F + 1, K)
    R      max(0, Y - b)
    M      maximum of R over each pooling window, (n_windows, K)
    g      sigmoid([E_t ; E_c] W1 + b1), (K,): the gate of the pair (t, c)
    z      vec(M * g) W2 + b2, (H,)
    logit  max_h z_h, and P = sigmoid(logit), the larger of the two strands'

This file is the definition: everything faster (look-up tables in training, engines in
scans) must agree with it, and tests compare. :class:`Backend` replaces steps by faster
ones; nothing else differs between devices.

Convolution, W and b do not depend on the pair: each sequence is convolved once for all its
pairs, which makes training and imputing every pair affordable.

:class:`MotifNetwork` is what all families share, up to M. :class:`TFImpute` continues as
above, ``residual.py`` and ``recurrent.py`` in other ways. With any of them a tile's score
may depend on neighboring tiles (``context.py``).
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import ClassVar, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from tfimpute_tracks.kernels.encode import N_CODE, one_hot_tensor
from tfimpute_tracks.models.config import GatedConfig, NetworkConfig
from tfimpute_tracks.models.context import TileContext

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

    Bias and ReLU come after the maximum, which they do not move.

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
    y = functional.conv1d(x, filters.transpose(1, 2))  # (n, K, L - F + 1)
    m = functional.max_pool1d(y, pool, ceil_mode=True)  # (n, K, n_windows)
    return m.transpose(1, 2)  # (n, n_windows, K)


def mixed_windows(m: Tensor, weights: Tensor) -> Tensor:
    """Compute U[h, k] = sum_w W2[w, h, k] M[w, k], which does not depend on the pair.

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
    """The steps that have other forms; see :data:`TORCH`."""

    pooled_convolution: Callable[[Tensor, Tensor, int], Tensor]
    mixed_windows: Callable[[Tensor, Tensor], Tensor]
    maximum: Callable[[Tensor, Tensor], Tensor] = torch.maximum


TORCH = Backend(pooled_convolution, mixed_windows)
"""The steps in plain PyTorch, for any device: the reference."""


class MotifNetwork(nn.Module, ABC):
    """What all families share: motif features, context, training settings.

    Parameters
    ----------
    config : NetworkConfig
    n_tfs, n_cells : int
        Size of the vocabulary.

    Attributes
    ----------
    backend : Backend
    dropout : float
        Dropout rate in training, in families that use it.
    """

    dense_layers: ClassVar[tuple[str, ...]] = ()
    """Layers that train at the recipe's learning rate for dense layers."""

    def __init__(self, config: NetworkConfig, n_tfs: int, n_cells: int) -> None:
        super().__init__()
        self.config = config
        self.n_tfs, self.n_cells = n_tfs, n_cells
        self.backend, self.dropout = TORCH, 0.0
        k, f, r = config.n_filters, config.filter_length, config.context_tiles
        self.filters = nn.Parameter(torch.empty(k, f, 4))
        self.bias = nn.Parameter(torch.empty(k))
        self.context = TileContext(r) if r else None

    def motif_features(self, codes: Tensor) -> Tensor:
        """Compute M: how well each filter matches in each window.

        Parameters
        ----------
        codes : uint8 tensor, shape (n, L), values 0..4

        Returns
        -------
        float tensor, shape (n, n_windows, K)
        """
        y = self.backend.pooled_convolution(codes, self.filters, self.config.pool)
        return torch.relu(y - self.bias)

    def body(self, forward: Tensor, reverse: Tensor) -> Tensor:
        """Compute what :meth:`head` takes; it does not depend on the pair.

        Parameters
        ----------
        forward, reverse : float tensor, shape (n, n_windows, K)
            Motif features of sequences and of their reverse complements.

        Returns
        -------
        float tensor
            By default both strands, (2 n, n_windows, K).
        """
        return torch.cat([forward, reverse])

    @abstractmethod
    def head(self, features: Tensor, tf: Tensor, cell: Tensor) -> Tensor:
        """Compute the logits of sequences with pairs.

        Parameters
        ----------
        features : float tensor
            From :meth:`body`.
        tf, cell : int64 tensor, shape (n_pairs,)
            Indices in the vocabulary.

        Returns
        -------
        float tensor, shape (n, n_pairs)
            The same for a sequence and its reverse complement.
        """

    def features(self, codes: Tensor) -> Tensor:
        """Compute what :meth:`head` takes, of both strands of sequences.

        Parameters
        ----------
        codes : uint8 tensor, shape (n, L), values 0..4

        Returns
        -------
        float tensor
            From :meth:`body`.
        """
        complement = torch.tensor([3, 2, 1, 0, 4], dtype=codes.dtype)
        reverse = complement.to(codes.device)[codes.long()].flip(1)
        m = self.motif_features(torch.cat([codes, reverse]))  # (2 n, n_windows, K)
        return self.body(*m.unflatten(0, (2, -1)))

    def forward(self, codes: Tensor, tf: Tensor, cell: Tensor) -> Tensor:
        """Compute the logit of every sequence with every pair.

        Parameters
        ----------
        codes : uint8 tensor, shape (n, L) or (n, receptive field), values 0..4
            Tiles, or tiles with the flanking sequence that their scores depend on.
        tf, cell : int64 tensor, shape (n_pairs,)

        Returns
        -------
        float tensor, shape (n, n_pairs)
        """
        length, stride = self.config.seq_len, self.config.stride
        if self.context is None or codes.shape[1] == length:
            return self.head(self.features(codes), tf, cell)
        tiles = codes.unfold(1, length, stride)  # (n, 2 R + 1, L)
        unknown = 2 * (tiles >= N_CODE).sum(dim=2) > length  # (n, 2 R + 1)
        logits = self.head(self.features(tiles.flatten(0, 1)), tf, cell)
        logits = logits.unflatten(0, unknown.shape)  # (n, 2 R + 1, n_pairs)
        mixed: Tensor = self.context(logits, unknown)
        return mixed

    @torch.no_grad()
    def init_weights(self, seed: int, filter_std: float, bias: float) -> None:
        """Draw the initial weights.

        Parameters
        ----------
        seed : int
        filter_std, bias : float
            Filters are drawn from N(0, `filter_std`); their biases are `bias`.
        """
        generator = torch.Generator().manual_seed(seed)
        for name, parameter in self.named_parameters():
            if name.startswith("context."):
                continue
            mean, std = self.init_distribution(name, parameter)
            if name in {"filters", "bias"}:
                mean, std = (0.0, filter_std) if name == "filters" else (bias, 0.0)
            parameter.fill_(mean)
            if std:
                parameter.add_(torch.randn(parameter.shape, generator=generator) * std)
        if self.context is not None:
            self.context.reset()

    def init_distribution(self, name: str, parameter: Tensor) -> tuple[float, float]:
        """Choose the normal distribution that a parameter is drawn from.

        Parameters
        ----------
        name : str
        parameter : tensor

        Returns
        -------
        mean, std : float
            Layer norms are the identity, biases 0, embeddings N(0, 0.1), and other
            weights N(0, 1 / sqrt(inputs)), inputs being the last axis.
        """
        if name.endswith("_embedding"):
            return 0.0, 0.1
        if "norm" in name and name.endswith("weight"):
            return 1.0, 0.0
        if parameter.dim() < 2:
            return 0.0, 0.0
        return 0.0, 1 / math.sqrt(parameter.shape[-1])

    def parameter_groups(self) -> dict[str, list[nn.Parameter]]:
        """Group the parameters by learning rate.

        Returns
        -------
        dict of str to list of parameters
            `filters`, `dense` and `other`. The context is fitted after training.
        """
        groups: dict[str, list[nn.Parameter]] = {
            "filters": [],
            "other": [],
            "dense": [],
        }
        for name, parameter in self.named_parameters():
            layer = name.partition(".")[0]
            if name in {"filters", "bias"}:
                groups["filters"].append(parameter)
            elif layer != "context":
                kind = "dense" if layer in self.dense_layers else "other"
                groups[kind].append(parameter)
        return groups

    @property
    def floats_per_tile(self) -> int:
        """float32 values per tile in :meth:`body`, for engines to plan memory."""
        return 2 * self.config.n_windows * self.config.n_filters

    @property
    def floats_per_logit(self) -> int:
        """float32 values per tile and pair in :meth:`head`."""
        return 16


class TFImpute(MotifNetwork):
    """The paper's network.

    Parameters
    ----------
    config : GatedConfig
    n_tfs, n_cells : int
    """

    config: GatedConfig

    def __init__(self, config: GatedConfig, n_tfs: int, n_cells: int) -> None:
        super().__init__(config, n_tfs, n_cells)
        k, h, e = config.n_features, config.n_units, config.embedding_size
        self.tf_embedding = nn.Parameter(torch.empty(n_tfs, e))
        self.cell_embedding = nn.Parameter(torch.empty(n_cells, e))
        self.gate_weight = nn.Parameter(torch.empty(2 * e, k))
        self.gate_bias = nn.Parameter(torch.empty(k))
        self.unit_weight = nn.Parameter(torch.empty(config.n_unit_windows, h, k))
        self.unit_bias = nn.Parameter(torch.empty(h))

    def gates(self, tf: Tensor, cell: Tensor) -> Tensor:
        """Compute g of pairs.

        Parameters
        ----------
        tf, cell : int64 tensor, shape (n_pairs,)
            Rows of the embeddings.

        Returns
        -------
        float tensor, shape (n_pairs, K)
        """
        pair = torch.cat([self.tf_embedding[tf], self.cell_embedding[cell]], dim=1)
        return torch.sigmoid(pair @ self.gate_weight + self.gate_bias)

    def head(self, features: Tensor, tf: Tensor, cell: Tensor) -> Tensor:
        """Gate the motif features; see :meth:`MotifNetwork.head`.

        Parameters
        ----------
        features : float tensor, shape (2 n, n_windows, K)
        tf, cell : int64 tensor, shape (n_pairs,)

        Returns
        -------
        float tensor, shape (n, n_pairs)
            The larger logit of the two strands: the sigmoid is monotone.
        """
        logits = self.unit_logits(features, tf, cell).amax(dim=1)
        best: Tensor = logits.unflatten(0, (2, -1)).amax(dim=0)  # (n, n_pairs)
        return best

    def unit_logits(self, features: Tensor, tf: Tensor, cell: Tensor) -> Tensor:
        """Compute z, of which the largest unit is the logit: vec(M * g) W2 + b2.

        Parameters
        ----------
        features : float tensor, shape (rows, n_windows, K)
        tf, cell : int64 tensor, shape (n_pairs,)

        Returns
        -------
        float tensor, shape (rows, H, n_pairs)
        """
        u = self.backend.mixed_windows(features, self.window_weight())  # (rows, H, K)
        return u @ self.gates(tf, cell).t() + self.unit_bias[:, None]

    def window_weight(self) -> Tensor:
        """Return W2 of every window.

        Returns
        -------
        float tensor, shape (n_windows, H, K)
        """
        return self.unit_weight

    def init_distribution(self, name: str, parameter: Tensor) -> tuple[float, float]:
        """Count the inputs of a unit; see :meth:`MotifNetwork.init_distribution`.

        Parameters
        ----------
        name : str
        parameter : tensor

        Returns
        -------
        mean, std : float
        """
        if name == "gate_weight":
            return 0.0, 0.1
        if name == "unit_weight":  # inputs are the features of all windows
            n_windows, _, k = parameter.shape
            return 0.0, 1 / math.sqrt(n_windows * k)
        return super().init_distribution(name, parameter)

    @property
    def floats_per_tile(self) -> int:
        """float32 values per tile in :meth:`body`, for engines to plan memory."""
        config = self.config
        return 2 * config.n_windows * max(config.n_features, config.n_filters)

    @property
    def floats_per_logit(self) -> int:
        """float32 values per tile and pair in :meth:`head`."""
        return 2 * self.config.n_units
