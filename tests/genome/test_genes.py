"""Genes: three formats tell the same genes, and a broken row is named."""

import gzip

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tfimpute_tracks.errors import InputFileError, RegionError
from tfimpute_tracks.genome import Region
from tfimpute_tracks.genome.genes import Gene, genes_in, read_genes

REGION = Region("chr20", 1000, 2000)
# Of two transcripts of A, one has an exon in an intron of the other; B reaches over the
# region with no exon inside; C ends where it begins; D is on another chromosome.
GENES = [
    Gene("B", 100, 9000, "-", ()),
    Gene("A", 1100, 1700, "+", ((1100, 1250), (1400, 1500), (1600, 1700))),
]

GTF = """\
#!genome-build GRCh37
chr20\tx\tgene\t1101\t1700\t.\t+\t.\tgene_id "g1"; gene_name "A";
chr20\tx\tmRNA\t1101\t1700\t.\t+\t.\tgene_id "g1"; transcript_id "1"; gene_name "A";
chr20\tx\texon\t1601\t1700\t.\t+\t.\tgene_id "g1"; transcript_id "1"; gene_name "A";
chr20\tx\texon\t1101\t1200\t.\t+\t.\tgene_id "g1"; transcript_id "1"; gene_name "A";
chr20\tx\tCDS\t1151\t1200\t.\t+\t0\tgene_id "g1"; transcript_id "1"; gene_name "A";
chr20\tx\texon\t1151\t1250\t.\t+\t.\tgene_id "g1"; transcript_id "2"; gene_name "A";
chr20\tx\texon\t1401\t1500\t.\t+\t.\tgene_id "g1"; transcript_id "2"; gene_name "A";
chr20\tx\texon\t101\t500\t.\t-\t.\tgene_id "g2"; transcript_id "t3"; gene_name "B";
chr20\tx\texon\t8001\t9000\t.\t-\t.\tgene_id "g2"; transcript_id "t3"; gene_name "B";
chr20\tx\texon\t501\t1000\t.\t+\t.\tgene_id "g3"; transcript_id "t4"; gene_name "C";
chr21\tx\texon\t1501\t1600\t.\t+\t.\tgene_id "g4"; transcript_id "t5"; gene_name "D";
"""
GFF3 = """\
##gff-version 3
chr20\tx\tregion\t1\t63025520\t.\t.\t.\tID=chr20;Name=20
chr20\tx\texon\t1601\t1700\t.\t+\t.\tParent=transcript:t1
chr20\tx\tgene\t1101\t1700\t.\t+\t.\tID=gene:g1;Name=A;biotype=protein_coding
chr20\tx\tmRNA\t1101\t1700\t.\t+\t.\tID=transcript:t1;Parent=gene:g1
chr20\tx\texon\t1101\t1200\t.\t+\t.\tParent=transcript:t1
chr20\tx\tmRNA\t1151\t1500\t.\t+\t.\tID=transcript:t2;Parent=gene:g1
chr20\tx\texon\t1151\t1250\t.\t+\t.\tID=e;Parent=transcript:t1,transcript:t2
chr20\tx\texon\t1401\t1500\t.\t+\t.\tParent=transcript:t2
chr20\tx\tncRNA_gene\t101\t9000\t.\t-\t.\tID=gene:g2;Name=B
chr20\tx\tlnc_RNA\t101\t9000\t.\t-\t.\tID=transcript:t3;Parent=gene:g2
chr20\tx\texon\t101\t500\t.\t-\t.\tParent=transcript:t3
chr20\tx\texon\t8001\t9000\t.\t-\t.\tParent=transcript:t3
chr20\tx\tgene\t501\t1000\t.\t+\t.\tID=gene:g3;Name=C
chr21\tx\tgene\t1501\t1600\t.\t+\t.\tID=gene:g4;Name=D
##FASTA
>chr20
ACGT
"""
BED12 = """\
track name=genes
chr20\t1100\t1700\tA\t0\t+\t1150\t1200\t0\t2\t100,100,\t0,500,
chr20\t1150\t1500\tA\t0\t+\t1150\t1150\t0\t2\t100,100\t0,250
chr20\t100\t9000\tB\t0\t-\t100\t100\t0\t2\t400,1000,\t0,7900,
chr20\t500\t1000\tC\t0\t+\t500\t500\t0\t1\t500,\t0,
chr21\t1500\t1600\tD\t0\t+\t1500\t1500\t0\t1\t100,\t0,
"""


def _read(path, region=REGION, log=print):
    genes = genes_in(read_genes(path), region, log)
    assert genes == genes_in(read_genes(path, [region.chrom]), region, log)
    return genes


@pytest.mark.parametrize("text", [GTF, GFF3, BED12], ids=["gtf", "gff3", "bed12"])
@pytest.mark.parametrize("packed", [False, True])
def test_three_formats_give_the_same_genes(tmp_path, text, packed):
    path = tmp_path / "genes"  # the name says nothing
    path.write_bytes(gzip.compress(text.encode()) if packed else text.encode())
    assert _read(path) == GENES
    path.write_text(text.replace("chr20\t", "20\t").replace("\n", "\r\n"))
    assert _read(path) == GENES


def test_a_bed_of_three_columns_has_whole_genes_without_names(tmp_path):
    path = tmp_path / "genes.bed"
    path.write_text("chr20 1100 1200\nchr20 1150 1300\n")
    assert _read(path) == [
        Gene("", 1100, 1200, ".", ((1100, 1200),)),
        Gene("", 1150, 1300, ".", ((1150, 1300),)),
    ]


def test_copies_of_a_gene_far_apart_stay_apart(tmp_path):
    path = tmp_path / "genes.bed"
    path.write_text(
        "chr20\t100\t200\tU6\t0\t+\nchr20\t1100\t1200\tU6\t0\t+\n"
        "chr20\t1150\t1300\tU6\t0\t-\nchr20\t1800\t1900\tU6\t0\t+\n"
    )
    assert [gene[:4] for gene in _read(path)] == [
        ("U6", 1100, 1200, "+"),
        ("U6", 1150, 1300, "-"),
        ("U6", 1800, 1900, "+"),
    ]


def test_a_gene_row_alone_is_a_whole_gene(tmp_path):
    path = tmp_path / "genes.gff3"
    path.write_text(
        "chr20\tx\tpseudogene\t1101\t1200\t.\t?\t.\tID=gene:g%2C1\n"
        "chr20\tx\tCDS\t1301\t1400\t.\t+\t0\tParent=nowhere;gene=E\n"
        "chr20\tx\tmRNA\t1501\t1600\t.\t+\t.\tID=a;Parent=b\n"
        "chr20\tx\tmRNA\t1501\t1600\t.\t+\t.\tID=b;Parent=a\n"
    )
    assert _read(path) == [
        Gene("g,1", 1100, 1200, ".", ((1100, 1200),)),
        Gene("E", 1300, 1400, "+", ((1300, 1400),)),
    ]


def test_a_region_without_genes_is_reported_and_no_error(tmp_path):
    path = tmp_path / "genes.gtf"
    path.write_text(GTF)
    told = []
    assert _read(path, Region("chr20", 20_000, 20_100), told.append) == []
    assert "no gene in chr20:20001-20100" in told[0]


def test_a_chromosome_that_is_not_there_is_an_error(tmp_path):
    path = tmp_path / "genes.gtf"
    path.write_text(GTF)
    with pytest.raises(
        RegionError, match=r"no genes on chr5; the genes file has chr20, chr21;"
    ):
        _read(path, Region("chr5", 0, 100))


GTF_ROW = 'chr20\tx\texon\t1101\t1200\t.\t+\t.\tgene_id "g";\n'
BED_ROW = "chr20\t1100\t1700\tA\t0\t+\t1150\t1200\t0\t2\t100,100,\t0,500,\n"
BROKEN = [
    (GTF_ROW, GTF_ROW.replace("1101", "x"), "use two integers"),
    (GTF_ROW, GTF_ROW.replace("1101", "0"), "count from 1"),
    (GTF_ROW, GTF_ROW.replace("1200", "1100"), "start 1101 is after end 1100"),
    (GTF_ROW, GTF_ROW.replace("+", "plus"), "strand 'plus'"),
    (GTF_ROW, GTF_ROW.replace("gene_id", "id"), "no gene_id"),
    (GTF_ROW, GTF_ROW.replace("\t.\tgene", " gene"), "7 columns"),
    (BED_ROW, BED_ROW.replace("1100", "1700"), "count from 0"),
    (BED_ROW, BED_ROW.replace("1100", "-1"), "use two integers"),
    (BED_ROW, "chr20\t5\n", "use two integers"),
    (BED_ROW, BED_ROW.replace("1700", "9" * 20), "'99999999999999999999' is too large"),
    (GTF_ROW, GTF_ROW.replace("1200", "9" * 5000), "is too large"),
    (BED_ROW, BED_ROW.replace("+", "*"), "strand '*'"),
    (
        BED_ROW,
        BED_ROW.replace("\t2\t", "\t3\t"),
        "this number of blocks inside of the row",
    ),
    (
        BED_ROW,
        BED_ROW.replace("0,500", "0,501"),
        "this number of blocks inside of the row",
    ),
    (
        BED_ROW,
        BED_ROW.replace("100,100", "100,0"),
        "this number of blocks inside of the row",
    ),
    (
        BED_ROW,
        BED_ROW.replace("100,100", "100,ten"),
        "this number of blocks inside of the row",
    ),
    ("", "nothing of the kind\n", "not a row of GTF"),
    ("", "chr20\tx\texon\tone\ttwo\t.\t+\t.\tgene_id\n", "not a row of GTF"),
]


@pytest.mark.parametrize(("good", "bad", "message"), BROKEN)
def test_a_broken_row_is_named(tmp_path, good, bad, message):
    path = tmp_path / "genes"
    path.write_text("# head\n" + good + bad)
    line = 3 if good else 2
    with pytest.raises(InputFileError, match=rf"genes:{line}: .*") as error:
        _read(path)
    assert message in str(error.value)
    assert "\n" not in str(error.value)


def test_a_broken_row_of_another_chromosome_harms_nobody(tmp_path):
    path = tmp_path / "genes.gtf"
    path.write_text(GTF + "chr21\tbroken\n")
    assert genes_in(read_genes(path, ["20"]), REGION) == GENES
    with pytest.raises(InputFileError, match=r"genes\.gtf:13: has 2 columns"):
        read_genes(path)


def test_files_that_are_none(tmp_path):
    with pytest.raises(InputFileError, match="cannot read the"):
        _read(tmp_path / "nowhere.gtf")
    (tmp_path / "empty").write_text("# nothing\n\n")
    with pytest.raises(InputFileError, match="contains no genes"):
        _read(tmp_path / "empty")
    (tmp_path / "cut.gz").write_bytes(gzip.compress(GTF.encode())[:-20])
    with pytest.raises(InputFileError, match="cut short"):
        _read(tmp_path / "cut.gz")


@given(
    st.lists(
        st.tuples(
            st.integers(900, 2100),
            st.integers(1, 90),
            st.sampled_from("AB"),
            st.sampled_from("+-"),
        ),
        min_size=1,
        max_size=12,
    ),
    st.randoms(),
)
def test_the_order_of_rows_does_not_matter(tmp_path_factory, rows, random):
    path = tmp_path_factory.mktemp("genes") / "genes.bed"
    lines = [
        f"chr20\t{start}\t{start + width}\t{name}\t0\t{strand}\n"
        for start, width, name, strand in rows
    ]
    path.write_text("".join(lines))
    genes = _read(path)
    random.shuffle(lines)
    path.write_text("".join(lines))
    again = _read(path)
    assert sorted(again) == sorted(genes)
    for gene in genes:
        ends = [end for _, end in gene.exons[:-1]]
        starts = [start for start, _ in gene.exons[1:]]
        assert all(end < start for end, start in zip(ends, starts, strict=True))
        assert gene.start < REGION.end
        assert gene.end > REGION.start
