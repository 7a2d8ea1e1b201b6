"""Where matrix products run in bfloat16, a step differs from one in float32 by that."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from tfimpute_tracks.engines.numba_backend import NUMBA
from tfimpute_tracks.models.config import RecurrentConfig, ResidualConfig
from tfimpute_tracks.models.network import TORCH
from tfimpute_tracks.models.registry import build_network
from tfimpute_tracks.training import Recipe
from tfimpute_tracks.training.batches import BatchLoss
from tfimpute_tracks.training.state import initialize
from toys import CONFIG, make_dataset

RECIPE = Recipe(filter_std=0.3)
DEEP = ResidualConfig(
    seq_len=60,
    filter_length=9,
    n_filters=32,
    pool=13,
    context_tiles=0,
    n_units=3,
    embedding_size=5,
    channels=16,
    blocks=1,
)
GRU = RecurrentConfig(
    seq_len=60, filter_length=8, n_filters=32, pool=13, recurrent_units=16
)


def _step(config, recipe, bfloat16):
    """Make a training step; return its loss, gradients, and the network after it."""
    dataset = make_dataset()
    rows, columns = np.arange(64), np.arange(12)
    network = build_network(config, 3, 4)
    network.backend, network.dropout = NUMBA, recipe.dropout
    state = initialize(network, recipe, "cpu")
    state.network.train()
    batches = BatchLoss(dataset, np.arange(900), columns, recipe, "cpu", bfloat16)
    loss, _ = batches.loss(state.network, rows, 0)
    loss.backward()
    gradients = {name: p.grad.clone() for name, p in state.network.named_parameters()}
    state.optimizer.step()
    return loss.item(), gradients, state.network


@pytest.mark.parametrize(
    ("config", "recipe"),
    [
        (CONFIG, RECIPE),
        (DEEP, RECIPE),
        (DEEP, replace(RECIPE, dropout=0.2)),
        (GRU, RECIPE),
    ],
    ids=["plain", "deep", "deep with dropout", "gru"],
)
def test_a_step_is_that_of_float32_but_for_the_rounding(config, recipe):
    loss, gradients, _ = _step(config, recipe, bfloat16=False)
    near, others, network = _step(config, recipe, bfloat16=True)
    assert near != loss, "nothing was rounded"
    assert near == pytest.approx(loss, rel=2e-3)
    for name, gradient in gradients.items():
        # Of eight bits each. Layers add up their errors, PyTorch sums gradients of a
        # LayerNorm in bfloat16, too, and a maximum may move to another unit: up to 0.24
        # was seen over ten seeds, at 1 a gradient has nothing to do with the other.
        off = torch.linalg.vector_norm(others[name] - gradient)
        assert off < 0.3 * torch.linalg.vector_norm(gradient), name
    for name, numbers in network.named_parameters():
        assert numbers.dtype == torch.float32, name
        assert torch.isfinite(numbers).all(), name


def test_rounded_windows_are_mixed_as_the_numbers_that_they_are(rng):
    m, weights = (
        torch.from_numpy(rng.normal(size=shape).astype(np.float32))
        for shape in ((5, 4, 16), (4, 3, 16))
    )
    results = []
    rounded = m.bfloat16()
    for windows, mix in ((rounded, NUMBA), (rounded.float(), TORCH)):
        inputs = windows.clone().requires_grad_(), weights.clone().requires_grad_()
        u = mix.mixed_windows(*inputs)
        assert u.dtype == torch.float32
        u.square().sum().backward()
        results.append((u, *(i.grad for i in inputs)))
    (u, by_m, by_weights), (plain, by_plain, by_plain_weights) = results
    assert by_m.dtype == torch.bfloat16
    torch.testing.assert_close(u, plain)
    torch.testing.assert_close(by_m, by_plain.bfloat16(), rtol=2**-7, atol=1e-2)
    torch.testing.assert_close(by_weights, by_plain_weights)
