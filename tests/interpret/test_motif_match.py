"""Known motifs are found again, shifted or from the other strand; noise is not."""

import numpy as np
import pytest

from tfimpute_tracks.interpret.filters import FilterMotif

pytest.importorskip("memelite", reason="extra `motifs` not installed")
pytest.importorskip("pyjaspar", reason="extra `motifs` not installed")

from tfimpute_tracks.interpret.jaspar import load_matrices
from tfimpute_tracks.interpret.motif_match import MAX_E_VALUE, match_motifs

FLAT = np.full((20, 4), 250)


@pytest.fixture(scope="module")
def matrices():
    return load_matrices()


def planted(matrices, name, first, is_reverse=False):
    matrix = next(m for m in matrices if m.name.startswith(name))
    counts = np.rint(1000 * matrix.counts / matrix.counts.sum(axis=1, keepdims=True))
    if is_reverse:
        counts = counts[::-1, ::-1]
    n = min(len(counts), 20 - first)
    whole = FLAT.copy()
    whole[first : first + n] = counts[:n]
    return FilterMotif(0, 1.0, whole, [])


@pytest.mark.parametrize("is_reverse", [False, True])
@pytest.mark.parametrize(
    ("name", "symbol"), [("MA0139", "CTCF"), ("MA0506", "NRF1"), ("MA0095", "YY1")]
)
def test_what_was_planted_is_found(matrices, name, symbol, is_reverse):
    (found,) = match_motifs([planted(matrices, name, 3, is_reverse)], matrices)
    assert symbol in found.matrix.symbols
    assert found.e_value < MAX_E_VALUE
    assert found.cosine > 0.9


def test_noise_and_flat_matrices_match_nothing(matrices, rng):
    noise = [
        FilterMotif(i, 1.0, rng.multinomial(1000, [0.25] * 4, size=20), [])
        for i in range(5)
    ]
    assert match_motifs([*noise, FilterMotif(5, 1.0, FLAT, [])], matrices) == [None] * 6
    assert match_motifs([], matrices) == []


def test_random_words_match_no_oftener_than_their_e_values_say(matrices, rng):
    words = np.eye(4, dtype=int)[rng.integers(0, 4, (60, 10))] * 970 + 10
    motifs = [FilterMotif(i, 1.0, word, []) for i, word in enumerate(words)]
    found = match_motifs(motifs, matrices, threads=1)
    # 60 words at E <= 0.01; real motifs hold more pure letters than chance would.
    assert sum(match is not None for match in found) <= 6


def test_groups_of_matrices(matrices):
    def group(symbol):
        return next(m.group for m in matrices if m.symbols == (symbol,))

    assert group("CTCF") == "CTCF"
    assert group("ELK1") == group("ETS1")
    assert "GATA" in group("GATA1")
