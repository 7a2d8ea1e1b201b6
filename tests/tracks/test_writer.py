"""The files of a pair: peaks of the whole chromosome, however its scores come."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tfimpute_tracks.engines.tiles import TileRange, cut_blocks
from tfimpute_tracks.errors import RunError
from tfimpute_tracks.genome import read_narrowpeak
from tfimpute_tracks.kernels.peaks import call_peaks
from tfimpute_tracks.tracks.rendering import Scores, TrackLayout
from tfimpute_tracks.tracks.writer import PeakThreshold, write_pair
from tfimpute_tracks.vocabulary import Pair

STRIDE = 20
SIZES = {"chr1": 10**6}


def _write(folder, layout, blocks, formats=("bed", "bigwig")):
    pair = Pair("CTCF", "K562")
    peaks = PeakThreshold(0.5)
    return write_pair(folder, pair, layout, peaks, blocks, formats=set(formats))


@given(
    st.lists(st.sampled_from([0.1, 0.2, 0.8, 0.9, np.nan]), min_size=1, max_size=60),
    st.integers(1, 9),
)
def test_blocks_do_not_part_peaks(tmp_path_factory, values, at_once):
    values = np.array([*values, 0.1], dtype=np.float32)  # one with a value at least
    layout = TrackLayout(STRIDE, 60, SIZES)
    blocks = []
    for tiles in cut_blocks([TileRange("chr1", 0, len(values))], STRIDE, at_once):
        first = tiles.first // STRIDE
        blocks.append(Scores(tiles, values[first : first + tiles.n_tiles]))
    folder = tmp_path_factory.mktemp("pair")
    _, n_peaks = _write(folder, layout, blocks)
    whole = call_peaks(STRIDE, STRIDE, values, 0.5)
    assert n_peaks == len(whole.start)
    found = read_narrowpeak(folder / "CTCF.K562.narrowPeak", allow_empty=True)
    assert found["start"].tolist() == whole.start.tolist()
    assert found["end"].tolist() == whole.end.tolist()


def test_a_stride_longer_than_the_tile_is_cut_at_the_chromosome_s_beginning(tmp_path):
    layout = TrackLayout(100, 60, {"chr1": 1000})
    values = np.array([0.9, 0.8, 0.1], dtype=np.float32)
    tiles = TileRange("chr1", 0, 3)
    chrom, start, step, laid = layout.signal(tiles, values)
    assert (chrom, start, step, laid.tolist()) == ("chr1", -20, 100, values.tolist())
    _, n_peaks = _write(tmp_path, layout, [Scores(tiles, values)], ("bed", "bedgraph"))
    assert n_peaks == 1
    rows = (tmp_path / "CTCF.K562.bedGraph").read_text().splitlines()
    assert [row.split("\t")[1:3] for row in rows] == [
        ["0", "80"],
        ["80", "180"],
        ["180", "280"],
    ]
    peaks = read_narrowpeak(tmp_path / "CTCF.K562.narrowPeak")
    assert peaks[["start", "end", "summit"]].to_numpy().tolist() == [[0, 180, 30]]


def test_a_track_without_any_value_is_refused(tmp_path):
    layout = TrackLayout(STRIDE, 60, {"chr1": 1000})
    nothing = Scores(TileRange("chr1", 0, 4), np.full(4, np.nan, np.float32))
    with pytest.raises(RunError, match="every bin is missing"):
        _write(tmp_path, layout, [nothing])
    assert list(tmp_path.iterdir()) == []
