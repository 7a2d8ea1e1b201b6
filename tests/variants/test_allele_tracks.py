"""Tracks of alleles, read back by others: base by base what the tables are made of."""

from contextlib import nullcontext

import numpy as np
import pytest

from bbi_readers import READERS
from tfimpute_tracks.kernels.products import sigmoid
from tfimpute_tracks.variants.allele_tracks import align_alleles, open_allele_tracks
from tfimpute_tracks.variants.alleles import AlleleScorer
from tfimpute_tracks.variants.job import VariantJob
from tfimpute_tracks.variants.normalize import Variant, normalize
from tfimpute_tracks.variants.records import Source
from tfimpute_tracks.variants.run import run_variants
from tfimpute_tracks.vocabulary import Pair

PAIRS = [Pair("CTCF", "K562"), Pair("MAX", "HepG2")]
SIZES = {"chr1": 4000, "chr20": 900}


def _other(letters, at):
    return "ACGT"["ACGT".index(letters[at]) - 1]


@pytest.fixture
def variants(toy, genome):
    """Apart, overlapping, at one place, beside a gap, at an end; not in order."""
    one, twenty = toy[2]["chr1"], toy[2]["chr20"]
    found = [
        Variant("chr20", 450, twenty[450], _other(twenty, 450)),
        Variant("chr1", 900, one[900:907], one[900]),
        Variant("chr1", 300, one[300], _other(one, 300)),
        Variant("chr1", 317, one[317], _other(one, 317)),
        Variant("chr1", 317, one[317], one[317] + "GATTACA"),
        Variant("chr1", 320, one[320], _other(one, 320)),
        Variant("chr1", 1490, one[1490], _other(one, 1490)),
        Variant("chr1", 3, one[3], _other(one, 3)),
        Variant("chr1", 5, one[5], _other(one, 5)),
    ]
    found.append(Variant("chr1", 700, one[700], one[700] + "GATTACAGATTACA"))
    return [normalize(variant, genome) for variant in found]


def _expected(scorer, genome, variants, config, stride):
    """Give what each base is drawn with: chrom -> base -> (ref, alt) of every pair."""
    drawn = {chrom: {} for chrom in SIZES}

    def nearest(chrom, at):
        """Of two as near the right one, of several at a place the first."""
        own = [variant for variant in variants if variant.chrom == chrom]
        return min(own, key=lambda variant: abs(at - variant.start + 0.25))

    for variant in variants:
        (scores,) = scorer.scores(genome, [variant])
        margin = (config.seq_len - stride) // 2
        sides = []
        for centers, values in (
            (scores.ref_centers, scores.ref),
            (scores.alt_centers, scores.alt),
        ):
            bases = {}
            for center, value in zip(centers.tolist(), sigmoid(values), strict=True):
                begin = center - config.seq_len // 2 + margin
                bases |= dict.fromkeys(range(begin, begin + stride), value)
            sides.append(bases)
        ref, alt = sides
        longer = len(variant.alt) - len(variant.ref)
        begin = int(scores.ref_centers[0]) - config.seq_len // 2 + margin
        for base, value in ref.items():
            middle = (base - begin) // stride * stride + begin + stride // 2
            moved = middle + longer if middle >= len(variant.ref) else middle
            if 0 <= middle < len(variant.ref):
                moved = min(middle, len(variant.alt) - 1)
            moved = min(max(moved, min(alt)), max(alt))
            at = variant.start + base
            if nearest(variant.chrom, at) is variant:
                drawn[variant.chrom][at] = value, alt[moved]
    return drawn


@pytest.mark.parametrize("stride", [5, 10])
def test_every_base_is_that_of_the_nearest_variant(
    toy, genome, tmp_path, variants, stride
):
    model = toy[0]
    scorer = AlleleScorer(model, PAIRS, stride)
    with open_allele_tracks(tmp_path, 2, list(SIZES), stride) as file:
        for scores in scorer.scores(genome, variants):
            file.add(align_alleles(scores, model.config.seq_len, stride))
        files = file.write(tmp_path / "v", PAIRS, SIZES)
    names = [
        f"v.{p.tf}.{p.cell}.{kind}.bw"
        for p in PAIRS
        for kind in ("ref", "alt", "delta")
    ]
    assert sorted(p.name for p in tmp_path.iterdir()) == sorted(names)
    assert [path.name for path in files] == names
    expected = _expected(scorer, genome, variants, model.config, stride)
    for i, pair in enumerate(PAIRS):
        for kind, value in (
            ("ref", lambda ref, alt: ref),
            ("alt", lambda ref, alt: alt),
            ("delta", lambda ref, alt: alt - ref),
        ):
            path = tmp_path / f"v.{pair.tf}.{pair.cell}.{kind}.bw"
            contents = READERS["bigtools"](path)
            assert contents.chroms == SIZES
            for chrom, bases in expected.items():
                found = {}
                for start, end, number in contents.records[chrom]:
                    for base in range(start, end):
                        assert base not in found
                        found[base] = number
                told = {b: value(*both)[i] for b, both in bases.items()}
                told = {b: number for b, number in told.items() if not np.isnan(number)}
                assert set(found) == set(told)
                for base, number in told.items():
                    assert found[base] == pytest.approx(number, abs=6e-5)


def test_every_reader_finds_the_same(toy, genome, tmp_path, variants):
    lines = ["chrom\tpos\tref\talt"]
    lines += [f"{c}\t{s + 1}\t{ref}\t{alt}" for c, s, ref, alt in variants]
    (tmp_path / "v.tsv").write_text("\n".join([*lines, ""]))
    source = Source.of(tmp_path / "v.tsv")
    job = VariantJob(toy[0], PAIRS, source, tmp_path, write_tracks=True, threads=2)
    run = run_variants(job, genome, lambda *_: nullcontext(lambda _: None))
    tracks = [path for path in run.files if path.suffix == ".bw"]
    assert len(tracks) == 6
    for path in tracks:
        found = [read(path).records for read in READERS.values()]
        assert set(found[0]) == set(SIZES)
        for other in found[1:]:
            for chrom in SIZES:
                np.testing.assert_allclose(found[0][chrom], other[chrom], atol=1e-6)
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".")]


def test_without_a_scored_allele_there_are_no_tracks(toy, genome, tmp_path):
    (tmp_path / "v.tsv").write_text("chrom\tpos\tref\talt\n1\t1700\tA\tC\n")
    job = VariantJob(
        toy[0], PAIRS, Source.of(tmp_path / "v.tsv"), tmp_path, write_tracks=True
    )
    run = run_variants(job, genome, lambda *_: nullcontext(lambda _: None))
    assert not [path for path in run.files if path.suffix == ".bw"]
