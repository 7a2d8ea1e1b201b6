"""The same change, however it is written, has one normal form and one result."""

import csv
from contextlib import nullcontext

import numpy as np
import pytest
from pysam import bcftools

from tfimpute_tracks.genome import open_genome
from tfimpute_tracks.variants.alleles import AlleleScorer
from tfimpute_tracks.variants.job import BackgroundOptions, VariantJob
from tfimpute_tracks.variants.normalize import Variant, normalize, trim
from tfimpute_tracks.variants.records import Source
from tfimpute_tracks.variants.run import run_variants
from tfimpute_tracks.vocabulary import Pair
from toys import random_letters, write_fasta

REPEAT = 200  # where CACACACA starts


@pytest.fixture
def repeats(tmp_path, rng):
    bases = random_letters(rng, 600)
    bases = f"{bases[:199]}GCACACACAT{bases[209:]}"
    write_fasta(tmp_path / "r.fa", {"chr1": bases})
    with open_genome(tmp_path / "r.fa") as genome:
        yield genome, bases


def _writings(bases):
    """Give groups of writings of one change each."""
    alt = "ACGT"["ACGT".index(bases[300]) - 1]
    padded = (
        Variant(
            "chr1",
            300 - n,
            bases[300 - n : 301 + m],
            "".join([bases[300 - n : 300], alt, bases[301 : 301 + m]]),
        )
        for n, m in ((0, 0), (3, 0), (0, 4), (55, 2))
    )
    deleted = [
        Variant("chr1", at, bases[at : at + 3], bases[at])
        for at in range(REPEAT - 1, REPEAT + 6)
    ]
    inserted = [
        Variant("chr1", at, bases[at], bases[at] + bases[at + 1 : at + 3])
        for at in range(REPEAT - 1, REPEAT + 6)
    ]
    deleted.append(Variant("chr1", 190, bases[190:208], bases[190:206]))
    inserted.append(Variant("chr1", 203, "ACA", "ACACA"))
    return list(padded), deleted, inserted


def test_all_writings_have_one_normal_form(repeats):
    genome, bases = repeats
    forms = [{normalize(v, genome) for v in group} for group in _writings(bases)]
    alt = "ACGT"["ACGT".index(bases[300]) - 1]
    assert forms == [
        {Variant("chr1", 300, bases[300], alt)},
        {Variant("chr1", 199, "GCA", "G")},
        {Variant("chr1", 199, "G", "GCA")},
    ]


def test_an_indel_is_moved_up_to_the_first_base(tmp_path):
    write_fasta(tmp_path / "a.fa", {"chr1": "A" * 300 + "C"})
    with open_genome(tmp_path / "a.fa") as genome:
        for at in (0, 5, 250):
            assert normalize(Variant("chr1", at, "AA", "A"), genome).start == 0
    assert trim(Variant("chr1", 7, "TCA", "TGA")) == Variant("chr1", 8, "C", "G")


@pytest.mark.parametrize("seed", range(4))
def test_the_normal_form_is_that_of_bcftools(tmp_path, seed):
    rng = np.random.default_rng(seed)
    # Two bases only: repeats are everywhere.
    bases = "".join(rng.choice(["A", "C"], 500))
    write_fasta(tmp_path / "r.fa", {"chr1": bases})
    variants = []
    for start in rng.integers(0, 480, 200).tolist():
        ref = bases[start : start + int(rng.integers(1, 8))]
        alt = "".join(rng.choice(["A", "C", "G"], int(rng.integers(1, 8))))
        if ref != alt and (ref[0] == alt[0] or len(ref) == len(alt)):
            variants.append(Variant("chr1", start, ref, alt))
    rows = [
        f"chr1\t{v.start + 1}\t{n}\t{v.ref}\t{v.alt}\t.\t.\t.\n"
        for n, v in enumerate(variants)
    ]
    header = "##fileformat=VCFv4.2\n##contig=<ID=chr1,length=500>\n"
    columns = "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\n"
    (tmp_path / "v.vcf").write_text(header + columns + "".join(rows))
    text = bcftools.norm("-f", str(tmp_path / "r.fa"), str(tmp_path / "v.vcf"))
    expected = {}
    for line in text.splitlines():
        if not line.startswith("#"):
            chrom, pos, name, ref, alt = line.split("\t")[:5]
            expected[int(name)] = Variant(chrom, int(pos) - 1, ref, alt)
    assert len(expected) == len(variants) > 40
    with open_genome(tmp_path / "r.fa") as genome:
        for number, variant in enumerate(variants):
            assert normalize(variant, genome) == expected[number], variant


def test_all_writings_score_the_same(repeats, toy):
    genome, bases = repeats
    scorer = AlleleScorer(toy[0], [Pair("CTCF", "K562"), Pair("MAX", "HepG2")])
    for group in _writings(bases):
        first, *others = [scores.best() for scores in scorer.scores(genome, group)]
        assert (first[0] != first[1]).any()
        for other in others:
            np.testing.assert_array_equal(first, other)


def test_a_table_keeps_the_writing_of_each_record(repeats, toy, tmp_path):
    genome, bases = repeats
    results = []
    for writing in range(3):
        variants = [group[writing] for group in _writings(bases)]
        lines = [f"{v.chrom}\t{v.start + 1}\t{v.ref}\t{v.alt}\n" for v in variants]
        source = tmp_path / f"w{writing}.tsv"
        source.write_text("chrom\tpos\tref\talt\n" + "".join(lines))
        job = VariantJob(
            *(toy[0], [Pair("MAX", "HepG2")], Source.of(source), tmp_path),
            background=BackgroundOptions(20),
        )
        run_variants(job, genome, lambda *_: nullcontext(lambda _: None))
        with (tmp_path / f"w{writing}.effects.tsv").open() as file:
            rows = list(csv.reader(file, delimiter="\t"))[1:]
        for row, v in zip(rows, variants, strict=True):
            assert row[:2] + row[3:5] == [v.chrom, str(v.start + 1), v.ref, v.alt]
        results.append([row[5:] for row in rows])
    assert results[0] == results[1] == results[2]
