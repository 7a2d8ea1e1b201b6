"""The loss of a batch: sequences, some of their bases masked, and their labelled pairs.

With a teacher (``teacher.py``), targets are the mean of its probabilities and the labels,
and further pairs have its probabilities alone.

All randomness of a step is drawn from the seed and the step number, so that a killed
run resumes as if it had not been interrupted.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from tfimpute_tracks.dataset import Dataset, iterate_batches
from tfimpute_tracks.kernels.encode import N_CODE
from tfimpute_tracks.models.network import MotifNetwork
from tfimpute_tracks.training.loss import instance_weights, soft_loss, weighted_loss
from tfimpute_tracks.training.recipe import Recipe
from tfimpute_tracks.training.teacher import TeacherLabels

__all__ = ["BatchLoss", "has_bfloat16"]

Codes = NDArray[np.uint8]
Floats = NDArray[np.float32]
Ints = NDArray[np.int64]
Counts = NDArray[np.int64] | NDArray[np.float64]


class _Pairs(NamedTuple):
    """Pairs of a step: rows of the vocabulary, weights of bound and unbound sites."""

    tf: Ints
    cell: Ints
    positive: Tensor
    negative: Tensor


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
    teacher : TeacherLabels, optional
        Of the same sites and pairs.

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
        teacher: TeacherLabels | None = None,
    ) -> None:
        self._dataset, self._rows, self._columns = dataset, rows, columns
        self._recipe, self._device, self._teacher = recipe, device, teacher
        self._bfloat16 = has_bfloat16(device) if bfloat16 is None else bfloat16
        pairs = [dataset.pairs[i] for i in columns]
        indices = np.array(dataset.vocabulary.pair_indices(pairs), dtype=np.int64)
        tf, cell = indices.reshape(-1, 2).T
        n_bound, n_unbound = (count[columns] for count in dataset.counts(rows))
        self._pairs = self._weigh(tf, cell, n_bound, n_unbound)
        self._groups: list[_Pairs] = []
        if teacher is not None:
            for group, more in enumerate(teacher.pairs):
                expected = teacher.expected_bound(group)
                self._groups.append(
                    self._weigh(
                        np.concatenate([tf, more[:, 0]]),
                        np.concatenate([cell, more[:, 1]]),
                        np.concatenate([n_bound, expected]),
                        np.concatenate([n_unbound, len(rows) - expected]),
                    )
                )

    @property
    def steps_per_epoch(self) -> int:
        """Batches of an epoch."""
        return -(-len(self._rows) // self._recipe.batch_size)

    def batches(self, epoch: int) -> Iterator[Ints]:
        """Iterate once over the training sites, as :meth:`loss` takes them.

        Parameters
        ----------
        epoch : int
            It sets the order, together with the recipe's seed.

        Yields
        ------
        int64 array
            Sites of the data set; with a teacher, indices into its rows.
        """
        recipe = self._recipe
        if self._teacher is None:
            return iterate_batches(self._rows, recipe.batch_size, recipe.seed, epoch)
        return self._teacher.batches(recipe.seed, epoch)

    def loss(self, network: MotifNetwork, batch: Ints, step: int) -> tuple[Tensor, int]:
        """Compute the loss of a batch.

        Parameters
        ----------
        network : MotifNetwork
        batch : int64 array
            From :meth:`batches`.
        step : int
            Of the whole run, from 0.

        Returns
        -------
        loss : float32 tensor, scalar
        n_instances : int
            Labelled (sequence, pair) instances in it.
        """
        rng = np.random.default_rng((self._recipe.seed, step))
        rows, pairs = batch, self._pairs
        if self._teacher is not None:
            rows = self._teacher.rows[batch]
            pairs = self._groups[int(batch[0]) // self._teacher.group_size]
        # The single tile only: context weights are fitted after training.
        read = network.config.input_slice(self._dataset.seq_len, single=True)
        codes = self._dataset.codes[rows, read]
        if self._recipe.masked_bases:
            codes = self._mask(codes, rng)
        chosen = self._draw_pairs(pairs.cell, rng)
        at = torch.from_numpy(chosen).to(self._device)
        tf, cell = (
            torch.from_numpy(i[chosen]).to(self._device) for i in (pairs.tf, pairs.cell)
        )
        sequences = torch.from_numpy(codes).to(self._device)
        if self._recipe.dropout:
            torch.manual_seed(int(rng.integers(2**62)))
        kind = self._device.partition(":")[0]
        with torch.autocast(kind, torch.bfloat16, enabled=self._bfloat16):
            logits = network(sequences, tf, cell)
        weights = pairs.positive[at], pairs.negative[at]
        if self._teacher is None:
            labels = self._dataset.labels(rows, self._columns[chosen])
            known = torch.from_numpy(labels).to(self._device)
            loss = weighted_loss(logits.float(), known, *weights)
            return loss, int((labels >= 0).sum())
        probabilities = self._soft_targets(self._teacher, batch)[:, chosen]
        targets = torch.from_numpy(probabilities).to(self._device)
        return soft_loss(logits.float(), targets, *weights), probabilities.size

    def _weigh(
        self, tf: Ints, cell: Ints, n_bound: Counts, n_unbound: Counts
    ) -> _Pairs:
        """Weigh some pairs by their bound and unbound sites."""
        recipe = self._recipe
        both = instance_weights(
            n_bound, n_unbound, recipe.balance_classes, recipe.pair_exponent
        )
        return _Pairs(tf, cell, *(weight.to(self._device) for weight in both))

    def _soft_targets(self, teacher: TeacherLabels, batch: Ints) -> Floats:
        """Mix the teacher's probabilities with labels, where there are some."""
        found = teacher.probabilities[batch].astype(np.float32)
        labels = self._dataset.labels(teacher.rows[batch], self._columns)
        trained = found[:, : len(self._columns)]
        mixed = trained + (1 - self._recipe.teacher_weight) * (labels - trained)
        np.copyto(trained, mixed.astype(np.float32), where=labels >= 0)
        return found

    def _mask(self, codes: Codes, rng: np.random.Generator) -> Codes:
        """Replace a random segment of each sequence by N; it may reach over the ends."""
        length, size = codes.shape[1], self._recipe.masked_bases
        first = rng.integers(-size, length, len(codes))[:, None]
        position = np.arange(length)
        masked = (position >= first) & (position < first + size)
        return np.where(masked, np.uint8(N_CODE), codes)

    def _draw_pairs(self, cell: Ints, rng: np.random.Generator) -> Ints:
        """Choose the pairs of a step, as indices into their cell lines."""
        cells = np.unique(cell)
        n = self._recipe.cells_per_step
        if not 0 < n < len(cells):
            return np.arange(len(cell))
        drawn = rng.choice(cells, n, replace=False)
        return np.flatnonzero(np.isin(cell, drawn))
