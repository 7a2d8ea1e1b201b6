"""The CPU engine and the head against the plain network, tile by tile."""

import os
import subprocess
import sys

import numpy as np
import pytest

from tfimpute_tracks.engines import engine, head
from tfimpute_tracks.engines.cpu_engine import LookupEngine, pick_head
from tfimpute_tracks.engines.engine import open_engine, pick_device
from tfimpute_tracks.engines.head import GatedHead, pair_gates
from tfimpute_tracks.engines.tile_grid import tile_grid
from tfimpute_tracks.engines.trunk import MotifTrunk
from tfimpute_tracks.errors import DeviceError
from toys import CONFIG, VOCABULARY, make_model

EVERY = VOCABULARY.all_pairs()


def _grid(stride):
    return tile_grid(CONFIG, stride).base


def _letters(rng, n_tiles, stride, unknown=0.05):
    codes = rng.integers(0, 4, (n_tiles - 1) * stride + CONFIG.seq_len)
    codes[rng.random(codes.size) < unknown] = 4
    return codes.astype(np.uint8)


def _probabilities(logits):
    return 1 / (1 + np.exp(-logits))


@pytest.mark.parametrize("stride", [1, 7, 20, 60, 75])
@pytest.mark.parametrize("fast", [False, True])
def test_the_engine_gives_the_network_s_scores(tmp_path, rng, stride, fast):
    model, n_tiles = make_model(tmp_path), 9
    codes = _letters(rng, n_tiles, stride)
    tiles = np.stack([codes[i * stride :][: CONFIG.seq_len] for i in range(n_tiles)])
    for pairs in (EVERY[:1], EVERY):
        made = open_engine(model, pairs, _grid(stride), "cpu", fast)
        scores = _probabilities(made.logits(codes, n_tiles))
        expected = model.predict(tiles, pairs)
        np.testing.assert_allclose(scores, expected, atol=2e-3 if fast else 2e-6)


def test_few_and_many_pairs_take_the_two_ways(tmp_path, rng, monkeypatch):
    model, n_tiles = make_model(tmp_path), 40
    codes = _letters(rng, n_tiles, 20)
    folding = LookupEngine(model, EVERY, _grid(20)).logits(codes, n_tiles)
    monkeypatch.setattr(head, "_MIX_COST", -(10**6))
    sharing = LookupEngine(model, EVERY, _grid(20)).logits(codes, n_tiles)
    assert not np.array_equal(folding, sharing)
    np.testing.assert_allclose(folding, sharing, atol=1e-5)
    # In pieces of one tile, for want of room, nothing changes.
    monkeypatch.setattr(head, "_MAX_VALUES", 1)
    pieces = LookupEngine(model, EVERY, _grid(20)).logits(codes, n_tiles)
    np.testing.assert_array_equal(pieces, sharing)


def test_many_pairs_are_shared_where_that_costs_less(tmp_path):
    model = make_model(tmp_path)
    shared, folded = EVERY * 40, EVERY[:1]
    trunk = MotifTrunk(model, _grid(20))
    heads = [pick_head(model, pairs, trunk) for pairs in (shared, folded)]
    assert [head._layers is None for head in heads] == [True, False]


def test_very_many_pairs_have_the_same_bits_as_many(tmp_path, monkeypatch):
    model = make_model(tmp_path)
    trunk = MotifTrunk(model, _grid(20))
    pairs = EVERY * (4096 // len(EVERY) + 1)
    leading = pick_head(model, pairs, trunk)
    few = pick_head(model, pairs[:4000], trunk)
    monkeypatch.setattr(head, "_MIN_LEADING_PAIRS", len(pairs) + 1)
    shared = pick_head(model, pairs, trunk)
    heads = (leading, few, shared)
    assert [one._panels is None for one in heads] == [False, True, True]
    windows = trunk.probe()
    found, expected = leading.logits(windows), shared.logits(windows)
    np.testing.assert_array_equal(found, expected)
    # In pieces of one tile, for want of room, nothing changes.
    monkeypatch.setattr(head, "_MAX_VALUES", 1)
    np.testing.assert_array_equal(leading.logits(windows), expected)


def test_segments_are_made_in_pieces_without_a_seam(tmp_path, rng, monkeypatch):
    model, n_tiles = make_model(tmp_path), 30
    codes = _letters(rng, n_tiles, 20)
    whole = LookupEngine(model, EVERY, _grid(20)).trunk.features(codes, n_tiles)
    monkeypatch.setattr("tfimpute_tracks.engines.trunk._BUFFER_BYTES", 1)
    pieces = LookupEngine(model, EVERY, _grid(20)).trunk.features(codes, n_tiles)
    for a, b in zip(whole, pieces, strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.slow
def test_trunks_in_several_threads_build_their_tables_in_turn():
    """Numba aborts the process where two threads run its parallel kernels at once."""
    code = """
from concurrent.futures import ThreadPoolExecutor
import numpy as np
from tfimpute_tracks.engines.tile_grid import tile_grid
from tfimpute_tracks.engines.trunk import MotifTrunk
from tfimpute_tracks.models import load_model
model = load_model("default")
grid = tile_grid(model.config, 100).base
codes = np.random.default_rng(0).integers(0, 4, 1100).astype(np.uint8)
trunks = [MotifTrunk(model, grid) for _ in range(24)]
with ThreadPoolExecutor(8) as pool:
    found = list(pool.map(lambda trunk: trunk.features(codes, 10), trunks))
assert all(np.array_equal(one.values, found[0].values) for one in found)
"""
    # The layer of numba that is always there.
    environment = os.environ | {"NUMBA_THREADING_LAYER": "workqueue"}
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_what_is_unknown_is_not_computed_and_changes_no_neighbor(tmp_path, rng):
    model, n_tiles, stride = make_model(tmp_path), 60, 20
    codes = _letters(rng, n_tiles, stride, unknown=0)
    codes[400:800] = 4
    made = LookupEngine(model, EVERY[:2], _grid(stride))
    features = made.trunk.features(codes, n_tiles)
    sizes = np.diff(features.offsets).reshape(-1, 2).sum(axis=1)  # per segment
    last, first = 18, 39  # the tiles beside the gap that are known
    grid = _grid(stride)
    behind = last * grid.borders.size + grid.segments_per_tile
    assert (sizes[behind : first * grid.borders.size] == 0).all()
    assert np.count_nonzero(sizes) > 70
    scores = _probabilities(made.logits(codes, n_tiles))
    tiles = np.lib.stride_tricks.sliding_window_view(codes, CONFIG.seq_len)[::stride]
    known = (tiles == 4).sum(axis=1) * 2 <= CONFIG.seq_len
    expected = model.predict(np.ascontiguousarray(tiles), EVERY[:2])
    np.testing.assert_allclose(scores[known], expected[known], atol=2e-6)


def test_the_engine_leaves_what_it_is_given(tmp_path, rng):
    model = make_model(tmp_path)
    codes = _letters(rng, 5, 20)
    before = codes.copy()
    made = LookupEngine(model, EVERY, _grid(20))
    first, second = made.logits(codes, 5), made.logits(codes, 5)
    np.testing.assert_array_equal(codes, before)
    np.testing.assert_array_equal(first, second)


def test_the_trunk_s_digest_covers_what_features_depend_on(tmp_path):
    model = make_model(tmp_path)

    def digest(pairs=EVERY, stride=20, fast=False, model=model):
        return LookupEngine(model, pairs, _grid(stride), fast).trunk.digest

    assert digest() == digest(pairs=EVERY[:1])
    other = make_model(tmp_path, seed=5)
    assert (
        len({digest(), digest(stride=10), digest(fast=True), digest(model=other)}) == 4
    )


def test_gates_are_the_network_s(tmp_path):
    model = make_model(tmp_path)
    gates = pair_gates(model, EVERY)
    network = model.network()
    import torch

    indices = torch.tensor(model.vocabulary.pair_indices(EVERY))
    with torch.no_grad():
        expected = network.gates(indices[:, 0], indices[:, 1]).numpy()
    np.testing.assert_allclose(gates, expected, atol=1e-6)
    assert GatedHead(model, EVERY, lambda: None)._layers is not None


def test_devices_that_are_not_there_are_refused():
    assert pick_device("cpu") == "cpu"
    with pytest.raises(DeviceError, match="unknown device 'gpu'"):
        pick_device("gpu")
    with pytest.raises(DeviceError, match="no device 'cuda:99'"):
        pick_device("cuda:99")
    for odd in ("cuda:\u00b2", "cuda:-1", "cuda:" + "9" * 5000):
        with pytest.raises(DeviceError):
            pick_device(odd)


def test_auto_asks_pytorch_only_where_there_is_a_driver(monkeypatch, tmp_path):
    monkeypatch.setattr(engine, "_DRIVERS", (tmp_path / "none",))
    monkeypatch.setitem(__import__("sys").modules, "torch", None)
    assert pick_device("auto") == "cpu"
