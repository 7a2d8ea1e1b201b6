"""Rows of overlapping tiles through residual blocks, against the plain network."""

from dataclasses import replace

import numpy as np
import pytest

from tfimpute_tracks.engines.cpu_engine import LookupEngine
from tfimpute_tracks.engines.residual_rows import ResidualRows
from tfimpute_tracks.kernels.products import sigmoid
from tfimpute_tracks.kernels.segments import segment_grid
from toys import DEEP, VOCABULARY, make_model

EVERY = VOCABULARY.all_pairs()
COUNTS = [5, 0, 30, 1, 7]


def _stretches(rng, config, stride):
    lengths = [(n - 1) * stride + config.seq_len if n else 0 for n in COUNTS]
    stretches = [rng.integers(0, 4, n).astype(np.uint8) for n in lengths]
    stretches[2][40:90] = 4
    tiles = [
        codes[i * stride :][: config.seq_len]
        for codes, n in zip(stretches, COUNTS, strict=True)
        for i in range(n)
    ]
    return stretches, np.array(tiles)


@pytest.mark.parametrize("stride", [1, 4, 5, 10, 20])
# Blocks that change every window of a tile for its ends, too.
@pytest.mark.parametrize("blocks", [1, 2, 4])
def test_scores_are_those_of_the_network(tmp_path, rng, stride, blocks):
    model = make_model(tmp_path, config=replace(DEEP, blocks=blocks))
    stretches, tiles = _stretches(rng, model.config, stride)
    logits = ResidualRows(model, EVERY, stride).logits(stretches, COUNTS)
    known = (tiles == 4).sum(axis=1) * 2 <= model.config.seq_len
    assert not known.all()
    expected = model.predict(tiles, EVERY)
    np.testing.assert_allclose(sigmoid(logits)[known], expected[known], atol=2e-6)


def test_a_score_does_not_depend_on_its_company(tmp_path, rng):
    model = make_model(tmp_path, config=DEEP)
    stretches, tiles = _stretches(rng, model.config, 5)
    rows = ResidualRows(model, EVERY, 5)
    together = rows.logits(stretches, COUNTS)
    alone = [
        rows.logits([codes], [n])
        for codes, n in zip(stretches, COUNTS, strict=True)
        if n
    ]
    known = (tiles == 4).sum(axis=1) * 2 <= model.config.seq_len
    np.testing.assert_array_equal(together[known], np.concatenate(alone)[known])


@pytest.mark.parametrize("stride", [4, 5, 10, 20])
def test_a_scan_shares_rows_where_tiles_have_windows_in_common(tmp_path, rng, stride):
    model = make_model(tmp_path, config=DEEP)
    config = model.config
    grid = segment_grid(config.seq_len, config.filter_length, config.pool, stride)
    engine = LookupEngine(model, EVERY, grid)
    codes = rng.integers(0, 4, 400 * stride).astype(np.uint8)
    n_tiles = (len(codes) - config.seq_len) // stride + 1
    found = engine.logits(codes, n_tiles)
    tiles = [codes[i * stride :][: config.seq_len] for i in range(n_tiles)]
    expected = model.predict(np.array(tiles), EVERY)
    np.testing.assert_allclose(sigmoid(found), expected, atol=2e-6)
    # The same bits, however a chromosome is cut.
    part = engine.logits(codes[7 * stride :], n_tiles - 7)
    np.testing.assert_array_equal(part, found[7:])
