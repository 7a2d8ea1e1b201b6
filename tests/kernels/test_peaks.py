"""Peaks against their slow twin, and the cases one can see by eye."""

from __future__ import annotations

import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import naive_peaks
from tfimpute_tracks.errors import UsageError
from tfimpute_tracks.kernels.peaks import Peaks, call_peaks

NAN = float("nan")


def call(scores, starts=None, span=10, threshold=0.5, max_gap=0):
    starts = np.arange(len(scores)) * 10 if starts is None else np.asarray(starts)
    return call_peaks(
        starts.astype(np.int64), np.float32(scores), span, threshold, max_gap
    )


def rows(peaks):
    return list(zip(*(column.tolist() for column in peaks), strict=True))


# Few values, so that ties and runs are common.
SCORES = st.sampled_from([0.0, 0.25, 0.5, 0.75, 1.0, NAN])
TILES = st.lists(st.tuples(st.sampled_from([0, 0, 0, 0, 1, 3, 15]), SCORES))


def laid_out(tiles, span):
    """Starts and scores of tiles given as (bp left empty before it, score)."""
    holes = np.array([hole for hole, _ in tiles], dtype=np.int64)
    scores = np.array([score for _, score in tiles], dtype=np.float32)
    return np.cumsum(holes + span), scores


@given(
    TILES,
    st.integers(1, 12),
    st.sampled_from([0.0, 0.3, 0.5, 0.75, 1.1]),
    st.integers(0, 40),
)
def test_equals_the_slow_twin(tiles, span, threshold, max_gap):
    starts, scores = laid_out(tiles, span)
    peaks = call_peaks(starts, scores, span, threshold, max_gap)
    assert rows(peaks) == naive_peaks.call_peaks(
        starts.tolist(), scores.tolist(), span, threshold, max_gap
    )


@given(TILES, st.integers(0, 40))
def test_peaks_are_ordered_and_hold_their_summits(tiles, max_gap):
    starts, scores = laid_out(tiles, 5)
    peaks = call_peaks(starts, scores, 5, 0.5, max_gap)
    assert (peaks.start <= peaks.summit).all()
    assert (peaks.summit < peaks.end).all()
    assert (peaks.score >= 0.5).all()
    assert (peaks.start[1:] > peaks.end[:-1]).all()


def test_one_run_of_tiles_is_one_peak():
    assert rows(call([0, 0.5, 1, 0.75, 0])) == [(10, 40, 25, 1.0)]


def test_threshold_is_inclusive():
    assert len(call([0.49, 0.5]).start) == 1


@pytest.mark.parametrize(("max_gap", "n_peaks"), [(0, 2), (19, 2), (20, 1), (99, 1)])
def test_low_tiles_join_up_to_max_gap(max_gap, n_peaks):
    assert len(call([1, 0, 0, 1], max_gap=max_gap).start) == n_peaks


def test_missing_tile_splits_whatever_the_gap():
    assert rows(call([1, NAN, 1], max_gap=1000)) == [(0, 10, 5, 1), (20, 30, 25, 1)]


def test_absent_tiles_split_like_missing_ones():
    peaks = call([1, 1], starts=[0, 20], max_gap=1000)
    assert rows(peaks) == [(0, 10, 5, 1), (20, 30, 25, 1)]


def test_first_of_equal_tiles_is_the_summit():
    assert call([0.5, 1, 0.5, 1]).summit.tolist() == [15]


def test_no_tile_and_no_high_tile():
    for peaks in (call([]), call([0, 0.1, NAN])):
        assert rows(peaks) == []
        assert [column.dtype for column in peaks] == [np.int64] * 3 + [np.float32]


def test_result_is_named():
    assert isinstance(call([1]), Peaks)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"starts": [0, 10]}, "one start and one score per tile"),
        ({"span": 0}, "span 0"),
        ({"max_gap": -1}, "max_gap -1"),
        ({"threshold": NAN}, "threshold nan"),
        ({"starts": [0, 20, 10]}, "tile 1 starts at 20, tile 2 at 10"),
        ({"starts": [0, 9, 19]}, "drawn over 10 bp"),
    ],
)
def test_senseless_requests_are_refused(change, words):
    with pytest.raises(UsageError, match=words):
        call([1, 1, 1], **change)


def test_three_million_tiles_in_a_second(rng):
    scores = rng.random(3_000_000, dtype=np.float32)
    scores[rng.random(len(scores)) < 0.01] = np.nan
    begun = time.process_time()
    peaks = call(scores, threshold=0.9, max_gap=20)
    assert time.process_time() - begun < 2
    assert len(peaks.start) > 10_000
