"""The loss of a batch: sequences, some of their bases masked, and their labelled pairs.

All randomness of a step is drawn from the seed and the step number, so that a killed
run resumes as if it had not been interrupted.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from tfimpute_tracks.dataset import Dataset
from tfimpute_tracks.kernels.encode import N_CODE
from tfimpute_tracks.models.network import MotifNetwork
from tfimpute_tracks.training.loss import instance_weights, weighted_loss
from tfimpute_tracks.training.recipe import Recipe

__all__ = ["BatchLoss", "has_bfloat16"]

Codes = NDArray[np.uint8]
Ints = NDArray[np.int64]


def has_bfloat16(device: str) -> bool:
    """Report whether a device has instructions for bfloat16 matrix products.

    Parameters
    ----------
    device : str
        A torch device.

    Returns
    -------
    bool
    """
    if not device.startswith("cpu"):
        return True
    # PyTorch offers this only under private names.
    checks = ("_is_avx512_bf16_supported", "_is_amx_tile_supported")
    return any(getattr(torch.cpu, name, bool)() for name in checks)


class BatchLoss:
    """Computes the loss of batches of training sites.

    Parameters
    ----------
    dataset : Dataset
    rows : int64 array
        All training sites: their label counts set the class weights of each pair.
    columns : int64 array
        Trained pairs.
    recipe : Recipe
    device : str
        A torch device.
    bfloat16 : bool, optional
        Run matrix products in bfloat16; by default where the device has instructions
        for it. Others would take twenty times as long.

    Raises
    ------
    UsageError
        No pair has both positives and negatives.
    """

    def __init__(
        self,
        dataset: Dataset,
        rows: Ints,
        columns: Ints,
        recipe: Recipe,
        device: str,
        bfloat16: bool | None = None,
    ) -> None:
        self._dataset, self._columns = dataset, columns
        self._recipe, self._device = recipe, device
        self._bfloat16 = has_bfloat16(device) if bfloat16 is None else bfloat16
        pairs = [dataset.pairs[i] for i in columns]
        indices = np.array(dataset.vocabulary.pair_indices(pairs), dtype=np.int64)
        self._tf, self._cell = indices.reshape(-1, 2).T
        n_positive, n_negative = dataset.counts(rows)
        weights = instance_weights(
            n_positive[columns],
            n_negative[columns],
            recipe.balance_classes,
            recipe.pair_exponent,
        )
        self._positive, self._negative = (w.to(device) for w in weights)

    def loss(self, network: MotifNetwork, rows: Ints, step: int) -> tuple[Tensor, int]:
        """Compute the loss of a batch.

        Parameters
        ----------
        network : MotifNetwork
        rows : int64 array
            Sites of the batch.
        step : int
            Of the whole run, from 0.

        Returns
        -------
        loss : float32 tensor, scalar
        n_instances : int
            Labelled (sequence, pair) instances in it.
        """
        rng = np.random.default_rng((self._recipe.seed, step))
        # The single tile only: context weights are fitted after training.
        read = network.config.input_slice(self._dataset.seq_len, single=True)
        codes = self._dataset.codes[rows, read]
        if self._recipe.masked_bases:
            codes = self._mask(codes, rng)
        chosen = self._draw_pairs(rng)
        labels = self._dataset.labels(rows, self._columns[chosen])
        at = torch.from_numpy(chosen).to(self._device)
        tf, cell = (
            torch.from_numpy(i[chosen]).to(self._device) for i in (self._tf, self._cell)
        )
        sequences = torch.from_numpy(codes).to(self._device)
        if self._recipe.dropout:
            torch.manual_seed(int(rng.integers(2**62)))
        kind = self._device.partition(":")[0]
        with torch.autocast(kind, torch.bfloat16, enabled=self._bfloat16):
            logits = network(sequences, tf, cell)
        loss = weighted_loss(
            logits.float(),
            torch.from_numpy(labels).to(self._device),
            self._positive[at],
            self._negative[at],
        )
        return loss, int((labels >= 0).sum())

    def _mask(self, codes: Codes, rng: np.random.Generator) -> Codes:
        """Replace a random segment of each sequence by N; it may reach over the ends."""
        length, size = codes.shape[1], self._recipe.masked_bases
        first = rng.integers(-size, length, len(codes))[:, None]
        position = np.arange(length)
        masked = (position >= first) & (position < first + size)
        return np.where(masked, np.uint8(N_CODE), codes)

    def _draw_pairs(self, rng: np.random.Generator) -> Ints:
        """Choose the pairs of a step, as indices into the columns."""
        cells = np.unique(self._cell)
        n = self._recipe.cells_per_step
        if not 0 < n < len(cells):
            return np.arange(len(self._cell))
        drawn = rng.choice(cells, n, replace=False)
        return np.flatnonzero(np.isin(self._cell, drawn))
