"""Scores of elements, against the plain network on sequences written out."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import expit

from tfimpute_tracks.genome import open_genome
from tfimpute_tracks.interpret.element_scores import STRIDE, ElementScorer
from tfimpute_tracks.interpret.elements import Element, read_fasta
from tfimpute_tracks.kernels.encode import decode, encode, reverse_complement
from tfimpute_tracks.vocabulary import Pair
from toys import AROUND, CONFIG, DEEP, make_model, random_letters, write_gapped_genome

PAIRS = [Pair("CTCF", "K562"), Pair("MAX", "HepG2"), Pair("MAX", "K562")]
LENGTH = CONFIG.seq_len


@pytest.fixture(scope="module", params=[CONFIG, AROUND, DEEP], ids=str)
def toy(request, tmp_path_factory):
    """A model, and a genome with N from 1,500 to 2,000."""
    folder = tmp_path_factory.mktemp("toy")
    fasta, letters = write_gapped_genome(folder)
    with open_genome(fasta) as genome:
        yield make_model(folder, seed=5, config=request.param), genome, letters


def _score(model, sequences, elements, mask_flanks=False, threads=1):
    counts = []
    scorer = ElementScorer(model, PAIRS, mask_flanks)
    found = scorer.log_odds(sequences, elements, threads, counts.append)
    assert sum(counts) == len(elements)
    return found


def _tile(letters, start, config):
    """Give a tile with its surroundings, N where there is no letter."""
    first, last = start - config.flank, start + LENGTH + config.flank
    before, behind = "N" * max(0, -first), "N" * max(0, last - len(letters))
    return before + letters[max(0, first) : last] + behind


def _naive(model, letters, element, mask_flanks=False):
    """Give the best tile of those every few bp over an element."""
    length = element.end - element.start
    if mask_flanks:
        within = letters[element.start : element.end]
        letters = "N" * element.start + within + "N" * (len(letters) - element.end)
    n_tiles = 1
    while LENGTH + STRIDE * (n_tiles - 1) < length:
        n_tiles += 1
    before = LENGTH + STRIDE * (n_tiles - 1) - length  # and behind, in bp
    firsts = {element.start - before // 2, element.start - (before + 1) // 2}
    tiles = [
        _tile(letters, first + STRIDE * i, model.config)
        for first in firsts
        for i in range(n_tiles)
    ]
    here = slice(model.config.flank, model.config.flank + LENGTH)
    known = [tile for tile in tiles if 2 * tile[here].count("N") <= LENGTH]
    return model.predict(known, PAIRS).max(axis=0)


@pytest.mark.parametrize("mask_flanks", [False, True])
@pytest.mark.parametrize(
    ("start", "end"),
    [
        (500, 500 + LENGTH),
        (500, 545),
        (500, 500 + LENGTH + 1),
        (700, 923),
        (0, 40),
        (2, 150),
        (1450, 1520),
        (1380, 1600),
    ],
)
def test_scores_are_those_of_the_network(toy, start, end, mask_flanks):
    model, genome, letters = toy
    element = Element("x", "chr1", start, end, 0)
    found = _score(model, genome, [element], mask_flanks)
    naive = _naive(model, letters["chr1"], element, mask_flanks)
    np.testing.assert_allclose(expit(found[0]), naive, rtol=2e-4, atol=2e-6)


def test_a_fasta_scores_as_an_element_with_masked_flanks(toy, tmp_path):
    model, genome, letters = toy
    spans = [(300, 300 + LENGTH), (400, 452), (600, 777)]
    text = "".join(f">{a}\n{letters['chr1'][a:b]}\n" for a, b in spans)
    (tmp_path / "a.fa").write_text(text)
    elements = read_fasta(tmp_path / "a.fa")
    found = _score(model, elements.sequences, elements.found)
    places = [Element(str(a), "chr1", a, b, 0) for a, b in spans]
    np.testing.assert_array_equal(
        found, _score(model, genome, places, mask_flanks=True)
    )
    beside = _score(model, genome, places)
    assert (np.abs(found[1] - beside[1]) > 1e-2).any()


def test_neighbors_threads_and_order_do_not_matter(toy, rng):
    model, genome, _ = toy
    starts = rng.integers(0, 1200, 80).tolist()
    lengths = rng.integers(30, 2 * LENGTH, 80).tolist()
    elements = [
        Element(str(i), "chr1", start, start + length, 0)
        for i, (start, length) in enumerate(zip(starts, lengths, strict=True))
    ]
    every = _score(model, genome, elements, threads=2)
    order = rng.permutation(80)
    shuffled = _score(model, genome, [elements[i] for i in order])
    np.testing.assert_array_equal(every[order], shuffled)
    np.testing.assert_array_equal(every[7], _score(model, genome, elements[7:8])[0])


def test_too_few_known_bases_have_no_score(toy):
    model, genome, _ = toy
    half = LENGTH // 2
    lengths = (half - 1, half)
    elements = [Element(str(n), "chr1", 300, 300 + n, 0) for n in lengths]
    found = _score(model, genome, elements, mask_flanks=True)
    assert np.isnan(found[0]).all()
    assert np.isfinite(found[1]).all()
    in_gap = Element("gap", "chr1", 1400, 1900, 400)
    assert np.isfinite(_score(model, genome, [in_gap])).all()
    far = Element("far", "chr1", 1540, 1900, 360)
    assert np.isnan(_score(model, genome, [far])).all()


@given(length=st.integers(1, 500))
def test_tiles_cover_an_element_and_little_more(length, model):
    n = ElementScorer(model, PAIRS).n_tiles(Element("x", "chr1", 7, 7 + length, 0))
    covered = LENGTH + STRIDE * (n - 1)
    assert covered >= length
    assert n == 1 or covered - STRIDE < length


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return make_model(tmp_path_factory.mktemp("model"), seed=5)


@pytest.mark.parametrize(
    "length", [LENGTH + 2 * STRIDE, LENGTH + STRIDE, LENGTH - 1, LENGTH + 1, LENGTH - 9]
)
def test_either_strand_scores_the_same(toy, rng, tmp_path, length):
    """Of any length: tiles lie alike over an element and its reverse complement."""
    one = random_letters(rng, length)
    other = decode(reverse_complement(encode(one)))
    (tmp_path / "a.fa").write_text(f">one\n{one}\n>other\n{other}\n")
    elements = read_fasta(tmp_path / "a.fa")
    forward, reverse = _score(toy[0], elements.sequences, elements.found)
    np.testing.assert_allclose(forward, reverse, rtol=1e-4)


def test_no_elements_have_no_scores(model):
    assert _score(model, None, []).shape == (0, len(PAIRS))
