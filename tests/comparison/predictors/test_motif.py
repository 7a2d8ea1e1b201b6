"""Hits of matrices against adding up by hand, and names that find their matrices."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tfimpute_tracks.comparison.predictors.motif import (
    MotifPredictor,
    log_odds,
    strongest_hits,
)
from tfimpute_tracks.interpret.jaspar import find_matrices, load_matrices
from toys import make_dataset


@pytest.fixture(scope="module")
def matrices():
    return load_matrices()


def _naive(row, weights):
    best = np.nan
    for strand in (row, [4 if c == 4 else 3 - c for c in reversed(row)]):
        for first in range(len(row) - len(weights) + 1):
            word = strand[first : first + len(weights)]
            if 4 not in word:
                hit = sum(w[c] for w, c in zip(weights, word, strict=True))
                best = np.fmax(best, hit)
    return best


@settings(max_examples=30)
@given(st.integers(1, 9), st.integers(1, 12), st.integers(1, 80), st.integers(0, 999))
def test_the_strongest_hit_is_the_largest_sum(length, seq_len, n_sites, seed):
    rng = np.random.default_rng(seed)
    letters = [0.24, 0.24, 0.24, 0.24, 0.04]
    codes = rng.choice(5, (n_sites, seq_len), p=letters).astype(np.uint8)
    weights = rng.normal(size=(length, 4))
    expected = [_naive(row.tolist(), weights) for row in codes]
    np.testing.assert_allclose(strongest_hits(codes, weights), expected, rtol=1e-3)


def test_log_odds_of_equal_counts_are_zero():
    np.testing.assert_allclose(log_odds(np.full((3, 4), 5.0)), 0)
    odds = log_odds(np.array([[8.0, 0, 0, 0]]))
    assert odds[0, 0] == pytest.approx(np.log2(4 * 8.2 / 8.8))


@pytest.mark.parametrize(
    ("tf", "name"),
    [
        ("CTCF", "MA0139"),
        ("NRSF", "MA0138"),  # REST by a common alias
        ("GABPB1", "MA0062"),  # by its partner, which binds the DNA
        ("Spi1", "MA0080"),
        ("MYC", "MA0059"),  # with MAX
        ("TBP", "MA0108"),
    ],
)
def test_names_find_their_matrices(matrices, tf, name):
    assert name in {m.name.partition(".")[0] for m in find_matrices(tf, matrices)}


def test_cofactors_and_namesakes_have_no_matrix(matrices):
    for tf in ("EP300", "POLR2A", "RAD21", "TAF1", "no such TF"):
        assert find_matrices(tf, matrices) == []
    nrf1 = {m.name.partition(".")[0] for m in find_matrices("NRF1", matrices)}
    assert nrf1 == {"MA0506"}


def test_planted_sites_of_real_matrices_are_found(task, matrices, aurocs):
    codes = np.random.default_rng(5).integers(0, 4, task.dataset.codes.shape)
    labels = task.dataset.labels(np.arange(len(codes)))
    for tf, column in (("CTCF", 0), ("MAX", 8)):
        consensus = find_matrices(tf, matrices)[0].counts.argmax(axis=1)
        for row in np.flatnonzero(labels[:, column] == 1):
            place = row % (codes.shape[1] - len(consensus))
            codes[row, place : place + len(consensus)] = consensus
    dataset = dataclasses.replace(task.dataset, codes=codes.astype(np.uint8))
    found = aurocs(MotifPredictor(), dataclasses.replace(task, dataset=dataset))
    assert found[0] > 0.9
    assert np.isnan(found[1]), "EP300 has no matrix"
    assert found[2] > 0.8


def test_where_nothing_is_planted_nothing_is_found(aurocs, task):
    dataset = make_dataset(1500)
    codes = np.random.default_rng(2).integers(0, 4, dataset.codes.shape)
    dataset = dataclasses.replace(dataset, codes=codes.astype(np.uint8))
    found = aurocs(MotifPredictor(), dataclasses.replace(task, dataset=dataset))
    assert 0.4 < np.nanmean(found) < 0.6
