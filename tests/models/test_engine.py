"""Engines and head against the plain network, tile by tile."""

import numpy as np
import pytest

from tfimpute_tracks.errors import DeviceError
from tfimpute_tracks.kernels.segments import segment_grid
from tfimpute_tracks.models.engine import LookupEngine, TorchEngine, pick_device
from tfimpute_tracks.models.head import Head
from toys import CONFIG, VOCABULARY, make_model


@pytest.mark.parametrize("stride", [1, 7, 20, 60, 75])
@pytest.mark.parametrize(
    "engine", ["lookup", "cpu", pytest.param("cuda:0", marks=pytest.mark.gpu)]
)
def test_engine_and_head_give_the_network_s_scores(tmp_path, rng, engine, stride):
    model = make_model(tmp_path)
    n_tiles = 9
    codes = rng.integers(0, 5, (n_tiles - 1) * stride + CONFIG.seq_len).astype(np.uint8)
    grid = segment_grid(CONFIG.seq_len, CONFIG.filter_length, CONFIG.pool, stride)
    made = LookupEngine(model) if engine == "lookup" else TorchEngine(model, engine)
    forward, reverse = made.windows(codes, grid, n_tiles)
    every = VOCABULARY.all_pairs()
    tiles = np.stack([codes[i * stride :][: CONFIG.seq_len] for i in range(n_tiles)])
    expected = model.predict(tiles, every)
    for pairs in (every[:1], every):
        head = Head(model, pairs)
        logits = np.maximum(head.logits(forward), head.logits(reverse))
        scores = 1 / (1 + np.exp(-logits))
        np.testing.assert_allclose(scores, expected[:, : len(pairs)], atol=2e-6)


def test_few_and_many_pairs_take_the_two_ways(tmp_path):
    model = make_model(tmp_path)
    m = np.random.default_rng(0).random((50, CONFIG.n_windows, CONFIG.n_filters))
    m = m.astype(np.float32)
    every = VOCABULARY.all_pairs()
    together = Head(model, every).logits(m)
    alone = np.concatenate([Head(model, [pair]).logits(m) for pair in every], axis=1)
    np.testing.assert_allclose(together, alone, atol=1e-5)


def test_the_engine_leaves_what_it_is_given(tmp_path, rng):
    model = make_model(tmp_path)
    codes = rng.integers(0, 5, 200).astype(np.uint8)
    before = codes.copy()
    grid = segment_grid(CONFIG.seq_len, CONFIG.filter_length, CONFIG.pool, 20)
    first = LookupEngine(model).windows(codes, grid, 5)
    second = LookupEngine(model).windows(codes, grid, 5)
    np.testing.assert_array_equal(codes, before)
    np.testing.assert_array_equal(first, second)


def test_devices_that_are_not_there_are_refused():
    assert pick_device("cpu") == "cpu"
    with pytest.raises(DeviceError, match="unknown device 'gpu'"):
        pick_device("gpu")
    with pytest.raises(DeviceError, match="'cuda:99' is not there"):
        pick_device("cuda:99")
