"""Background variants match, lie elsewhere and are known; a quantile is a count."""

from collections import Counter

import numpy as np
import pytest

from tfimpute_tracks.errors import InputFileError, RegionError
from tfimpute_tracks.genome import open_genome
from tfimpute_tracks.variants.alleles import AlleleScorer
from tfimpute_tracks.variants.background import Background, log_odds_change
from tfimpute_tracks.variants.matched_background import (
    VariantSample,
    read_regions,
    sample_matched,
    sample_variants,
)
from tfimpute_tracks.variants.normalize import Variant
from tfimpute_tracks.variants.records import Source
from tfimpute_tracks.vocabulary import Pair
from toys import random_letters, write_fasta

PAIRS = [Pair("CTCF", "K562"), Pair("MAX", "HepG2"), Pair("MAX", "K562")]
MARGIN = 60


@pytest.fixture(scope="module")
def letters():
    rng = np.random.default_rng(3)
    known = random_letters(rng, 30_000)
    return known[:9000] + "N" * 500 + known[9500:]


@pytest.fixture(scope="module")
def long_genome(letters, tmp_path_factory):
    folder = tmp_path_factory.mktemp("long")
    with open_genome(write_fasta(folder / "g.fa", {"chr1": letters}), folder) as genome:
        yield genome


def _sample(variants, taken=()):
    starts = np.unique([v.start for v in variants] + list(taken)).astype(np.int64)
    return VariantSample(len(variants), variants, {"chr1": starts})


def _snv(letters, at):
    return Variant("chr1", at, letters[at], "ACGT"["ACGT".index(letters[at]) - 1])


def test_matched_snvs_have_the_same_base_between_the_same_neighbors(
    long_genome, letters
):
    variants = [_snv(letters, at) for at in (700, 9100 + 600, 20_000, 29_000)]
    taken = list(range(12_000, 15_000))
    sample = _sample(variants, taken)
    matched = sample_matched(long_genome, sample, 100, 0, MARGIN)
    assert len(set(matched)) == 100
    own = {(letters[v.start - 1 : v.start + 2], v.alt): v.start for v in variants}
    found = Counter()
    for match in matched:
        at = match.start
        assert letters[at] == match.ref
        found[letters[at - 1 : at + 2], match.alt] += 1
        assert at not in own.values()
        assert not 12_000 <= at < 15_000
        assert "N" not in letters[at - MARGIN : at + 1 + MARGIN]
        assert MARGIN <= at < len(letters) - MARGIN
    assert set(found) == set(own)
    assert set(found.values()) == {25}


@pytest.mark.parametrize(
    ("ref", "alt", "ahead", "change"),
    [
        ("?GAT", "?", 1, (3, "")),
        ("?", "?GAT", 1, (0, "GAT")),
        ("GATTACA", "C", 0, (7, "C")),
        ("GATTACA", "GC", 1, (6, "C")),
        ("?CAT", "?GT", 1, (2, "G")),
        ("GATTA", "CCCCC", 0, (5, "CCCCC")),
    ],
)
def test_other_matched_variants_are_of_the_same_kind(
    long_genome, ref, alt, ahead, change
):
    variant = Variant("chr1", 700, ref.replace("?", "A"), alt.replace("?", "A"))
    matched = sample_matched(long_genome, _sample([variant]), 50, 1, MARGIN)
    assert len(matched) > 45  # one that changes nothing is left out
    starts = {match.start for match in matched}
    assert len(starts) == len(matched)
    n_replaced, put_in = change
    for match in matched:
        there = long_genome.codes("chr1", match.start, match.start + len(ref))
        assert "".join("ACGTN"[code] for code in there) == match.ref
        behind = match.ref[ahead + n_replaced :]
        assert match.alt == match.ref[:ahead] + put_in + behind
        assert match.ref != match.alt


def test_only_the_seed_changes_the_matched_variants(long_genome, letters):
    sample = _sample([_snv(letters, at) for at in (700, 20_000)])
    draws = [
        sample_matched(long_genome, sample, 20, seed, MARGIN) for seed in (4, 4, 5)
    ]
    assert draws[0] == draws[1]
    assert draws[0] != draws[2]


def test_matched_variants_come_from_far_away_if_there_are_none_nearby(tmp_path, rng):
    text = list(random_letters(rng, 250_000, "AT"))
    for at in (1_000, 150_000, 249_960):
        text[at - 1 : at + 2] = "CGC"
    write_fasta(tmp_path / "g.fa", {"chr1": "".join(text)})
    sample = _sample([Variant("chr1", 1_000, "G", "T")])
    with open_genome(tmp_path / "g.fa", tmp_path) as genome:
        (match,) = sample_matched(genome, sample, 10, 0, MARGIN)
        assert match == Variant("chr1", 150_000, "G", "T")  # the other is at the end
        assert not sample_matched(genome, sample, 10, 0, 200_000)


def test_matched_variants_lie_in_the_regions(long_genome, letters, tmp_path):
    path = tmp_path / "open.bed"
    path.write_text("1\t5000\t5600\n1\t5500\t6000\n1\t21000\t21500\n")
    regions = read_regions(path, long_genome)
    sample = _sample([_snv(letters, at) for at in (700, 20_000)])
    matched = sample_matched(long_genome, sample, 30, 0, MARGIN, regions)
    assert len(matched) > 20
    for match in matched:
        assert 5000 <= match.start < 6000 or 21_000 <= match.start < 21_500
    path.write_text("chr7\t5000\t5600\n")
    with pytest.raises(RegionError, match="chr7"):
        read_regions(path, long_genome)


@pytest.fixture
def table(tmp_path, letters):
    rows = [
        (at, letters[at], "ACGT"["ACGT".index(letters[at]) - 1])
        for at in range(500, 8500, 1000)
    ]
    rows += [(10_000, "N", "A"), (700, letters[700], "<DEL>")]
    lines = ["chrom\tpos\tref\talt"]
    lines += [f"1\t{at + 1}\t{ref}\t{alt}" for at, ref, alt in rows]
    (tmp_path / "v.tsv").write_text("\n".join([*lines, ""]))
    return Source.of(tmp_path / "v.tsv")


def test_alleles_that_can_be_scored_are_sampled_with_equal_probability(
    table, long_genome
):
    whole = sample_variants(table, long_genome, False, 100, 0)
    assert whole.n_records == 10
    assert [variant.start for variant in whole.alleles] == list(range(500, 8500, 1000))
    assert whole.occupied["chr1"].tolist() == sorted(
        [*range(500, 8500, 1000), 700, 10_000]
    )
    counts = Counter()
    for seed in range(300):
        drawn = sample_variants(table, long_genome, False, 3, seed).alleles
        starts = [variant.start for variant in drawn]
        assert len(starts) == 3
        assert starts == sorted(starts)
        counts.update(starts)
    # Each 112 times, with a standard deviation of 8.4.
    assert all(80 < counts[at] < 145 for at in range(500, 8500, 1000))


def test_a_missing_file_is_an_error(long_genome, tmp_path):
    with pytest.raises(InputFileError, match="no such file"):
        sample_variants(Source.of(tmp_path / "gone.vcf"), long_genome, False, 9, 0)


@pytest.mark.parametrize("threads", [1, 3])
def test_quantiles_are_counts_among_the_background(toy, genome, threads):
    text = toy[2]["chr1"]
    matched = [_snv(text, at) for at in range(200, 1400, 50)]
    matched.append(Variant("chr1", 3998, text[3998], "A"))  # a tile is moved to fit
    scorer, done = AlleleScorer(toy[0], PAIRS), []
    background = Background.score(scorer, genome, matched, threads, done.append)
    assert background.n == sum(done) == 25
    sizes = []
    for match in matched:
        best = scorer.score(genome, match).best()
        sizes.append(np.abs(best[1] - best[0]))
    change = np.array([0.0, 0.3, -0.3], dtype=np.float32)
    counted = [
        np.mean([size[i] < abs(c) for size in sizes]) for i, c in enumerate(change)
    ]
    assert 0 < counted[1] < 1
    np.testing.assert_allclose(background.quantiles(change)[1:], counted[1:])
    empty = Background(np.empty((3, 0), dtype=np.float32))
    assert np.isnan(empty.quantiles(change)).all()


def test_extreme_log_odds_are_clipped():
    far = np.array([-300, 5, 30], dtype=np.float32)
    near = np.array([-25, 6, 10], dtype=np.float32)
    assert log_odds_change(far, near).tolist() == [0, 1, -10]
