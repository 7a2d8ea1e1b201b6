"""Both alleles, against the plain network on sequences written out."""

import time

import numpy as np
import pytest

from tfimpute_tracks.errors import RegionError, UsageError
from tfimpute_tracks.genome import bundled_region, open_bundled, open_genome
from tfimpute_tracks.kernels.encode import decode
from tfimpute_tracks.kernels.products import sigmoid
from tfimpute_tracks.models import load_model
from tfimpute_tracks.variants.alleles import (
    STRIDE,
    AlleleScorer,
    is_variant,
    parse_variant,
)
from tfimpute_tracks.variants.normalize import Variant
from tfimpute_tracks.vocabulary import Pair

PAIRS = [Pair("CTCF", "K562"), Pair("MAX", "HepG2")]


def _change(letters, at, n):
    """Take n letters at a place, and others for them."""
    ref = letters["chr1"][at : at + n]
    return ref, ref.translate(str.maketrans("ACGT", "CATG"))


@pytest.mark.parametrize(
    ("at", "n_ref", "insert"), [(800, 1, ""), (800, 4, ""), (10, 1, ""), (800, 1, "GT")]
)
def test_scores_are_those_of_the_network(toy, genome, at, n_ref, insert):
    model, _, letters = toy
    ref, alt = _change(letters, at, n_ref)
    alt += insert
    variant = parse_variant(f"1:{at + 1} {ref}>{alt}", genome)
    assert variant == Variant("chr1", at, ref, alt)
    scores = AlleleScorer(model, PAIRS).score(genome, variant)
    whole = letters["chr1"]
    texts = {"ref": whole, "alt": whole[:at] + alt + whole[at + n_ref :]}
    length = model.config.seq_len
    for side, allele in (("ref", ref), ("alt", alt)):
        centers = getattr(scores, f"{side}_centers")
        starts = centers + scores.variant.start - length // 2
        assert (np.diff(starts) == STRIDE).all()
        assert starts[0] < at + len(allele)
        assert starts[-1] + length > at
        # Every tile of the grid that reaches the change is there.
        assert starts[0] - STRIDE < max(0, at - length + STRIDE)
        assert starts[-1] + STRIDE >= at + len(allele)
        tiles = [texts[side][start : start + length] for start in starts]
        plain = model.predict(tiles, PAIRS)
        found = sigmoid(getattr(scores, side))
        np.testing.assert_allclose(found, plain, atol=2e-6)
    for best, side in zip(scores.best(), ("ref", "alt"), strict=True):
        np.testing.assert_array_equal(best, getattr(scores, side).max(axis=0))


@pytest.mark.parametrize("at", [3, 40, 800, 1410, 2090, 3930, 3990])
@pytest.mark.parametrize(("n_ref", "insert"), [(1, ""), (5, ""), (1, "GTACC")])
def test_what_is_around_a_tile_counts(toy, around, genome, at, n_ref, insert):
    """Near both ends of the chromosome and on both sides of a gap, too."""
    config, whole = around.config, toy[2]["chr1"]
    ref, alt = _change(toy[2], at, n_ref)
    alt = alt[:1] + insert  # five letters become one, or one six
    scores = AlleleScorer(around, PAIRS).score(genome, Variant("chr1", at, ref, alt))
    past = "N" * config.flank
    for side, text in (
        ("ref", whole),
        ("alt", whole[:at] + alt + whole[at + n_ref :]),
    ):
        starts = getattr(scores, f"{side}_centers") - config.seq_len // 2
        starts += scores.variant.start
        assert starts[0] >= 0
        assert starts[-1] + config.seq_len <= len(text)
        padded = past + text + past
        spans = [padded[start : start + config.receptive_field] for start in starts]
        plain = around.predict(spans, PAIRS)
        unknown = [
            2 * text[start : start + config.seq_len].count("N") > config.seq_len
            for start in starts
        ]
        plain[unknown] = np.nan
        found = sigmoid(getattr(scores, side))
        np.testing.assert_allclose(found, plain, atol=5e-6)
        tiles = [text[start : start + config.seq_len] for start in starts]
        assert np.nanmax(np.abs(plain - around.predict(tiles, PAIRS))) > 0.01


def test_an_unknown_place_has_no_score(toy, genome):
    variant = Variant("chr1", 1750, "A", "C")
    scores = AlleleScorer(toy[0], PAIRS).score(genome, variant)
    assert all(np.isnan(best).all() for best in scores.best())


@pytest.mark.parametrize(
    ("text", "error", "told"),
    [
        ("chr1 A>G", UsageError, "not of the form"),
        ("chr1:10 A>A", UsageError, "two different"),
        ("chr1:10 A>N", UsageError, "bases A, C, G and T"),
        ("chr1:10 A>" + "C" * 51, UsageError, "at most 50"),
        ("chr1:0 A>G", RegionError, "outside"),
        ("chr1:4001 A>G", RegionError, "outside"),
        ("chr9:10 A>G", RegionError, "chr9"),
        ("chr1:1600 A>G", UsageError, "is N, not A"),
    ],
)
def test_wrong_variants_are_reported(genome, text, error, told):
    with pytest.raises(error, match=told):
        parse_variant(text, genome)


@pytest.mark.parametrize(
    "text",
    [
        *("chr1:" + "," * 3000, "chr1" + ":-" * 3000, "chr1:5" + " " * 3000 + "A"),
        *("1," * 3000, "_" * 6000, f"chr1:{'9' * 5000}:A:C", "A" * 6000 + ":1:A>C"),
    ],
    ids=range(7),
)
def test_what_is_no_variant_is_refused_at_once(genome, text):
    began = time.monotonic()
    with pytest.raises(UsageError, match=r"not of the form chr:position"):
        parse_variant(text, genome)
    assert time.monotonic() - began < 1


def test_swapped_alleles_are_noticed(toy, genome):
    ref, alt = _change(toy[2], 800, 1)
    with pytest.raises(UsageError, match=f"did you mean {ref}>{alt}"):
        parse_variant(f"chr1:801 {alt}>{ref}", genome)


@pytest.mark.parametrize(
    "text",
    [
        *("chr1:801{}>{}", "chr1 801 {}/{}", "1:801:{}:{}", "1-801-{}-{}"),
        *("chr1,801,{},{}", "chr1_801_{}_{}", "chr1\t801\t.\t{}\t{}"),
        *("1\t801\trs7\t{}\t{}", "chr1:g.801{}>{}", " chr1: 801 {} > {} "),
    ],
)
def test_variants_are_written_in_several_ways(toy, genome, text):
    ref, alt = _change(toy[2], 800, 1)
    typed = text.format(ref, alt)
    assert is_variant(typed)
    assert parse_variant(typed, genome) == Variant("chr1", 800, ref, alt)


def test_thousands_are_parted_by_commas(toy, genome):
    ref, alt = _change(toy[2], 1200, 1)
    assert parse_variant(f"chr1:1,201:{ref}:{alt}", genome).start == 1200


@pytest.mark.parametrize(
    "text", ["v.vcf", "chr1-801-A-C.tsv", "a/b_1.vcf.gz", "rs12.vcf", "1000G.chr1.bcf"]
)
def test_names_of_files_are_no_variants(text):
    assert not is_variant(text)


def test_all_pairs_together_score_as_alone():
    model = load_model("default")
    every = model.vocabulary.all_pairs()
    chosen = np.arange(0, len(every), 1777)
    chrom, start, _ = bundled_region()
    with open_bundled() as genome:
        ref = decode(genome.codes(chrom, start + 5000, start + 5003))
        alts = ("ACGT".replace(ref[0], "")[0], ref + "GATTACA", ref[0])
        refs = (ref[0], ref, ref)
        variants = [
            Variant(chrom, start + 5000, *alleles)
            for alleles in zip(refs, alts, strict=True)
        ]
        together = AlleleScorer(model, every)
        some = AlleleScorer(model, [every[i] for i in chosen])
        found = together.scores(genome, variants)
        expected = some.scores(genome, variants)
        alone = [together.score(genome, variant) for variant in variants]
    for ours, few, same in zip(found, expected, alone, strict=True):
        for side in ("ref", "alt"):
            scores = getattr(ours, side)
            np.testing.assert_allclose(scores[:, chosen], getattr(few, side), atol=5e-5)
            np.testing.assert_array_equal(scores, getattr(same, side))


def test_what_lies_next_to_unknown_sequence_scores_as_alone(tmp_path, rng):
    """Unknown tiles have features where the sequence before them is known."""
    bases = "".join(rng.choice([*"ACGT"], 3000))
    fasta = tmp_path / "a.fa"
    fasta.write_text(f">chr1\n{'N' * 1000}{bases}\n")
    model = load_model("default")
    with open_genome(fasta) as genome:
        scorer = AlleleScorer(model, model.vocabulary.all_pairs())
        places = [3500, 1120, 1180, 1260]
        refs = [bases[at - 1000] for at in places]
        variants = [
            Variant("chr1", at, ref, "ACGT".replace(ref, "")[0])
            for at, ref in zip(places, refs, strict=True)
        ]
        together = scorer.scores(genome, variants)
        for variant, scores in zip(variants, together, strict=True):
            alone = scorer.score(genome, variant)
            np.testing.assert_array_equal(scores.ref, alone.ref)
            np.testing.assert_array_equal(scores.alt, alone.alt)
