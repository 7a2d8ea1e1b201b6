"""A short training run for comparisons: the same loss and schedule, nothing else.

No validation and no saved state. The moving average of the weights after the last step
is the result.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tfimpute_tracks.dataset import Dataset
from tfimpute_tracks.models.network import MotifNetwork
from tfimpute_tracks.training.batches import BatchLoss
from tfimpute_tracks.training.recipe import Recipe
from tfimpute_tracks.training.state import initialize, take_step

__all__ = ["train_quickly"]

Ints = NDArray[np.int64]


def train_quickly(
    network: MotifNetwork,
    dataset: Dataset,
    rows: Ints,
    columns: Ints,
    recipe: Recipe,
    device: str = "cpu",
) -> None:
    """Train a network from random weights on some sites.

    Parameters
    ----------
    network : MotifNetwork
        Its weights are overwritten; it ends on `device` and in evaluation mode.
    dataset : Dataset
    rows : int64 array
        Training sites.
    columns : int64 array
        Training pairs.
    recipe : Recipe
    device : str
        A torch device.
    """
    state = initialize(network, recipe, device)
    batches = BatchLoss(dataset, rows, columns, recipe, device)
    n_steps = recipe.epochs * batches.steps_per_epoch
    network.train()
    for epoch in range(recipe.epochs):
        for batch in batches.batches(epoch):
            loss, _ = batches.loss(network, batch, state.step)
            take_step(state, loss, recipe, n_steps)
    network.load_state_dict(state.average)
    network.eval()
