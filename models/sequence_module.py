"""The network as a function of float one-hot sequences, for gradients and attributions.

:class:`~tfimpute_tracks.models.network.MotifNetwork` reads codes, through which no gradient
passes. :class:`SequenceModule` is the same network for fixed pairs from one-hot sequences
on: the same weights, both strands, neighboring tiles and calibration.

Attribution methods such as DeepLIFT replace the gradient of each activation and pooling
layer, and pair the first half of the rows of a layer's input with the second. So every
maximum here is a pooling layer that is used once, and the rows of a layer are always
sorted by sequence.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Self

import torch
from torch import Tensor, nn
from torch.nn import functional

from tfimpute_tracks.errors import UsageError
from tfimpute_tracks.models.calibration import UNCALIBRATED
from tfimpute_tracks.models.network import TORCH, MotifNetwork, TFImpute

if TYPE_CHECKING:
    from tfimpute_tracks.models.model import Model
    from tfimpute_tracks.vocabulary import Pair

__all__ = ["SequenceModule"]


class SequenceModule(nn.Module):
    """Log-odds of pairs from one-hot sequences, differentiable to the sequences.

    Parameters
    ----------
    network : MotifNetwork
        With its weights, of its own: they are frozen here.
    pairs : sequence of (tf, cell)
        Rows of the embeddings.
    calibration : sequence of (slope, offset)
        What converts each pair's logit to log-odds of being bound.

    Raises
    ------
    UsageError
        Pairs are missing.
    """

    tf: Tensor
    cell: Tensor
    slope: Tensor
    offset: Tensor

    def __init__(
        self,
        network: MotifNetwork,
        pairs: Sequence[tuple[int, int]],
        calibration: Sequence[tuple[float, float]],
    ) -> None:
        super().__init__()
        if not pairs:
            raise UsageError('no pair; write e.g. "CTCF:K562"')
        config = network.config
        self.lengths = {config.seq_len, config.receptive_field}
        self.network = network.requires_grad_(False)
        tf, cell = torch.tensor(pairs, dtype=torch.int64).unbind(1)
        slope, offset = torch.tensor(calibration, dtype=torch.float32).unbind(1)
        for name, values in zip(
            ("tf", "cell", "slope", "offset"), (tf, cell, slope, offset), strict=True
        ):
            self.register_buffer(name, values)
        self.match, self.relu = nn.MaxPool1d(config.pool, ceil_mode=True), nn.ReLU()
        self.strand, self.best_unit = nn.MaxPool1d(2), nn.MaxPool1d(self._n_units())
        self.neighbors = nn.ModuleList(
            nn.MaxPool1d(2 * k + 1) for k in range(1, config.context_tiles + 1)
        )
        network.backend = TORCH._replace(maximum=self._maximum)
        self.eval()

    @classmethod
    def of(cls, model: Model, pairs: list[Pair], calibrated: bool = True) -> Self:
        """Make the module of a model.

        Parameters
        ----------
        model : Model
            Evidence is left out.
        pairs : list of Pair
        calibrated : bool
            As for :meth:`tfimpute_tracks.models.model.Model.predict`.

        Returns
        -------
        SequenceModule

        Raises
        ------
        UsageError
            Pairs are missing.
        """
        model = model.sequence_only
        fits = [model.calibration(p) if calibrated else UNCALIBRATED for p in pairs]
        indices = model.vocabulary.pair_indices(pairs)
        return cls(model.network(), indices, fits)

    def forward(self, x: Tensor) -> Tensor:
        """Compute the log-odds of binding of every sequence with every pair.

        Parameters
        ----------
        x : float tensor, shape (n, 4, L) or (n, 4, receptive field)
            One-hot, rows A C G T; a position of zeros is unknown.

        Returns
        -------
        float tensor, shape (n, n_pairs)
            Their sigmoid is :meth:`tfimpute_tracks.models.model.Model.predict`.

        Raises
        ------
        UsageError
            The shape is another one, or it is no float tensor, or of another dtype or
            device than the module.
        """
        if not (isinstance(x, Tensor) and x.is_floating_point()):
            kind = x.dtype if isinstance(x, Tensor) else type(x).__name__
            raise UsageError(f"sequences of {kind}; use a float tensor, one-hot")
        own = self.network.filters
        is_cast = torch.is_autocast_enabled(x.device.type)
        if x.device != own.device or not (x.dtype == own.dtype or is_cast):
            raise UsageError(
                f"sequences of {x.dtype} on {x.device}; the module has {own.dtype} on "
                f"{own.device}: convert one of them, such as x.to(module.slope)"
            )
        if x.dim() != 3 or x.shape[1] != 4 or x.shape[2] not in self.lengths:
            lengths = " or ".join(map(str, sorted(self.lengths)))
            raise UsageError(
                f"one-hot sequences of shape {tuple(x.shape)}; the model reads "
                f"(n, 4, {lengths}), rows A C G T"
            )
        if x.shape[0] == 0:
            return x.new_empty((0, len(self.tf)))
        config = self.network.config
        tiles = x.unfold(2, config.seq_len, config.stride)  # (n, 4, n_tiles, L)
        n_tiles = tiles.shape[2]
        logits = self._logits(tiles.transpose(1, 2).flatten(0, 1))
        logits = logits.unflatten(0, (-1, n_tiles))  # (n, n_tiles, n_pairs)
        mixed = self._mix(logits, tiles) if n_tiles > 1 else logits[:, 0]
        return self.slope * mixed + self.offset

    def _logits(self, tiles: Tensor) -> Tensor:
        """Compute the logits of tiles, each by itself: (n, 4, L) to (n, n_pairs)."""
        network = self.network
        strands = torch.stack([tiles, tiles.flip(1, 2)], dim=1).flatten(0, 1)
        y = functional.conv1d(strands, network.filters.transpose(1, 2))
        m = self.relu(self.match(y) - network.bias[:, None])  # (2 n, K, n_windows)
        both = m.transpose(1, 2).unflatten(0, (-1, 2))  # (n, 2, n_windows, K)
        features = network.body(both[:, 0], both[:, 1])
        if not isinstance(network, TFImpute):
            return network.head(features, self.tf, self.cell)
        z = network.unit_logits(features, self.tf, self.cell)  # (rows, H, n_pairs)
        # Rows are of one strand after the other, or of both at once.
        units = z.unflatten(0, (-1, tiles.shape[0])).permute(1, 3, 0, 2)
        best: Tensor = self.best_unit(units.flatten(2))[..., 0]  # (n, n_pairs)
        return best

    def _n_units(self) -> int:
        """Count the units of both strands of which the largest is the logit."""
        config = self.network.config
        if not isinstance(self.network, TFImpute):
            return 1
        m = torch.zeros(1, config.n_windows, config.n_filters)
        z = self.network.unit_logits(self.network.body(m, m), self.tf, self.cell)
        return z.shape[0] * z.shape[1]

    def _maximum(self, one: Tensor, other: Tensor) -> Tensor:
        """Take the maximum of each value; shape (n, n_windows, K)."""
        both = torch.stack([one.flatten(1), other.flatten(1)], dim=2)
        larger: Tensor = self.strand(both)[..., 0].unflatten(1, one.shape[1:])
        return larger

    def _mix(self, logits: Tensor, tiles: Tensor) -> Tensor:
        """Mix logits of neighboring tiles, as ``context.py`` does."""
        context = self.network.context
        assert context is not None
        is_known = (tiles != 0).any(dim=1)  # (n, n_tiles, L)
        unknown = 2 * (~is_known).sum(dim=2) > tiles.shape[3]  # (n, n_tiles)
        r = context.n_tiles
        own = logits[:, r]  # (n, n_pairs)
        known = torch.where(unknown[:, :, None], own[:, None], logits)
        known = known.transpose(1, 2)  # (n, n_pairs, n_tiles)
        mixed = context.bias + context.weight[0] * own
        for k, strongest in enumerate(self.neighbors, start=1):
            mixed = (
                mixed
                + context.weight[k] * strongest(known[..., r - k : r + k + 1])[..., 0]
            )
        return mixed
