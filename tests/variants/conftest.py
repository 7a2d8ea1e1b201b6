"""A toy model over a toy genome with a gap."""

from __future__ import annotations

import numpy as np
import pytest

from tfimpute_tracks.genome import open_genome
from toys import AROUND, make_model, random_letters, write_fasta


@pytest.fixture(scope="session")
def toy(tmp_path_factory):
    """A model, and a genome with a gap and a second chromosome."""
    folder = tmp_path_factory.mktemp("toy")
    rng = np.random.default_rng(4)
    known = random_letters(rng, 4000)
    letters = {
        "chr1": known[:1500] + "N" * 500 + known[2000:],
        "chr20": random_letters(rng, 900),
    }
    fasta = write_fasta(folder / "toy.fa", letters)
    return make_model(folder, seed=5), fasta, letters


@pytest.fixture
def genome(toy):
    with open_genome(toy[1]) as opened:
        yield opened


@pytest.fixture(scope="session")
def around(tmp_path_factory):
    """A model that looks at the surroundings of a tile."""
    return make_model(tmp_path_factory.mktemp("around"), seed=6, config=AROUND)
