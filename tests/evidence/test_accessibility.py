"""The table of accessibility, and what is wrong with others."""

from __future__ import annotations

import pytest

from tfimpute_tracks.errors import InputFileError
from tfimpute_tracks.evidence import ACCESSIBILITY, read_accessibility


@pytest.fixture
def table(tmp_path):
    (tmp_path / "a.bed").write_text("chr1\t1\t2\n")

    def write(text):
        path = tmp_path / "open.tsv"
        path.write_text(text)
        return path

    return write


def test_rows_are_read_in_order(table, tmp_path):
    path = table("note\tbed\tcell\nx\ta.bed\tK562\n\ny\ta.bed\tHepG2\tmore\n")
    found = read_accessibility(path)
    assert [str(file) for file in found] == [
        f"{ACCESSIBILITY}:K562",
        f"{ACCESSIBILITY}:HepG2",
    ]
    assert {file.path for file in found} == {tmp_path / "a.bed"}


def test_replicates_distinguish_rows(table):
    path = table("cell\treplicate\tbed\nK562\tDNase\ta.bed\nK562\tATAC\ta.bed\n")
    assert [file.replicate for file in read_accessibility(path)] == ["DNase", "ATAC"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "is empty; a table of accessibility"),
        ("cell\tpeaks\nK562\ta.bed\n", r"open\.tsv:1: no column bed"),
        ("cell\tbed\n", "has no rows"),
        ("cell\tbed\nK562\n", r"open\.tsv:2: 1 fields where the header has 2"),
        ("cell\tbed\n \ta.bed\n", r"open\.tsv:2: the cell is empty"),
        ("cell\tbed\nK562\tb.bed\n", r"open\.tsv:2: no such file .*b\.bed"),
        (
            "cell\tbed\nK562\ta.bed\nK562\ta.bed\n",
            r":3: duplicate cell line K562, first on line 2",
        ),
    ],
)
def test_broken_tables_are_refused_by_line(table, text, words):
    with pytest.raises(InputFileError, match=words):
        read_accessibility(table(text))


def test_what_is_no_text_is_refused(tmp_path):
    for content, words in (
        (b"\x1f\x8b\xff\xfe", "cut short or damaged"),
        (b"\xff\xfe", "text in UTF-16"),
    ):
        (tmp_path / "x.gz").write_bytes(content)
        with pytest.raises(InputFileError, match=words):
            read_accessibility(tmp_path / "x.gz")
    with pytest.raises(InputFileError, match="cannot read the table"):
        read_accessibility(tmp_path / "none.tsv")
