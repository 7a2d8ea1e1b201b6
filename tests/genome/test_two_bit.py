"""A .2bit file is read as the FASTA that it was made of."""

import pickle
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import numpy as np
import pytest

from fasta_files import TOY, fasta_text, naive_codes, write_fasta
from tfimpute_tracks.errors import InputFileError, RegionError
from tfimpute_tracks.genome import open_genome
from two_bit_files import two_bit_bytes


@pytest.fixture
def opened(tmp_path):
    def write(sequences=TOY, name="toy.2bit", **kind):
        path = tmp_path / name
        path.write_bytes(two_bit_bytes(sequences, **kind))
        return path

    return write


def _read_all(path):
    with open_genome(path) as genome:
        for name, size in genome.chrom_sizes.items():
            if size < 10_000:  # a changed size may be of gigabytes
                assert len(genome.codes(name)) == size


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("version", [0, 1])
def test_every_interval_is_that_of_the_fasta(opened, order, version):
    path = opened(order=order, version=version, name="whatever.fa")
    with open_genome(path) as genome:
        sizes = {name: len(sequence) for name, sequence in TOY.items()}
        assert genome.chrom_sizes == sizes
        for name, sequence in TOY.items():
            codes, masked = naive_codes(sequence), [x.islower() for x in sequence]
            assert genome.codes(name).tolist() == codes
            for start in range(0, len(sequence), 3):
                for end in range(start, len(sequence) + 1, 4):
                    found = genome.codes(name, start, end)
                    assert found.tolist() == codes[start:end]
                    found = genome.is_soft_masked(name, start, end)
                    assert found.tolist() == masked[start:end]


def test_long_sequences_are_read_in_blocks_and_by_threads(opened, tmp_path, rng):
    sequence = np.array(list("ACGTacgtNn"))[rng.integers(0, 10, 70_000)]
    runs = np.repeat(sequence, rng.integers(1, 60, 70_000))[:2_200_000]
    sequences = {"a": "".join(runs), "b": "".join(runs[::-1])}
    fasta = write_fasta(tmp_path / "toy.fa", fasta_text(sequences, 100))
    with open_genome(opened(sequences)) as genome, open_genome(fasta) as other:
        spans = rng.integers(0, len(runs), (40, 2))
        spans.sort(axis=1)
        calls = [(name, *span) for span in spans.tolist() for name in sequences]
        with ThreadPoolExecutor(4) as pool:
            found = list(pool.map(lambda call: genome.codes(*call), calls))
        for call, codes in zip(calls, found, strict=True):
            assert (codes == other.codes(*call)).all()
        for call in calls[:4]:
            masked = genome.is_soft_masked(*call)
            assert (masked == other.is_soft_masked(*call)).all()


def test_a_copy_in_another_process_reads_the_same_file_or_none(opened):
    path = opened()
    with open_genome(path) as genome:
        again = pickle.loads(pickle.dumps(genome))
        assert (again.codes("chr1") == genome.codes("chr1")).all()
        text = pickle.dumps(genome)
    with pytest.raises(ValueError, match="was closed"):
        genome.codes("chr1")
    opened({"chr1": "ACGT"})
    with pytest.raises(InputFileError, match="has changed since it was opened"):
        pickle.loads(text)


def test_intervals_outside_are_refused(opened):
    genome = open_genome(opened())
    with pytest.raises(RegionError, match="is not inside of chr10"):
        genome.codes("chr10", 0, 2)
    with pytest.raises(RegionError, match="its name in the FASTA is chr10"):
        genome.codes("10")


def test_sequences_without_bases_are_left_out_with_a_message(opened):
    said = []
    genome = open_genome(opened({"a": "", "b": "ACGT", "c": ""}), log=said.append)
    assert list(genome.chrom_sizes) == ["b"]
    assert "2 sequences without bases left out: a, c" in said[0]
    with pytest.raises(InputFileError, match="has no sequences"):
        open_genome(opened({"a": ""}))


def test_a_cut_file_is_refused_wherever_it_is_cut(opened):
    path = opened()
    whole = path.read_bytes()
    for length in range(4, len(whole)):
        path.write_bytes(whole[:length])
        with pytest.raises(InputFileError, match=r"damaged \.2bit file") as caught:
            _read_all(path)
        assert str(caught.value).startswith(f"{path}: ")
        assert "\n" not in str(caught.value)


def test_changed_bytes_end_in_an_error_or_in_other_sequence(opened, rng):
    path = opened()
    whole = np.frombuffer(path.read_bytes(), np.uint8)
    for _ in range(400):
        changed = whole.copy()
        changed[rng.integers(4, len(whole), 2)] = rng.integers(0, 256, 2)
        path.write_bytes(changed.tobytes())
        with suppress(InputFileError):
            _read_all(path)


def test_an_unknown_version_is_refused(opened):
    path = opened()
    data = bytearray(path.read_bytes())
    data[4] = 7
    path.write_bytes(data)
    with pytest.raises(InputFileError, match="version 7 is unknown"):
        open_genome(path)
