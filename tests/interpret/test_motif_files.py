"""MEME's and JASPAR's formats, read back by Biopython and memelite."""

import numpy as np
import pytest

from tfimpute_tracks.interpret.filters import FilterMotif
from tfimpute_tracks.interpret.motif_files import jaspar_text, meme_text

bio = pytest.importorskip("Bio.motifs", reason="extra `motifs` not installed")


@pytest.fixture
def some(rng):
    counts = rng.multinomial(40, [0.1, 0.2, 0.3, 0.4], size=(3, 7))
    return [FilterMotif(k, 1.0, own, []) for k, own in enumerate(counts)]


def test_meme_is_read_back(some, tmp_path):
    path = tmp_path / "filters.meme"
    path.write_text(meme_text(some, ["CTCF", "", "FOS::JUN"]))
    with path.open() as file:
        read = bio.parse(file, "minimal")
    assert len(read) == 3
    assert [m.name.split()[0] for m in read] == ["filter000", "filter001", "filter002"]
    for motif, own in zip(some, read, strict=True):
        shares = np.array([own.counts[letter] for letter in "ACGT"]).T
        np.testing.assert_allclose(
            shares / shares.sum(1)[:, None], motif.counts / 40, atol=0.02
        )
        assert own.num_occurrences == motif.n_hits == 40
    io = pytest.importorskip("memelite.io", reason="extra `motifs` not installed")
    again = io.read_meme(str(path))
    for motif, matrix in zip(some, again.values(), strict=True):
        np.testing.assert_allclose(np.asarray(matrix).T, motif.counts / 40, atol=1e-5)


def test_jaspar_is_read_back(some, tmp_path):
    path = tmp_path / "filters.jaspar"
    path.write_text(jaspar_text(some, ["CTCF", "", "FOS::JUN"]))
    with path.open() as file:
        read = bio.parse(file, "jaspar")
    assert [(m.matrix_id, m.name) for m in read] == [
        ("filter000", "CTCF"),
        ("filter001", "filter001"),
        ("filter002", "FOS::JUN"),
    ]
    for motif, own in zip(some, read, strict=True):
        counts = np.array([own.counts[letter] for letter in "ACGT"]).T
        np.testing.assert_array_equal(counts, motif.counts)
