"""The families of networks: against loops, and in engines."""

import json
import math
from dataclasses import replace

import numpy as np
import pytest
import torch

import naive
from tfimpute_tracks.engines.numba_backend import NUMBA
from tfimpute_tracks.engines.scorer import Scorer
from tfimpute_tracks.engines.tile_grid import tile_grid
from tfimpute_tracks.engines.tiles import TileRange
from tfimpute_tracks.errors import InputFileError, UsageError
from tfimpute_tracks.kernels.encode import reverse_complement
from tfimpute_tracks.models.config import (
    GatedConfig,
    RecurrentConfig,
    ResidualConfig,
)
from tfimpute_tracks.models.registry import build_network, config_from_dict, presets
from toys import DEEP, VOCABULARY, make_model, torch_scorer

GRU = RecurrentConfig(
    seq_len=60, filter_length=8, n_filters=16, pool=10, recurrent_units=32
)
DEEP_CONTEXT = replace(DEEP, context_tiles=2)
GATED_CONTEXT = GatedConfig(
    seq_len=60,
    filter_length=8,
    n_filters=16,
    pool=20,
    embedding_size=5,
    context_tiles=3,
)
EVERY = VOCABULARY.all_pairs()
FAMILIES = pytest.mark.parametrize(
    "config",
    [DEEP, GRU, DEEP_CONTEXT, GATED_CONTEXT],
    ids=["residual", "recurrent", "residual with context", "gated with context"],
)


def _sigmoid(x):
    return 1 / (1 + np.exp(-x))


def _gelu(x):
    return np.array([v * 0.5 * (1 + math.erf(v / math.sqrt(2))) for v in x])


def _motifs(codes, weights, pool):
    r = np.maximum(0, naive.convolution(codes, weights["filters"]) - weights["bias"])
    return np.array([r[p : p + pool].max(axis=0) for p in range(0, len(r), pool)])


def _norm(x, weights, name):
    z = (x - x.mean()) / np.sqrt(x.var() + 1e-5)
    return z * weights[f"{name}.weight"] + weights[f"{name}.bias"]


def _dense(x, weights, name):
    return weights[f"{name}.weight"] @ x + weights[f"{name}.bias"]


def naive_deep_logit(codes, weights, tf, cell):
    """Both strands, window by window."""
    m = _motifs(codes, weights, DEEP.pool)
    back = _motifs(reverse_complement(codes), weights, DEEP.pool)
    n = len(m)
    h = [
        _dense(np.maximum(m[w], back[n - 1 - w]), weights, "proj_in") for w in range(n)
    ]
    for block in ("blocks.0", "blocks.1"):
        nothing = np.zeros(DEEP.channels)
        normed = [_norm(row, weights, f"{block}.norm") for row in h]
        padded = [nothing, *normed, nothing]
        for w in range(n):
            both = np.concatenate([padded[w + 1], padded[w] + padded[w + 2]])
            inner = _gelu(_dense(both, weights, f"{block}.conv"))
            h[w] = h[w] + _dense(inner, weights, f"{block}.proj_out")
    refined = [np.maximum(0, _norm(row, weights, "norm")) for row in h]
    tied = [weights["unit_weight"][min(w, n - 1 - w)] for w in range(n)]
    both = np.concatenate(
        [weights["tf_embedding"][tf], weights["cell_embedding"][cell]]
    )
    g = _sigmoid(both @ weights["gate_weight"] + weights["gate_bias"])
    return max(
        sum((refined[w] * g * tied[w][u]).sum() for w in range(n))
        + weights["unit_bias"][u]
        for u in range(DEEP.n_units)
    )


def naive_gru_logit(codes, weights, tf, cell):
    """One strand, window by window; the unit as PyTorch's manual writes it."""
    gate = _sigmoid(weights["cell_embedding"][cell])
    h = np.zeros(GRU.recurrent_units)
    for row in _motifs(codes, weights, GRU.pool):
        x = weights["gru.weight_ih_l0"] @ (row * gate) + weights["gru.bias_ih_l0"]
        y = weights["gru.weight_hh_l0"] @ h + weights["gru.bias_hh_l0"]
        (xr, xz, xn), (yr, yz, yn) = np.split(x, 3), np.split(y, 3)
        reset, update = _sigmoid(xr + yr), _sigmoid(xz + yz)
        h = (1 - update) * np.tanh(xn + reset * yn) + update * h
    return weights["tf_weight"][tf] @ h + weights["tf_bias"][tf]


@pytest.mark.parametrize(
    ("config", "logit"), [(DEEP, naive_deep_logit), (GRU, naive_gru_logit)]
)
def test_networks_are_their_formulas(tmp_path, rng, config, logit):
    model = make_model(tmp_path, config=config)
    weights = {n: w.astype(float) for n, w in model.checkpoint.weights.items()}
    codes = rng.integers(0, 5, (4, config.seq_len)).astype(np.uint8)
    result = model.predict(codes, [("CTCF", "K562"), ("MAX", "HepG2")])
    for row in range(4):
        for column, (tf, cell) in enumerate([(0, 3), (2, 1)]):
            strands = codes[row], reverse_complement(codes[row])
            expected = max(logit(strand, weights, tf, cell) for strand in strands)
            assert result[row, column] == pytest.approx(_sigmoid(expected), abs=2e-4)


@FAMILIES
def test_configurations_state_shapes_of_the_network_s_own_arrays(config):
    network = build_network(config, len(VOCABULARY.tfs), len(VOCABULARY.cells))
    shapes = {name: tuple(p.shape) for name, p in network.named_parameters()}
    stated = config.array_shapes(len(VOCABULARY.tfs), len(VOCABULARY.cells))
    assert stated == {name: shapes[name] for name in stated}
    # What runs without PyTorch must check all that it reads.
    assert not config.gates_motifs or stated == shapes


@FAMILIES
def test_every_parameter_trains_in_one_group_and_has_initial_values(config):
    networks = [build_network(config, 3, 4) for _ in range(2)]
    for network in networks:
        for parameter in network.parameters():
            parameter.data.fill_(torch.nan)
        network.init_weights(seed=3, filter_std=0.05, bias=-4.0)
    first, second = (dict(network.named_parameters()) for network in networks)
    for name, parameter in first.items():
        torch.testing.assert_close(parameter, second[name], rtol=0, atol=0)
    assert (first["bias"] == -4).all()
    assert float(first["filters"].detach().std()) == pytest.approx(0.05, rel=0.1)
    groups = networks[0].parameter_groups()
    grouped = [id(p) for parameters in groups.values() for p in parameters]
    context = {id(p) for n, p in first.items() if n.startswith("context.")}
    assert sorted([*grouped, *context]) == sorted(map(id, first.values()))
    assert list(map(id, groups["filters"])) == [id(first["filters"]), id(first["bias"])]


@FAMILIES
@pytest.mark.parametrize("stride", [7, 10, 60, 75])
def test_engines_give_the_network_s_scores(tmp_path, rng, config, stride):
    model, n_tiles = make_model(tmp_path, config=config), 150
    grid = tile_grid(config, stride)
    codes = rng.integers(0, 5, grid.n_codes(n_tiles)).astype(np.uint8)
    codes[2_000:2_300] = 4
    spans = np.lib.stride_tricks.sliding_window_view(codes, config.receptive_field)[
        ::stride
    ]
    tiles = spans[:, config.flank :][:, : config.seq_len]
    known = (tiles == 4).sum(axis=1) * 2 <= config.seq_len
    for pairs in (EVERY[5:6], EVERY[::-1]):
        expected = model.predict(np.ascontiguousarray(spans), pairs)
        for made in (
            Scorer(model, pairs, stride),
            torch_scorer(model, pairs, stride),
        ):
            scores = _sigmoid(made.score(codes, TileRange("", 0, n_tiles)))
            np.testing.assert_allclose(scores[known], expected[known], atol=2e-5)


@FAMILIES
def test_a_tile_s_score_does_not_depend_on_its_neighbors(tmp_path, rng, config):
    model = make_model(tmp_path, config=config)
    grid = tile_grid(config, 20)
    scorer = Scorer(model, EVERY, 20)
    codes = rng.integers(0, 4, grid.n_codes(300)).astype(np.uint8)
    whole = scorer.score(codes, TileRange("", 0, 300))
    for first, n in ((0, 1), (17, 100), (250, 50)):
        some = codes[grid.code_slice(first, n)]
        part = scorer.score(some, TileRange("", 0, n))
        np.testing.assert_array_equal(part, whole[first : first + n])


@FAMILIES
def test_look_up_steps_give_the_plain_gradients(tmp_path, rng, config):
    network = make_model(tmp_path, config=config).network()
    codes = torch.from_numpy(
        rng.integers(0, 5, (6, config.receptive_field)).astype(np.uint8)
    )
    tf, cell = torch.tensor([0, 1, 2, 2]), torch.tensor([3, 0, 1, 1])
    plain = network.backend
    results = []
    for backend in (plain, NUMBA):
        network.backend = backend
        network.zero_grad()
        network(codes, tf, cell).square().sum().backward()
        results.append({n: p.grad.clone() for n, p in network.named_parameters()})
    for name, gradient in results[0].items():
        assert gradient.abs().max() > 0, name
        torch.testing.assert_close(
            results[1][name], gradient, atol=2e-3, rtol=2e-3, msg=name
        )


@FAMILIES
def test_a_sequence_and_its_reverse_complement_score_the_same(tmp_path, rng, config):
    model = make_model(tmp_path, config=config)
    codes = rng.integers(0, 5, (20, config.receptive_field)).astype(np.uint8)
    there, back = (model.predict(c, EVERY) for c in (codes, reverse_complement(codes)))
    np.testing.assert_allclose(there, back, atol=2e-5)


def test_sizes_that_do_not_go_together_are_refused():
    with pytest.raises(
        UsageError, match="channels=20 in a residual network; use a mul"
    ):
        ResidualConfig(channels=20)
    with pytest.raises(
        UsageError, match="n_filters=20 in a recurrent network; use a m"
    ):
        RecurrentConfig(n_filters=20)
    with pytest.raises(UsageError, match="blocks=0; use an integer of at least 1"):
        ResidualConfig(blocks=0)
    with pytest.raises(UsageError, match="pool=16 does not divide the 180 positions"):
        ResidualConfig(pool=16)


def test_tiles_of_short_windows_start_several_windows_apart():
    assert {name: preset.config.stride for name, preset in presets().items()} == {
        "default": 100,
        "paper": 100,
        "paper-random": 100,
        "deep": 90,
        "gru": 100,
    }
    assert DEEP.stride == 100
    assert (ResidualConfig().flank, ResidualConfig().receptive_field) == (360, 920)
    assert GatedConfig().receptive_field == GatedConfig().seq_len


@FAMILIES
def test_configurations_survive_a_file(config):
    assert config_from_dict(json.loads(json.dumps(config.to_dict()))) == config


@FAMILIES
def test_weights_that_do_not_fit_are_refused_when_the_network_is_built(
    tmp_path, config
):
    model = make_model(tmp_path, config=config)
    arrays = dict(model.checkpoint.weights)
    arrays.pop([name for name in arrays if name != "thresholds"][-1])
    checkpoint = replace(model.checkpoint, weights=arrays)
    with pytest.raises(InputFileError, match=f"do not fit a {config.family} network"):
        replace(model, checkpoint=checkpoint).network()
