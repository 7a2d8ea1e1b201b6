"""Tables of results are read back as written, by readers of their own."""

import sys

import pandas as pd
import pytest

from tfimpute_tracks.errors import UsageError, WriteError
from tfimpute_tracks.storage.dataframe_io import write_frame

FRAME = pd.DataFrame(
    {"name": ["a", "b"], "n": [1, 2], "value": [0.123456789, float("nan")]}
)


def test_a_tsv_has_a_head_and_six_digits(tmp_path):
    write_frame(tmp_path / "t.tsv", FRAME)
    text = (tmp_path / "t.tsv").read_text()
    assert text == "name\tn\tvalue\na\t1\t0.123457\nb\t2\t\n"


def test_parquet_keeps_every_digit(tmp_path):
    write_frame(tmp_path / "t.parquet", FRAME)
    pd.testing.assert_frame_equal(pd.read_parquet(tmp_path / "t.parquet"), FRAME)
    assert [path.name for path in tmp_path.iterdir()] == ["t.parquet"]


def test_what_is_missing_is_reported(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(UsageError, match="Parquet needs pyarrow"):
        write_frame(tmp_path / "t.parquet", FRAME)
    with pytest.raises(WriteError):
        write_frame(tmp_path / "gone" / "t.tsv", FRAME)
    assert not list(tmp_path.iterdir())
