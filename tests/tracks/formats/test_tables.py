"""bedGraph and Parquet hold the bins that have a value, cut at the chromosome's end."""

import numpy as np
import pandas as pd
import pytest

from tfimpute_tracks.errors import RegionError, UsageError, ValidationError
from tfimpute_tracks.genome.signal import Signal
from tfimpute_tracks.tracks.formats import FORMATS, write_track
from tfimpute_tracks.tracks.formats.bins import gather_bins
from tfimpute_tracks.tracks.formats.validate import Content

SIZES = {"chr1": 1000, "chr2": 95}
SIGNALS = [
    Signal("chr1", 40, 20, np.array([0.25, np.nan, 0.5, 1e-7], np.float32)),
    Signal("chr2", 80, 20, np.array([0.125], np.float32)),
]
EXPECTED = [
    ("chr1", 40, 60, 0.25),
    ("chr1", 80, 100, 0.5),
    ("chr1", 100, 120, 0.0),
    ("chr2", 80, 95, 0.125),
]


def test_bedgraph_reads_back(tmp_path):
    write_track("bedgraph", tmp_path / "a.bedGraph", SIZES, SIGNALS)
    frame = pd.read_csv(tmp_path / "a.bedGraph", sep="\t", header=None)
    assert [tuple(row) for row in frame.itertuples(index=False)] == EXPECTED


def test_bedgraph_of_nothing_is_empty(tmp_path):
    write_track("bedgraph", tmp_path / "a.bedGraph", SIZES, [])
    assert (tmp_path / "a.bedGraph").read_text() == ""


def test_parquet_reads_back(tmp_path):
    write_track("parquet", tmp_path / "a.parquet", SIZES, SIGNALS)
    frame = pd.read_parquet(tmp_path / "a.parquet")
    assert list(frame.columns) == ["chrom", "start", "end", "probability"]
    rows = [tuple(row) for row in frame.itertuples(index=False)]
    assert [row[:3] for row in rows] == [row[:3] for row in EXPECTED]
    assert [row[3] for row in rows] == pytest.approx(
        [row[3] for row in EXPECTED], abs=1e-6
    )


@pytest.mark.parametrize("name", ["bedgraph", "parquet"])
def test_bins_before_the_chromosome_are_cut_and_disorder_is_refused(tmp_path, name):
    values = np.array([0.5, 0.25], np.float32)
    write_track(name, tmp_path / "a", SIZES, [Signal("chr1", -10, 20, values)])
    if name == "parquet":
        first = pd.read_parquet(tmp_path / "a").iloc[0]
    else:
        names = ["chrom", "start", "end", "probability"]
        first = pd.read_csv(tmp_path / "a", sep="\t", names=names).iloc[0]
    assert tuple(first) == ("chr1", 0, 10, 0.5)
    with pytest.raises(RegionError, match="outside"):
        write_track(name, tmp_path / "b", SIZES, [Signal("chr2", 100, 20, values)])
    late = [*SIGNALS, Signal("chr1", 200, 20, values)]
    with pytest.raises(UsageError, match="order"):
        write_track(name, tmp_path / "b", SIZES, late)
    assert not (tmp_path / "b").exists()


@pytest.mark.parametrize("name", ["bedgraph", "parquet"])
@pytest.mark.parametrize("field", ["start", "end", "value"])
def test_one_other_number_is_noticed(tmp_path, name, field):
    path = tmp_path / "a"
    write_track(name, path, SIZES, SIGNALS)
    decimals = 4 if name == "bedgraph" else None
    right, wrong = Content(), Content()
    for batch in gather_bins(SIZES, SIGNALS, decimals):
        right.add(batch)
        changed = batch.bins.copy()
        changed[field][-1] += 1
        wrong.add(batch._replace(bins=changed))
    check = FORMATS[name].check
    check(path, path, SIZES, right)
    with pytest.raises(ValidationError, match="checksum of the bins"):
        check(path, path, SIZES, wrong)
    path.write_bytes(path.read_bytes()[:-5])
    with pytest.raises(ValidationError):
        check(path, path, SIZES, right)
