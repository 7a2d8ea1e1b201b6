"""FDR thresholds in cards have few digits, and still call the site they were read from."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tfimpute_tracks.evaluation.fdr_calibration import _rounded_down


@given(st.floats(-16, 16, width=32))
def test_a_threshold_is_rounded_down_to_five_digits(log_odds):
    score = np.float32(1 / (1 + np.exp(-np.float64(log_odds))))
    found = _rounded_down(score)
    assert found <= score
    # Its distance from 1 has five digits, too: near 1 scores are close to each other.
    smaller = min(float(score), 1 - float(score))
    assert float(score) - found <= 1.01e-4 * smaller


@pytest.mark.parametrize("score", [0.0, 0.5, 1.0])
def test_what_needs_no_digits_stays(score):
    assert _rounded_down(np.float32(score)) == score


def test_a_missing_threshold_stays_missing():
    assert np.isnan(_rounded_down(np.float32(np.nan)))
