"""Every substitution of a region, against the plain network on letters written out."""

import csv

import numpy as np
import pytest

from bbi_readers import READERS
from tfimpute_tracks.errors import RegionError, UsageError
from tfimpute_tracks.genome import Region, open_genome
from tfimpute_tracks.kernels.products import sigmoid
from tfimpute_tracks.variants.alleles import STRIDE, AlleleScorer
from tfimpute_tracks.variants.mutagenesis import (
    MAX_BP,
    MutagenesisScores,
    score_substitutions,
)
from tfimpute_tracks.variants.mutagenesis_files import COLUMNS, write_mutagenesis
from tfimpute_tracks.variants.normalize import Variant
from tfimpute_tracks.vocabulary import Pair
from toys import DEEP, make_model, write_fasta

PAIRS = [Pair("CTCF", "K562"), Pair("MAX", "HepG2")]
# In the middle, at both ends of a chromosome, beside a gap, and in one.
PLACES = [
    *(("chr1", 800), ("chr1", 0), ("chr1", 3992), ("chr20", 893)),
    *(("chr1", 1496), ("chr1", 1997)),
]


@pytest.fixture(scope="session")
def deep(tmp_path_factory):
    return make_model(tmp_path_factory.mktemp("deep"), seed=7, config=DEEP)


def _starts(place, size, seq_len):
    """Tiles over a place; where the chromosome ends before, the last one on it."""
    last = size - seq_len
    found = [s for s in range(place % STRIDE, last + 1, STRIDE) if s <= place]
    return [start for start in found if place < start + seq_len] or [last]


def _naive(model, text, place):
    """Give the best score with each letter at a place: (4, n_pairs)."""
    config = model.config
    seq_len, flank = config.seq_len, config.flank
    best = np.full((4, len(PAIRS)), np.nan)
    starts = [
        start
        for start in _starts(place, len(text), seq_len)
        if 2 * text[start : start + seq_len].count("N") <= seq_len
    ]
    if text[place] == "N" or not starts:
        return best
    for code, letter in enumerate("ACGT"):
        changed = text[:place] + letter + text[place + 1 :]
        padded = "N" * flank + changed + "N" * flank
        spans = [padded[start : start + config.receptive_field] for start in starts]
        best[code] = model.predict(spans, PAIRS).max(axis=0)
    return best


@pytest.mark.parametrize(("chrom", "start"), PLACES)
@pytest.mark.parametrize("name", ["toy", "around"])
def test_scores_are_those_of_the_network(request, toy, genome, name, chrom, start):
    model = toy[0] if name == "toy" else request.getfixturevalue("around")
    text = toy[2][chrom]
    region = Region(chrom, start, min(start + 7, len(text)))
    found = score_substitutions(model, PAIRS, genome, region)
    expected = np.array(
        [_naive(model, text, place) for place in range(region.start, region.end)]
    )
    got = sigmoid(found.logits).transpose(1, 2, 0)
    np.testing.assert_allclose(got, expected, atol=5e-6)
    letters = text[region.start : region.end]
    own = [expected[i, "ACGT".find(letter)] for i, letter in enumerate(letters)]
    np.testing.assert_allclose(sigmoid(found.reference), np.transpose(own), atol=5e-6)
    np.testing.assert_array_equal(found.is_scored, ~np.isnan(expected[:, 0, 0]))
    assert found.n_unknown == letters.count("N")


@pytest.mark.parametrize("name", ["toy", "around", "deep"])
def test_scores_are_those_of_single_variants(request, toy, genome, name):
    """Bit for bit, in any number of threads and of whatever region."""
    model = toy[0] if name == "toy" else request.getfixturevalue(name)
    region = Region("chr1", 790, 800)
    found = score_substitutions(model, PAIRS, genome, region, threads=2)
    wider = score_substitutions(model, PAIRS, genome, Region("chr1", 783, 811))
    np.testing.assert_array_equal(found.logits, wider.logits[:, 7:17])
    scorer = AlleleScorer(model, PAIRS)
    text = toy[2]["chr1"]
    for i, place in enumerate(range(region.start, region.end)):
        for code, letter in enumerate("ACGT"):
            if letter != text[place]:
                variant = Variant("chr1", place, text[place], letter)
                ref, alt = scorer.score(genome, variant).best()
                np.testing.assert_array_equal(found.reference[:, i], ref)
                np.testing.assert_array_equal(found.logits[:, i, code], alt)


def test_a_base_that_counts_stands_up():
    logits = np.array([[[3, 1, 2, 0.5], [0, 0, 1, 0], [np.nan] * 4]], np.float32)
    codes = np.array([0, 1, 4], np.uint8)
    found = MutagenesisScores(Region("chr1", 10, 13), codes, logits)
    np.testing.assert_allclose(found.importance[0, :2], [(2 + 1 + 2.5) / 3, -1 / 3])
    assert found.is_scored.tolist() == [True, True, False]
    assert np.isnan(found.importance[0, 2])
    lowest, highest = found.extremes(0)
    assert lowest == (Variant("chr1", 10, "A", "T"), -2.5)
    assert highest == (Variant("chr1", 11, "C", "G"), 1.0)


def test_log_odds_are_cut_as_in_tracks():
    logits = np.array([[[30, 19, 25, -50]]], np.float32)
    found = MutagenesisScores(Region("chr1", 10, 11), np.zeros(1, np.uint8), logits)
    assert found.changes.tolist() == [[[0, -1, 0, -40]]]


def test_the_base_that_is_there_is_no_substitution():
    logits = np.array([[[0, 1, 2, 3]]], np.float32)
    found = MutagenesisScores(Region("chr1", 10, 11), np.zeros(1, np.uint8), logits)
    assert found.extremes(0) == (
        (Variant("chr1", 10, "A", "C"), 1.0),
        (Variant("chr1", 10, "A", "T"), 3.0),
    )


@pytest.mark.parametrize("name", ["toy", "around"])
def test_a_sequence_as_long_as_a_tile_is_scored_everywhere(request, tmp_path, name):
    model = request.getfixturevalue(name)
    model = model[0] if name == "toy" else model
    text = "GATTACACCGT" * 40
    chroms = {"one": text[: model.config.seq_len], "few": text[:59]}
    with open_genome(write_fasta(tmp_path / "a.fa", chroms)) as genome:
        size = genome.chrom_sizes["one"]
        found = score_substitutions(model, PAIRS, genome, Region("one", 0, size))
        with pytest.raises(RegionError, match="few has 59 bp; a tile has 60 bp"):
            score_substitutions(model, PAIRS, genome, Region("few", 0, 9))
        scorer = AlleleScorer(model, PAIRS)
        for at in (0, 1, 4, 33, 59):
            ref = chroms["one"][at]
            alt = "ACGT"["ACGT".index(ref) - 1]
            best = scorer.score(genome, Variant("one", at, ref, alt)).best()
            own = found.logits[:, at, "ACGT".index(alt)]
            np.testing.assert_array_equal(best, (found.reference[:, at], own))
            assert (best[0] != best[1]).any()
    assert found.is_scored.all()


def test_long_regions_are_refused(toy, genome):
    with pytest.raises(UsageError, match="2,001 bp; use a region of at most 2,000"):
        score_substitutions(toy[0], PAIRS, genome, Region("chr1", 0, MAX_BP + 1))


def test_files_hold_the_scores(toy, genome, tmp_path):
    region = Region("chr1", 1490, 1503)  # three letters are unknown
    found = score_substitutions(toy[0], PAIRS, genome, region)
    files = write_mutagenesis(found, toy[0], PAIRS, genome, tmp_path)
    stem = "chr1-1491-1503"
    assert [file.name for file in files] == [
        f"{stem}.mutagenesis.tsv",
        *(f"{stem}.{pair.tf}.{pair.cell}.{e}" for pair in PAIRS for e in ("bw", "svg")),
    ]
    with files[0].open() as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    assert tuple(rows[0]) == COLUMNS
    assert len(rows) == 10 * 3 * len(PAIRS)
    letters = toy[2]["chr1"]
    for row in rows:
        at, pair = int(row["pos"]) - 1, PAIRS.index((row["tf"], row["cell"]))
        assert row["ref"] == letters[at] != row["alt"]
        scores = found.logits[pair, at - region.start]
        ref, alt = (scores["ACGT".index(row[side])] for side in ("ref", "alt"))
        both = sigmoid(np.array([ref, alt]))
        told = [float(row[name]) for name in ("p_ref", "p_alt", "delta")]
        np.testing.assert_allclose(told, [*both, both[1] - both[0]], rtol=1e-4)
        assert float(row["delta_log_odds"]) == pytest.approx(alt - ref, 1e-4, 1e-6)
    for i in range(len(PAIRS)):
        for reader in READERS.values():
            contents = reader(files[1 + 2 * i])
            assert contents.chroms == {"chr1": 4000, "chr20": 900}
            starts, ends, values = zip(*contents.records["chr1"], strict=True)
            assert list(contents.records) == ["chr1"]
            assert starts == tuple(range(1490, 1500))
            assert ends == tuple(range(1491, 1501))
            np.testing.assert_allclose(values, found.importance[i, :10], atol=6e-5)
        text = files[2 + 2 * i].read_text()
        pair = PAIRS[i]
        assert f"{pair.tf} in {pair.cell} (imputed), chr1:1,491-1,503" in text


def test_names_that_are_no_file_names(toy, tmp_path):
    letters = {"HLA/A*01": toy[2]["chr20"]}
    with open_genome(write_fasta(tmp_path / "odd.fa", letters)) as genome:
        found = score_substitutions(
            toy[0], PAIRS[:1], genome, Region("HLA/A*01", 100, 103)
        )
        files = write_mutagenesis(found, toy[0], PAIRS[:1], genome, tmp_path)
    assert all(file.parent == tmp_path for file in files)
    assert all(file.is_file() for file in files)


def test_nothing_is_written_where_nothing_has_a_score(toy, genome, tmp_path):
    found = score_substitutions(toy[0], PAIRS, genome, Region("chr1", 1700, 1710))
    with pytest.raises(RegionError, match="no base of chr1:1701-1710 has a score"):
        write_mutagenesis(found, toy[0], PAIRS, genome, tmp_path)
    assert not list(tmp_path.iterdir())
