"""Genes in place of regions."""

import pytest

from tfimpute_tracks.errors import InputFileError, RegionError
from tfimpute_tracks.genome import Region, bundled_genes, parse_locus, replace_genes
from tfimpute_tracks.genome.gene_regions import GENE_FLANK

SIZES = {"chr1": 100_000, "chrX": 60_000, "HLA:1": 500}


@pytest.fixture
def genes(tmp_path):
    path = tmp_path / "genes.bed"
    rows = [
        ("1", 20_000, 30_000, "GATA1"),
        ("1", 50, 99, "gata1"),
        ("X", 3_000, 4_000, "XIST"),
        ("1", 70_000, 71_000, "PAR1"),
        ("X", 50_000, 59_000, "PAR1"),
        ("8", 5, 9, "MYC"),
        ("1", 2, 9, "chrX"),
        ("1", 40_000, 41_000, "RP11-34.7"),
    ]
    path.write_text("".join("\t".join(map(str, row)) + "\n" for row in rows))
    return path


def _replace(specs, genes):
    said = []
    return replace_genes(specs, SIZES, genes, said.append), said


def test_a_gene_is_its_region_with_flanks(genes):
    found, said = _replace(["GATA1", "chr1:5-9", "chrX"], genes)
    assert found == ["chr1:15001-35000", "chr1:5-9", "chrX"]
    assert said == ["GATA1 is at chr1:20001-30000; using chr1:15001-35000"]


@pytest.mark.parametrize(
    ("name", "region"),
    [
        # As it is written first, then in any case; to the ends of the chromosome.
        ("gata1", "chr1:1-5099"),
        ("xist", "chrX:1-9000"),
        ("Gata1", "chr1:1-5099"),
        (" RP11-34.7 ", "chr1:35001-46000"),
    ],
)
def test_spellings(genes, name, region):
    assert _replace([name], genes)[0][0] == region


def test_genes_of_one_name_are_all_used(genes):
    found, _ = _replace(["PAR1"], genes)
    assert found == ["chr1:65001-76000", "chrX:45001-60000"]
    first = parse_locus("PAR1", SIZES, genes, print)
    assert first == Region("chr1", 65_000, 76_000)


def test_unknown_genes_name_the_nearest(genes):
    with pytest.raises(
        RegionError, match=r"no gene or chromosome is called 'GATA2'; .*mean GATA1"
    ):
        _replace(["GATA2"], genes)
    with pytest.raises(
        RegionError, match=r"known chromosomes: chr1, .*; known genes: chrX, "
    ):
        _replace(["QQQQ"], genes)


def test_a_gene_elsewhere_is_an_error(genes):
    with pytest.raises(RegionError, match="MYC is on 8; known chromosomes: chr1, chrX"):
        _replace(["MYC"], genes)


def test_without_genes_a_name_is_a_chromosome_and_genes_are_suggested():
    with pytest.raises(RegionError, match=r"unknown chromosome GATA1.*add --genes"):
        _replace(["GATA1"], None)


def test_files_and_regions_are_left_alone(genes, tmp_path):
    for text in ("absent.bed", str(genes), "HLA:1", "HLA:1:3-9", "chr9:1-2", "chr1:5"):
        assert _replace([text], genes)[0] == [text]
    with pytest.raises(InputFileError):
        _replace(["GATA1"], tmp_path / "absent.gtf")


def test_bundled_genes_are_found_in_the_bundled_region():
    found = parse_locus("CEBPB", {"chr20": 63_025_520}, bundled_genes(), print)
    assert found.chrom == "chr20"
    assert found.end - found.start > 2 * GENE_FLANK


def test_genes_without_names_are_called_so(tmp_path):
    (tmp_path / "bare.bed").write_text("1\t20000\t30000\n")
    with pytest.raises(RegionError, match=r"chr1, .*; the genes have no names$"):
        replace_genes(["MYC"], SIZES, tmp_path / "bare.bed", print)


def test_a_file_is_not_one_locus(tmp_path, genes):
    for text in (str(tmp_path), str(genes), "some.bed"):
        with pytest.raises(
            RegionError, match="one region or gene is needed here, not a file"
        ):
            parse_locus(text, SIZES, genes, print)
    sizes = {"some.bed": 90, "a/b": 80}
    assert parse_locus("some.bed", sizes, None, print) == Region("some.bed", 0, 90)
    assert parse_locus("a/b:1-9", sizes, None, print) == Region("a/b", 0, 9)
