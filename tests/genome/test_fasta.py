"""FASTA files of every kind: one sequence whatever the file, and no wrong one ever."""

from __future__ import annotations

import multiprocessing
import os
import pickle
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pyfaidx
import pysam
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fasta_files import GOOD, KINDS, TOY, fasta_text, naive_codes, write_fasta
from tfimpute_tracks.errors import InputFileError, OutputError, RegionError
from tfimpute_tracks.genome.cache import cache_key, default_cache_dir
from tfimpute_tracks.genome.fasta import open_genome
from tfimpute_tracks.storage import digest_arrays


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("newline", ["\n", "\r\n", " \n", "\t\r\n"])
def test_codes_of_every_kind(tmp_path, quiet, kind, newline):
    path = write_fasta(tmp_path / "toy.fa", fasta_text(TOY, newline=newline), kind)
    with open_genome(path, log=quiet.append) as genome:
        assert genome.path == path
        assert genome.name == path.name
        assert list(genome.chrom_sizes.items()) == [(n, len(s)) for n, s in TOY.items()]
        for name, letters in TOY.items():
            codes = genome.codes(name)
            assert codes.dtype == np.uint8
            assert codes.tolist() == naive_codes(letters)
            assert genome.is_soft_masked(name).tolist() == [
                c.islower() for c in letters
            ]
        assert genome.ambiguous == {"chr1": 4}
    assert len(quiet) == (2 if kind == "gzip" else 1)


LETTERS = st.text(alphabet="ACGTNacgtnRyKm", min_size=1, max_size=80)


@settings(max_examples=60)
@given(
    letters=LETTERS,
    other=LETTERS,
    width=st.integers(1, 90),
    newline=st.sampled_from(["\n", "\r\n"]),
    kind=st.sampled_from(["plain", "bgzip"]),
    last_newline=st.booleans(),
    data=st.data(),
)
def test_any_region_is_a_slice_of_the_text(
    letters, other, width, newline, kind, last_newline, data
):
    text = fasta_text({"a": other, "b": letters}, width, newline)
    text = text if last_newline else text.removesuffix(newline)
    end = data.draw(st.integers(0, len(letters)))
    start = data.draw(st.integers(0, end))
    with tempfile.TemporaryDirectory() as folder:
        path = write_fasta(Path(folder) / "toy.fa", text, kind)
        with open_genome(path, Path(folder), log=[].append) as genome:
            codes = genome.codes("b", start, end)
    assert codes.tolist() == naive_codes(letters[start:end])


def test_a_chromosome_longer_than_a_piece(tmp_path, quiet, rng):
    """Encoding goes piece by piece, and a bgzip file has many blocks."""
    raw = rng.choice(np.frombuffer(b"ACGTNacgtnR", dtype=np.uint8), 2_500_003)
    letters = raw.tobytes().decode()
    text = fasta_text({"a": "ACGT", "b": letters}, 61)
    expected = np.array(naive_codes(letters), dtype=np.uint8)
    for kind in KINDS:
        path = write_fasta(tmp_path / "big.fa", text, kind)
        with open_genome(path, log=quiet.append) as genome:
            np.testing.assert_array_equal(genome.codes("b"), expected)
            assert genome.ambiguous == {"b": letters.count("R")}
            part = genome.codes("b", 1_048_570, 2_200_001)
            np.testing.assert_array_equal(part, expected[1_048_570:2_200_001])


def _bytes_read():
    """What this process has read from files so far."""
    return int(Path("/proc/self/io").read_text().split()[1])


def test_a_base_of_a_chromosome_on_one_line_is_read_alone(tmp_path, quiet):
    path = write_fasta(
        tmp_path / "one-line.fa", fasta_text({"a": "ACGT" * 10**6}, 4 * 10**6)
    )
    with open_genome(path, log=quiet.append) as genome:
        before = _bytes_read()
        assert genome.codes("a", 3_999_990, 3_999_993).tolist() == [2, 3, 0]
        assert _bytes_read() - before < 10_000


def test_the_digest_depends_on_bases_only(tmp_path, quiet):
    texts = [fasta_text(TOY), fasta_text(TOY, 7, "\r\n"), fasta_text(TOY).upper()]
    texts[2] = texts[2].replace("CHR", "chr")
    digests = set()
    for i, text in enumerate(texts):
        path = write_fasta(tmp_path / f"{i}.fa", text, KINDS[i])
        with open_genome(path, log=quiet.append) as genome:
            digests.add(digest_arrays(genome.codes("chr1")))
    assert len(digests) == 1
    assert digests.pop().startswith("sha256:")


@pytest.mark.parametrize(
    ("where", "what"),
    [
        (("chr3",), "unknown chromosome chr3; known: chr1, chr2, chr10"),
        (("1",), "unknown chromosome 1; its name in the FASTA is chr1"),
        (("chr1", 0, 18), "chr1, which has 17 bp"),
        (("chr1", -1, 5), "from -1 to 5"),
        (("chr1", 6, 5), "from 6 to 5"),
        (("chr1", 18), "from 18 to 17"),
    ],
)
def test_outside_is_refused(tmp_path, quiet, where, what):
    path = write_fasta(tmp_path / "toy.fa", fasta_text(TOY))
    with (
        open_genome(path, log=quiet.append) as genome,
        pytest.raises(RegionError, match=what),
    ):
        genome.codes(*where)


def test_an_empty_region_has_no_codes(tmp_path, quiet):
    path = write_fasta(tmp_path / "toy.fa", fasta_text(TOY))
    with open_genome(path, log=quiet.append) as genome:
        for place in (0, 10, 17):
            assert genome.codes("chr1", place, place).shape == (0,)


def test_a_closed_genome_says_so(tmp_path, quiet):
    path = write_fasta(tmp_path / "toy.fa", fasta_text(TOY))
    genome = open_genome(path, log=quiet.append)
    genome.close()
    with pytest.raises(ValueError, match="was closed"):
        genome.codes("chr1")


@pytest.mark.parametrize("kind", ["plain", "bgzip"])
def test_the_index_is_the_one_samtools_makes(tmp_path, quiet, kind):
    path = write_fasta(tmp_path / "toy.fa", fasta_text(TOY, 7), kind)
    open_genome(path, log=quiet.append).close()
    judge = tmp_path / "judge"
    pysam.faidx(str(path), "--fai-idx", f"{judge}.fai", "--gzi-idx", f"{judge}.gzi")
    made = [Path(f"{path}.fai"), *([Path(f"{path}.gzi")] if kind == "bgzip" else [])]
    for index in made:
        assert index.read_bytes() == judge.with_suffix(index.suffix).read_bytes()


@pytest.mark.parametrize("kind", KINDS)
def test_a_second_opening_makes_nothing(tmp_path, kind):
    path = write_fasta(tmp_path / "toy.fa", fasta_text(TOY), kind)
    said = []
    open_genome(path, tmp_path / "cache", said.append).close()
    assert said
    said.clear()
    before = {p: p.stat().st_mtime_ns for p in tmp_path.rglob("*") if p.is_file()}
    open_genome(path, tmp_path / "cache", said.append).close()
    after = {p: p.stat().st_mtime_ns for p in tmp_path.rglob("*") if p.is_file()}
    assert said == []
    assert before == after


@pytest.mark.parametrize("kind", ["plain", "bgzip"])
def test_a_stale_index_is_made_anew(tmp_path, kind):
    path = write_fasta(tmp_path / "toy.fa", fasta_text(TOY), kind)
    said = []
    open_genome(path, log=said.append).close()
    changed = {"chr1": "GG" + TOY["chr1"], "chr10": "C", "chr2": "AC" * 40}
    write_fasta(tmp_path / "toy.fa", fasta_text(changed), kind)
    with open_genome(path, log=said.append) as genome:
        for name, letters in changed.items():
            assert genome.codes(name).tolist() == naive_codes(letters)
    assert len(said) == 2
    assert "an index that does not fit it; indexing it now" in said[1]


def test_an_older_index_is_made_anew_though_it_fits(tmp_path):
    path = write_fasta(tmp_path / "toy.fa", fasta_text(TOY))
    said = []
    open_genome(path, log=said.append).close()
    os.utime(f"{path}.fai", (1, 1))
    open_genome(path, log=said.append).close()
    assert "an index that is older than it; indexing it now" in said[1]
    assert Path(f"{path}.fai").stat().st_mtime > 1


@pytest.mark.parametrize(
    "index",
    [
        "",
        "chr1\t17\n",
        "not an index",
        "chr1\t17\t20\t10\t11\n",  # the other sequences are missing
        "chr1\t17\t2000000000\t10\t11\n",
        "chr1\t0\t20\t0\t0\n",
        "\0\0\0",
    ],
)
@pytest.mark.parametrize("kind", ["plain", "bgzip"])
def test_a_wrong_index_is_made_anew(tmp_path, quiet, kind, index):
    path = write_fasta(tmp_path / "toy.fa", fasta_text(TOY), kind)
    open_genome(path, log=quiet.append).close()
    for suffix in (".fai", ".gzi"):
        if Path(f"{path}{suffix}").exists():
            Path(f"{path}{suffix}").write_text(index)
    quiet.clear()
    with open_genome(path, log=quiet.append) as genome:
        assert genome.codes("chr2").tolist() == naive_codes(TOY["chr2"])
    assert len(quiet) == 1


def test_a_layout_the_index_does_not_describe_is_refused(tmp_path, quiet):
    """The same bytes in all, but a line's end is where the index has letters."""
    text = fasta_text({"a": "ACGT" * 10}, 10)
    path = write_fasta(tmp_path / "toy.fa", text)
    open_genome(path, log=quiet.append).close()
    index = Path(f"{path}.fai").stat()
    lines = text.split("\n")
    lines[2], lines[3] = lines[2][:-2], lines[3] + "AC"
    path.write_text("\n".join(lines))
    os.utime(path, ns=(index.st_atime_ns, index.st_mtime_ns))
    with (
        open_genome(path, log=quiet.append) as genome,
        pytest.raises(InputFileError, match="3: the lines of 'a' are not all equally"),
    ):
        genome.codes("a")


def test_a_folder_closed_to_writing_is_left_alone(tmp_path):
    folder = tmp_path / "closed"
    folder.mkdir()
    cache = tmp_path / "cache"
    for kind in KINDS:
        path = write_fasta(folder / f"{kind}.fa", fasta_text(TOY), kind)
        folder.chmod(0o555)
        said = []
        with open_genome(path, cache, said.append) as genome:
            assert genome.codes("chr1").tolist() == naive_codes(TOY["chr1"])
        assert said
        said.clear()
        open_genome(path, cache, said.append).close()
        assert said == []
        folder.chmod(0o755)
    assert sorted(p.name for p in folder.iterdir()) == [
        "bgzip.fa.gz",
        "gzip.fa.gz",
        "plain.fa",
    ]


def test_a_place_that_refuses_the_index_sends_it_to_the_cache(tmp_path, quiet):
    path = write_fasta(tmp_path / "toy.fa", fasta_text(TOY))
    Path(f"{path}.fai").mkdir()
    cache = tmp_path / "cache"
    with open_genome(path, cache, quiet.append) as genome:
        assert genome.codes("chr1").tolist() == naive_codes(TOY["chr1"])
    assert [p.suffix for p in (cache / "fasta").iterdir()] == [".fai"]


def test_no_place_for_the_index_is_an_error(tmp_path, quiet):
    path = write_fasta(tmp_path / "toy.fa", fasta_text(TOY))
    Path(f"{path}.fai").mkdir()
    (tmp_path / "cache").write_text("a file")
    with pytest.raises(OutputError, match="cannot write to the folder"):
        open_genome(path, tmp_path / "cache", quiet.append)


def test_a_changed_gzip_file_is_unpacked_again(tmp_path, quiet):
    path = write_fasta(tmp_path / "toy.fa", fasta_text(TOY), "gzip")
    open_genome(path, log=quiet.append).close()
    write_fasta(tmp_path / "toy.fa", fasta_text({"chr1": "CAT"}), "gzip")
    with open_genome(path, log=quiet.append) as genome:
        assert genome.chrom_sizes == {"chr1": 3}
    assert [p.suffix for p in tmp_path.iterdir() if p.is_file()] == [".gz"]


def test_the_cache_follows_the_environment(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert default_cache_dir() == tmp_path / "tfimpute-tracks"
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    for nothing in ("", "relative"):
        monkeypatch.setenv("XDG_CACHE_HOME", nothing)
        expected = tmp_path / "home" / ".cache" / "tfimpute-tracks"
        assert default_cache_dir() == expected


def test_the_cache_key_follows_the_file(tmp_path):
    path = tmp_path / "a"
    path.write_bytes(b"A" * 200_000)
    os.utime(path, ns=(10**18, 10**18))
    key = cache_key(path)
    assert cache_key(shutil.copy2(path, tmp_path / "b")) == key
    os.utime(path, ns=(10**18, 10**18 + 1))
    assert cache_key(path) != key
    path.write_bytes(b"A" * 199_999 + b"C")
    os.utime(path, ns=(10**18, 10**18))
    assert cache_key(path) != key


def test_comments_before_the_first_name_are_passed_over(tmp_path, quiet):
    path = write_fasta(tmp_path / "old.fa", "; by hand\n\n" + GOOD)
    with open_genome(path, log=quiet.append) as genome:
        assert genome.codes("a").tolist() == naive_codes("ACGTACGTACACGT")
    assert repr(genome) == f"Genome({str(path)!r}, 1 sequences)"
    path.write_text("; by hand\n" + GOOD + ">a\nAC\n")
    with pytest.raises(InputFileError, match=r":5: 'a' is named a second time"):
        open_genome(path, log=quiet.append)


@pytest.mark.parametrize("kind", KINDS)
def test_many_small_sequences(tmp_path, quiet, rng, kind):
    """Of which a block of bgzip holds hundreds, read forth and back."""
    raw = rng.choice(np.frombuffer(b"ACGT", dtype=np.uint8), (1500, 90))
    sequences = {f"s{i}": row.tobytes().decode() for i, row in enumerate(raw)}
    path = write_fasta(tmp_path / "many.fa", fasta_text(sequences, 60), kind)
    with open_genome(path, log=quiet.append) as genome:
        for name in [*sequences, *list(sequences)[::-7]]:
            assert genome.codes(name, 50).tolist() == naive_codes(sequences[name][50:])


@pytest.mark.parametrize("kind", KINDS)
def test_pickled_and_opened_anew(tmp_path, monkeypatch, quiet, kind):
    path = write_fasta(tmp_path / "toy.fa", fasta_text(TOY), kind)
    monkeypatch.chdir(tmp_path)
    genome = open_genome(path.name, Path("cache"), quiet.append)
    pickled = pickle.dumps(genome)
    monkeypatch.chdir("/")
    again = pickle.loads(pickled)
    assert again.chrom_sizes == genome.chrom_sizes
    assert again.codes("chr2").tolist() == naive_codes(TOY["chr2"])


def test_a_changed_file_is_not_opened_anew(tmp_path, quiet):
    path = write_fasta(tmp_path / "toy.fa", fasta_text(TOY))
    pickled = pickle.dumps(open_genome(path, log=quiet.append))
    os.utime(path, (1, 1))
    with pytest.raises(InputFileError, match="has changed since it was opened"):
        pickle.loads(pickled)


@pytest.mark.parametrize("kind", ["plain", "bgzip"])
def test_threads_and_processes_read_at_once(tmp_path, quiet, rng, kind):
    raw = rng.choice(np.frombuffer(b"ACGT", dtype=np.uint8), 300_000)
    expected = np.array(naive_codes(raw.tobytes().decode()), dtype=np.uint8)
    text = fasta_text({"a": raw.tobytes().decode()}, 60)
    path = write_fasta(tmp_path / "a.fa", text, kind)
    starts = rng.integers(0, 299_000, 200).tolist()
    with open_genome(path, log=quiet.append) as genome:
        with ThreadPoolExecutor(4) as pool:
            parts = list(pool.map(lambda s: genome.codes("a", s, s + 1000), starts))
        for start, part in zip(starts, parts, strict=True):
            np.testing.assert_array_equal(part, expected[start : start + 1000])
        with multiprocessing.get_context("spawn").Pool(1) as pool:
            (part,) = pool.starmap(genome.codes, [("a", 5, 900)])
        np.testing.assert_array_equal(part, expected[5:900])


def test_pysam_waits_for_a_bgzip_file(tmp_path):
    path = write_fasta(tmp_path / "toy.fa", fasta_text(TOY))
    code = (
        "import sys; from tfimpute_tracks.genome import open_genome;"
        f"open_genome({str(path)!r}).codes('chr1');"
        "sys.exit('pysam' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_real_genome(shared_data, tmp_path, quiet):
    path = shared_data / "hg19" / "hg19.partial.fa.gz"
    before = sorted(p.name for p in path.parent.iterdir())
    with (
        open_genome(path, tmp_path, quiet.append) as genome,
        pysam.FastaFile(str(path)) as judge,
    ):
        assert list(genome.chrom_sizes) == judge.references
        for region in (("chr20", 30_000_000, 30_200_000), ("chrX", 0, 70_000)):
            assert genome.codes(*region).tolist() == naive_codes(judge.fetch(*region))
    assert sorted(p.name for p in path.parent.iterdir()) == before


def test_pyfaidx_agrees(tmp_path, quiet):
    path = write_fasta(tmp_path / "toy.fa", fasta_text(TOY, 7))
    with (
        open_genome(path, log=quiet.append) as genome,
        pyfaidx.Fasta(str(path)) as judge,
    ):
        for name in TOY:
            assert genome.codes(name).tolist() == naive_codes(str(judge[name][:]))


EMPTY = {
    "at the end": (">a\nACGT\nAC\n>x\n\n>y\n", ["a"]),
    "before": (">x\n>a\nACGT\nAC\n>y\n>b\nT\n", ["a", "b"]),
    "blank lines": (">x\n\n\n>a\nACGT\nAC\n\n\n>y\n\n \n>b\nT", ["a", "b"]),
    "carriage returns": (">x\r\n\r\n>a\r\nACGT\r\nAC\r\n>y\r\n", ["a"]),
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("place", EMPTY)
def test_sequences_without_bases_are_left_out_with_a_note(tmp_path, kind, place):
    text, names = EMPTY[place]
    path = write_fasta(tmp_path / "toy.fa", text, kind)
    for _ in range(2):  # with a new index, and with the old one
        said = []
        with open_genome(path, tmp_path, said.append) as genome:
            assert list(genome.chrom_sizes) == names
            assert genome.codes("a").tolist() == [0, 1, 2, 3, 0, 1]
        assert said[-1] == f"{path}: 2 sequences without bases left out: x, y"


def test_empty_sequences_at_the_end_of_a_bgzip_file_of_many_blocks(tmp_path, rng):
    text = "".join(rng.choice(list("ACGT"), 300_000))
    sequences = fasta_text({"a": text[:140_000], "b": text[140_000:]}, 60)
    path = write_fasta(tmp_path / "toy.fa", f"{sequences}>c\n\n>d\n", "bgzip")
    with open_genome(path, tmp_path, print) as genome:
        assert genome.codes("b", 70_000).tolist() == naive_codes(text[210_000:])
        assert genome.codes("a", 65_000, 66_000).tolist() == naive_codes(
            text[65_000:66_000]
        )
