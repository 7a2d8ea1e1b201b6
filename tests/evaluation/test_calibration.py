"""Calibrated probabilities, and scores as thresholds."""

import numpy as np
import pytest
from scipy.special import expit, logit

from tfimpute_tracks.evaluation.calibration import (
    THRESHOLDS,
    Calibration,
    calibration_curve,
    calibration_error,
    fit_calibration,
    threshold_metrics,
)


def _drawn(rng, slope, intercept, priors, n=60_000):
    """Sites that are bound as often as a known calibration predicts."""
    scores = rng.normal(0, 2, (n, len(priors))).astype(np.float32)
    truth = Calibration(slope, intercept).probabilities(scores, priors)
    return scores, (rng.random(truth.shape) < truth).astype(np.int8), truth


def test_a_known_calibration_is_found_again(rng):
    priors = np.array([0.01, 0.05, 0.2])
    scores, labels, _ = _drawn(rng, 0.6, -0.8, priors)
    labels[rng.random(labels.shape) < 0.1] = -1
    found = fit_calibration(scores, labels, priors)
    assert found.slope == pytest.approx(0.6, abs=0.03)
    assert found.intercept == pytest.approx(-0.8, abs=0.06)


def test_the_prior_moves_probabilities_as_bayes_says():
    probabilities = Calibration(1, 0).probabilities(
        np.array([[0.0, 0.0]], dtype=np.float32), np.array([0.5, 0.02])
    )
    np.testing.assert_allclose(probabilities, [[0.5, 0.02]])
    odds = Calibration(1, 0).probabilities(
        np.array([[1.5]], dtype=np.float32), np.array([0.02])
    )
    np.testing.assert_allclose(logit(odds), 1.5 + logit(0.02), rtol=1e-6)


def test_the_error_is_small_for_right_probabilities_and_large_for_wrong_ones(rng):
    priors = np.array([0.05, 0.3])
    scores, labels, truth = _drawn(rng, 1.0, 0.0, priors)
    assert calibration_error(truth, labels) < 0.005
    assert calibration_error(expit(scores.astype(float)), labels) > 0.1


def test_the_curve_counts_each_labeled_site_once():
    probabilities = np.array([[0.05, 0.95], [0.06, 1.0], [0.5, 0.0]])
    labels = np.array([[0, 1], [1, 1], [-1, 0]], dtype=np.int8)
    curve = calibration_curve(probabilities, labels, 10)
    assert curve["sites"].tolist() == [3, 2]
    assert curve["observed"].tolist() == [pytest.approx(1 / 3), 1.0]
    assert curve["predicted"].tolist() == [pytest.approx(0.11 / 3), 0.975]
    assert calibration_error(probabilities, labels, 10) == pytest.approx(
        (abs(0.11 / 3 - 1 / 3) * 3 + 0.025 * 2) / 5
    )


def test_sites_of_one_class_are_refused():
    with pytest.raises(ValueError, match="bound and unbound sites"):
        fit_calibration(
            np.zeros((3, 1), np.float32), np.zeros((3, 1), np.int8), np.array([0.1])
        )


def test_thresholds_count_what_is_called():
    scores = np.array([[0.95, 0.2], [0.6, 0.97], [0.1, 0.98]], dtype=np.float32)
    labels = np.array([[1, 0], [0, -1], [1, 1]], dtype=np.int8)
    table = threshold_metrics(
        scores, labels, {"both": np.array([0, 1]), "none": np.array([1])}
    )
    assert len(table) == 2 * len(THRESHOLDS)
    row = table[(table.group == "both") & (table.threshold == 0.5)].iloc[0]
    assert (row.pairs, row.called) == (2, 3)
    assert (row.precision, row.recall) == (pytest.approx(2 / 3), pytest.approx(2 / 3))
    assert (row.f1, row.fdr) == (pytest.approx(2 / 3), pytest.approx(1 / 3))
    last = table[(table.group == "both") & (table.threshold == 0.99)].iloc[0]
    assert last.called == 0
    assert np.isnan(last.precision)
    assert last.recall == 0
    assert np.isnan(last.f1)
