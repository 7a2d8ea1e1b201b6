"""Peak files to contents: merged, matched, cut, and what is left out told."""

from __future__ import annotations

import gzip

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tfimpute_tracks.errors import InputFileError, UsageError
from tfimpute_tracks.evidence import (
    ACCESSIBILITY,
    BuildReport,
    PeakFile,
    build_evidence,
    open_evidence,
    write_evidence,
)
from tfimpute_tracks.genome import Region
from tfimpute_tracks.storage import digest_file
from tfimpute_tracks.vocabulary import Pair
from toys import VOCABULARY

SIZES = {"chr1": 5000, "chr20": 2000, "chr3": 100}


def bed(path, *rows):
    path.write_text("".join("{}\t{}\t{}\n".format(*row) for row in rows))
    return path


def peak_file(path, tf="CTCF", cell="K562", replicate=""):
    return PeakFile(Pair(tf, cell), replicate, path)


def build(*files, **options):
    return build_evidence(files, VOCABULARY, SIZES, **options)


def rows(contents, chrom):
    columns = (column.tolist() for column in contents.peaks[chrom])
    return list(zip(*columns, strict=True))


def test_peaks_that_overlap_or_touch_become_one(tmp_path):
    path = bed(
        tmp_path / "a.bed",
        ("chr1", 300, 400),
        ("chr1", 100, 200),
        ("chr20", 0, 2000),
        ("chr1", 150, 250),
        ("chr1", 250, 260),
        ("chr1", 261, 300),
    )
    contents, _ = build(peak_file(path))
    assert rows(contents, "chr1") == [(100, 260, 0), (261, 400, 0)]
    assert rows(contents, "chr20") == [(0, 2000, 0)]
    assert contents.tracks[0] == (Pair("CTCF", "K562"), "", 3, digest_file(path))
    assert contents.has_peaks.tolist() == [[True, True, False]]
    assert contents.regions == (Region("chr1", 0, 5000), Region("chr20", 0, 2000))


def test_tracks_stand_side_by_side(tmp_path):
    one = bed(tmp_path / "a.bed", ("chr1", 100, 200), ("chr1", 400, 500))
    two = bed(tmp_path / "b.bed", ("chr1", 100, 600), ("chr20", 0, 1))
    contents, _ = build(peak_file(one), peak_file(two, "MAX"))
    assert rows(contents, "chr1") == [(100, 200, 0), (100, 600, 1), (400, 500, 0)]
    assert contents.has_peaks.tolist() == [[True, False, False], [True, True, False]]
    assert [str(track.pair) for track in contents.tracks] == ["CTCF:K562", "MAX:K562"]


def test_names_are_those_of_the_vocabulary(tmp_path):
    path = bed(tmp_path / "a.bed", ("chr1", 1, 2))
    opened = bed(tmp_path / "b.bed", ("chr1", 1, 3))
    contents, report = build(
        peak_file(path, "p300", "h1"), peak_file(opened, "Accessibility", "gm12878")
    )
    assert [track.pair for track in contents.tracks] == [
        ("EP300", "H1-hESC"),
        (ACCESSIBILITY, "GM12878"),
    ]
    assert report == BuildReport()


def test_a_track_on_other_chromosomes_is_left_out(tmp_path):
    here = bed(tmp_path / "a.bed", ("chr1", 1, 2))
    there = bed(tmp_path / "b.bed", ("chr7", 1, 2))
    contents, report = build(peak_file(here), peak_file(there, "MAX"))
    assert [str(track.pair) for track in contents.tracks] == ["CTCF:K562"]
    (message,) = report.elsewhere
    assert message.startswith("MAX:K562, b.bed: its chromosomes (chr7) are none of the")


def test_one_file_for_two_tracks_is_refused(tmp_path):
    path = bed(tmp_path / "a.bed", ("chr1", 1, 2))
    link = tmp_path / "b.bed"
    link.symlink_to(path)
    for files in (
        (peak_file(path), peak_file(path, "MAX")),
        (peak_file(path), peak_file(link, ACCESSIBILITY)),
        (peak_file(path, "None such"), peak_file(path, "MAX")),
    ):
        with pytest.raises(InputFileError, match=r"is named for .* and for .*--from"):
            build(*files)
    replicates = peak_file(path, replicate="1"), peak_file(path, replicate="2")
    assert len(build(*replicates)[0].tracks) == 2


def test_one_content_for_two_tracks_is_refused(tmp_path):
    path = bed(tmp_path / "a.bed", ("chr1", 1, 2))
    packed = tmp_path / "b.bed.gz"
    packed.write_bytes(gzip.compress(path.read_bytes()))
    with pytest.raises(
        InputFileError, match=r"a.bed of CTCF:K562 and .*b.bed.gz of MAX:K562 have the"
    ):
        build(peak_file(path), peak_file(packed, "MAX"))


def test_tracks_without_peaks_may_be_alike(tmp_path):
    for name in ("a", "b"):
        (tmp_path / f"{name}.bed").write_text("# nothing found\n")
    some = bed(tmp_path / "c.bed", ("chr1", 1, 2))
    _, report = build(
        peak_file(tmp_path / "a.bed"),
        peak_file(tmp_path / "b.bed", "MAX"),
        peak_file(some, "MAX", "GM12878"),
    )
    assert report.empty == ["CTCF:K562, a.bed", "MAX:K562, b.bed"]


def test_chromosomes_match_with_and_without_chr(tmp_path):
    path = bed(tmp_path / "a.bed", ("1", 10, 20), ("chr1", 15, 30), ("20", 1, 2))
    contents, _ = build(peak_file(path))
    assert rows(contents, "chr1") == [(10, 30, 0)]
    bare = {"1": 5000, "20": 2000}
    contents, _ = build_evidence([peak_file(path)], VOCABULARY, bare)
    assert rows(contents, "1") == [(10, 30, 0)]


@pytest.mark.parametrize("packed", [False, True])
def test_narrow_peaks_and_gzip_are_read(tmp_path, packed):
    text = b"track x\nchr1\t100\t200\tpeak\t0\t.\t3\t-1\t-1\t50\n"
    path = tmp_path / "a.narrowPeak"
    path.write_bytes(gzip.compress(text) if packed else text)
    assert rows(build(peak_file(path))[0], "chr1") == [(100, 200, 0)]


def test_unknown_names_are_left_out_with_a_warning(tmp_path):
    paths = [bed(tmp_path / f"{i}.bed", ("chr1", i, 9)) for i in range(4)]
    done = []
    contents, report = build(
        peak_file(paths[0], "CTFC"),
        peak_file(paths[1]),
        peak_file(paths[2], "MAX", "nowhere"),
        peak_file(paths[3], ACCESSIBILITY, "nowhere"),
        advance=done.append,
    )
    assert [str(track.pair) for track in contents.tracks] == ["CTCF:K562"]
    assert len(report.unknown) == 3
    assert "CTFC:K562: unknown TF 'CTFC'; did you mean CTCF?" in report.unknown[0]
    assert "unknown cell line 'nowhere'" in report.unknown[1]
    assert sum(done) == 4


def test_empty_files_are_left_out_with_a_warning(tmp_path):
    full = bed(tmp_path / "a.bed", ("chr1", 1, 2))
    contents, report = build(
        peak_file(full), peak_file(bed(tmp_path / "b.bed"), "MAX", replicate="2")
    )
    assert len(contents.tracks) == 1
    assert report.empty == ["MAX:K562/2, b.bed"]


def test_empty_files_alone_are_refused_by_name(tmp_path):
    empty = peak_file(bed(tmp_path / "a.bed"), ACCESSIBILITY)
    with pytest.raises(
        InputFileError, match=r"a\.bed: is empty; the accessibility of K562 needs peaks"
    ):
        build(empty)


def test_a_file_of_an_unknown_name_is_checked(tmp_path):
    path = tmp_path / "a.bed"
    path.write_text("chr1\t9\t5\n")
    good = peak_file(bed(tmp_path / "b.bed", ("chr1", 1, 2)))
    with pytest.raises(InputFileError, match="start 9 is after end 5"):
        build(peak_file(path, "CTFC"), good)


def test_nothing_left_is_refused(tmp_path):
    full = bed(tmp_path / "a.bed", ("chr1", 1, 2))
    with pytest.raises(UsageError, match="none of 2 peak files"):
        build(peak_file(full, "CTFC"), peak_file(bed(tmp_path / "b.bed")))


def test_chromosomes_that_the_genome_lacks_are_counted(tmp_path):
    one = bed(tmp_path / "a.bed", ("chr1", 1, 2), ("chrM", 1, 2), ("chrM", 5, 6))
    two = bed(tmp_path / "b.bed", ("chrM", 1, 2), ("chrUn", 1, 2), ("chr1", 5, 9))
    contents, report = build(peak_file(one), peak_file(two, "MAX"))
    assert report.unknown_chromosomes == {"chrM": 3, "chrUn": 1}
    assert [track.n_peaks for track in contents.tracks] == [1, 1]


def test_a_file_of_another_genome_is_refused(tmp_path):
    path = bed(tmp_path / "a.bed", ("chrI", 1, 2), ("chrII", 1, 2))
    with pytest.raises(InputFileError, match=r"a\.bed: its chromosomes \(chrI, chrII"):
        build(peak_file(path))


def test_peaks_beyond_the_end_are_of_another_build(tmp_path):
    path = bed(tmp_path / "a.bed", ("chr1", 1, 2), ("20", 1900, 2001))
    with pytest.raises(InputFileError, match="another build") as caught:
        build(peak_file(path))
    assert f"{path}: chr20:1901-2001 extends beyond" in str(caught.value)
    assert "2,000 bp" in str(caught.value)


def test_broken_and_missing_files_are_named(tmp_path):
    broken = tmp_path / "a.bed"
    broken.write_text("chr1\t1\t2\nchr1\tx\t2\n")
    with pytest.raises(InputFileError, match=r"a\.bed:2: start 'x'"):
        build(peak_file(broken))
    with pytest.raises(InputFileError, match=r"none\.bed: cannot read the BED file"):
        build(peak_file(tmp_path / "none.bed"))


def test_replicates_are_tracks_of_one_pair(tmp_path):
    one = bed(tmp_path / "a.bed", ("chr1", 1, 20))
    two = bed(tmp_path / "b.bed", ("chr1", 10, 30))
    contents, report = build(peak_file(one), peak_file(two, replicate="2"))
    assert [t.replicate for t in contents.tracks] == ["", "2"]
    assert rows(contents, "chr1") == [(1, 20, 0), (10, 30, 1)]
    assert not report.renamed


def test_rows_that_are_one_pair_through_aliases_are_replicates(tmp_path):
    path = bed(tmp_path / "a.bed", ("chr1", 1, 20))
    files = [peak_file(path, tf) for tf in ("EP300", "P300", "ep300")]
    contents, report = build(*files)
    assert {track.pair for track in contents.tracks} == {Pair("EP300", "K562")}
    names = [track.replicate for track in contents.tracks]
    assert names == ["", "P300:K562", "ep300:K562"]
    assert len(report.renamed) == 2
    assert "P300:K562 is a replicate of EP300:K562" in report.renamed


def test_a_pair_listed_twice_is_refused(tmp_path):
    path = bed(tmp_path / "a.bed", ("chr1", 1, 20))
    with pytest.raises(
        UsageError, match=r"CTCF:K562 is listed with .* column replicate"
    ):
        build(peak_file(path), peak_file(path))


def test_regions_cut_peaks_and_nothing_else(tmp_path):
    path = bed(
        tmp_path / "a.bed",
        ("chr1", 0, 10),
        ("chr1", 90, 101),
        ("chr1", 150, 160),
        ("chr1", 199, 250),
        ("chr1", 200, 260),
        ("chr20", 5, 9),
    )
    other = bed(tmp_path / "b.bed", ("chr1", 200, 201), ("chr1", 280, 290))
    files = peak_file(path), peak_file(other, "MAX")
    spans = [
        Region("chr1", 280, 300),
        Region("chr1", 100, 150),
        Region("chr1", 150, 200),
    ]
    contents, _ = build(*files, regions=spans)
    assert contents.regions == (Region("chr1", 100, 200), Region("chr1", 280, 300))
    assert rows(contents, "chr1") == [
        (90, 101, 0),
        (150, 160, 0),
        (199, 260, 0),
        (280, 290, 1),
    ]
    assert list(contents.peaks) == ["chr1"]
    # What was measured is told of the whole file.
    assert contents.has_peaks.tolist() == [[True, True, False], [True, False, False]]
    assert [track.n_peaks for track in contents.tracks] == [5, 2]


@pytest.mark.slow
@given(
    st.lists(
        st.tuples(st.integers(0, 900), st.integers(1, 60)), min_size=1, max_size=12
    ),
    st.lists(st.tuples(st.integers(0, 900), st.integers(1, 90)), max_size=4),
    st.integers(1, 40),
)
def test_inside_regions_cover_is_that_of_all(tmp_path_factory, peaks, spans, width):
    folder = tmp_path_factory.mktemp("build")
    path = bed(folder / "a.bed", *(("chr1", at, at + n) for at, n in peaks))
    regions = [Region("chr1", at, at + n) for at, n in spans] or None
    starts = np.arange(-20, 1000, 7)
    found = []
    for name, some in (("all.h5", None), ("some.h5", regions)):
        contents, _ = build(peak_file(path), regions=some)
        write_evidence(folder / name, contents)
        store = open_evidence(folder / name)
        coverage = store.coverage("chr1", starts, width)
        shares = np.zeros(len(starts), dtype=np.float32)
        shares[np.diff(coverage.indptr) > 0] = coverage.fraction
        found.append((shares, store.in_coverage("chr1", starts, width)))
    (whole, _), (part, told) = found
    np.testing.assert_array_equal(part[told], whole[told])
    bases = np.zeros(1100, dtype=bool)
    for at, n in peaks:
        bases[at : at + n] = True
    inside = starts >= 0
    direct = [bases[at : at + width].sum() / width for at in starts[inside]]
    np.testing.assert_array_equal(whole[inside], np.float32(direct))


def test_chromosomes_too_long_for_the_file_are_refused(tmp_path):
    path = bed(tmp_path / "a.bed", ("chr1", 2**31 - 10, 2**31 + 10))
    with pytest.raises(InputFileError, match="extends beyond"):
        build_evidence([peak_file(path)], VOCABULARY, {"chr1": 2**32})
