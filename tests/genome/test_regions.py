"""Regions as typed, and the regions a run covers."""

from __future__ import annotations

import gzip

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tfimpute_tracks.errors import InputFileError, RegionError
from tfimpute_tracks.genome.region import Region, parse_region, resolve_regions

SIZES = {"chr2": 1000, "chr10": 500, "chr1": 2_000_000, "HLA-A*01:01": 90}


@pytest.mark.parametrize(
    ("text", "region"),
    [
        ("chr1:1,000-2,000", Region("chr1", 999, 2000)),
        (" 1:1-2000000 ", Region("chr1", 0, 2_000_000)),
        ("chr1:7-7", Region("chr1", 6, 7)),
        ("chr10", Region("chr10", 0, 500)),
        ("10", Region("chr10", 0, 500)),
        ("HLA-A*01:01", Region("HLA-A*01:01", 0, 90)),
        ("HLA-A*01:01:5-9", Region("HLA-A*01:01", 4, 9)),
    ],
)
def test_parse(text, region):
    assert parse_region(text, SIZES) == region


@given(st.integers(0, 999), st.integers(1, 1000))
def test_printed_and_parsed_again(start, length):
    region = Region("chr2", start, min(start + length, 1000))
    assert parse_region(str(region), SIZES) == region


def test_printed_as_browsers_do():
    assert str(Region("chr20", 0, 100)) == "chr20:1-100"
    assert str(Region("chr20", 999_999, 2_000_000)) == "chr20:1000000-2000000"


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("chr3", "unknown chromosome chr3"),
        ("chr3:1-5", "unknown chromosome chr3"),
        ("chr1:100", "not of the form"),
        ("chr1:5-", "not of the form"),
        ("chr1:a-b", "not of the form"),
        ("chr1:-5-9", "not of the form"),
        ("chr1:0-9", "has no bases"),
        ("chr1:,-9", "has no bases"),
        ("chr1:9-8", "starts after its end"),
        ("chr2:1-1001", "chr2, which has 1,000 bp"),
        ("", "an empty region"),
    ],
)
def test_a_bad_region_is_refused(text, what):
    with pytest.raises(RegionError, match=what) as caught:
        parse_region(text, SIZES)
    assert "\n" not in str(caught.value)


def test_nothing_asked_for_is_everything():
    assert resolve_regions([], [], SIZES) == [
        Region(chrom, 0, size) for chrom, size in SIZES.items()
    ]


def test_regions_are_merged_and_in_genome_order(tmp_path):
    bed = tmp_path / "sites.bed.gz"
    bed.write_bytes(gzip.compress(b"chr1\t50\t60\nchr2\t10\t20\tname\nchr1\t0\t50\n"))
    asked = [str(bed), "chr2:21-30", "chr2:41-50", "chr1:31-40"]
    assert resolve_regions(asked, ["10"], SIZES) == [
        Region("chr2", 10, 30),
        Region("chr2", 40, 50),
        Region("chr10", 0, 500),
        Region("chr1", 0, 60),
    ]
    assert resolve_regions(["chr2:5-9"], ["chr2"], SIZES) == [Region("chr2", 0, 1000)]


def test_other_names_are_reported(tmp_path):
    bed = tmp_path / "sites.bed"
    bed.write_text("10\t5\t9\n")
    said = []
    resolve_regions([str(bed), "2:5-9", "chr1:1-5"], ["1"], SIZES, said.append)
    assert said == ["using 1 for chr1, 10 for chr10, 2 for chr2"]
    said.clear()
    resolve_regions(["chr2", "HLA-A*01:01:5-9"], ["chr1"], SIZES, said.append)
    assert said == []


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["chr2", "chr10"]), st.integers(1, 480), st.integers(1, 20)
        ),
        min_size=1,
        max_size=30,
    )
)
def test_the_same_bases_are_covered_once(asked):
    texts = [f"{chrom}:{start}-{start + n}" for chrom, start, n in asked]
    covered = {chrom: np.zeros(size, dtype=int) for chrom, size in SIZES.items()}
    for region in resolve_regions(texts, [], SIZES):
        covered[region.chrom][region.start : region.end] += 1
    for chrom in ("chr2", "chr10"):
        wanted = {b for c, s, n in asked if c == chrom for b in range(s - 1, s + n)}
        assert set(np.flatnonzero(covered[chrom]).tolist()) == wanted
        assert covered[chrom].max() <= 1


def test_a_region_outside_its_chromosome_is_refused_not_clipped(tmp_path):
    bed = tmp_path / "hg38.bed"
    bed.write_text("chr1\t5\t9\n10\t490\t501\n")
    with pytest.raises(RegionError) as caught:
        resolve_regions([str(bed)], [], SIZES)
    assert f"{bed}: chr10:491-501 ends outside of chr10, which has 500 bp" in str(
        caught.value
    )


def test_what_is_not_there_is_refused(tmp_path):
    bed = tmp_path / "other.bed"
    bed.write_text("NC_000001.10\t5\t9\n")
    with pytest.raises(
        RegionError, match=r"other.bed: unknown .* NC_000001\.10; .*chr1"
    ):
        resolve_regions([str(bed)], [], SIZES)
    with pytest.raises(RegionError, match="unknown chromosome chr3"):
        resolve_regions([], ["chr3"], SIZES)
    for absent in (str(tmp_path / "absent"), "absent.bed", "absent.narrowPeak"):
        with pytest.raises(InputFileError, match="no such file"):
            resolve_regions([absent], [], SIZES)
    with pytest.raises(InputFileError, match="is a folder; use a BED file"):
        resolve_regions([str(tmp_path)], [], SIZES)


def test_the_name_of_a_contig_may_have_a_slash():
    sizes = {**SIZES, "a/b": 50, "c.bed": 9}
    assert resolve_regions(["a/b:1-9"], [], sizes) == [Region("a/b", 0, 9)]
    assert resolve_regions(["a/b", "c.bed:2-4"], [], sizes) == [
        Region("a/b", 0, 50),
        Region("c.bed", 1, 4),
    ]
    with pytest.raises(RegionError, match=r"unknown chromosome a/c; known: .*a/b"):
        resolve_regions(["a/c:1-9"], [], sizes)
