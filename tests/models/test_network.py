"""The network against the paper's formulas in loops, and its fast steps against it."""

import numpy as np
import pytest
import torch

import naive
from tfimpute_tracks.engines.numba_backend import NUMBA
from tfimpute_tracks.errors import UsageError
from tfimpute_tracks.kernels.encode import reverse_complement
from tfimpute_tracks.models.config import GatedConfig
from tfimpute_tracks.models.network import TORCH
from tfimpute_tracks.models.registry import config_from_dict, find_preset
from toys import CONFIG, VOCABULARY, make_model


def _sigmoid(x):
    return 1 / (1 + np.exp(-x))


def naive_probability(codes, weights, tf, cell, pool):
    """Both strands of one sequence for one pair, formula by formula."""
    strands = []
    for strand in (codes, reverse_complement(codes)):
        y = naive.convolution(strand, weights["filters"])
        r = np.maximum(0, y - weights["bias"])
        m = np.array([r[p : p + pool].max(axis=0) for p in range(0, len(r), pool)])
        both = np.concatenate(
            [weights["tf_embedding"][tf], weights["cell_embedding"][cell]]
        )
        g = _sigmoid(both @ weights["gate_weight"] + weights["gate_bias"])
        gated = m * g
        z = [
            sum((gated[w] * weights["unit_weight"][w, h]).sum() for w in range(len(m)))
            + weights["unit_bias"][h]
            for h in range(len(weights["unit_bias"]))
        ]
        strands.append(_sigmoid(max(z)))
    return max(strands)


def test_the_network_is_the_paper_s(tmp_path, rng):
    model = make_model(tmp_path)
    codes = rng.integers(0, 5, (4, CONFIG.seq_len)).astype(np.uint8)
    pairs = [("CTCF", "K562"), ("MAX", "HepG2")]
    result = model.predict(codes, pairs)
    weights = model.checkpoint.weights
    for row in range(4):
        for column, (tf, cell) in enumerate([(0, 3), (2, 1)]):
            expected = naive_probability(codes[row], weights, tf, cell, CONFIG.pool)
            assert result[row, column] == pytest.approx(expected, abs=1e-5)


def test_a_sequence_and_its_reverse_complement_score_the_same(tmp_path, rng):
    model = make_model(tmp_path)
    codes = rng.integers(0, 5, (20, CONFIG.seq_len)).astype(np.uint8)
    pairs = VOCABULARY.all_pairs()
    np.testing.assert_allclose(
        model.predict(codes, pairs),
        model.predict(reverse_complement(codes), pairs),
        atol=1e-6,
    )


def test_look_up_steps_give_the_plain_values_and_gradients(tmp_path, rng):
    network = make_model(tmp_path).network()
    codes = torch.from_numpy(rng.integers(0, 5, (7, CONFIG.seq_len)).astype(np.uint8))
    tf, cell = torch.tensor([0, 1, 2, 2]), torch.tensor([3, 0, 1, 1])
    weights = torch.from_numpy(rng.normal(size=(7, 4)).astype(np.float32))
    results = []
    for backend in (TORCH, NUMBA):
        network.backend = backend
        network.zero_grad()
        logits = network(codes, tf, cell)
        (logits * weights).sum().backward()
        gradients = {n: p.grad.clone() for n, p in network.named_parameters()}
        results.append((logits.detach(), gradients))
    (plain, by_plain), (fast, by_fast) = results
    torch.testing.assert_close(fast, plain, atol=1e-5, rtol=1e-5)
    for name, gradient in by_plain.items():
        assert gradient.abs().max() > 0, name
        torch.testing.assert_close(by_fast[name], gradient, atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize(("preset", "n_windows"), [("paper", 3), ("paper-random", 1)])
def test_presets_have_the_paper_s_windows(preset, n_windows):
    assert find_preset(preset).config.n_windows == n_windows


def test_sizes_that_cannot_be_are_refused():
    with pytest.raises(UsageError, match="do not fit sequences of 10"):
        GatedConfig(seq_len=10, filter_length=11)
    with pytest.raises(UsageError, match="n_filters=0"):
        GatedConfig(n_filters=0)
    with pytest.raises(UsageError, match="size pool is missing or unknown"):
        config_from_dict({k: v for k, v in CONFIG.to_dict().items() if k != "pool"})
