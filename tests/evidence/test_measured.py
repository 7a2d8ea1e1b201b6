"""What was measured at a locus is what the peaks of a pair's own tracks say."""

import numpy as np
import pytest

from evidence_toys import TRACKS, draw_store
from tfimpute_tracks.evidence import (
    PeakDatabase,
    Peaks,
    Track,
    measured_calls,
    measured_peaks,
    open_evidence,
    write_evidence,
)
from tfimpute_tracks.genome import Region
from tfimpute_tracks.vocabulary import Pair


@pytest.fixture
def store(tmp_path, rng):
    return draw_store(tmp_path / "e.h5", rng)


@pytest.mark.parametrize("chrom", ["chr1", "1"])
def test_a_pair_is_bound_where_one_of_its_peaks_overlaps(store, chrom):
    peaks, calls_of = store.peaks("chr1"), {}
    has_data = store.has_peaks("chr1")
    for start in range(0, 4900, 100):
        calls_of[start] = measured_calls(store, Region(chrom, start, start + 100))
    for start, calls in calls_of.items():
        inside = (peaks.start < start + 100) & (peaks.end > start)
        bound = {TRACKS[track] for track in peaks.track[inside]}
        for track, pair in enumerate(TRACKS):
            expected = "not bound" if has_data[track] else "not measured"
            assert calls[pair] == ("bound" if pair in bound else expected)


def test_without_data_there_is_no_call(store):
    for region in (Region("chr20", 0, 100), Region("chrX", 0, 100)):
        assert set(measured_calls(store, region).values()) == {"not measured"}
        assert set(measured_calls(store, region)) == set(TRACKS)


@pytest.mark.parametrize("chrom", ["chr1", "1"])
def test_measured_peaks_are_those_of_the_pair(store, chrom):
    peaks, region = store.peaks("chr1"), Region(chrom, 500, 4000)
    for track, pair in enumerate(TRACKS):
        own = (peaks.track == track) & (peaks.start < 4000) & (peaks.end > 500)
        covered = np.zeros(5000, dtype=bool)
        for start, end in zip(peaks.start[own], peaks.end[own], strict=True):
            covered[start:end] = True
        found = measured_peaks(store, pair, region)
        assert found.has_data == store.has_peaks("chr1")[track]
        merged = np.zeros(5000, dtype=bool)
        for start, end in zip(found.start, found.end, strict=True):
            assert not merged[max(0, start - 1) : end].any()
            merged[start:end] = True
        np.testing.assert_array_equal(merged, covered)


def test_tracks_of_one_pair_are_merged(tmp_path):
    pair, other = Pair("MAX", "K562"), Pair("CTCF", "K562")
    tracks = tuple(
        Track(p, name, 2, f"sha256:{name}")
        for p, name in ((pair, "a"), (pair, "b"), (other, "c"))
    )
    columns = (10, 30, 0), (20, 50, 1), (25, 90, 2), (50, 60, 0), (70, 80, 1)
    peaks = Peaks(*map(np.array, zip(*columns, strict=True)))
    peaks = peaks._replace(track=peaks.track.astype(np.uint16))
    region = Region("chr1", 0, 100)
    contents = PeakDatabase(
        tracks, {"chr1": 1000}, (region,), np.ones((3, 1), bool), {"chr1": peaks}, ""
    )
    write_evidence(tmp_path / "m.h5", contents)
    store = open_evidence(tmp_path / "m.h5")
    found = measured_peaks(store, pair, region)
    assert found.has_data
    assert list(zip(*found[:2], strict=True)) == [(10, 60), (70, 80)]
    assert not measured_peaks(store, pair, Region("chr1", 500, 600)).has_data
    assert not measured_peaks(store, Pair("MAX", "NB4"), region).has_data
