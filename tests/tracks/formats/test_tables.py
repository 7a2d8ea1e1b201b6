"""bedGraph and Parquet hold the bins that have a value, cut at the chromosome's end."""

import numpy as np
import pandas as pd
import pytest

from tfimpute_tracks.tracks.formats import write_bedgraph, write_parquet

SIZES = {"chr1": 1000, "chr2": 95}
SIGNALS = [
    ("chr1", 40, 20, np.array([0.25, np.nan, 0.5, 1e-7], np.float32)),
    ("chr2", 80, 20, np.array([0.125, 0.75], np.float32)),
]
EXPECTED = [
    ("chr1", 40, 60, 0.25),
    ("chr1", 80, 100, 0.5),
    ("chr1", 100, 120, 0.0),
    ("chr2", 80, 95, 0.125),
]


def test_bedgraph_reads_back(tmp_path):
    write_bedgraph(tmp_path / "a.bedGraph", SIZES, SIGNALS)
    frame = pd.read_csv(tmp_path / "a.bedGraph", sep="\t", header=None)
    assert [tuple(row) for row in frame.itertuples(index=False)] == EXPECTED


def test_bedgraph_of_nothing_is_empty(tmp_path):
    write_bedgraph(tmp_path / "a.bedGraph", SIZES, [])
    assert (tmp_path / "a.bedGraph").read_text() == ""


def test_parquet_reads_back(tmp_path):
    write_parquet(tmp_path / "a.parquet", SIZES, SIGNALS)
    frame = pd.read_parquet(tmp_path / "a.parquet")
    assert list(frame.columns) == ["chrom", "start", "end", "probability"]
    rows = [tuple(row) for row in frame.itertuples(index=False)]
    assert [row[:3] for row in rows] == [row[:3] for row in EXPECTED]
    assert [row[3] for row in rows] == pytest.approx(
        [row[3] for row in EXPECTED], abs=1e-6
    )
