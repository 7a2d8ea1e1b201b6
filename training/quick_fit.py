"""A short training for comparisons: our objective and schedule, and nothing beside.

No validation, no saved state: a network learns some sites in so many epochs, and the
running mean of its weights in the last step is what comes out.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tfimpute_tracks.dataset import Dataset, iterate_batches
from tfimpute_tracks.models.network import MotifNetwork
from tfimpute_tracks.training.batches import Lessons
from tfimpute_tracks.training.recipe import Recipe
from tfimpute_tracks.training.state import initialize, take_step

__all__ = ["train_briefly"]

Ints = NDArray[np.int64]


def train_briefly(
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
        Sites to learn.
    columns : int64 array
        Pairs to learn from.
    recipe : Recipe
    device : str
        A torch device.
    """
    state = initialize(network, recipe, device)
    lessons = Lessons(dataset, rows, columns, recipe, device)
    n_steps = recipe.epochs * -(-len(rows) // recipe.batch_size)
    network.train()
    for epoch in range(recipe.epochs):
        for batch in iterate_batches(rows, recipe.batch_size, recipe.seed, epoch):
            loss, _ = lessons.loss(network, batch, state.step)
            take_step(state, loss, recipe, n_steps)
    network.load_state_dict(state.average)
    network.eval()
