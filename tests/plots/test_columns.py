"""Signals are laid out so that no peak and no gap is lost."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tfimpute_tracks.errors import UsageError
from tfimpute_tracks.plots.columns import missing_spans, to_bars, to_steps

VALUES = st.one_of(st.just(np.nan), st.floats(-5, 5, width=32))


@given(
    st.lists(VALUES, min_size=1, max_size=60), st.integers(1, 80), st.integers(0, 30)
)
def test_every_step_holds_the_extremes_under_it(values, most, first):
    starts = 10 * np.arange(len(values), dtype=np.int64)
    values = np.array(values, dtype=np.float32)
    region = (first, first + 400)
    steps = to_steps(starts, starts + 10, values, region, most)
    assert len(steps.high) <= most or len(steps.high) <= len(values) + 2
    assert (steps.edges[0], steps.edges[-1]) == region
    for i, (left, right) in enumerate(
        zip(steps.edges[:-1], steps.edges[1:], strict=True)
    ):
        under = values[(starts < right) & (starts + 10 > left)]
        under = under[~np.isnan(under)]
        if len(under):
            assert steps.high[i] == under.max()
            assert steps.low[i] == under.min()
        else:
            assert np.isnan(steps.high[i])
    gaps = missing_spans(steps)
    assert (np.isnan(steps.high).any()) == (len(gaps) > 0)


def test_bars_are_wide_enough_to_see_and_do_not_touch():
    spans = np.array([[10, 11], [100, 300], [301, 302], [990, 2000]])
    bars = to_bars(spans, (0, 1000), 20)
    assert (bars[:, 1] - bars[:, 0] >= 10).all()
    assert (bars[1:, 0] > bars[:-1, 1]).all()
    assert bars.min() >= 0
    assert bars.max() <= 1000
    assert len(bars) == 3


def test_bins_that_overlap_are_refused():
    starts = np.array([0, 5])
    with pytest.raises(UsageError, match="overlap"):
        to_steps(starts, starts + 10, np.zeros(2, np.float32), (0, 20), 10)
    with pytest.raises(UsageError, match="one of each"):
        to_steps(starts, starts + 5, np.zeros(1, np.float32), (0, 20), 10)
