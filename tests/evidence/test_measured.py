"""What was measured at a locus is what the peaks of a pair's own tracks say."""

import pytest

from evidence_toys import TRACKS, draw_store
from tfimpute_tracks.evidence import measured_calls
from tfimpute_tracks.genome import Region


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
