"""What a step teaches: some sequences, as they are or in part, and their pairs.

Whatever is drawn is drawn from the seed and the number of the step, so that a run that
was killed goes on as if it had not been.
"""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from tfimpute_tracks.dataset import Dataset
from tfimpute_tracks.kernels.encode import N_CODE
from tfimpute_tracks.models.network import MotifNetwork
from tfimpute_tracks.training.loss import instance_weights, weighted_loss
from tfimpute_tracks.training.recipe import Recipe

__all__ = ["Lessons", "rounded_products"]

Codes = NDArray[np.uint8]
Ints = NDArray[np.int64]


def rounded_products(device: str) -> AbstractContextManager[object]:
    """Run matrix products in bfloat16 where that is faster.

    Parameters
    ----------
    device : str

    Returns
    -------
    context manager
        Does nothing on a processor without instructions for it, which would take
        twenty times as long.
    """
    kind = device.partition(":")[0]
    if kind == "cpu" and not _has_bfloat16():
        return nullcontext()
    return torch.autocast(kind, dtype=torch.bfloat16)


def _has_bfloat16() -> bool:
    # PyTorch tells what a processor has under these names only.
    asks = ("_is_avx512_bf16_supported", "_is_amx_tile_supported")
    return any(getattr(torch.cpu, name, bool)() for name in asks)


class Lessons:
    """The loss of batches of training sites.

    Parameters
    ----------
    dataset : Dataset
    rows : int64 array
        Sites that are trained on: they fix how much a pair's classes weigh.
    columns : int64 array
        Pairs learned from.
    recipe : Recipe
    device : str
    """

    def __init__(
        self, dataset: Dataset, rows: Ints, columns: Ints, recipe: Recipe, device: str
    ) -> None:
        self._dataset, self._columns = dataset, columns
        self._recipe, self._device = recipe, device
        pairs = [dataset.pairs[i] for i in columns]
        indices = np.array(dataset.vocabulary.pair_indices(pairs), dtype=np.int64)
        self._tf, self._cell = indices.reshape(-1, 2).T
        n_positive, n_negative = dataset.counts(rows)
        weights = instance_weights(
            n_positive[columns],
            n_negative[columns],
            recipe.balance,
            recipe.pair_exponent,
        )
        self._positive, self._negative = (w.to(device) for w in weights)

    def loss(self, network: MotifNetwork, rows: Ints, step: int) -> tuple[Tensor, int]:
        """Give the loss of a batch.

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
        # TileContext are fitted in the end: most sites teach nothing of them.
        read = network.config.input_slice(self._dataset.seq_len, single=True)
        codes = self._dataset.codes[rows, read]
        if self._recipe.hidden:
            codes = self._hide(codes, rng)
        taught = self._taught(rng)
        labels = self._dataset.labels(rows, self._columns[taught])
        at = torch.from_numpy(taught).to(self._device)
        tf, cell = (
            torch.from_numpy(i[taught]).to(self._device) for i in (self._tf, self._cell)
        )
        letters = torch.from_numpy(codes).to(self._device)
        if self._recipe.dropout:
            torch.manual_seed(int(rng.integers(2**62)))
        with rounded_products(self._device):
            logits = network(letters, tf, cell)
        loss = weighted_loss(
            logits.float(),
            torch.from_numpy(labels).to(self._device),
            self._positive[at],
            self._negative[at],
        )
        return loss, int((labels >= 0).sum())

    def _hide(self, codes: Codes, rng: np.random.Generator) -> Codes:
        """Turn a stretch of each sequence into N, wherever it falls."""
        length, size = codes.shape[1], self._recipe.hidden
        first = rng.integers(-size, length, len(codes))[:, None]
        places = np.arange(length)
        hidden = (places >= first) & (places < first + size)
        return np.where(hidden, np.uint8(N_CODE), codes)

    def _taught(self, rng: np.random.Generator) -> Ints:
        """Give the places, among the columns, of the pairs that a step teaches."""
        cells = np.unique(self._cell)
        n = self._recipe.cells_per_step
        if not 0 < n < len(cells):
            return np.arange(len(self._cell))
        drawn = rng.choice(cells, n, replace=False)
        return np.flatnonzero(np.isin(self._cell, drawn))
