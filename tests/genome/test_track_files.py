"""A file that a table names for a track must be the peaks of that track."""

from __future__ import annotations

import numpy as np
import pyBigWig
import pytest

from tfimpute_tracks.errors import InputFileError
from tfimpute_tracks.genome.many_tracks import find_layout, first_rows
from tfimpute_tracks.genome.track_files import check_track_files


@pytest.fixture
def write(tmp_path):
    def call(name, *rows):
        path = tmp_path / name
        path.write_text("".join("\t".join(map(str, row)) + "\n" for row in rows))
        return path

    return call


def test_a_file_of_many_tracks_is_no_track(write):
    path = write(
        "a.bed", ("chr1", 1, 9, "GSE1.MAX.K562"), ("chr1", 1, 9, "GSE1.MYC.K562")
    )
    with pytest.raises(
        InputFileError, match=r"ReMap peaks of 2 tracks \(MAX in K562, MYC.*--from FILE"
    ):
        check_track_files([("MAX:K562", path)])


def test_a_file_that_names_one_track_is_it(write):
    path = write(
        "a.bed", ("chr1", 1, 9, "GSE1.MAX.K562"), ("chr1", 5, 9, "GSE1.MAX.K562")
    )
    check_track_files([("MAX:K562", path)])


def test_a_signal_is_no_list_of_peaks(tmp_path):
    path = tmp_path / "MAX.K562.bed"
    with pyBigWig.open(str(path), "w") as file:
        file.addHeader([("chr1", 9000)])
        file.addEntries("chr1", 0, values=np.ones(9), span=1, step=1)
    with pytest.raises(InputFileError, match="is a bigBed or a bigWig, where a BED"):
        check_track_files([("MAX:K562", path)])


@pytest.mark.parametrize(
    "more",
    [
        (),
        ("SRR123.sorted.bam_peak_1",),
        ("GSE123.rep1.x_peak_12", 50),
        ("a", 500, "+"),
        ("a", 500, "*"),
        ("12.5", 37, "chr1:100-200"),  # SEACR
        ("37.5", 3.5, "region"),
        ("MAX,REST", 3, ".", 4, 5, "0,0,0"),
        ("a", 1, ".", 1.5, -1, 3),
        ("a", 1, ".", 1.5, -1, 3, 2),
        ("a", 1, "+", 2, 8, 0, 2, "3,3,", "0,4,"),
    ],
)
def test_peaks_of_one_track_in_other_formats_are_accepted(write, more):
    path = write("a.bed", ("chr1", 1, 9, *more), ("chr2", 1, 9, *more))
    assert more[:1] == ("MAX,REST",) or find_layout(path, first_rows(path)) is None
    check_track_files([("MAX:K562", path)])


def test_a_line_about_the_track_among_the_rows_is_no_track(write):
    row = ("chr1", 1, 9, "GSE1.MAX.K562")
    path = write("a.bed", row, ("track name=MAX",), row)
    check_track_files([("MAX:K562", path)])
