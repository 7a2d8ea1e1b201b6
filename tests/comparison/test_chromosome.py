"""Bins of a chromosome against the plain network at each of them."""

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from tfimpute_tracks.comparison.chromosome import PairPeaks, evaluate_bins, parse_widths
from tfimpute_tracks.errors import RegionError, UsageError
from tfimpute_tracks.genome import open_genome
from toys import make_model, random_letters, write_fasta


@pytest.fixture
def toy(tmp_path, rng):
    letters = random_letters(rng, 3000)
    # 21 bins of 100 bp are whole and known, five are mostly N.
    letters = letters[:1000] + "N" * 540 + letters[1540:2650]
    fasta = write_fasta(tmp_path / "toy.fa", {"20": letters, "empty": "N" * 500})
    centers = rng.integers(0, 2600, 12)
    bed = tmp_path / "peaks.bed"
    bed.write_text("".join(f"chr20\t{c}\t{c + 1}\n" for c in sorted(centers)))
    model = make_model(tmp_path)
    pairs = [
        PairPeaks(model.vocabulary.pair(name), "base", bed)
        for name in ("CTCF:K562", "MAX:HepG2")
    ]
    return model, open_genome(fasta), pairs, (letters, centers)


def _naive(model, letters, pairs, width):
    """Give the known bins, and the score of each by the plain network."""
    bins, scores = [], []
    for i in range(len(letters) // width):
        if 2 * letters[i * width : (i + 1) * width].count("N") > width:
            continue
        if width < 120:
            starts = [i * width + width // 2 - 30]
        else:
            starts = [
                s
                for s in range(0, len(letters), 20)
                if i * width <= s <= (i + 1) * width - 60
            ]
        tiles = [
            letters[s : s + 60] for s in starts if s >= 0 and s + 60 <= len(letters)
        ]
        tiles = [tile for tile in tiles if 2 * tile.count("N") <= 60]
        if tiles:
            bins.append(i)
            found = model.predict(tiles, [p.pair for p in pairs])
            scores.append(found.max(axis=0))
    return bins, np.array(scores)


@pytest.mark.parametrize("width", [30, 100, 300])
def test_bins_are_those_of_the_plain_network(toy, width):
    model, genome, pairs, (letters, centers) = toy
    found = evaluate_bins(model, genome, ["chr20"], pairs, width)
    bins, scores = _naive(model, letters, pairs, width)
    assert found.about["bins"] == len(bins)
    labels = [any(c // width == i for c in centers) for i in bins]
    assert found.pairs["n_bound"].tolist() == [sum(labels)] * 2
    for pair in range(2):
        expected = roc_auc_score(labels, scores[:, pair])
        assert found.pairs["auroc"][pair] == pytest.approx(expected, abs=2e-3)
    excluded = found.about["excluded"]
    assert sum(excluded.values()) == -(-len(letters) // width) - len(bins)
    assert found.about["chroms"] == ["20"]


def test_threads_and_several_chromosomes_change_nothing(toy):
    model, genome, pairs, _ = toy
    one = evaluate_bins(model, genome, ["chr20"], pairs, 100)
    two = evaluate_bins(model, genome, ["20", "chr20"], pairs, 100, n_threads=2)
    assert one.pairs.equals(two.pairs)
    assert one.roles == two.roles


def test_a_chromosome_without_bases_is_refused(toy):
    model, genome, pairs, _ = toy
    with pytest.raises(RegionError, match="no bin of 100 bp of empty"):
        evaluate_bins(model, genome, ["empty"], pairs, 100)
    with pytest.raises(RegionError, match="chr7"):
        evaluate_bins(model, genome, ["chr7"], pairs, 100)


def test_widths_are_parsed():
    assert parse_widths("300,1000") == [300, 1000]
    assert parse_widths(" 1_000 ,300,1000") == [1000, 300]


@pytest.mark.parametrize(
    "text", ["", "wide", "300;1000", "-300", "3e2", "0", "9999999"]
)
def test_invalid_widths_are_refused(text):
    with pytest.raises(UsageError, match="--genome-bins") as error:
        parse_widths(text)
    assert repr(text) in str(error.value)
