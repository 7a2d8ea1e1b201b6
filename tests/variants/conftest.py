"""A toy model over a toy genome with a gap."""

from __future__ import annotations

import pytest

from tfimpute_tracks.genome import open_genome
from toys import AROUND, make_model, write_gapped_genome
from variant_files import line_fields


@pytest.fixture(scope="session")
def toy(tmp_path_factory):
    """A model, and a genome with a gap and a second chromosome."""
    folder = tmp_path_factory.mktemp("toy")
    fasta, letters = write_gapped_genome(folder)
    return make_model(folder, seed=5), fasta, letters


@pytest.fixture
def genome(toy):
    with open_genome(toy[1]) as opened:
        yield opened


@pytest.fixture
def lines(toy):
    """Give fields of lines, by what is to become of them."""
    return line_fields(toy[2])


@pytest.fixture(scope="session")
def around(tmp_path_factory):
    """A model that looks at the surroundings of a tile."""
    return make_model(tmp_path_factory.mktemp("around"), seed=6, config=AROUND)
