"""What a track holds follows from log-odds, is finite, and keeps what is missing."""

import typing

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from tfimpute_tracks.commands import options
from tfimpute_tracks.errors import UsageError
from tfimpute_tracks.kernels.products import sigmoid
from tfimpute_tracks.models.calibration import PairCalibration
from tfimpute_tracks.tracks.record import MAX_ZOOMS
from tfimpute_tracks.tracks.signals import (
    MAX_LOG_ODDS,
    SIGNALS,
    SignalName,
    logits_to_signal,
    mean_probability,
    shared_axis,
)
from tfimpute_tracks.vocabulary import Pair

LOGITS = arrays.arrays(
    np.float32,
    st.integers(1, 30),
    elements=st.floats(-100, 100, width=32)
    | st.sampled_from([np.nan, np.inf, -np.inf]),
)


@given(LOGITS, st.sampled_from(sorted(SIGNALS)))
def test_values_are_finite_and_nan_stays_nan(logits, signal):
    mean = np.where(np.isnan(logits), np.nan, 0.25).astype(np.float32)
    values = logits_to_signal(signal, logits, mean, (0.7, -3.5))
    assert values.dtype == np.float32
    np.testing.assert_array_equal(np.isnan(values), np.isnan(logits))
    low, high = SIGNALS[signal].limits
    if signal == "log-odds":
        low, high = -MAX_LOG_ODDS, MAX_LOG_ODDS
    known = values[~np.isnan(values)]
    assert ((known >= low) & (known <= high)).all()


def test_log_odds_discriminate_what_probabilities_cannot():
    logits = np.array([17, 18, 19, -25], dtype=np.float32)
    assert (sigmoid(logits[:3]) == 1).all()
    drawn = logits_to_signal("log-odds", logits)
    assert drawn.tolist() == [17, 18, 19, -MAX_LOG_ODDS]


def test_specificity_is_what_exceeds_the_mean():
    logits = np.array([[0, 2], [-1, -1]], dtype=np.float32)
    mean = mean_probability(logits)
    np.testing.assert_allclose(mean, sigmoid(logits).mean(axis=1), rtol=1e-6)
    drawn = [logits_to_signal("specificity", column, mean) for column in logits.T]
    np.testing.assert_allclose(np.sum(drawn, axis=0), 0, atol=1e-7)
    assert drawn[1][0] > 0 > drawn[0][0]
    assert drawn[0][1] == 0


def test_a_mean_does_not_depend_on_the_tiles_around_it(rng):
    logits = rng.normal(size=(1000, 91)).astype(np.float32)
    whole = mean_probability(logits)
    for first, last in ((0, 1), (3, 500), (500, 1000)):
        np.testing.assert_array_equal(
            mean_probability(logits[first:last]), whole[first:last]
        )


def test_the_score_is_the_probability_before_calibration():
    logits = np.array([-4, -2, -0.5], dtype=np.float32)
    drawn = logits_to_signal("score", logits, calibration=PairCalibration(0.5, -2.0))
    np.testing.assert_allclose(
        np.log(drawn / (1 - drawn)), [-4, 0, 3], rtol=1e-5, atol=1e-6
    )


@pytest.mark.parametrize("signal", ["specificity", "score", "odds"])
def test_unknown_signals_and_what_is_missing_are_refused(signal):
    with pytest.raises(UsageError, match="there are probability, score, log-odds"):
        logits_to_signal(signal, np.zeros(3, np.float32))


def test_rounding_cannot_be_seen():
    """Half of the last digit is a 25th of a pixel of a hundred, or less."""
    for kind in SIGNALS.values():
        for highest in (0.001, 0.07, 1):  # on each axis that it can have
            low, high = kind.axis(highest)
            assert 0.5 * 10**-kind.decimals / (high - low) * 100 < 0.04


def test_tracks_share_an_axis_that_fits_their_peaks():
    assert shared_axis("probability", [0.01, 0.04]) == (0, 0.2)
    assert shared_axis("probability", [0.6, 0.001]) == (0, 1)
    assert shared_axis("probability", []) == (0, 1)
    assert shared_axis("specificity", [0.08]) == (-0.5, 0.5)
    for name in ("score", "log-odds"):
        assert shared_axis(name, [0.01]) == SIGNALS[name].limits


def test_each_signal_has_files_of_its_own():
    stems = [kind.stem(Pair("CTCF", "K562")) for kind in SIGNALS.values()]
    assert stems == [
        "CTCF.K562",
        "CTCF.K562.score",
        "CTCF.K562.log-odds",
        "CTCF.K562.specificity",
    ]
    columns = [kind.column for kind in SIGNALS.values()]
    assert columns == ["probability", "score", "log_odds", "specificity"]


def test_the_command_line_offers_just_these():
    choice, about = typing.get_args(options.Signal)[:2]
    assert typing.get_args(choice) == typing.get_args(SignalName) == tuple(SIGNALS)
    assert typing.get_args(options.MaxZooms)[1].max == MAX_ZOOMS
    assert about.help
