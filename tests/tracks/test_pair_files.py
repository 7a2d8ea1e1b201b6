"""Peaks called block by block are those of the whole chromosome."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tfimpute_tracks.engines.tiles import TileRange, cut_blocks
from tfimpute_tracks.errors import RunError
from tfimpute_tracks.kernels.peaks import call_peaks
from tfimpute_tracks.tracks.rendering import Scores, TrackLayout
from tfimpute_tracks.tracks.writer import PeakThreshold, _PeakTiles, write_pair
from tfimpute_tracks.vocabulary import Pair

STRIDE = 20


@given(
    st.lists(st.sampled_from([0.1, 0.2, 0.8, 0.9, np.nan]), min_size=1, max_size=60),
    st.integers(1, 9),
    st.integers(0, 3),
)
def test_blocks_do_not_part_peaks(values, at_once, gap):
    values = np.array(values, dtype=np.float32)
    layout = TrackLayout(STRIDE, 60, {"chr1": 10**6})
    collected = _PeakTiles(0.5)
    for tiles in cut_blocks([TileRange("chr1", 0, len(values))], STRIDE, at_once):
        first = tiles.first // STRIDE
        block = values[first : first + tiles.n_tiles]
        for bins in layout.bins(tiles, block):
            collected.add(bins)
    max_gap = min(gap, 1) * STRIDE
    starts = STRIDE + STRIDE * np.arange(len(values), dtype=np.int64)
    whole = call_peaks(starts, values, STRIDE, 0.5, max_gap)
    calls = collected.call(max_gap)
    if not len(whole.start):
        assert sum(len(peaks.start) for _, peaks in calls) == 0
        return
    ((chrom, peaks),) = calls
    assert chrom == "chr1"
    for got, expected in zip(peaks, whole, strict=True):
        np.testing.assert_array_equal(got, expected)


def test_peaks_of_chromosomes_stay_apart():
    collected = _PeakTiles(0.5)
    high = np.full(3, 0.9, np.float32)
    for chrom in ("chr1", "chr2"):
        collected.add((chrom, 100, STRIDE, high))
    assert [(c, p.start.tolist()) for c, p in collected.call(STRIDE)] == [
        ("chr1", [100]),
        ("chr2", [100]),
    ]


def test_a_stride_longer_than_the_tile_is_cut_at_the_chromosome_s_beginning():
    layout = TrackLayout(100, 60, {"chr1": 1000})
    values = np.arange(3, dtype=np.float32)
    bins = list(layout.bins(TileRange("chr1", 0, 3), values))
    assert [(c, s, w, v.tolist()) for c, s, w, v in bins] == [
        ("chr1", 0, 80, [0.0]),
        ("chr1", 80, 100, [1.0, 2.0]),
    ]


def test_a_track_without_any_value_is_refused(tmp_path):
    layout = TrackLayout(STRIDE, 60, {"chr1": 1000})
    nothing = Scores(TileRange("chr1", 0, 4), np.full(4, np.nan, np.float32))
    with pytest.raises(RunError, match="every bin is missing"):
        write_pair(
            tmp_path, Pair("CTCF", "K562"), layout, PeakThreshold(0.5), [nothing]
        )
    assert list(tmp_path.iterdir()) == []
