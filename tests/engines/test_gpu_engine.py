"""The PyTorch engine against the plain network and against loops over letters."""

import logging

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import naive
from tfimpute_tracks.engines import gpu_engine
from tfimpute_tracks.engines.gpu_engine import TorchEngine
from tfimpute_tracks.engines.tile_grid import tile_grid
from tfimpute_tracks.errors import RunError
from tfimpute_tracks.kernels.fused import runs_on
from tfimpute_tracks.models.config import GatedConfig
from toys import CONFIG, VOCABULARY, make_model

EVERY = VOCABULARY.all_pairs()
DEVICES = ["cpu", pytest.param("cuda:0", marks=pytest.mark.gpu)]


class Cramped(TorchEngine):
    """An engine on a device whose memory holds a few tiles only."""

    holds = 3

    def _batch(self, codes, n_tiles):
        if n_tiles > self.holds:
            raise torch.cuda.OutOfMemoryError(f"{n_tiles} tiles are too many")
        return super()._batch(codes, n_tiles)


def _grid(stride, config=CONFIG):
    return tile_grid(config, stride).base


def _codes(rng, stride, n_tiles, config=CONFIG):
    n = (n_tiles - 1) * stride + config.seq_len
    return rng.integers(0, 5, n).astype(np.uint8)


def _tiles(codes, stride, config=CONFIG):
    return np.lib.stride_tricks.sliding_window_view(codes, config.seq_len)[::stride]


def _probabilities(logits):
    return 1 / (1 + np.exp(-logits.astype(np.float64)))


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("stride", [1, 7, 20, 60, 75])
def test_scores_are_the_network_s(tmp_path, rng, device, stride):
    model = make_model(tmp_path)
    n_tiles = 9
    codes = _codes(rng, stride, n_tiles)
    expected = model.predict(_tiles(codes, stride), EVERY)
    for pairs in (EVERY[:1], EVERY):
        engine = TorchEngine(model, pairs, _grid(stride), device)
        scores = _probabilities(engine.logits(codes, n_tiles))
        np.testing.assert_allclose(scores, expected[:, : len(pairs)], atol=2e-5)


@pytest.mark.parametrize("device", DEVICES)
def test_fast_scores_are_near(tmp_path, rng, device):
    model = make_model(tmp_path)
    codes = _codes(rng, 20, 30)
    engine = TorchEngine(model, EVERY, _grid(20), device, fast=True)
    scores = _probabilities(engine.logits(codes, 30))
    expected = model.predict(_tiles(codes, 20), EVERY)
    # Filters drawn at random are far larger than trained ones.
    np.testing.assert_allclose(scores, expected, atol=2e-2)


def _naive_logits(model, tile, pairs):
    weights = model.checkpoint.weights
    strands = []
    for codes in (tile, np.array([3, 2, 1, 0, 4])[tile[::-1]]):
        y = naive.windows(codes, weights["filters"], model.config.pool)
        m = np.maximum(y - weights["bias"], 0)
        logits = []
        for tf, cell in model.vocabulary.pair_indices(pairs):
            both = [weights["tf_embedding"][tf], weights["cell_embedding"][cell]]
            to_gate = np.concatenate(both) @ weights["gate_weight"]
            gate = 1 / (1 + np.exp(-to_gate - weights["gate_bias"]))
            z = np.einsum("wk,whk->h", m * gate, weights["unit_weight"])
            logits.append((z + weights["unit_bias"]).max())
        strands.append(logits)
    return np.max(strands, axis=0)


@settings(max_examples=20)
@given(data=st.data())
def test_logits_are_those_of_loops_over_bases(tmp_path_factory, data):
    seq_len = data.draw(st.integers(2, 40), label="seq_len")
    config = GatedConfig(
        seq_len=seq_len,
        filter_length=data.draw(st.integers(1, seq_len), label="filter_length"),
        n_filters=data.draw(st.integers(1, 6), label="n_filters"),
        pool=data.draw(st.integers(1, 45), label="pool"),
        n_units=data.draw(st.integers(1, 3), label="n_units"),
        embedding_size=2,
    )
    stride = data.draw(st.integers(1, 45), label="stride")
    n_pairs = data.draw(st.integers(1, len(EVERY)), label="n_pairs")
    model = make_model(tmp_path_factory.mktemp("toy"), config=config)
    rng = np.random.default_rng(data.draw(st.integers(0, 99), label="seed"))
    codes = _codes(rng, stride, 3, config)
    pairs = EVERY[:n_pairs]
    logits = TorchEngine(model, pairs, _grid(stride, config), "cpu").logits(codes, 3)
    expected = [
        _naive_logits(model, tile, pairs) for tile in _tiles(codes, stride, config)
    ]
    np.testing.assert_allclose(logits, expected, rtol=1e-4, atol=1e-4)


@pytest.mark.skipif(runs_on(torch.device("cpu")), reason="the interpreter runs it")
def test_a_kernel_that_does_not_run_is_replaced_and_named(rng, caplog):
    """Triton refuses tensors of a CPU: a true failure."""
    pytest.importorskip("triton")
    filters = torch.tensor(rng.normal(size=(6, 8, 4)), dtype=torch.float32)
    work = (filters, torch.zeros(6), _grid(20))
    plain = gpu_engine._PlainTrunk(*work, fast=False)
    trunk = gpu_engine._fused_or_plain(plain, *work, fast=False)
    assert trunk is plain
    (message,) = [record.getMessage() for record in caplog.records]
    assert message.startswith("the Triton kernel does not work on cpu, plain PyTorch")


def test_a_kernel_that_is_wrong_is_found_out(rng):
    filters = torch.tensor(rng.normal(size=(6, 8, 4)), dtype=torch.float32)
    plain = gpu_engine._PlainTrunk(filters, torch.zeros(6), _grid(20), fast=False)
    rounded = gpu_engine._PlainTrunk(
        filters.bfloat16().float(), torch.zeros(6), _grid(20), fast=False
    )
    for trunk, fast, fault in (
        (plain, False, ""),
        (rounded, False, "its values are off by"),
        (lambda codes, n: plain(codes, n).roll(1, 0), True, "its values are off by"),
    ):
        said = gpu_engine._trunk_fault(trunk, plain, filters, _grid(20), fast)
        assert said.startswith(fault)
        assert bool(said) == bool(fault)


@pytest.mark.parametrize("device", DEVICES)
def test_batches_of_any_size_give_the_same(tmp_path, rng, device):
    model = make_model(tmp_path)
    codes = _codes(rng, 20, 23)
    engine = TorchEngine(model, EVERY, _grid(20), device)
    at_once = engine.logits(codes, 23)
    for tiles in (1, 2, 5, 22):
        engine.tiles_per_batch = tiles
        np.testing.assert_allclose(engine.logits(codes, 23), at_once, atol=2e-5)


@pytest.mark.parametrize("device", DEVICES)
def test_less_memory_takes_smaller_batches_and_remembers(tmp_path, rng, device, caplog):
    model = make_model(tmp_path)
    codes = _codes(rng, 20, 25)
    expected = TorchEngine(model, EVERY, _grid(20), device).logits(codes, 25)
    engine = Cramped(model, EVERY, _grid(20), device)
    with caplog.at_level(logging.INFO):
        np.testing.assert_allclose(engine.logits(codes, 25), expected, atol=2e-5)
        assert engine.tiles_per_batch == 3
        said = [r.getMessage() for r in caplog.records if "do not fit" in r.message]
        assert [message.split(";")[0] for message in said] == [
            f"{device}: {n} tiles do not fit into memory" for n in (25, 12, 6)
        ]
        caplog.clear()
        np.testing.assert_allclose(engine.logits(codes, 25), expected, atol=2e-5)
        assert not caplog.records


def test_too_little_memory_for_one_tile_is_an_error(tmp_path, rng):
    engine = Cramped(make_model(tmp_path), EVERY, _grid(20), "cpu")
    engine.holds = 0
    with pytest.raises(RunError, match="cpu has too little free memory for one tile"):
        engine.logits(_codes(rng, 20, 5), 5)
    assert engine.tiles_per_batch == 1


@pytest.mark.gpu
def test_memory_that_really_runs_out(tmp_path, rng):
    model = make_model(tmp_path)
    n_tiles = 40_000
    codes = _codes(rng, 20, n_tiles)
    expected = TorchEngine(model, EVERY, _grid(20), "cuda:0").logits(codes, n_tiles)
    engine = TorchEngine(model, EVERY, _grid(20), "cuda:0")
    torch.cuda.empty_cache()
    _free, total = torch.cuda.mem_get_info()
    room = torch.cuda.memory_reserved() + (8 << 20)
    torch.cuda.set_per_process_memory_fraction(room / total)
    try:
        scores = engine.logits(codes, n_tiles)
    finally:
        torch.cuda.set_per_process_memory_fraction(1.0)
    assert engine.tiles_per_batch < n_tiles
    np.testing.assert_allclose(scores, expected, atol=2e-5)


def test_pieces_of_the_large_arrays_give_the_same(tmp_path, rng, monkeypatch):
    """Convolution, tiles and pairs are each worked through in blocks."""
    model = make_model(tmp_path)
    codes = _codes(rng, 7, 40)
    for pairs in (EVERY[:2], EVERY):
        expected = TorchEngine(model, pairs, _grid(7), "cpu").logits(codes, 40)
        for module in ("gpu_engine", "gpu_heads"):
            monkeypatch.setattr(f"tfimpute_tracks.engines.{module}._MAX_VALUES", 700)
        engine = TorchEngine(model, pairs, _grid(7), "cpu")
        np.testing.assert_allclose(engine.logits(codes, 40), expected, atol=2e-5)
        monkeypatch.undo()


def test_few_and_many_pairs_take_the_two_ways(tmp_path, rng, monkeypatch):
    model = make_model(tmp_path)
    codes = _codes(rng, 20, 9)
    folded = TorchEngine(model, EVERY, _grid(20), "cpu").logits(codes, 9)
    monkeypatch.setattr("tfimpute_tracks.engines.gpu_heads._MIX_COST", 0)
    mixed = TorchEngine(model, EVERY, _grid(20), "cpu").logits(codes, 9)
    np.testing.assert_allclose(mixed, folded, atol=2e-5)
    assert not np.array_equal(mixed, folded), "both went the same way"


def test_nothing_in_nothing_out_and_codes_are_left_alone(tmp_path, rng):
    engine = TorchEngine(make_model(tmp_path), EVERY, _grid(20), "cpu")
    nothing = np.empty(0, dtype=np.uint8)
    assert engine.logits(nothing, 0).shape == (0, len(EVERY))
    codes = _codes(rng, 20, 5)
    codes.flags.writeable = False
    np.testing.assert_array_equal(engine.logits(codes, 5), engine.logits(codes, 5))
    with pytest.raises(ValueError, match="5 tiles of 60 bp every 20 bp have 140"):
        engine.logits(codes[1:], 5)
