"""Networks that go on otherwise than the first one: against loops, and in scans."""

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
from tfimpute_tracks.kernels.encode import reverse_complement
from tfimpute_tracks.models.checkpoint import weight_shapes
from tfimpute_tracks.models.config import NETWORKS, NetworkConfig
from tfimpute_tracks.models.registry import build_network
from toys import DEEP, VOCABULARY, make_model, torch_scorer

GRU = NetworkConfig(
    seq_len=60,
    filter_length=8,
    n_filters=16,
    pool=10,
    embedding_size=16,
    recurrent_units=32,
)
DEEP_AROUND = replace(DEEP, context_tiles=2)
PLAIN_AROUND = NetworkConfig(
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
    [DEEP, GRU, DEEP_AROUND, PLAIN_AROUND],
    ids=["deep", "gru", "deep around", "plain around"],
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
    h = [_dense(np.maximum(m[w], back[n - 1 - w]), weights, "enter") for w in range(n)]
    for block in ("blocks.0", "blocks.1"):
        nothing = np.zeros(DEEP.channels)
        normed = [_norm(row, weights, f"{block}.norm") for row in h]
        padded = [nothing, *normed, nothing]
        for w in range(n):
            both = np.concatenate([padded[w + 1], padded[w] + padded[w + 2]])
            inner = _gelu(_dense(both, weights, f"{block}.around"))
            h[w] = h[w] + _dense(inner, weights, f"{block}.mix")
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
        x = weights["reader.weight_ih_l0"] @ (row * gate) + weights["reader.bias_ih_l0"]
        y = weights["reader.weight_hh_l0"] @ h + weights["reader.bias_hh_l0"]
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
def test_the_file_names_the_arrays_of_the_network(config):
    network = build_network(config, len(VOCABULARY.tfs), len(VOCABULARY.cells))
    shapes = {name: tuple(p.shape) for name, p in network.named_parameters()}
    shapes["thresholds"] = (len(VOCABULARY.tfs), len(VOCABULARY.cells))
    assert weight_shapes(config, VOCABULARY) == shapes


@FAMILIES
@pytest.mark.parametrize("stride", [7, 10, 60, 75])
def test_engines_give_the_network_s_scores(tmp_path, rng, config, stride):
    model, n_tiles = make_model(tmp_path, config=config), 150
    grid = tile_grid(config, stride)
    codes = rng.integers(0, 5, grid.n_letters(n_tiles)).astype(np.uint8)
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
    codes = rng.integers(0, 4, grid.n_letters(300)).astype(np.uint8)
    whole = scorer.score(codes, TileRange("", 0, 300))
    for first, n in ((0, 1), (17, 100), (250, 50)):
        some = codes[grid.letters(first, n)]
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


def test_parts_that_do_not_go_together_are_refused():
    with pytest.raises(Exception, match="channels=8 with blocks=0"):
        NetworkConfig(channels=8)
    with pytest.raises(Exception, match="recurrent_units=16 with blocks=1"):
        NetworkConfig(channels=16, blocks=1, recurrent_units=16)
    with pytest.raises(Exception, match="give a multiple of 8"):
        NetworkConfig(channels=20, blocks=1, filter_length=21, pool=20)
    with pytest.raises(Exception, match="pool=16 does not divide the 181 positions"):
        NetworkConfig(channels=16, blocks=1, pool=16)


def test_tiles_of_fine_windows_stand_some_windows_apart():
    assert NETWORKS["default"].stride == NETWORKS["default"].pool == 100
    assert NETWORKS["deep"].stride == 90
    assert NETWORKS["gru"].stride == 100
    assert DEEP.stride == 100
    assert (NETWORKS["deep"].flank, NETWORKS["deep"].receptive_field) == (360, 920)
    assert NETWORKS["default"].receptive_field == NETWORKS["default"].seq_len


def test_files_from_before_these_parts_are_read():
    sizes = NETWORKS["default"].to_dict()
    assert not {"channels", "blocks", "recurrent_units", "context_tiles"} & set(sizes)
    assert NetworkConfig.from_dict(sizes) == NETWORKS["default"]
    for config in (DEEP, GRU, DEEP_AROUND):
        assert NetworkConfig.from_dict(config.to_dict()) == config
