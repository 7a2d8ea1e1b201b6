"""VCF in odd encodings: read, or refused with the true reason."""

import gzip

import pytest

from tfimpute_tracks.errors import InputFileError
from tfimpute_tracks.variants.records import Source, check_variants, open_variants

TEXT = (
    b"##fileformat=VCFv4.2\n##contig=<ID=chr1>\n"
    b"#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\n"
    b"chr1\t301\tx\tG\tA\t.\t.\t.\n"
)
MARK = b"\xef\xbb\xbf"


def _read(path):
    with open_variants(Source.of(path)) as (records, header):
        assert header is not None
        return [record[:6] for record in records]


@pytest.mark.parametrize(
    ("content", "note"),
    [
        (TEXT, ""),
        (TEXT.replace(b"\n", b"\r\n"), ""),
        (MARK + TEXT, "begins with a byte order mark"),
        (gzip.compress(MARK + TEXT), "begins with a byte order mark"),
        (TEXT.replace(b"\n", b"\r"), "has lines that end in CR"),
    ],
)
@pytest.mark.parametrize("name", ["v.vcf", "v.txt", "v.vcf.gz"])
def test_text_that_htslib_does_not_read(tmp_path, caplog, content, note, name):
    caplog.set_level("INFO")
    (tmp_path / name).write_bytes(content)
    for _ in range(2):
        assert _read(tmp_path / name) == [(1, "chr1", "301", "x", "G", ("A",))]
    assert caplog.text.count("v.") == bool(note)
    assert note in caplog.text


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "the file is empty"),
        (TEXT.replace(b"\t", b" "), "separated by blanks"),
        (TEXT[:-24] + TEXT[-24:].replace(b"\t", b"  "), "separated by blanks"),
        (TEXT.decode().encode("utf-16"), "text in UTF-16"),
        (TEXT.decode().encode("utf-16-le"), "text in UTF-16"),
        (TEXT[21:], "a VCF begins with the line ##fileformat"),
        (TEXT[-24:], "a VCF begins with the line ##fileformat"),
        (TEXT[:40], "no line #CHROM"),
        (TEXT.replace(b"\tx\t", b"\t\xe9\t"), "variant 1 has text that is not UTF-8"),
        (
            TEXT.replace(b"##con", b"##x=\xe9\n##con"),
            "header has text that is not UTF-8",
        ),
        (TEXT.replace(b"301", b"3,010"), "v.vcf:4: the position '3,010' has thousand"),
        (TEXT.replace(b"301", b"1e5"), "v.vcf:4: the position '1e5' is not a whole"),
        (TEXT + b"chr1\t5\n", "v.vcf:5: has 2 columns, and a VCF has 8 or more"),
        (TEXT + b"chr1\t5", "cannot be read after variant 1"),
    ],
)
def test_text_that_is_no_vcf(tmp_path, content, why):
    (tmp_path / "v.vcf").write_bytes(content)
    with pytest.raises(InputFileError, match=why):
        _read(tmp_path / "v.vcf")


def test_a_file_needs_variants_and_a_table_each_column_once(tmp_path):
    columns, header = "chrom\tpos\tref\talt\n", TEXT.decode().partition("chr1\t")[0]
    for name, text, why in (
        ("v.vcf", header, "v.vcf has no variants"),
        ("v.tsv", columns, "v.tsv has no variants"),
        ("v.tsv", columns.replace("ref", "pos\tref"), "names the column pos twice"),
    ):
        (tmp_path / name).write_text(text)
        with pytest.raises(InputFileError, match=why):
            check_variants(Source.of(tmp_path / name))


@pytest.mark.parametrize("end", [b"#CH", b"#CHROM", b"chr"])
def test_a_long_header_is_no_fault(tmp_path, end):
    """What is looked at ends within a line, which is cut off."""
    contig = TEXT.splitlines(keepends=True)[1]
    n_before = TEXT.index(end, TEXT.index(b"#CHROM")) + len(end)
    more = b"##x=" + b"y" * ((1 << 16) - n_before - len(b"##x=\n")) + b"\n"
    text = TEXT.replace(contig, contig + more)
    assert text[: 1 << 16].endswith(b"\n" + end)
    (tmp_path / "long.vcf").write_bytes(text)
    assert len(_read(tmp_path / "long.vcf")) == 1
