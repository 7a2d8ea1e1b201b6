"""Alleles scored together: what differs is scored anew, and company changes no bit."""

from dataclasses import replace

import numpy as np
import pytest

from tfimpute_tracks.engines.tile_grid import tile_grid
from tfimpute_tracks.errors import RegionError
from tfimpute_tracks.genome import open_genome
from tfimpute_tracks.kernels.products import sigmoid
from tfimpute_tracks.variants.alleles import AlleleScorer
from tfimpute_tracks.variants.normalize import Variant
from tfimpute_tracks.variants.rows import lay_out_alleles
from tfimpute_tracks.vocabulary import Pair
from toys import AROUND, DEEP, make_model, write_fasta
from variant_files import other_base

PAIRS = [Pair("CTCF", "K562"), Pair("MAX", "HepG2")]
# Near both ends, beside a gap and in it; longer, shorter and of the same length.
PLACES = [
    (3, 1, "A"),
    (800, 1, "GTACC"),
    (801, 6, "C"),
    (1480, 2, "TG"),
    (1750, 1, "C"),
]
PLACES += [(2040, 1, "T"), (3990, 1, "G"), (820, 3, "")]


@pytest.fixture(scope="session")
def deep_around(tmp_path_factory):
    config = replace(DEEP, context_tiles=2)
    return make_model(tmp_path_factory.mktemp("deep-around"), seed=8, config=config)


@pytest.fixture(params=["toy", "around", "deep_around"])
def model(request):
    found = request.getfixturevalue(request.param)
    return found[0] if request.param == "toy" else found


def _variants(letters):
    found = []
    for start, n_ref, alt in PLACES:
        ref = letters["chr1"][start : start + n_ref].replace("N", "A")
        found.append(Variant("chr1", start, ref, ref[0] + alt if n_ref > 1 else alt))
    return [variant for variant in found if variant.ref != variant.alt]


@pytest.mark.parametrize("stride", [3, 5, 10])
def test_curves_are_those_of_the_network(model, toy, genome, stride):
    config, whole = model.config, toy[2]["chr1"]
    variants = _variants(toy[2])
    assert len(variants) >= 6
    scored = AlleleScorer(model, PAIRS, stride).scores(genome, variants)
    assert len(scored) == len(variants)
    for scores in scored:
        variant = scores.variant
        at, behind = variant.start, variant.start + len(variant.ref)
        for side, allele in (("ref", variant.ref), ("alt", variant.alt)):
            text = whole[:at] + allele + whole[behind:]
            padded = "N" * config.flank + text + "N" * config.flank
            starts = getattr(scores, f"{side}_centers") + at - config.seq_len // 2
            assert (np.diff(starts) == stride).all()
            assert ((starts - at) % stride == 0).all()
            spans = [padded[start : start + config.receptive_field] for start in starts]
            expected = model.predict(spans, PAIRS)
            tiles = [text[start : start + config.seq_len] for start in starts]
            unknown = [2 * tile.count("N") > config.seq_len for tile in tiles]
            expected[unknown] = np.nan
            found = sigmoid(getattr(scores, side))
            np.testing.assert_allclose(found, expected, atol=1e-5)


def test_other_variants_do_not_change_a_bit(model, toy, genome):
    variants = _variants(toy[2]) * 3
    scorer = AlleleScorer(model, PAIRS)
    together = scorer.scores(genome, variants)
    for variant, scores in zip(variants, together, strict=True):
        (alone,) = scorer.scores(genome, [variant])
        for one, other in zip(scores, alone, strict=True):
            np.testing.assert_array_equal(one, other)
    some = (scorer.scores(genome, variants[i : i + 5]) for i in range(0, 24, 5))
    pieces = [scores.best() for found in some for scores in found]
    np.testing.assert_array_equal([scores.best() for scores in together], pieces)


def test_only_tiles_that_reach_the_change_are_scored_twice(toy, genome):
    letters, grid = toy[2]["chr1"], tile_grid(AROUND, 5)
    other = "ACGT"["ACGT".index(letters[800]) - 1]
    rows = lay_out_alleles(genome, ("chr1", 800), (letters[800], other), grid)
    apart = grid.base.stride
    n_changed = rows.changed.stop - rows.changed.start
    assert n_changed == grid.seq_len // apart
    assert n_changed < grid.n_base(rows.n_ref) / 3
    for i in range(grid.n_base(rows.n_alt)):
        tiles = [side[i * apart :][: grid.seq_len] for side in (rows.ref, rows.alt)]
        is_changed = rows.changed.start <= i < rows.changed.stop
        assert is_changed or (tiles[0] == tiles[1]).all()


@pytest.mark.parametrize("name", ["toy", "around", "deep_around"])
def test_a_base_more_of_a_long_repeat_changes_nothing(request, tmp_path, name):
    write_fasta(tmp_path / "a.fa", {"chr1": "A" * 3000})
    model = request.getfixturevalue(name)
    model = model[0] if name == "toy" else model
    with open_genome(tmp_path / "a.fa", tmp_path) as genome:
        variants = [Variant("chr1", 1500, "A", "AA")]
        (scores,) = AlleleScorer(model, PAIRS).scores(genome, variants)
    np.testing.assert_array_equal(*scores.best())


def test_a_chromosome_too_short_does_not_stop_the_others(toy, tmp_path):
    sequence = {"chr1": toy[2]["chr1"][:60], "chr20": toy[2]["chr20"]}
    one, twenty = sequence["chr1"], sequence["chr20"]
    other = "ACGT"["ACGT".index(twenty[700]) - 1]
    variants = [
        Variant("chr1", 20, one[20:22], one[20]),
        Variant("chr1", 20, one[20], one[20] + other),
        Variant("chr20", 700, twenty[700], other),
    ]
    with open_genome(write_fasta(tmp_path / "a.fa", sequence)) as genome:
        scores = AlleleScorer(toy[0], PAIRS, 50).scores(genome, variants)
    assert isinstance(scores[0], RegionError)
    assert str(scores[0]).startswith("chr1 has 59 bp with ")
    assert str(scores[0]).endswith("; a tile has 60 bp: use a longer sequence")
    assert scores[1].ref.shape == (1, 2)
    assert scores[2].ref.shape == (2, 2)


@pytest.mark.parametrize("stride", [3, 10])
@pytest.mark.parametrize(("n_ref", "more"), [(1, ""), (4, ""), (1, "GTCCA")])
def test_tiles_are_moved_to_where_they_exist(model, toy, genome, stride, n_ref, more):
    """Tiles over both alleles at every place next to the end, and both do differ."""
    text, seq_len = toy[2]["chr1"], model.config.seq_len
    scorer = AlleleScorer(model, PAIRS, stride)
    for at in range(len(text) - 14, len(text) - n_ref + 1):
        ref = text[at : at + n_ref]
        alt = ref[0] + more if n_ref + len(more) > 1 else other_base(ref)
        scores = scorer.score(genome, Variant("chr1", at, ref, alt))
        start, size = scores.variant.start, len(text)
        sides = zip(("ref", "alt"), scores.variant[2:], strict=True)
        for side, allele in sides:
            n_bp = size + len(allele) - len(scores.variant.ref)
            starts = getattr(scores, f"{side}_centers") + start - seq_len // 2
            assert 0 < len(starts) == len(getattr(scores, side))
            assert (starts >= start - seq_len + 1).all()
            assert (starts <= n_bp - seq_len).all()
            assert not np.isnan(getattr(scores, side)).any()


def test_fewer_go_together_where_pairs_are_many(toy):
    few, many = AlleleScorer(toy[0], PAIRS), AlleleScorer(toy[0], PAIRS * 100_000)
    assert few.batch_size == 16
    assert 1 <= many.batch_size < 16
