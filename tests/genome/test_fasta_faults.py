"""Files that are no FASTA, or a broken one: each is named with its fault."""

from __future__ import annotations

import os

import numpy as np
import pysam
import pytest

from fasta_files import GOOD, KINDS, TOY, fasta_text, naive_codes, write_fasta
from tfimpute_tracks.errors import InputFileError
from tfimpute_tracks.genome.fasta import open_genome

FAULTS = {
    "twice": (GOOD + ">b\nAC\n>a x\nGT\n", ":6: 'a' is named a second time.* line 1"),
    "only a name": (">b\n", ":1: the sequence 'b' is empty"),
    "a name twice, once empty": (">a\n" + GOOD, "'a' is named a second time"),
    "short line": (">a\nACGT\nACG\nACGT\n", ":3: the lines of 'a' are not all"),
    "long line": (">a\nACGT\nACGTA\n", ":3: the lines of 'a' are not all"),
    "mixed line ends": (">a\nACGT\r\nACGT\nACGT\r\n", ":3: .*LF here and CRLF there"),
    "blank line": (">a\nACGT\n\nACGT\n", ":3: a blank line inside of 'a'"),
    "comment": (">a\nACGT\n;ACGT\nACGT\n", ":3: a comment .* among the bases of 'a'"),
    "no name": (GOOD + "> \nACGT\n", ":4: a sequence without a name"),
    "not UTF-8": (
        GOOD.encode() + b">\xe9t\xe9\nACGT\n",
        ":4: the name .* is not UTF-8",
    ),
}


# pyfaidx leaves the file to the garbage collector when it stops at an error it did not
# foresee, a byte that is no UTF-8 for one, and Python warns of that.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_named_with_its_line(tmp_path, quiet, kind, fault):
    text, what = FAULTS[fault]
    path = write_fasta(tmp_path / "bad.fa", text, kind)
    with pytest.raises(InputFileError, match=what) as caught:
        open_genome(path, log=quiet.append)
    assert str(caught.value).startswith(f"{path}:")
    assert "\n" not in str(caught.value)
    left = [p for p in tmp_path.rglob("*") if p.name.endswith((".tmp", ".fa"))]
    assert left in ([], [path])


FOREIGN = {
    "nothing": (b"", "is empty"),
    "blank lines": (b"\n\n", "is empty"),
    "text before": (b"hello\n>a\nACGT\n", "not a FASTA but begins with 'hello'"),
    "bases alone": (b"ACGTN\nACGT\n", "but bases without a name; write a line such as"),
    "CR": (b">a\rACGT\rACGT\r", "its lines end in CR, as on old Macs; convert it"),
    "protein": (b">p\nMKTFEL\n", "E and F among its sequences are no bases"),
    "bytes": (bytes(range(128, 256)), "not a FASTA but begins with"),
    "FASTQ": (b"@r\nACGT\n+\nIIII\n", "not a FASTA but FASTQ"),
    "mark": (b"\xef\xbb\xbf>a\nACGT\n", "not a FASTA but text with a byte order mark"),
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("content", FOREIGN)
def test_another_kind_of_file_is_refused(tmp_path, quiet, kind, content):
    data, what = FOREIGN[content]
    path = write_fasta(tmp_path / "bad.fa", data, kind)
    with pytest.raises(InputFileError, match=what) as caught:
        open_genome(path, log=quiet.append)
    assert str(caught.value).startswith(f"{path}: ")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("kind", ["bgzip", "gzip"])
def test_a_compressed_two_bit_file_is_named(tmp_path, kind):
    path = write_fasta(tmp_path / "toy.2bit", b"\x43\x27\x41\x1a\0\0\0\0", kind)
    with pytest.raises(InputFileError, match=r"a compressed \.2bit file; unpack it"):
        open_genome(path)


def test_a_bam_is_refused(tmp_path):
    path = tmp_path / "reads.bam"
    header = {"HD": {"VN": "1.6"}, "SQ": [{"SN": "chr1", "LN": 1000}]}
    pysam.AlignmentFile(str(path), "wb", header=header).close()
    with pytest.raises(InputFileError, match="is not a FASTA but a BAM file"):
        open_genome(path)


@pytest.mark.parametrize("length", [2, 5, 14, 20])
def test_the_beginning_of_a_gzip_file_is_refused(tmp_path, length):
    path = write_fasta(tmp_path / "toy.fa", fasta_text(TOY), "bgzip")
    path.write_bytes(path.read_bytes()[:length])
    with pytest.raises(InputFileError, match="cut short or damaged"):
        open_genome(path)


def test_what_is_not_a_file_is_refused(tmp_path):
    with pytest.raises(InputFileError, match="No such file"):
        open_genome(tmp_path / "absent.fa")
    with pytest.raises(InputFileError, match="is a folder; use a FASTA"):
        open_genome(tmp_path)
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(InputFileError, match="is a pipe; use a FASTA"):
        open_genome(tmp_path / "pipe")


def test_plain_text_named_gz_is_refused(tmp_path):
    path = tmp_path / "toy.fa.gz"
    path.write_text(fasta_text(TOY))
    with pytest.raises(InputFileError, match="plain text in spite of its name"):
        open_genome(path)


@pytest.mark.parametrize("kind", ["bgzip", "gzip"])
def test_a_cut_file_is_refused(tmp_path, quiet, capfd, rng, kind):
    raw = rng.choice(np.frombuffer(b"ACGT", dtype=np.uint8), 400_000)
    text = fasta_text({"a": raw.tobytes().decode()}, 60)
    path = write_fasta(tmp_path / "cut.fa", text, kind)
    path.write_bytes(path.read_bytes()[:-5000])
    with pytest.raises(InputFileError, match="cut short or damaged"):
        open_genome(path, log=quiet.append)
    assert capfd.readouterr().err == ""


def test_a_damaged_block_is_refused_when_it_is_read(tmp_path, quiet, capfd, rng):
    raw = rng.choice(np.frombuffer(b"ACGT", dtype=np.uint8), 400_000)
    letters = raw.tobytes().decode()
    path = write_fasta(tmp_path / "a.fa", fasta_text({"a": letters}, 60), "bgzip")
    genome = open_genome(path, log=quiet.append)
    packed = bytearray(path.read_bytes())
    packed[len(packed) // 2 : len(packed) // 2 + 100] = bytes(100)
    path.write_bytes(packed)
    with pytest.raises(InputFileError, match="cut short or damaged"):
        genome.codes("a")
    assert genome.codes("a", 0, 9).tolist() == naive_codes(letters[:9])
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("n_lines", [1, 30_000])
def test_a_name_behind_bases_is_named(tmp_path, quiet, kind, n_lines):
    """As of two files that were joined, the first without an end of its last line."""
    path = write_fasta(
        tmp_path / "a.fa", ">a\n" + "ACGT\n" * n_lines + "AC>E\nACGT\n", kind
    )
    with (
        pytest.raises(InputFileError, match="name \\(>\\) among the bases"),
        open_genome(path, log=quiet.append) as genome,
    ):
        genome.codes("a")


@pytest.mark.parametrize("kind", KINDS)
def test_blanks_among_bases_are_named(tmp_path, quiet, kind):
    path = write_fasta(tmp_path / "a.fa", b">a\nACGT ACGT\nACGT ACGT\n", kind)
    with (
        pytest.raises(InputFileError, match=":2: blanks among the bases of 'a'"),
        open_genome(path, log=quiet.append) as genome,
    ):
        genome.codes("a")


def test_a_file_cut_between_blocks_is_refused_when_it_is_read(tmp_path, quiet, rng):
    raw = rng.choice(np.frombuffer(b"ACGT", dtype=np.uint8), 400_000)
    text = fasta_text({"a": raw.tobytes().decode()}, 60)
    path = write_fasta(tmp_path / "a.fa", text, "bgzip")
    with open_genome(path, log=quiet.append) as genome:
        third_block = np.fromfile(f"{path}.gzi", dtype="<u8")[3]
        path.write_bytes(path.read_bytes()[:third_block])
        with pytest.raises(InputFileError, match="damaged or has changed"):
            genome.codes("a")
