import gzip

import pytest

from tfimpute_tracks.errors import UsageError
from tfimpute_tracks.genome import (
    find_species,
    known_build,
    name_assembly,
    read_chrom_sizes,
    whole_assembly,
)

TOY = {"build": "toy1", "chrom_sizes": {"chr1": 100, "chr2": 50}}


def test_a_build_is_known_by_its_lengths():
    assert known_build({"1": 100, "scaffold": 7}, TOY) == "toy1"
    assert known_build({"chr1": 101}, TOY) is None
    assert known_build({"scaffold": 7}, TOY) is None
    assert known_build({"chr1": 100}, {}) is None


@pytest.mark.parametrize(
    ("sizes", "name"),
    [
        ({"chr20": 63_025_520}, "hg19"),
        ({"chr20": 64_444_167, "chrM": 16_569, "chrUn_KI270742v1": 186_739}, "hg38"),
        ({"1": 248_956_422, "X": 156_040_895, "MT": 16_569}, "hg38"),
        ({"chr1": 248_387_328, "chrY": 62_460_029}, "hs1"),
        ({"chr19": 61_431_566}, "mm10"),
        ({"chr19": 61_420_004}, "mm39"),
        ({"chr1": 248_956_422, "chr20": 63_025_520}, None),
        ({"chr1": 249_250_621, "chr2": 1}, None),
        ({"chrM": 16_571}, None),
        ({}, None),
    ],
)
def test_common_assemblies_are_known(sizes, name):
    assert known_build(sizes, TOY) == name
    assert known_build(sizes, {}) == name


def test_the_models_own_genome_comes_first():
    mine = {"build": "hg19", "chrom_sizes": {"chr1": 100}}
    assert known_build({"chr1": 100}, mine) == "hg19"
    assert known_build({"chr1": 249_250_621}, mine) is None
    assert name_assembly("hg19", {"chr1": 100}, mine) == "hg19"


def test_an_assembly_is_completed_only_where_its_lengths_agree():
    known = {"build": "hg19", "chrom_sizes": {"chr20": 63_025_520, "chrM": 16_571}}
    whole = whole_assembly(known)
    assert len(whole) == 25
    assert whole["chr1"] == 249_250_621
    assert whole["chrM"] == 16_571
    for other in (TOY, {"build": "hg19", "chrom_sizes": {"chr20": 7}}, {}):
        assert whole_assembly(other) == other.get("chrom_sizes", {})


def test_the_table_agrees_with_real_lengths(shared_data):
    hg19 = read_chrom_sizes(shared_data / "hg19" / "hg19.chrom.sizes")
    assert known_build(hg19, {}) == "hg19"
    chain = shared_data / "hg38" / "chains" / "hg38ToHg19.over.chain.gz"
    with gzip.open(chain, "rt") as file:
        heads = [line.split() for line in file if line.startswith("chain")]
    hg38 = {head[2]: int(head[3]) for head in heads}
    assert known_build(hg38, {}) == "hg38"
    assert sum(name in hg38 for name in hg19) == 24


def test_a_label_names_an_unknown_assembly():
    assert name_assembly("myGenome", {"chr1": 7}, TOY) == "myGenome"
    assert name_assembly(None, {"chr1": 7}, TOY) == ""
    assert name_assembly(None, {"chr1": 100}, TOY) == "toy1"
    assert name_assembly("GRCh38", {"20": 64_444_167}, TOY) == "hg38"
    assert name_assembly("hg38", {"scaffold": 7}, TOY) == "hg38"


@pytest.mark.parametrize(
    ("label", "sizes", "message"),
    [
        ("", {}, "is empty or has white space"),
        ("hg 19", {}, "is empty or has white space"),
        (
            "hg19",
            {"chr20": 64_444_167},
            "expected 63,025,520 in hg19; use --assembly hg38",
        ),
        (
            "GRCh37",
            {"chr20": 7},
            "has 7 bp, expected 63,025,520 in hg19; use another name",
        ),
        (
            "mm10",
            {"chr20": 63_025_520},
            "no chromosome is called chr20 in mm10; use --assembly hg19",
        ),
        ("toy1", {"chr1": 7}, "chr1 has 7 bp, expected 100 in toy1"),
    ],
)
def test_a_label_must_not_contradict_the_lengths(label, sizes, message):
    with pytest.raises(UsageError, match=message):
        name_assembly(label, sizes, TOY)


def test_species():
    assert [find_species(name) for name in ("hg19", "hs1", "mm39")] == [
        *("human", "human", "mouse")
    ]
    assert find_species("toy1") == find_species("") == ""
