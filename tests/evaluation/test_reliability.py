"""Expected figures of pairs: features leave the pair itself out, intervals hold."""

import numpy as np
import pytest
from scipy.stats import spearmanr

from tfimpute_tracks.evaluation.reliability import (
    COVERAGE,
    FEATURES,
    TrainedPairs,
    check_expectation,
    fit_expectation,
    pair_features,
    seed_disagreement,
)
from tfimpute_tracks.models.expectation import from_scale, to_scale


@pytest.fixture
def trained():
    return TrainedPairs(
        np.array([0, 0, 1, 2]),
        np.array([0, 1, 1, 2]),
        np.array([0.9, 0.8, 0.7, np.nan]),
    )


@pytest.fixture
def features(trained):
    tfs = np.array([[1.0, 0], [0, 1], [1, 1]])
    cells = np.array([[1.0, 0], [1, 0.1], [0, 1], [-1, 0]])
    disagreement = np.arange(12, dtype=float).reshape(3, 4)
    made = pair_features(trained, tfs, cells, disagreement)
    return {name: made[:, :, i] for i, name in enumerate(FEATURES)}


def test_a_pair_s_own_figure_is_left_out(features):
    overall = (0.9 + 0.8 + 0.7) / 3
    np.testing.assert_allclose(features["tf_metric"][0], [0.8, 0.9, 0.85, 0.85])
    # TF 1 has the one pair: for itself it knows nothing, for others all.
    np.testing.assert_allclose(features["tf_metric"][1], [0.7, overall, 0.7, 0.7])
    np.testing.assert_allclose(features["tf_metric"][2], overall)
    # In cell line 1, TF 0 lies below its mean and TF 1 below the mean of all.
    below = np.array([0.8 - 0.9, 0.7 - overall])
    np.testing.assert_allclose(
        features["cell_metric"][:, 1], [below[1], below[0], below.mean()]
    )
    np.testing.assert_allclose(features["cell_metric"][:, 3], 0)


def test_data_sets_are_counted_without_the_pair_s_own(features):
    np.testing.assert_allclose(np.expm1(features["tf_data_sets"][0]), [1, 1, 2, 2])
    np.testing.assert_allclose(np.expm1(features["cell_data_sets"][:, 1]), [1, 1, 2])


def test_similarity_is_to_the_nearest_trained_other(features):
    near = 1 / np.sqrt(1.01)
    # TF 0 was trained in cell lines 0 and 1.
    np.testing.assert_allclose(
        features["cell_similarity"][0], [near, near, 0.1 / np.sqrt(1.01), -near]
    )
    # TF 2 was trained in cell line 2 only, which has no other to be like.
    assert features["cell_similarity"][2, 2] == -1
    half = np.sqrt(0.5)
    np.testing.assert_allclose(features["tf_similarity"][:, 1], [0, 0, half])
    assert (features["tf_similarity"][:, 3] == -1).all()
    assert features["disagreement"][2, 3] == 11


def test_disagreement_is_one_minus_spearman(rng):
    scores = [rng.normal(size=(50, 3)).astype(np.float32) for _ in range(3)]
    found = seed_disagreement(scores)
    for pair in range(3):
        twos = [
            spearmanr(scores[i][:, pair], scores[j][:, pair]).statistic
            for i, j in ((0, 1), (0, 2), (1, 2))
        ]
        assert found[pair] == pytest.approx(1 - np.mean(twos))
    assert seed_disagreement([scores[0], scores[0] * 3 - 1]) == pytest.approx(0)


def _world(rng, n):
    features = rng.normal(size=(n, len(FEATURES)))
    aurocs = 0.8 + 0.05 * features[:, 0] - 0.02 * features[:, 6]
    return features, aurocs + rng.normal(0, 0.02, n), rng.integers(0, 20, n)


def test_what_is_learned_orders_pairs_and_intervals_hold_them(rng):
    fitted = fit_expectation(*_world(rng, 150))
    features, aurocs, _ = _world(rng, 2000)
    expected, low, high = fitted.expect(features)
    assert spearmanr(expected, aurocs).statistic > 0.85
    inside = ((low <= aurocs) & (aurocs <= high)).mean()
    assert inside == pytest.approx(COVERAGE, abs=0.05)
    assert fitted.n_pairs == 150


@pytest.mark.parametrize("scale", ["error", "odds"])
def test_a_scale_keeps_what_is_expected_within_0_and_1(rng, scale):
    features, metric, tfs = _world(rng, 150)
    on_scale = 3 + 20 * (metric - metric.mean())
    fitted = fit_expectation(features, from_scale(on_scale, scale), tfs, scale)
    expected, low, high = fitted.expect(5 * features)
    assert ((low >= 0) & (low <= expected) & (expected <= high) & (high <= 1)).all()
    assert ((high - expected)[expected > 0.99] < 0.01).all()
    np.testing.assert_allclose(
        to_scale(from_scale(on_scale, scale), scale), on_scale.clip(to_scale(0, scale))
    )


def test_a_weight_counts_as_that_many_pairs(rng):
    features, metric, tfs = _world(rng, 60)
    times = rng.integers(1, 4, 60)
    weighted = fit_expectation(features, metric, tfs, weights=times.astype(float))
    repeated = fit_expectation(
        *(np.repeat(v, times, 0) for v in (features, metric, tfs))
    )
    np.testing.assert_allclose(weighted.weights, repeated.weights)
    assert weighted.margin == pytest.approx(repeated.margin)
    assert weighted.n_pairs == repeated.n_pairs == times.sum()


def test_pairs_without_a_figure_teach_nothing(rng):
    features, aurocs, tfs = _world(rng, 60)
    fitted = fit_expectation(features[:50], aurocs[:50], tfs[:50])
    aurocs[50:] = np.nan
    features[50:] = 1e6
    again = fit_expectation(features, aurocs, tfs)
    np.testing.assert_allclose(again.weights, fitted.weights)
    assert again.margin == pytest.approx(fitted.margin)


def test_too_few_pairs_are_refused(rng):
    features, aurocs, tfs = _world(rng, 9)
    with pytest.raises(ValueError, match="9 pairs of"):
        fit_expectation(features, aurocs, tfs)


@pytest.mark.parametrize(
    "truth", [[0.8], [0.8, 0.9], [0.8, 0.8, 0.8]], ids=["one", "two", "equal"]
)
def test_too_few_pairs_have_no_correlation_but_have_errors(truth):
    expected = np.linspace(0.7, 0.9, len(truth))
    found = check_expectation(expected, expected - 0.2, expected + 0.2, np.array(truth))
    assert (found["spearman"], found["p"], found["inside"]) == (None, None, 1.0)
    assert found["mean_error"] == pytest.approx(
        np.abs(expected - truth).mean(), abs=1e-4
    )


def test_a_correlation_of_pairs_has_a_p(rng):
    features, aurocs, tfs = _world(rng, 60)
    found = check_expectation(
        *fit_expectation(features, aurocs, tfs).expect(features), aurocs
    )
    assert found["spearman"] > 0.5
    assert 0 < found["p"] < 0.05
