"""Peak files of a toy genome, a store of them, and the command line."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import pytest

from evidence_toys import draw_contents
from tfimpute_tracks.evidence import open_evidence, write_evidence
from toys import write_model


class Toy(NamedTuple):
    """A folder with a pairs table, a table of accessibility and a model."""

    folder: Path
    pairs_table: Path
    accessibility: Path
    model: Path

    def write_peaks(self, name, *rows):
        """Write (chrom, start, end) rows as a BED file."""
        path = self.folder / name
        path.write_text("".join("{}\t{}\t{}\n".format(*row) for row in rows))
        return path


@pytest.fixture
def toy(tmp_path):
    """CTCF in K562, MAX in HepG2 (chr20 only), and open chromatin of K562."""
    table = tmp_path / "pairs.tsv"
    table.write_text(
        "tf\tcell\trole\tbed\nCTCF\tK562\tbase\tctcf.bed\nmax\thepg2\tvalid2\tmax.bed\n"
    )
    accessible = tmp_path / "open.tsv"
    accessible.write_text("cell\tbed\nK562\topen.bed\n")
    model = write_model(tmp_path / "toy.safetensors")
    toy = Toy(tmp_path, table, accessible, model)
    toy.write_peaks("ctcf.bed", ("chr1", 100, 200), ("chr20", 1000, 1100))
    toy.write_peaks("max.bed", ("chr20", 1050, 1250), ("chr20", 100, 200))
    toy.write_peaks("open.bed", ("chr1", 0, 4000))
    return toy


@pytest.fixture
def contents(rng):
    return draw_contents(rng)


@pytest.fixture
def path(contents, tmp_path):
    """The file of a store drawn at random."""
    write_evidence(tmp_path / "evidence.h5", contents)
    return tmp_path / "evidence.h5"


@pytest.fixture
def store(path):
    return open_evidence(path)
