"""The files of a pair: peaks of the whole chromosome, however its scores come."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tfimpute_tracks.engines.tiles import TileRange, cut_blocks
from tfimpute_tracks.errors import RunError
from tfimpute_tracks.genome import read_narrowpeak
from tfimpute_tracks.genome.signal import Signal
from tfimpute_tracks.kernels.peaks import call_peaks
from tfimpute_tracks.tracks.writer import Scores, write_pair
from tfimpute_tracks.vocabulary import Pair
from toys import make_record

STRIDE = 20
SIZES = {"chr1": 10**6}


def _write(folder, blocks, sizes=SIZES, **changes):
    record = make_record(Pair("CTCF", "K562"), **changes)
    return write_pair(folder, record, sizes, [Scores(some, some) for some in blocks])


@given(
    st.lists(st.sampled_from([0.1, 0.2, 0.8, 0.9, np.nan]), min_size=1, max_size=60),
    st.integers(1, 9),
)
def test_blocks_do_not_part_peaks(tmp_path_factory, values, at_once):
    values = np.array([*values, 0.1], dtype=np.float32)  # one with a value at least
    blocks = []
    for tiles in cut_blocks([TileRange("chr1", 0, len(values))], STRIDE, at_once):
        first = tiles.first // STRIDE
        some = values[first : first + tiles.n_tiles]
        blocks.append(tiles.signal(some, STRIDE, 60))
    folder = tmp_path_factory.mktemp("pair")
    record, _ = _write(folder, blocks)
    whole = call_peaks(STRIDE, STRIDE, values, 0.5)
    assert record.n_peaks == len(whole.start)
    found = read_narrowpeak(folder / "CTCF.K562.narrowPeak", allow_empty=True)
    assert found["start"].tolist() == whole.start.tolist()
    assert found["end"].tolist() == whole.end.tolist()


def test_a_stride_longer_than_the_tile_is_cut_at_the_chromosome_s_beginning(tmp_path):
    values = np.array([0.9, 0.8, 0.1], dtype=np.float32)
    signal = TileRange("chr1", 0, 3).signal(values, 100, 60)
    assert (signal.chrom, signal.start, signal.step) == ("chr1", -20, 100)
    formats = ("bedgraph", "bed")
    record, files = _write(tmp_path, [signal], {"chr1": 1000}, formats=formats)
    assert record.n_peaks == 1
    rows = files[0].read_text().splitlines()
    assert [row.split("\t")[1:3] for row in rows] == [
        ["0", "80"],
        ["80", "180"],
        ["180", "280"],
    ]
    peaks = read_narrowpeak(files[1])
    assert peaks[["start", "end", "summit"]].to_numpy().tolist() == [[0, 180, 30]]


def test_the_record_lists_what_was_written(tmp_path):
    signal = Signal("chr1", 20, 20, np.float32([0.2, 0.9, 0.1]))
    record, files = _write(tmp_path, [signal])
    assert [file.suffix for file in files] == [".bw", ".narrowPeak", ".bb"]
    assert record.signals == {"probability": "CTCF.K562.bw"}
    assert (record.narrowpeak, record.bigbed) == (
        "CTCF.K562.narrowPeak",
        "CTCF.K562.bb",
    )
    low, files = _write(tmp_path, [signal], threshold=0.95)
    assert (low.n_peaks, low.bigbed) == (0, "")
    assert not (tmp_path / "CTCF.K562.bb").exists()


def test_a_track_without_any_value_is_refused(tmp_path):
    nothing = Signal("chr1", 20, 20, np.full(4, np.nan, np.float32))
    with pytest.raises(RunError, match=r"K562\.bw: .*every bin is missing"):
        _write(tmp_path, [nothing], {"chr1": 1000})
    assert list(tmp_path.iterdir()) == []
