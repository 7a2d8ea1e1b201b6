"""Elements out of BED and FASTA files: which there are, and why others are not."""

import gzip

import numpy as np
import pytest

from tfimpute_tracks.errors import InputFileError, RegionError
from tfimpute_tracks.genome import open_genome, read_past_ends
from tfimpute_tracks.interpret.elements import (
    MAX_BASES,
    is_fasta,
    read_fasta,
    read_intervals,
)
from tfimpute_tracks.kernels.encode import encode
from toys import random_letters, write_gapped_genome


@pytest.fixture
def toy(tmp_path):
    """A genome with N from 1,500 to 2,000, and its letters."""
    fasta, letters = write_gapped_genome(tmp_path)
    with open_genome(fasta) as genome:
        yield genome, letters


def _reasons(elements):
    return {skipped.name: skipped.reason for skipped in elements.skipped}


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_a_bed_names_its_elements(toy, tmp_path, pack):
    genome, _ = toy
    text = "chr1\t100\t230\tone\n1\t1480\t1580\t.\n20\t0\t60\ttwo\n"
    path = tmp_path / "a.bed.gz"
    path.write_bytes(pack(text.replace("20", "chr20", 1).encode()))
    assert not is_fasta(path)
    path.write_bytes(pack(text.encode()))
    found = read_intervals(path, genome)
    assert found.found == [
        ("one", "chr1", 100, 230, 0),
        ("two", "chr20", 0, 60, 0),
    ]
    # Without a name of its own it is called by the numbers of the BED.
    assert _reasons(found) == {"1:1480-1580": "unknown sequence"}


def test_elements_without_names_are_called_by_their_place(toy, tmp_path):
    genome, _ = toy
    (tmp_path / "a.bed").write_text("chr1\t5\t9\nchr1\t1450\t1510\n")
    found = read_intervals(tmp_path / "a.bed", genome)
    assert [e.name for e in found.found] == ["chr1:5-9", "chr1:1450-1510"]
    assert found.found[1].n_unknown == 10


def test_what_a_bed_cannot_give_has_a_reason(toy, tmp_path):
    genome, _ = toy
    rows = [
        ("chr1", 5, 200, "a"),
        ("chr9", 5, 200, "chromosome"),
        ("chr20", 800, 901, "end"),
        ("chr1", 1500, 1600, "gap"),
        ("chr1", 5, 200, "a"),
    ]
    text = "".join("\t".join(map(str, row)) + "\n" for row in rows)
    (tmp_path / "a.bed").write_text(text)
    found = read_intervals(tmp_path / "a.bed", genome)
    assert [e.name for e in found.found] == ["chr1:5-200"]
    assert _reasons(found) == {
        "chromosome": "unknown chromosome",
        "end": "outside of the chromosome",
        "gap": "unknown sequence",
        "chr1:5-200": "duplicate interval",
    }
    assert {skipped.what for skipped in found.skipped} == {"element"}


def test_a_class_in_place_of_a_name_drops_no_element(toy, tmp_path):
    genome, _ = toy
    reported = []
    path = tmp_path / "a.bed"
    path.write_text(
        "chr1\t5\t9\tE\nchr1\t20\t29\tE\nchr1\t40\t49\tmine\nchr9\t1\t9\tx\n"
    )
    found = read_intervals(path, genome, reported.append)
    assert [e.name for e in found.found] == ["chr1:5-9", "chr1:20-29", "mine"]
    assert "1 element on chromosomes that the genome lacks (chr9)" in reported[0]
    assert "has E in several rows" in reported[1]


def test_elements_on_no_chromosome_of_the_genome_are_refused(toy, tmp_path):
    genome, _ = toy
    (tmp_path / "a.bed").write_text("chr8\t5\t9\nchr9\t5\t9\n")
    with pytest.raises(
        RegionError, match=r"unknown chromosomes chr8, chr9; known: chr1"
    ):
        read_intervals(tmp_path / "a.bed", genome)


def test_a_fasta_holds_its_elements(tmp_path, rng):
    one, two = random_letters(rng, 90), random_letters(rng, 40)
    text = (
        f"; a comment\n>one some words\n{one[:33]}\n{one[33:70].lower()}\n\n{one[70:]}"
    )
    text += f"\n>half\n{two}{'N' * 41}\n>two\r\n{two}\r\n>none\n>one\nACGT\n>n\nNNN\n"
    text += f">long\n{'A' * (MAX_BASES + 1)}"
    path = tmp_path / "a.fa"
    path.write_text(text)
    assert is_fasta(path)
    found = read_fasta(path)
    assert [(e.name, e.end) for e in found.found] == [("one", 90), ("two", 40)]
    assert _reasons(found) == {
        "half": "unknown sequence",
        "none": "no sequence",
        "one": "duplicate name",
        "n": "unknown sequence",
        "long": f"longer than {MAX_BASES:,} bp",
    }
    codes = read_past_ends(found.sequences, "one", -3, 95)
    np.testing.assert_array_equal(codes, encode(f"NNN{one}NNNNN"))


@pytest.mark.parametrize(
    ("content", "reported"),
    [
        (b">a\nACGT\n>\nACGT\n", "a.fa:3: a sequence without a name"),
        (b"", "is empty"),
        (gzip.compress(b">a\nACGT\n" * 5000, mtime=0)[:60], "cut short"),
    ],
)
def test_what_is_no_fasta_is_refused(tmp_path, content, reported):
    path = tmp_path / "a.fa"
    path.write_bytes(content)
    with pytest.raises(InputFileError, match=reported):
        read_fasta(path)


@pytest.mark.parametrize(
    ("name", "content", "reported"),
    [
        ("a.txt", b"\xef\xbb\xbf>a\nACGT\n", "byte order mark"),
        ("a.txt", b"@r\nACGT\n+\nIIII\n", "not a FASTA but FASTQ"),
        ("a.fa.gz", b"ACGT\n", "bases without a name"),
        ("a.fasta", b"", "is empty"),
        ("a.txt", b">a\rACGT\r", "lines end in CR"),
    ],
)
def test_what_was_meant_as_a_fasta_is_read_as_one(tmp_path, name, content, reported):
    path = tmp_path / name
    path.write_bytes(content)
    assert is_fasta(path)
    with pytest.raises(InputFileError, match=reported):
        read_fasta(path)


def test_a_file_that_cannot_be_read_is_reported(tmp_path):
    with pytest.raises(InputFileError, match="cannot read the"):
        is_fasta(tmp_path / "gone.bed")
    with pytest.raises(InputFileError, match="is a folder; use a BED or FASTA file"):
        is_fasta(tmp_path)
    (tmp_path / "cut.gz").write_bytes(gzip.compress(b"chr1\t5\t9\n" * 999)[:30])
    with pytest.raises(InputFileError, match="cut short"):
        is_fasta(tmp_path / "cut.gz")
