"""Names and sizes of chromosomes."""

from __future__ import annotations

import pytest

from tfimpute_tracks.errors import InputFileError, RegionError
from tfimpute_tracks.genome.chroms import (
    check_build,
    describe_mismatch,
    find_chrom,
    match_chrom,
    match_chroms,
    natural_order,
    read_chrom_sizes,
)


@pytest.mark.parametrize(
    ("asked", "available", "found"),
    [
        ("chr1", ["chr1", "1"], "chr1"),
        ("1", ["1", "chr1"], "1"),
        ("1", ["chr1", "chr10"], "chr1"),
        ("chr1", ["1", "10"], "1"),
        ("X", ["chrX"], "chrX"),
        ("chrX", ["X"], "X"),
        ("MT", ["chrMT"], "chrMT"),
    ],
)
def test_match_with_and_without_chr(asked, available, found):
    assert match_chrom(asked, available) == found


@pytest.mark.parametrize(("asked", "other"), [("chrM", "MT"), ("MT", "chrM")])
def test_the_two_mitochondria_never_match(asked, other):
    assert find_chrom(asked, [other]) is None
    with pytest.raises(RegionError, match=f"{asked}; known: {other}"):
        match_chrom(asked, [other])


def test_a_miss_shows_both_sides_in_natural_order():
    names = [f"chr{n}" for n in (10, 2, 1, 22, 21, 3, "X")]
    with pytest.raises(RegionError) as caught:
        match_chrom("chr23", names)
    message = str(caught.value)
    assert message.startswith("unknown chromosome chr23; ")
    assert "chr1, chr2, chr3, chr10, chr21 and 2 more" in message
    assert "\n" not in message


def test_misses_of_a_file_are_shown_together():
    asked = ["chr1", *(f"NC_{n}" for n in range(12, 0, -1))]
    with pytest.raises(RegionError) as caught:
        match_chroms(asked, ["chr1"], "peaks.bed")
    expected = "peaks.bed: unknown chromosomes NC_1, NC_2, NC_3, NC_4, NC_5 and 7 more"
    assert str(caught.value).startswith(expected)
    assert match_chroms(["1", "1"], ["chr1"]) == {"1": "chr1"}


def test_names_of_thousands_of_digits_have_an_order():
    assert sorted(["9" * 5000, "10", "9"], key=natural_order)[:2] == ["9", "10"]


def test_natural_order():
    ordered = ["1", "2", "10", "X", "chr1", "chr2", "chr2_random", "chr10", "chrX"]
    as_text = sorted(ordered)
    assert as_text != ordered
    assert sorted(as_text, key=natural_order) == ordered


def test_sizes_keep_the_order_of_the_file(tmp_path):
    path = tmp_path / "sizes"
    path.write_bytes(b"# hg19\nchr2\t20\r\n\nchr10\t5\textra\nchr1 7\n")
    assert list(read_chrom_sizes(path).items()) == [
        ("chr2", 20),
        ("chr10", 5),
        ("chr1", 7),
    ]


@pytest.mark.parametrize(
    ("text", "where", "what"),
    [
        ("chr1\t5\nchr2\n", ":2: ", "'chr2' is not a size"),
        ("chr1\tlong\n", ":1: ", "is not a size"),
        ("\nchr1\t-5\n", ":2: ", "is not a size"),
        ("chr1\t0\n", ":1: ", "is not a size"),
        (f"chr1\t{'9' * 20}\n", ":1: ", "is too large"),
        (f"chr1\t{'9' * 5000}\n", ":1: ", "is too large"),
        ("chr1\t5\nchr1\t5\n", ":2: ", "duplicate chromosome"),
        ("# nothing\n", ": ", "has no chromosome sizes"),
    ],
)
def test_a_bad_table_is_refused_with_its_line(tmp_path, text, where, what):
    path = tmp_path / "bad.sizes"
    path.write_text(text)
    with pytest.raises(InputFileError) as caught:
        read_chrom_sizes(path)
    assert f"bad.sizes{where}" in str(caught.value)
    assert what in str(caught.value)


def test_a_table_that_cannot_be_read_is_refused(tmp_path):
    (tmp_path / "binary").write_bytes(b"\xff\x00")
    for name, what in (
        ("absent", "cannot read the table of chromosome sizes"),
        ("binary", "not a text file"),
        (".", "is a folder; use a table of chromosome sizes"),
    ):
        with pytest.raises(InputFileError, match=what):
            read_chrom_sizes(tmp_path / name)


def test_real_sizes(shared_data):
    sizes = read_chrom_sizes(shared_data / "hg19" / "hg19.chrom.sizes")
    assert len(sizes) == 24
    assert sizes["chr20"] == 63_025_520
    # A .fai begins with the same two columns.
    partial = read_chrom_sizes(shared_data / "hg19" / "hg19.partial.fa.gz.fai")
    assert check_build(partial, sizes) == []


def test_another_build_is_noticed():
    hg19 = {"chr20": 63_025_520, "chrX": 155_270_560, "chrM": 16_571}
    mine = {"X": 155_270_560, "20": 64_444_167, "MT": 16_569, "scaffold": 9}
    assert check_build(mine, hg19) == ["20 has 64,444,167 bp, expected 63,025,520"]
    assert check_build({}, hg19) == []


@pytest.mark.parametrize(
    ("sizes", "message"),
    [
        ({"20": 63_025_520, "scaffold": 9}, ""),
        ({"20": 7, "X": 155_270_560}, "20 has 7 bp, expected 63,025,520"),
        ({"20": 7, "X": 8}, "20 has 7 bp, expected 63,025,520; X has 8 bp, expected"),
        ({"scaffold": 9}, "it has none of chr20, chrX"),
        ({}, "it has none of chr20, chrX"),
    ],
)
def test_how_a_genome_differs_is_described(sizes, message):
    hg19 = {"chr20": 63_025_520, "chrX": 155_270_560}
    described = describe_mismatch(sizes, hg19)
    assert described.startswith(message)
    assert bool(described) == bool(message)
