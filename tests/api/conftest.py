"""The library as people import it, next to the command line it must agree with."""

import pytest

import tfimpute_tracks
from toys import (
    CALIBRATED,
    random_letters,
    write_fasta,
    write_gapped_genome,
    write_model,
)


@pytest.fixture(autouse=True)
def _fresh_settings(fresh_settings):
    pass


@pytest.fixture
def run(run):
    """Give a function that runs a command that must succeed, and returns its stdout."""

    def call(*arguments):
        code, out, err = run(*arguments)
        assert code == 0, err
        return out

    return call


@pytest.fixture
def weights(tmp_path):
    return write_model(tmp_path / "toy.safetensors", card=CALIBRATED)


@pytest.fixture
def model(weights):
    return tfimpute_tracks.load_model(weights)


@pytest.fixture
def gapped(tmp_path):
    """A genome with a gap and two chromosomes."""
    return write_gapped_genome(tmp_path)[0]


@pytest.fixture
def plain(tmp_path, rng):
    """A genome without a gap."""
    sequences = {"chr1": random_letters(rng, 3000), "chr20": random_letters(rng, 2000)}
    return write_fasta(tmp_path / "plain.fa", sequences)
