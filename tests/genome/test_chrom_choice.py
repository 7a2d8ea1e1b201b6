"""Whole chromosomes by name, pattern, `primary` and length."""

import pytest

from tfimpute_tracks.errors import RegionError
from tfimpute_tracks.genome import Region, resolve_regions
from tfimpute_tracks.genome.chrom_choice import choose_chroms, primary_chroms

HUMAN = [*(f"chr{i}" for i in range(1, 23)), "chrX", "chrY"]
PRIMARY = {
    "UCSC human": (
        HUMAN,
        [
            "chrM",
            "chrUn_KI270302v1",
            "chr1_KI270706v1_random",
            "chr6_apd_hap1",
            "chrEBV",
        ],
    ),
    "Ensembl human": (
        [name[3:] for name in HUMAN],
        ["MT", "GL000191.1", "KI270728.1", "hs37d5", "HLA-A*01:01:01:01"],
    ),
    "fly": (
        ["chr2L", "chr2R", "chr3L", "chr3R", "chr4", "chrX", "chrY"],
        ["chrM", "chrU", "chrUextra", "chr2LHet", "chrXHet", "chrY_CP007110v1_random"],
    ),
    "fly of Ensembl": (
        ["2L", "2R", "3L", "3R", "4", "X", "Y"],
        ["mitochondrion_genome", "211000022278279", "rDNA"],
    ),
    "worm": (["chrI", "chrII", "chrIII", "chrIV", "chrV", "chrX"], ["chrM"]),
    "yeast": (["I", "VIII", "IX", "XIV", "XVI"], ["Mito", "2micron"]),
    "chicken": (["chr1", "chr33", "chrW", "chrZ"], ["chrMT", "chrLGE64", "chrUn_NT_1"]),
    "rice": (["Chr01", "Chr12"], ["ChrSy", "ChrUn", "ChrC", "ChrM"]),
    "wheat": (["1A", "1B", "1D", "7D"], ["Un", "Pt", "Mt"]),
    "bee": (["LG1", "LG16"], ["Group1.1", "GroupUn.1"]),
    "platypus": (["chrX1", "chrX5", "chr1"], ["chrUn"]),
}


@pytest.mark.parametrize("species", PRIMARY)
def test_primary_chromosomes_are_known_by_their_names(species):
    expected, others = PRIMARY[species]
    sizes = dict.fromkeys([*others, *expected], 1000)
    assert primary_chroms(sizes) == expected
    assert choose_chroms(["primary"], sizes) == expected


def test_refseq_accessions_are_primary_where_nothing_else_is():
    sizes = {"NC_000001.11": 248_000_000, "NT_187361.1": 175_055, "NC_012920.1": 16_569}
    assert primary_chroms(sizes) == ["NC_000001.11"]
    assert primary_chroms(sizes | {"chr1": 9}) == ["chr1"]


SIZES = {"chr1": 900, "chr2": 800, "chr10": 300, "chrM": 16, "chrUn_1": 20, "a,b": 5}


@pytest.mark.parametrize(
    ("specs", "shortest", "expected"),
    [
        ([], 0, list(SIZES)),
        ([], 100, ["chr1", "chr2", "chr10"]),
        (["chr?"], 0, ["chr1", "chr2", "chrM"]),
        (["chr?"], 17, ["chr1", "chr2"]),
        (["?"], 0, ["chr1", "chr2", "chrM"]),
        (["*"], 850, ["chr1"]),
        (["chr[12]*", "chrM"], 500, ["chr1", "chr2", "chrM"]),
        (["Primary"], 0, ["chr1", "chr2", "chr10"]),
        (["primary", "chrUn_1"], 400, ["chr1", "chr2", "chrUn_1"]),
        (["chr2,chr1", "10"], 0, ["chr1", "chr2", "chr10"]),
        (["a,b"], 0, ["a,b"]),
    ],
)
def test_chromosomes_are_chosen_in_genome_order(specs, shortest, expected):
    assert choose_chroms(specs, SIZES, shortest) == expected
    found = resolve_regions([], specs, SIZES, print, shortest)
    assert found == [Region(name, 0, SIZES[name]) for name in expected]


def test_a_name_with_the_signs_of_a_pattern_is_a_name():
    sizes = {"HLA-A*01:01": 5, "HLA-A*01:01:02": 6, "primary": 7, "chr1": 8}
    assert choose_chroms(["HLA-A*01:01"], sizes) == ["HLA-A*01:01"]
    assert choose_chroms(["primary"], sizes) == ["primary"]


@pytest.mark.parametrize(
    ("specs", "shortest", "message"),
    [
        (
            ["chr3*"],
            0,
            r"no chromosome matches 'chr3\*'; known: a,b, chr1, chr2",
        ),
        (["chr1", "z?"], 0, r"no chromosome matches 'z\?'"),
        (["chr1", "chr3", "*"], 0, "unknown chromosome chr3; known:"),
        (
            [],
            1000,
            "--min-contig 1,000 leaves no chromosome; the longest of them, chr1",
        ),
        (["chr1,chr99"], 0, "unknown chromosome chr99"),
        ([","], 0, "--chroms ',' has no name"),
    ],
)
def test_what_matches_nothing_is_an_error(specs, shortest, message):
    with pytest.raises(RegionError, match=message):
        choose_chroms(specs, SIZES, shortest)


def test_a_least_length_is_of_no_use_with_regions_alone():
    with pytest.raises(RegionError, match="--min-contig concerns whole chromosomes"):
        resolve_regions(["chr1:1-50"], [], SIZES, print, 9)


def test_no_primary_chromosome_is_an_error():
    with pytest.raises(RegionError, match="no name is that of a primary chromosome"):
        choose_chroms(["primary"], {"scaffold_1": 9, "scaffold_2": 8})


def test_what_was_chosen_is_said():
    said = []
    choose_chroms(["primary"], SIZES, log=said.append)
    assert said == ["using 3 of 6 chromosomes: chr1, chr2, chr10"]
    said.clear()
    choose_chroms(["chr1"], SIZES, log=said.append)
    choose_chroms([], SIZES, log=said.append)
    assert not said


def test_regions_are_added_to_what_a_pattern_chose():
    found = resolve_regions(["chr10:11-20"], ["chr?"], SIZES, print, 100)
    assert found == [
        Region("chr1", 0, 900),
        Region("chr2", 0, 800),
        Region("chr10", 10, 20),
    ]
