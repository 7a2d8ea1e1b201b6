"""Cover of intervals against its slow twin, and the cases one can see by eye."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import naive_coverage
from tfimpute_tracks.errors import UsageError
from tfimpute_tracks.kernels.coverage import Coverage, window_coverage


def columns(peaks):
    """Arrays of peaks given as (start, end, track), and the length of the longest."""
    rows = np.array(sorted(peaks), dtype=np.int64).reshape(-1, 3)
    start, end, track = rows.T
    longest = int((end - start).max(initial=0))
    return start.copy(), end.copy(), track.astype(np.uint16), longest


def interval_coverage(starts, ends, tracks, longest, intervals, width):
    """Cover intervals that begin at given positions."""
    centers = intervals + width // 2
    found = window_coverage(starts, ends, tracks, longest, centers, (width,))
    return found._replace(fraction=found.fraction[:, 0])


def cover(peaks, intervals, width):
    return interval_coverage(*columns(peaks), np.array(intervals, np.int64), width)


def rows(coverage):
    entries = list(
        zip(coverage.track.tolist(), coverage.fraction.tolist(), strict=True)
    )
    edges = coverage.indptr.tolist()
    return [entries[a:b] for a, b in pairwise(edges)]


@st.composite
def peak_sets(draw):
    """Up to four tracks of disjoint peaks, some of which touch."""
    peaks = []
    for track in draw(st.lists(st.sampled_from([0, 1, 7, 65535]), unique=True)):
        at = draw(st.integers(-20, 20))
        for gap, length in draw(
            st.lists(st.tuples(st.integers(0, 12), st.integers(1, 25)), max_size=6)
        ):
            peaks.append((at + gap, at + gap + length, track))
            at += gap + length
    return peaks


STRETCHES = st.lists(st.integers(-40, 120), max_size=12).map(sorted)


@given(peak_sets(), STRETCHES, st.integers(1, 30))
def test_equals_the_reference(peaks, intervals, width):
    found = rows(cover(peaks, intervals, width))
    expected = naive_coverage.cover(peaks, intervals, width)
    assert [[track for track, _ in row] for row in found] == [
        [track for track, _ in row] for row in expected
    ]
    np.testing.assert_array_equal(
        np.float32([share for row in found for _, share in row]),
        np.float32([share for row in expected for _, share in row]),
    )


@given(peak_sets(), STRETCHES, st.integers(1, 30))
def test_shares_are_parts_and_tracks_ascend(peaks, intervals, width):
    coverage = cover(peaks, intervals, width)
    assert [c.dtype for c in coverage] == [np.int64, np.uint16, np.float32]
    assert len(coverage.indptr) == len(intervals) + 1
    assert ((coverage.fraction > 0) & (coverage.fraction <= 1)).all()
    for row in rows(coverage):
        tracks = [track for track, _ in row]
        assert tracks == sorted(set(tracks))


@given(peak_sets(), STRETCHES, st.integers(1, 30), st.integers(-1000, 1000))
def test_only_differences_of_places_count(peaks, intervals, width, shift):
    moved = [(start + shift, end + shift, track) for start, end, track in peaks]
    assert rows(cover(peaks, intervals, width)) == rows(
        cover(moved, [at + shift for at in intervals], width)
    )


@given(peak_sets(), STRETCHES, st.integers(1, 30), st.integers(0, 12))
def test_a_part_is_the_part_of_the_whole(peaks, intervals, width, cut):
    whole = rows(cover(peaks, intervals, width))
    assert whole[cut:] == rows(cover(peaks, intervals[cut:], width))
    assert whole[:cut] == rows(cover(peaks, intervals[:cut], width))


@given(peak_sets(), STRETCHES, st.integers(1, 30))
def test_leaving_tracks_out_is_as_if_they_were_not_there(peaks, intervals, width):
    kept = np.ones(65536, dtype=bool)
    kept[[1, 65535]] = False
    some = [peak for peak in peaks if kept[peak[2]]]
    assert rows(cover(peaks, intervals, width).of(kept)) == rows(
        cover(some, intervals, width)
    )


def test_two_peaks_of_a_track_in_one_interval_add_up():
    assert rows(cover([(0, 10, 3), (15, 20, 3)], [5], 20)) == [[(3, 0.5)]]


def test_a_peak_that_touches_covers_nothing():
    assert rows(cover([(0, 10, 0), (20, 30, 0)], [10], 10)) == [[]]


def test_a_long_peak_behind_short_ones_is_found():
    peaks = [(0, 1000, 1), *((at, at + 1, 0) for at in range(1, 900, 3))]
    assert rows(cover(peaks, [990], 10)) == [[(1, 1.0)]]


def test_one_base_of_a_interval_counts():
    assert rows(cover([(0, 11, 0)], [10], 4)) == [[(0, 0.25)]]


def test_without_peaks_or_intervals():
    assert rows(cover([], [5, 6], 10)) == [[], []]
    assert rows(cover([(0, 10, 1)], [], 10)) == []


@pytest.mark.parametrize(
    ("intervals", "width", "words"),
    [
        ([0], 0, "intervals of 0 bp"),
        ([5, 4], 10, "sort by start"),
    ],
)
def test_senseless_intervals_are_refused(intervals, width, words):
    with pytest.raises(UsageError, match=words):
        cover([(0, 10, 1)], intervals, width)


def test_columns_of_peaks_must_fit():
    start, end, track, longest = columns([(0, 10, 1), (20, 30, 1)])
    with pytest.raises(UsageError, match="one of each per peak"):
        interval_coverage(start, end[:1], track, longest, np.arange(3), 10)


def many(rng, n_tracks, n_peaks, length, size):
    """Disjoint peaks of some length in each of many tracks."""
    slots = size // (length + 50)
    track = np.repeat(np.arange(n_tracks), n_peaks)
    slot = np.concatenate(
        [np.sort(rng.choice(slots, n_peaks, replace=False)) for _ in range(n_tracks)]
    )
    start = slot * (length + 50)
    order = np.lexsort((track, start))
    start, track = start[order], track[order].astype(np.uint16)
    return start, start + length, track, length


def test_one_peak_over_everything_is_found_with_all_others(rng):
    start, end, track, _ = many(rng, 20, 50, 150, 200_000)
    start = np.concatenate([[0], start])
    end = np.concatenate([[200_000], end])
    track = np.concatenate([np.uint16([20]), track])
    intervals = np.arange(0, 190_000, 500)
    coverage = interval_coverage(start, end, track, 200_000, intervals, 150)
    assert (np.diff(coverage.indptr) >= 1).all()
    whole = coverage.track == 20
    assert whole.sum() == len(intervals)
    assert (coverage.fraction[whole] == 1).all()
    kept = np.append(np.ones(20, bool), False)
    without = interval_coverage(start[1:], end[1:], track[1:], 150, intervals, 150)
    for found, expected in zip(coverage.of(kept), without, strict=True):
        np.testing.assert_array_equal(found, expected)


def test_threads_share_it(rng):
    peaks = many(rng, 20, 200, 150, 500_000)
    intervals = np.arange(0, 500_000, 90)
    parts = np.array_split(intervals, 8)
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda part: interval_coverage(*peaks, part, 150), parts))
    whole = interval_coverage(*peaks, intervals, 150)
    np.testing.assert_array_equal(np.concatenate([c.track for c in found]), whole.track)
    np.testing.assert_array_equal(
        np.concatenate([c.fraction for c in found]), whole.fraction
    )


@given(peak_sets(), STRETCHES)
def test_windows_around_a_center_share_the_entries_of_the_widest(peaks, centers):
    widths = (5, 15, 35)
    each = [cover(peaks, [c - w // 2 for c in centers], w) for w in widths]
    joined = window_coverage(*columns(peaks), np.array(centers, np.int64), widths)
    assert joined.fraction.shape == (len(joined.track), 3)
    for number, window in enumerate(each):
        there = joined.take(joined.fraction[:, number] > 0)
        fraction = there.fraction[:, number]
        assert rows(there._replace(fraction=fraction)) == rows(window)


@given(peak_sets(), STRETCHES, st.integers(0, 12), st.integers(0, 12))
def test_consecutive_intervals_are_taken_out(peaks, intervals, first, n):
    every = cover(peaks, intervals, 9)
    assert rows(every.rows(slice(first, first + n))) == rows(every)[first : first + n]


@pytest.mark.parametrize("n", [0, 1, 40])
def test_the_narrowest_window_keeps_its_entries(rng, n):
    counts = rng.integers(0, 5, n)
    indptr = np.concatenate([[0], np.cumsum(counts)])
    track = rng.integers(0, 9, indptr[-1]).astype(np.uint16)
    fraction = rng.random((indptr[-1], 3)).astype(np.float32)
    fraction[rng.random(len(track)) < 0.5, 0] = 0
    found = Coverage(indptr, track, fraction).narrowest()
    kept = fraction[:, 0] > 0
    expected = [kept[a:b].sum() for a, b in pairwise(indptr)]
    np.testing.assert_array_equal(np.diff(found.indptr), expected)
    np.testing.assert_array_equal(found.track, track[kept])
    np.testing.assert_array_equal(found.fraction, fraction[kept, 0])
