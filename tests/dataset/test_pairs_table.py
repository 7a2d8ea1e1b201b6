"""The pairs table: what is read, and what each fault says."""

from __future__ import annotations

import gzip
from dataclasses import replace

import pytest

from tfimpute_tracks.dataset.pairs_table import format_pairs_table, read_pairs_table
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
REPLICATES = "tf\tcell\trole\tbed\treplicate\n"
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


@pytest.mark.parametrize(
    ("row", "kind"),
    [("My/TF\tK562", "TF name 'My/TF'"), ("MAX\tT/B", "cell line name 'T/B'")],
)
def test_names_that_no_file_can_have_are_refused(table, row, kind):
    path = table(f"tf\tcell\tbed\n{row}\tpeaks/a.bed\n")
    with pytest.raises(InputFileError, match=f"pairs.tsv:2: the {kind} cannot be"):
        read_pairs_table(path)


def test_without_roles_all_are_base(table):
    found = read_pairs_table(table("tf\tcell\tbed\nMAX\tK562\tpeaks/a.bed\n"))
    assert found.roles == ("base",)


def test_replicates_are_further_rows_of_a_pair(table):
    text = (
        "tf\tcell\tbed\treplicate\n"
        "MAX\tK562\tpeaks/a.bed\t1\n"
        "CTCF\tK562\tpeaks/a.bed\t\n"
        "MAX\tK562\tpeaks/b.bed\t2\n"
    )
    found = read_pairs_table(table(text))
    assert found.pairs == (
        Pair("MAX", "K562"),
        Pair("CTCF", "K562"),
        Pair("MAX", "K562"),
    )
    assert found.roles == ("base", "base", "test2")
    assert found.replicates == ("1", "", "2")
    assert [found.name(i) for i in range(3)] == [
        "MAX:K562/1",
        "CTCF:K562",
        "MAX:K562/2",
    ]


@pytest.mark.parametrize("role", ["", "test2"])
def test_a_replicate_needs_no_role(table, role):
    text = REPLICATES + ROW[:-1] + "\t1\n" + f"MAX\tK562\t{role}\tpeaks/b.bed\t2\n"
    assert read_pairs_table(table(text)).roles == ("base", "test2")


def test_a_table_is_read_as_it_was_written(table, tmp_path):
    text = REPLICATES + ROW[:-1] + "\t1\nMAX\tK562\ttest2\tpeaks/b.bed\t2\n"
    for given in (text, HEADER + ROW):
        found = read_pairs_table(table(given))
        (tmp_path / "deep" / "er").mkdir(parents=True, exist_ok=True)
        copy = tmp_path / "deep" / "er" / "copy.tsv"
        copy.write_text(format_pairs_table(found, copy.parent))
        again = read_pairs_table(copy)
        assert [bed.resolve() for bed in again.beds] == list(found.beds)
        assert replace(again, beds=()) == replace(found, beds=())


def test_without_its_roles_a_table_may_have_any(table):
    text = HEADER + ROW.replace("base", "whatever")
    assert read_pairs_table(table(text), with_roles=False).roles == ("base",)


def test_line_ends_and_byte_order_mark_do_not_matter(table):
    plain = read_pairs_table(table(HEADER + ROW))
    assert (
        read_pairs_table(table("\ufeff" + (HEADER + ROW).replace("\n", "\r\n")))
        == plain
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", r"pairs\.tsv: is empty; .*the columns tf, cell"),
        ("tf\tcell\trole\n", r"pairs\.tsv:1: no column bed"),
        (HEADER, r"pairs\.tsv: 0 pairs"),
        (HEADER + ROW + "MAX\tA549\n", r"pairs\.tsv:3: 2 fields .* has 4"),
        (HEADER + ROW + ROW, r"pairs\.tsv:3: pair MAX:K562 is a duplicate of line 2"),
        (HEADER + "MAX\tK562\ttrain\tpeaks/a.bed\n", r":2: role 'train' is not one"),
        (HEADER + "MAX\tK562\tbase\tpeaks/c.bed\n", r":2: no such file .*c\.bed"),
        (HEADER + ROW.replace("base", "test2"), r":2: role 'test2' of the first row"),
        (HEADER + ROW.replace("base", ""), r":2: role '' of the first row"),
        (REPLICATES + 2 * (ROW[:-1] + "\t1\n"), r":3: .*, replicate 1, .* of line 2"),
        (REPLICATES + ROW[:-1] + "\t1\n" + ROW[:-1] + "\t2\n", r":3: a replicate"),
        (
            REPLICATES.join(["", ROW[:-1] + "\t1\n"]).replace("base", "test3")
            + "MAX\tK562\ttest2\tpeaks/b.bed\t2\n",
            r":3: a replicate of MAX:K562, which is test3",
        ),
        (HEADER + "MAX\t \tbase\tpeaks/a.bed\n", r":2: the cell is empty"),
    ],
)
def test_faults_name_the_line(table, text, message):
    with pytest.raises(InputFileError, match=message):
        read_pairs_table(table(text))


def test_a_missing_or_binary_table_is_no_table(tmp_path):
    with pytest.raises(InputFileError, match="No such file"):
        read_pairs_table(tmp_path / "none.tsv")
    binary = tmp_path / "pairs.tsv"
    binary.write_bytes(b"\xff\x00tf")
    with pytest.raises(InputFileError, match="not a text file"):
        read_pairs_table(binary)


def test_a_compressed_table_is_the_same_table(table):
    path = table(HEADER + ROW)
    packed = path.with_name("pairs.tsv.gz")
    packed.write_bytes(gzip.compress((HEADER + ROW).encode()))
    assert read_pairs_table(packed) == read_pairs_table(path)
