"""The reader of text tables: every compression and line end, and errors by line."""

from __future__ import annotations

import bz2
import gzip
import lzma
import os
from pathlib import Path

import pysam
import pytest

from tfimpute_tracks.errors import InputFileError
from tfimpute_tracks.storage import digest_file
from tfimpute_tracks.storage.input_paths import is_folder, is_input, why_no_file
from tfimpute_tracks.storage.table import (
    explain_number,
    open_unpacked,
    read_lines,
    read_rows,
    read_table,
)

TEXT = "# a comment\nTF\tcell \tbed\n\nMAX\t K562\ta.bed\textra\n#CTCF\tK562\tb.bed\n"


def _bgzip(data, folder):
    (folder / "raw").write_bytes(data)
    pysam.tabix_compress(str(folder / "raw"), str(folder / "packed"), force=True)
    return (folder / "packed").read_bytes()


@pytest.mark.parametrize("kind", ["plain", "gzip", "bgzip"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_one_table_whatever_the_compression_and_line_ends(tmp_path, kind, end, mark):
    data = mark + TEXT.replace("\n", end).encode()
    if kind == "gzip":
        data = gzip.compress(data, mtime=0)
    elif kind == "bgzip":
        data = _bgzip(data, tmp_path)
    path = tmp_path / "table"  # the name says nothing
    path.write_bytes(data)
    table = read_table(path, "pairs table", ("tf", "cell"))
    assert table.header == ("tf", "cell", "bed")
    (row,) = table.rows
    assert row == (
        4,
        f"{path}:4",
        {"tf": "MAX", "cell": "K562", "bed": "a.bed"},
    )
    assert [number for number, _ in read_lines(path, "table")] == [1, 2, 3, 4, 5]


def test_rows_are_separated_by_tabs_or_by_blanks(tmp_path):
    path = tmp_path / "t.bed"
    path.write_text("track x\nchr1\t5\ta b\n\n  chr2  7 9 \n")
    found = list(read_rows(path, "BED file", ("#", "track")))
    assert found == [(2, ["chr1", "5", "a b"]), (4, ["chr2", "7", "9"])]


def test_a_file_next_to_the_table_is_found(tmp_path):
    path = tmp_path / "t.tsv"
    path.write_text("bed\na.bed\nb.bed\n")
    (tmp_path / "a.bed").touch()
    first, second = read_table(path, "table", ("bed",)).rows
    assert first.file("bed") == tmp_path / "a.bed"
    with pytest.raises(InputFileError, match=r"t\.tsv:3: no such file .*b\.bed"):
        second.file("bed")
    (tmp_path / "b.bed").mkdir()
    with pytest.raises(InputFileError, match=r"t\.tsv:3: .*b\.bed is a folder"):
        second.file("bed")
    with pytest.raises(InputFileError, match=r"b\.bed: is a folder; use a pairs table"):
        read_table(tmp_path / "b.bed", "pairs table", ("bed",))


def test_what_cannot_be_a_file_has_its_reason(tmp_path):
    assert why_no_file(tmp_path) == "is a folder"
    assert why_no_file(tmp_path / "absent") == "no such file"
    assert not is_input(Path("CTCF:K562;" * 1000))
    assert not is_folder(Path("CTCF:K562;" * 1000))


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "t: is empty; a pairs table is tab-separated with the columns tf, cell"),
        (b"# only\n", "t: is empty"),
        (b"#x\ncell\tx\n", r"t:2: no column tf in the header \['cell', 'x'\]; a pairs"),
        (b"tf\tcell\nMAX\n", "t:2: 1 fields where the header has 2"),
        (b"tf\tcell\n\nMAX\t \n", "t:3: the cell is empty; fill it in"),
        (
            b"tf\tcell\nMAX\t\xff\n",
            "t:2: not a text file .* use a pairs table in UTF-8",
        ),
        (
            gzip.compress(TEXT.encode(), mtime=0)[:-9],
            "t: the compressed pairs table is cut short",
        ),
        (b"\x1f\x8b\x08\x00cut", "t: the compressed pairs table is cut short"),
        (None, "t: cannot read the pairs table .No such file"),
    ],
)
def test_a_bad_table_is_refused_in_one_line(tmp_path, data, message):
    path = tmp_path / "t"
    if data is not None:
        path.write_bytes(data)
    with pytest.raises(InputFileError, match=message) as caught:
        read_table(path, "pairs table", ("tf", "cell"))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("data", "cause"),
    [
        (bz2.compress(TEXT.encode()), "compressed by bzip2; unpack"),
        (lzma.compress(TEXT.encode()), "compressed by xz; unpack"),
        (b"PK\x03\x04rest", "a zip archive, or a spreadsheet"),
        (TEXT.encode("utf-16"), "text in UTF-16; save it as UTF-8"),
        (gzip.compress(TEXT.encode("utf-16")), "text in UTF-16; save it as UTF-8"),
        (TEXT.encode("utf-16-be"), "it has NUL bytes"),
    ],
)
def test_another_compression_or_encoding_is_named(tmp_path, data, cause):
    path = tmp_path / "t.txt"
    path.write_bytes(data)
    for read in (
        lambda: read_table(path, "table", ("tf",)),
        lambda: list(read_rows(path, "table", errors="replace")),
    ):
        with pytest.raises(InputFileError, match=cause) as caught:
            read()
        assert "\n" not in str(caught.value)


def test_a_pipe_is_read_as_often_as_is_needed(tmp_path):
    data = gzip.compress(TEXT.encode())
    reading, writing = os.pipe()
    os.write(writing, data)
    os.close(writing)
    path = Path(f"/dev/fd/{reading}")
    for _ in range(2):
        assert len(read_table(path, "table", ("tf", "cell")).rows) == 1
    (tmp_path / "same").write_bytes(data)
    assert digest_file(path) == digest_file(tmp_path / "same")
    os.close(reading)


def test_a_header_may_begin_with_a_hash_and_blank_lines(tmp_path):
    path = tmp_path / "t"
    path.write_text("\n# note\n#TF\tcell\n  MAX\tK562\n # CTCF\tK562\n")
    (row,) = read_table(path, "table", ("tf", "cell")).rows
    assert row.fields == {"tf": "MAX", "cell": "K562"}


@pytest.mark.parametrize(
    ("text", "plain"),
    [("1,000", "1000"), ("12'345'678", "12345678"), ("-1 000.5", "-1000.5")],
)
def test_thousand_separators_are_named(text, plain):
    assert explain_number(text) == f"{text!r} has thousand separators; write {plain}"
    assert explain_number(plain) == explain_number("1,00") == ""


@pytest.mark.parametrize("text", ["9" * 20, "-" + "1" * 5000])
def test_numbers_beyond_64_bits_are_named(text):
    assert "is too large; check the number" in explain_number(text)
    assert len(explain_number(text)) < 120


def test_bytes_that_are_not_utf8_can_be_accepted(tmp_path):
    path = tmp_path / "t"
    path.write_bytes(b"caf\xe9 1\n")
    assert list(read_rows(path, "table", errors="replace")) == [(1, ["caf\ufffd", "1"])]


def test_errors_of_the_block_pass_through(tmp_path):
    (tmp_path / "t").write_bytes(b"x")
    with (
        pytest.raises(FileNotFoundError),
        open_unpacked(tmp_path / "t", "table"),
    ):
        (tmp_path / "absent").read_bytes()
