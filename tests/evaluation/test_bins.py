"""Bins against plain loops over their bases, peaks and tiles."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tfimpute_tracks.evaluation.bins import (
    bin_labels,
    bin_tiles,
    known_bins,
    update_bins,
)
from tfimpute_tracks.evaluation.metrics import pair_metrics, role_means
from tfimpute_tracks.vocabulary import Pair


@given(st.lists(st.integers(0, 4), max_size=40), st.integers(1, 12))
def test_bins_mostly_n_are_not_known(codes, width):
    found = known_bins(np.array(codes, dtype=np.uint8), width)
    parts = [codes[i : i + width] for i in range(0, len(codes) - width + 1, width)]
    assert found.tolist() == [2 * part.count(4) <= width for part in parts]


@given(
    st.lists(st.tuples(st.integers(0, 300), st.integers(1, 60)), max_size=9),
    st.integers(1, 50),
)
def test_a_bin_is_bound_where_a_center_lies(peaks, width):
    start = np.array([first for first, _ in peaks], dtype=np.int64)
    end = np.array([first + length for first, length in peaks], dtype=np.int64)
    n_bins = 300 // width
    found = bin_labels(start, end, width, n_bins)
    centers = [(a + b) // 2 for a, b in zip(start, end, strict=True)]
    expected = [
        any(i * width <= center < (i + 1) * width for center in centers)
        for i in range(n_bins)
    ]
    assert found.tolist() == [int(value) for value in expected]


@pytest.mark.parametrize(
    ("width", "centered"), [(300, True), (399, True), (400, False), (1000, False)]
)
def test_narrow_bins_have_one_tile_and_wide_ones_several(width, centered):
    run = bin_tiles(width, 200, 100)
    assert run.centered == centered
    assert run.stride == (width if centered else 100)
    if centered:
        assert run.first + 100 == width // 2


@given(
    st.integers(5, 70),
    st.integers(4, 25),
    st.integers(1, 9),
    st.integers(0, 2**32 - 1),
)
def test_bins_have_the_scores_of_their_tiles(width, tile, pool, seed):
    rng = np.random.default_rng(seed)
    run = bin_tiles(width, tile, pool)
    size = 400
    first = run.first if run.first >= 0 else run.first + run.stride
    start = np.arange(first, size - tile + 1, run.stride)
    scores = rng.normal(size=(len(start), 2)).astype(np.float32)
    scores[rng.random(len(start)) < 0.2] = np.nan
    best = np.full((size // width, 2), np.nan, dtype=np.float32)
    half = len(start) // 2  # blocks of a scan may meet inside a bin
    update_bins(best, run, start[:half], scores[:half])
    update_bins(best, run, start[half:], scores[half:])
    for i in range(len(best)):
        low, high = i * width, (i + 1) * width
        if width < 2 * tile:
            own = start + tile // 2 == low + width // 2
            assert own.sum() <= 1
        else:
            own = (start >= low) & (start + tile <= high)
        for pair in range(2):
            values = scores[own, pair]
            values = values[~np.isnan(values)]
            if len(values):
                assert best[i, pair] == values.max()
            else:
                assert np.isnan(best[i, pair])


def test_metrics_of_bins_list_pairs_without_a_bound_bin(rng):
    labels = (rng.random((400, 3)) < 0.1).astype(np.int8)
    labels[:, 1] = 0
    scores = (rng.normal(size=labels.shape) + 2 * labels).astype(np.float32)
    pairs = [Pair("A", "x"), Pair("B", "x"), Pair("C", "x")]
    roles = ["base", "base", "test3"]
    table = pair_metrics(pairs, roles, {"model": scores}, labels, unit="bin")
    told = role_means(table)
    assert told["base"]["unscored"] == ["B:x"]
    assert table["unscored"].tolist() == ["", "no bound bin", ""]
    assert told["base"]["pairs"] == 1
    assert told["base"]["auroc"] == pytest.approx(table["auroc"][0])
    assert told["test3"]["prior"] == pytest.approx(labels[:, 2].mean())
    alone = role_means(table.iloc[1:2])
    assert alone["base"]["auroc"] is None
    json.dumps([told, alone], allow_nan=False)
