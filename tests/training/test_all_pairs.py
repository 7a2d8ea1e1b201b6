"""Thresholds and FDR levels of every pair, against the plain model, in any grouping."""

import numpy as np
import pytest
from scipy.special import expit, logit

from tfimpute_tracks.evaluation.fdr import MIN_SITES
from tfimpute_tracks.training.all_pairs import (
    AllPairs,
    _in_few_bits,
    expected_count_thresholds,
    log_odds,
    quantile_thresholds,
)
from toys import make_dataset, make_model

FEW = 900 * 3  # scores in memory: those of one cell line at a time


@pytest.fixture
def model(tmp_path):
    return make_model(tmp_path)


@pytest.fixture
def dataset():
    return make_dataset()


def _probabilities(model, dataset):
    found = model.predict(dataset.codes, model.vocabulary.all_pairs())
    return found.reshape(-1, len(model.tfs), len(model.cells))


@pytest.mark.parametrize("max_logits", [1, FEW, 1 << 26])
def test_reached_levels_are_counted_for_every_pair(model, dataset, max_logits):
    thresholds = np.linspace(-8, 8, 12, dtype=np.float32).reshape(3, 4)
    shifts = {"0.05": None, "0.1": 3.0, "0.25": 1.0, "0.5": -2.0}
    every = AllPairs(model, dataset, np.arange(900), max_logits)
    found = every.levels_reached(thresholds, shifts, MIN_SITES, lambda _: None)
    wanted = expit(thresholds[..., None] + np.array([-2.0, 1.0, 3.0]))
    enough = _probabilities(model, dataset)[..., None] >= wanted
    expected = (enough.sum(axis=0) >= MIN_SITES).sum(axis=-1)
    assert [found[tf] for tf in model.tfs] == [
        "".join(map(str, row)) for row in expected
    ]
    assert len(set("".join(found.values()))) > 1
    none = every.levels_reached(
        thresholds, dict.fromkeys(shifts), MIN_SITES, lambda _: None
    )
    assert set(none.values()) == {"0000"}


@pytest.mark.parametrize("max_logits", [1, FEW, 1 << 26])
def test_a_fraction_of_the_sites_exceeds_a_threshold(model, dataset, max_logits):
    rows = np.arange(0, 900, 3)
    fractions, done = np.array([0.1, 0.02, 0.3]), []
    every = AllPairs(model, dataset, rows, max_logits)
    found = every.thresholds(quantile_thresholds(fractions), done.append)
    assert sum(done) == 4
    assert found.dtype == np.float32
    above = (_probabilities(model, dataset)[rows] > found).mean(axis=0)
    np.testing.assert_allclose(above, np.repeat(fractions[:, None], 4, 1), atol=0.007)


def test_as_many_sites_reach_a_threshold_as_are_expected_to_be_bound(rng):
    probabilities = rng.random((500, 2, 3)) ** 4
    probabilities[:, 1, 2] = 1e-5  # none is expected; one site reaches it all the same
    found = expected_count_thresholds(logit(probabilities).astype(np.float32))
    reached = (expit(logit(probabilities).astype(np.float32)) >= found - 1e-7).sum(0)
    expected = np.maximum(probabilities.sum(axis=0).round(), 1)
    assert reached[1, 2] == 500  # all are equal
    reached[1, 2] = 1
    np.testing.assert_array_equal(reached, expected)


def test_log_odds_are_finite():
    found = log_odds(np.array([0, 0.25, 1], dtype=np.float32))
    assert np.isfinite(found).all()
    assert found[1] == pytest.approx(np.log(1 / 3))


def test_thresholds_of_few_bits_are_not_higher_and_keep_their_distance_from_1(rng):
    log_odds = np.concatenate([rng.normal(0, 6, 500), np.linspace(-14, 14, 99)])
    given = expit(np.clip(log_odds, -14, 14)).astype(np.float32)
    found = _in_few_bits(given)
    assert (found <= given).all()
    assert (found < 1).all()
    shift = logit(given.astype(float)) - logit(found.astype(float))
    # Near 1 the numbers of float32 are far apart, too.
    assert shift[given < 0.999].max() < 1e-3
    assert shift.max() < 0.2
    np.testing.assert_array_equal(_in_few_bits(np.float32([0, 0.5, 1])), [0, 0.5, 1])
