"""The pairs table: what is read, and what each fault says."""

from __future__ import annotations

import gzip

import pytest

from tfimpute_tracks.dataset.pairs_table import read_pairs_table
from tfimpute_tracks.errors import InputFileError
from tfimpute_tracks.vocabulary import Pair


@pytest.fixture
def table(tmp_path):
    (tmp_path / "peaks").mkdir()
    for name in ("a", "b"):
        (tmp_path / "peaks" / f"{name}.bed").write_text("chr1\t0\t9\n")

    def write(text):
        path = tmp_path / "pairs.tsv"
        path.write_bytes(text.encode())
        return path

    return write


HEADER = "tf\tcell\trole\tbed\n"
ROW = "MAX\tK562\tbase\tpeaks/a.bed\n"


def test_reads_rows_in_order(table, tmp_path):
    path = table(
        "n\tcell\trole\tbed\ttf\n"
        "7\tK562\ttest3\tpeaks/a.bed\tMAX\n"
        "\n"
        "8\tA549\tbase\tpeaks/b.bed\tCTCF\n"
    )
    found = read_pairs_table(path)
    assert found.pairs == (Pair("MAX", "K562"), Pair("CTCF", "A549"))
    assert found.roles == ("test3", "base")
    assert found.beds == (tmp_path / "peaks/a.bed", tmp_path / "peaks/b.bed")
    assert found.vocabulary.tfs == ("CTCF", "MAX")
    assert found.vocabulary.cells == ("A549", "K562")


def test_without_roles_all_are_base(table):
    found = read_pairs_table(table("tf\tcell\tbed\nMAX\tK562\tpeaks/a.bed\n"))
    assert found.roles == ("base",)


def test_line_ends_and_byte_order_mark_do_not_matter(table):
    plain = read_pairs_table(table(HEADER + ROW))
    assert (
        read_pairs_table(table("\ufeff" + (HEADER + ROW).replace("\n", "\r\n")))
        == plain
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", r"pairs\.tsv:1: no column tf, cell, bed"),
        ("tf\tcell\trole\n", r"pairs\.tsv:1: no column bed"),
        (HEADER, r"pairs\.tsv: 0 pairs"),
        (HEADER + ROW + "MAX\tA549\n", r"pairs\.tsv:3: 2 fields .* has 4"),
        (HEADER + ROW + ROW, r"pairs\.tsv:3: pair MAX:K562 stands on line 2"),
        (HEADER + "MAX\tK562\ttrain\tpeaks/a.bed\n", r":2: role 'train' is not one"),
        (HEADER + "MAX\tK562\tbase\tpeaks/c.bed\n", r":2: peak file .*c\.bed does not"),
        (HEADER + "MAX\t \tbase\tpeaks/a.bed\n", r":2: the cell is empty"),
    ],
)
def test_faults_name_the_line(table, text, message):
    with pytest.raises(InputFileError, match=message):
        read_pairs_table(table(text))


def test_a_missing_or_binary_table_is_no_table(tmp_path):
    with pytest.raises(InputFileError, match="No such file"):
        read_pairs_table(tmp_path / "none.tsv")
    packed = tmp_path / "pairs.tsv.gz"
    packed.write_bytes(gzip.compress((HEADER + ROW).encode()))
    with pytest.raises(InputFileError, match="not a text file"):
        read_pairs_table(packed)
