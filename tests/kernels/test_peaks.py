"""Peaks against their reference implementation, and the cases one can see by eye."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import naive_peaks
from tfimpute_tracks.errors import UsageError
from tfimpute_tracks.kernels.peaks import (
    MAX_GAP_TILES,
    PeakCaller,
    Peaks,
    call_peaks,
    count_peaks,
    join_counts,
)

NAN = float("nan")


def call(scores, step=10, threshold=0.5, max_gap=0, **options):
    return call_peaks(0, step, np.float32(scores), threshold, max_gap, **options)


def rows(peaks):
    return list(zip(*(column.tolist() for column in peaks), strict=True))


# Few values, so that ties and runs are common.
SCORES = st.sampled_from([0.0, 0.25, 0.5, 0.75, 1.0, NAN])
# Runs of neighboring tiles, each after so many bp without a tile.
RUNS = st.lists(
    st.tuples(st.sampled_from([0, 1, 3, 15]), st.lists(SCORES, max_size=30)), max_size=5
)
GAPS = st.none() | st.integers(0, 40)


def naive(runs, step, threshold, max_gap, min_width=0):
    """The reference implementation, on tiles given one by one."""
    starts, scores = [], []
    at = 0
    for hole, some in runs:
        at += hole
        for score in some:
            starts.append(at)
            scores.append(score)
            at += step
    max_gap = MAX_GAP_TILES * step if max_gap is None else max_gap
    found = naive_peaks.call_peaks(starts, scores, step, threshold, max_gap)
    return [peak for peak in found if peak[1] - peak[0] >= min_width]


@given(
    RUNS,
    st.integers(1, 12),
    st.sampled_from([0.0, 0.3, 0.5, 0.75, 1.1]),
    GAPS,
    st.integers(0, 60),
    st.integers(1, 40),
)
def test_blocks_of_any_size_equal_the_reference(
    runs, step, threshold, max_gap, min_width, at_once
):
    caller = PeakCaller(threshold, max_gap, min_width)
    at = 0
    for hole, scores in runs:
        at += hole
        for first in range(0, len(scores), at_once):
            some = np.array(scores[first : first + at_once], dtype=np.float32)
            caller.add("chr1", at, step, some)
            at += step * len(some)
    expected = naive(runs, step, threshold, max_gap, min_width)
    assert caller.count() == len(expected)
    for chrom, peaks in caller.peaks():
        assert chrom == "chr1"
        assert rows(peaks) == expected


@given(st.lists(SCORES, max_size=60), st.lists(st.integers(0, 60), max_size=8), GAPS)
def test_random_cuts_equal_the_reference(scores, cuts, max_gap):
    values = np.array(scores, dtype=np.float32)
    caller = PeakCaller(0.5, max_gap)
    done = 0
    for some in np.split(values, sorted(cut for cut in cuts if cut <= len(values))):
        caller.add("chr1", 7 + 20 * done, 20, some)
        done += len(some)
    found = [row for _, peaks in caller.peaks() for row in rows(peaks)]
    assert found == naive([(7, scores)], 20, 0.5, max_gap)


@given(
    st.lists(
        st.tuples(
            st.sampled_from("aab"), st.integers(0, 30), st.lists(SCORES, max_size=4)
        ),
        max_size=8,
    ),
    st.lists(st.integers(0, 8), max_size=3),
    GAPS,
)
def test_a_pack_of_contigs_equals_one_after_the_other(contigs, cuts, max_gap):
    one, packed = PeakCaller(0.5, max_gap), PeakCaller(0.5, max_gap)
    name, end, tiles = "", 0, []
    for number, (kind, hole, scores) in enumerate(contigs):
        if kind == "b" or not name:  # another contig; else behind the last tiles
            name, end = f"c{number}", 0
        tiles.append((name, end + hole, np.array(scores, dtype=np.float32)))
        end += hole + 10 * len(scores)
    for chrom, start, values in tiles:
        one.add(chrom, start, 10, values)
    for first, last in pairwise(
        [0, *sorted(min(c, len(tiles)) for c in cuts), len(tiles)]
    ):
        if first < last:
            chroms, starts, values = zip(*tiles[first:last], strict=True)
            lengths = np.array([len(own) for own in values])
            packed.add_pack(
                chroms, np.array(starts), 10, lengths, np.concatenate(values)
            )
    expected = [(chrom, rows(peaks)) for chrom, peaks in one.peaks()]
    assert [(chrom, rows(peaks)) for chrom, peaks in packed.peaks()] == expected


@given(st.lists(SCORES), st.integers(0, 40))
def test_peaks_are_ordered_and_hold_their_summits(scores, max_gap):
    peaks = call(scores, 5, max_gap=max_gap)
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


def test_by_default_a_single_low_tile_ends_no_peak():
    assert rows(call([1, 0, 1, 0, 0, 1], max_gap=None)) == [
        (0, 30, 5, 1),
        (50, 60, 55, 1),
    ]


@pytest.mark.parametrize(("min_width", "n_peaks"), [(0, 2), (10, 2), (11, 1), (31, 0)])
def test_narrow_peaks_are_dropped(min_width, n_peaks):
    scores = [1, 0, 1, 1, 1]
    assert len(call(scores, min_width=min_width).start) == n_peaks


def test_missing_tile_splits_whatever_the_gap():
    assert rows(call([1, NAN, 1], max_gap=1000)) == [(0, 10, 5, 1), (20, 30, 25, 1)]


def test_absent_tiles_split_like_missing_ones():
    caller = PeakCaller(0.5, 1000)
    for start in (0, 20):
        caller.add("chr1", start, 10, np.ones(1, np.float32))
    ((_, peaks),) = caller.peaks()
    assert rows(peaks) == [(0, 10, 5, 1), (20, 30, 25, 1)]


def test_a_missing_tile_splits_though_wider_tiles_follow():
    caller = PeakCaller(0.5)
    caller.add("chr1", 0, 10, np.float32([1, NAN]))
    caller.add("chr1", 20, 100, np.float32([1]))
    assert caller.count() == 2


def test_peaks_of_chromosomes_stay_apart():
    caller = PeakCaller(0.5)
    for chrom in ("chr1", "chr2"):
        caller.add(chrom, 100, 20, np.full(3, 0.9, np.float32))
    assert [(c, p.start.tolist()) for c, p in caller.peaks()] == [
        ("chr1", [100]),
        ("chr2", [100]),
    ]


def test_peaks_may_be_asked_for_on_the_way():
    caller = PeakCaller(0.5)
    caller.add("chr1", 0, 10, np.float32([0, 1]))
    assert caller.count() == 1
    caller.add("chr1", 20, 10, np.float32([1, 0]))
    ((_, peaks),) = caller.peaks()
    assert rows(peaks) == [(10, 30, 15, 1)]


def test_first_of_equal_tiles_is_the_summit():
    assert call([0.5, 1, 0.5, 1], max_gap=10).summit.tolist() == [15]


def test_a_threshold_is_compared_in_single_precision():
    score = np.float32(0.1)  # above 0.1 in double precision
    assert len(call([score], threshold=0.1).start) == 1
    assert len(call([np.float32(0.7)], threshold=0.7).start) == 1  # below it


def test_no_tile_and_no_high_tile():
    for peaks in (call([]), call([0, 0.1, NAN])):
        assert rows(peaks) == []
        assert [column.dtype for column in peaks] == [np.int64] * 3 + [np.float32]


def test_result_is_named():
    assert isinstance(call([1]), Peaks)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"step": 0}, "tiles of 0 bp"),
        ({"max_gap": -1}, "max_gap -1"),
        ({"threshold": NAN}, "threshold nan"),
    ],
)
def test_invalid_requests_are_refused(change, words):
    with pytest.raises(UsageError, match=words):
        call([1, 1, 1], **change)


@pytest.mark.parametrize("start", [-10, 0, 29])
def test_tiles_out_of_order_are_refused(start):
    caller = PeakCaller(0.5)
    caller.add("chr1", 0, 10, np.ones(3, np.float32))
    with pytest.raises(UsageError, match="overlap those before, which end at 30"):
        caller.add("chr1", start, 10, np.ones(3, np.float32))


THRESHOLD = 176


@given(
    st.lists(st.sampled_from([0, 100, 176, 200, None]), max_size=40),
    st.lists(st.integers(0, 40), max_size=6),
    st.integers(0, 5),
)
def test_peaks_are_counted_as_they_are_called(values, cuts, max_gap):
    missing = np.array([value is None for value in values], dtype=bool)
    codes = np.array([value or 0 for value in values], dtype=np.uint8)
    scores = np.where(missing, np.nan, codes).astype(np.float32)
    expected = len(call_peaks(0, 1, scores, THRESHOLD, max_gap).start)
    threshold = np.array([THRESHOLD], np.uint8)
    whole = count_peaks(codes[None], threshold, missing, max_gap)
    assert whole.n_peaks[0] == expected
    cuts = sorted(cut for cut in cuts if cut <= len(values))
    parts = [
        count_peaks(some[None], threshold, flags, max_gap)
        for some, flags in zip(
            np.split(codes, cuts), np.split(missing, cuts), strict=True
        )
    ]
    joined = parts[0]
    for part in parts[1:]:
        joined = join_counts(joined, part, max_gap)
    for got, whole_counts in zip(joined, whole, strict=True):
        np.testing.assert_array_equal(got, whole_counts)
    assert joined.gaps.dtype == np.uint8
