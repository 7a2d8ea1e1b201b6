"""Blended scores against loops, and against the definition in PyTorch."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from tfimpute_tracks.kernels.context import blend
from tfimpute_tracks.models.context import TileContext


def naive_blend(logits, unknown, weights, bias, spread, step):
    """One tile and one neighbor after the other."""
    reach = len(weights) - 1
    rows = []
    for own in range(reach * spread, len(logits) - reach * spread, step):
        around = []
        for k in range(-reach, reach + 1):
            place = own + k * spread
            around.append(logits[own if unknown[place] else place])
        row = bias
        for k in range(reach + 1):
            row = row + weights[k] * np.max(around[reach - k : reach + k + 1], axis=0)
        rows.append(np.full_like(row, np.nan) if unknown[own] else row)
    return np.array(rows, dtype=np.float64).reshape(-1, logits.shape[1])


@given(
    st.integers(0, 60),
    st.sampled_from([1, 3, 15, 16, 17, 40, 512, 515, 1040]),
    st.integers(1, 4),
    st.integers(1, 5),
    st.integers(1, 4),
    st.integers(0, 2**32 - 1),
)
def test_it_is_what_loops_give(n_core, n_pairs, reach, spread, step, seed):
    rng = np.random.default_rng(seed)
    logits = rng.normal(size=(n_core, n_pairs)).astype(np.float32)
    unknown = rng.random(n_core) < 0.3
    weights = rng.normal(size=reach + 1).astype(np.float32)
    found = blend(logits, unknown, weights, 0.25, spread, step)
    expected = naive_blend(logits, unknown, weights, 0.25, spread, step)
    assert found.shape == expected.shape
    np.testing.assert_allclose(found, expected, atol=2e-5)


def test_what_stands_for_an_unknown_tile_does_not_matter():
    logits = np.arange(20, dtype=np.float32).reshape(10, 2)
    unknown = np.zeros(10, dtype=bool)
    unknown[[3, 6]] = True
    weights = np.array([0.5, 0.2, 0.1], dtype=np.float32)
    usual = blend(logits, unknown, weights, 0.0, 1, 1)
    logits[unknown] = np.nan
    np.testing.assert_array_equal(blend(logits, unknown, weights, 0.0, 1, 1), usual)
    assert np.isnan(usual).any(axis=1).tolist() == [
        False,
        True,
        False,
        False,
        True,
        False,
    ]


@pytest.mark.parametrize("reach", [1, 4])
def test_it_is_the_network_s_definition(rng, reach):
    logits = rng.normal(size=(30, 2 * reach + 1, 5)).astype(np.float32)
    unknown = rng.random((30, 2 * reach + 1)) < 0.3
    unknown[:, reach] = False
    module = TileContext(reach)
    with torch.no_grad():
        module.weight.copy_(torch.from_numpy(rng.normal(size=reach + 1)))
        module.bias.fill_(-0.7)
        defined = module(torch.from_numpy(logits), torch.from_numpy(unknown)).numpy()
    weights = module.weight.detach().numpy()
    for row, mask, expected in zip(logits, unknown, defined, strict=True):
        found = blend(row, mask, weights, -0.7, 1, 1)
        np.testing.assert_allclose(found, expected[None], atol=1e-5)


def test_a_network_begins_with_the_tile_alone():
    logits = torch.randn(4, 7, 2)
    blended = TileContext(3)(logits, torch.zeros(4, 7, dtype=torch.bool))
    torch.testing.assert_close(blended, logits[:, 3])


@pytest.mark.parametrize("n_pairs", [1, 7, 16, 100, 600])
def test_bits_do_not_depend_on_other_pairs(rng, n_pairs):
    logits = rng.normal(size=(90, 640)).astype(np.float32)
    unknown = rng.random(90) < 0.2
    weights = rng.normal(size=4).astype(np.float32)
    every = blend(logits, unknown, weights, 0.1, 3, 2)
    some = blend(logits[:, :n_pairs], unknown, weights, 0.1, 3, 2)
    np.testing.assert_array_equal(some, every[:, :n_pairs])
    alone = blend(logits[:, :n_pairs].copy(), unknown, weights, 0.1, 3, 2)
    np.testing.assert_array_equal(alone, some)
