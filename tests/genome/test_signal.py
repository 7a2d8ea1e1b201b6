"""Signals and bins say the same of a chromosome."""

from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tfimpute_tracks.genome.signal import Bins, Signal, equal_runs


def test_a_signal_knows_where_its_bins_are():
    signal = Signal("chr1", -10, 20, np.float32([0.5, np.nan, 1]))
    assert signal.starts.tolist() == [-10, 10, 30]
    assert signal.end == 50
    starts, ends, values = signal.bins()
    assert starts.dtype == ends.dtype == np.int64
    assert ends.tolist() == [10, 30, 50]
    assert values is signal.values
    assert not signal.bins().is_empty
    assert Bins(starts, ends, np.full(3, np.nan, np.float32)).is_empty


@given(st.lists(st.tuples(st.sampled_from([0, 0, 0, 5]), st.sampled_from([10, 20]))))
def test_runs_hold_each_bin_once_and_are_as_long_as_can_be(bins):
    gaps, widths = np.array(bins, dtype=np.int64).reshape(-1, 2).T
    ends = np.cumsum(gaps + widths)
    starts = ends - widths
    values = np.arange(len(bins), dtype=np.float32)
    runs = list(Bins(starts, ends, values).signals("chr1"))
    assert len(equal_runs(starts, ends)) == (len(runs) + 1 if runs else 0)
    for column, got in enumerate(zip(*(run.bins() for run in runs), strict=True)):
        np.testing.assert_array_equal(
            np.concatenate(got), (starts, ends, values)[column]
        )
    for one, other in pairwise(runs):
        assert one.end != other.start or one.step != other.step
