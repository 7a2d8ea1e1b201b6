"""What the page shows is what `scan` writes, wherever one looks and in which order."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tfimpute_tracks.engines.feature_cache import FeatureCache
from tfimpute_tracks.errors import RegionError, UsageError
from tfimpute_tracks.genome import Region, open_genome
from tfimpute_tracks.kernels.peaks import call_peaks
from tfimpute_tracks.tracks.scan import scan_region
from tfimpute_tracks.views.browse import LiveScores
from tfimpute_tracks.views.browse.window import (
    downsample,
    window_peaks,
    window_signal,
)
from tfimpute_tracks.vocabulary import Pair

PAIR = Pair("CTCF", "K562")
WHOLE = Region("chr1", 0, 4000)


@pytest.fixture
def whole(toy):
    """Scores of all cell lines of CTCF over chr1, as a scan gives them."""
    model, fasta, _ = toy
    pairs = [("CTCF", cell) for cell in model.cells]
    return scan_region(model, fasta, "chr1", 0, 4000, pairs, model.config.pool)


@pytest.fixture
def scores(toy):
    """Scores in blocks of 32 tiles, so that a toy chromosome has several."""
    model, fasta, _ = toy
    with open_genome(fasta) as genome:
        yield LiveScores(model, genome, threads=2, block_size=32)


def test_signals_are_those_of_a_scan(scores, whole):
    starts, values = whole
    index = scores.model.cells.index("K562")
    live = scores.signal(PAIR, "probability", WHOLE)
    assert live.start == starts[0] + scores.run.offset
    np.testing.assert_array_equal(live.values, values[:, index])
    assert np.isnan(live.values).any()
    specific = scores.signal(PAIR, "specificity", WHOLE).values
    np.testing.assert_allclose(
        specific, values[:, index] - values.mean(axis=1), atol=1e-6
    )
    odds = scores.signal(PAIR, "log-odds", WHOLE).values
    np.testing.assert_allclose(1 / (1 + np.exp(-odds)), live.values, atol=1e-6)


def test_a_window_is_a_slice_of_its_chromosome(scores):
    first, _, all_ = scores.signal(PAIR, "probability", WHOLE)[1:]
    rng = np.random.default_rng(2)
    for start in rng.integers(0, 3800, 20).tolist():
        region = Region("chr1", start, 3900)
        here, _, values = scores.signal(PAIR, "probability", region)[1:]
        skip = (here - first) // scores.stride
        np.testing.assert_array_equal(values, all_[skip : skip + len(values)])


def test_what_is_around_a_tile_counts_as_in_a_scan(toy, around, tmp_path):
    fasta, cache = toy[1], FeatureCache(tmp_path / "cache", 10**9)
    for region in (WHOLE, Region("chr20", 0, 900)):
        chrom, start, end = region
        starts, values = scan_region(around, fasta, chrom, start, end, [PAIR])
        for keeps in (None, cache, cache):  # no cache, a cold one and a warm one
            with open_genome(fasta) as genome:
                scores = LiveScores(
                    around, genome, threads=2, cache=keeps, block_size=32
                )
                here = Region(chrom, start + 333, end - 111)
                part = scores.signal(PAIR, "probability", here).values
                begin, _, live = scores.signal(PAIR, "probability", region)[1:]
                first = begin - scores.run.offset
                assert first == starts[0]
                np.testing.assert_array_equal(live, values[:, 0])
                skip = (scores.tiles(here)[0].first - first) // scores.stride
                assert part[0] == live[skip]
    assert cache.hits > 0


def test_what_was_not_computed_is_reported_and_missing(scores):
    assert scores.computed_fraction(PAIR, "probability", WHOLE) == 0
    assert np.isnan(scores.signal(PAIR, "probability", WHOLE, False).values).all()
    scores.signal(PAIR, "probability", Region("chr1", 0, 400))
    values = scores.signal(PAIR, "probability", WHOLE, compute=False).values
    assert scores.computed_fraction(PAIR, "probability", WHOLE) == 32 / len(values)
    assert not np.isnan(values[:32]).any()
    assert np.isnan(values[32:]).all()
    assert scores.computed_fraction(PAIR, "specificity", WHOLE) == 0
    for part in scores.tiles(WHOLE):
        scores.compute(PAIR, "specificity", part)
    assert scores.computed_fraction(PAIR, "specificity", WHOLE) == 1


def test_no_tile_no_score(scores):
    with pytest.raises(RegionError):
        scores.signal(PAIR, "probability", Region("chr1", 0, 5))


@settings(max_examples=60)
@given(
    st.lists(st.one_of(st.just(np.nan), st.floats(-9, 9, width=32)), min_size=1),
    st.integers(0, 30),
    st.integers(1, 9),
    st.sampled_from(["max", "mean"]),
)
def test_bins_lie_on_the_chromosomes_grid(values, index, n_per_bin, how):
    values = np.array(values, dtype=np.float32)
    skip, reduced = downsample(values, index, n_per_bin, how)
    assert (index - skip) % n_per_bin == 0
    for i, got in enumerate(reduced):
        begin = i * n_per_bin - skip
        some = [v for v in values[max(begin, 0) : begin + n_per_bin] if not np.isnan(v)]
        if not some:
            assert np.isnan(got)
        elif how == "max":
            assert got == max(some, key=abs)
        else:
            assert got == pytest.approx(np.mean(some, dtype=np.float64), abs=1e-5)


def test_a_pixel_shows_the_highest_of_its_tiles(scores):
    fine = window_signal(scores, PAIR, "probability", WHOLE, 1)
    coarse = window_signal(scores, PAIR, "probability", WHOLE, 3 * scores.stride + 1)
    assert coarse.step == 3 * fine.step
    assert np.nanmax(coarse.values) == np.nanmax(fine.values)
    assert coarse.start == fine.start
    with pytest.raises(UsageError, match="max or mean"):
        window_signal(scores, PAIR, "probability", WHOLE, 100, "median")


def test_peaks_are_those_of_the_whole_track(scores, whole):
    starts, values = whole
    column = values[:, scores.model.cells.index("K562")]
    stride, threshold = scores.stride, scores.model.threshold(PAIR)
    offset = (scores.model.config.seq_len - stride) // 2
    all_ = call_peaks(int(starts[0]) + offset, stride, column, threshold)
    found = window_peaks(scores, PAIR, WHOLE)
    assert found.n_peaks == len(all_.start) > 3
    np.testing.assert_array_equal(found.peaks.start, all_.start)
    middle = int(all_.start[2])
    one = window_peaks(scores, PAIR, Region("chr1", middle, middle + 1))
    assert one.peaks.end.tolist() == [all_.end[2]]


def test_many_peaks_are_cut_to_the_highest(scores):
    every = window_peaks(scores, PAIR, WHOLE)
    few = window_peaks(scores, PAIR, WHOLE, max_peaks=2)
    assert few.n_peaks == every.n_peaks
    assert sorted(few.peaks.score) == sorted(every.peaks.score)[-2:]
