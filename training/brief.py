"""A short training for comparisons: our objective and schedule, and nothing beside.

No validation, no saved state: a network learns some sites in so many epochs, and the
running mean of its weights in the last step is what comes out.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tfimpute_tracks.dataset import Dataset, iterate_batches
from tfimpute_tracks.models.network import MotifNetwork
from tfimpute_tracks.training.lessons import Lessons
from tfimpute_tracks.training.recipe import Recipe
from tfimpute_tracks.training.state import initialise, learning_rate_factor

__all__ = ["train_briefly"]

Ints = NDArray[np.int64]


def train_briefly(
    network: MotifNetwork,
    dataset: Dataset,
    rows: Ints,
    columns: Ints,
    recipe: Recipe,
    device: str = "cpu",
) -> MotifNetwork:
    """Train a network from random weights on some sites.

    Parameters
    ----------
    network : MotifNetwork
        Its weights are overwritten.
    dataset : Dataset
    rows : int64 array
        Sites to learn.
    columns : int64 array
        Pairs to learn from.
    recipe : Recipe
    device : str
        A torch device.

    Returns
    -------
    MotifNetwork
        The same, on `device` and in evaluation mode.
    """
    state = initialise(network, recipe, device)
    lessons = Lessons(dataset, rows, columns, recipe, device)
    n_steps = recipe.epochs * -(-len(rows) // recipe.batch_size)
    network.train()
    for epoch in range(recipe.epochs):
        for batch in iterate_batches(rows, recipe.batch_size, recipe.seed, epoch):
            factor = learning_rate_factor(recipe, state.step, n_steps)
            for group in state.optimiser.param_groups:
                group["lr"] = group["peak_lr"] * factor
            loss, _ = lessons.loss(network, batch, state.step)
            state.optimiser.zero_grad()
            loss.backward()
            state.optimiser.step()
            state.step += 1
            state.update_average(recipe.average)
    network.load_state_dict(state.average)
    return network.eval()
