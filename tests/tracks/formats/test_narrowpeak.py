"""narrowPeak rows: ten columns that browsers and peak tools take as they are."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest

from tfimpute_tracks.errors import RegionError, UsageError, ValidationError
from tfimpute_tracks.kernels.peaks import Peaks
from tfimpute_tracks.tracks import formats
from tfimpute_tracks.tracks.formats import (
    FORMATS,
    FormatTable,
    NarrowPeak,
    PeakSet,
    write_track,
)
from tfimpute_tracks.tracks.formats.narrowpeak import (
    check_narrowpeak,
    check_rows,
    write_narrowpeak,
)

SIZES = {"chr2": 10_000, "chr10": 5_000, "chr1": 995}


def peaks(*rows):
    """Peaks from (start, end, summit, score)."""
    columns = np.array(rows, dtype=np.float64).reshape(-1, 4).T
    places = (column.astype(np.int64) for column in columns[:3])
    return Peaks(*places, columns[3].astype(np.float32))


def read(path):
    return [line.split("\t") for line in path.read_text().splitlines()]


def test_a_row_says_it_all(tmp_path):
    path = tmp_path / "CTCF.K562.narrowPeak"
    found = PeakSet.collect(
        "CTCF.K562", [("chr2", peaks((100, 400, 250, 0.98765432)))], SIZES
    )
    write_track("bed", path, SIZES, found)
    assert path.read_text() == (
        "chr2\t100\t400\tCTCF.K562.peak1\t994\t.\t0.987654\t-1\t-1\t150\n"
    )
    assert len(found) == 1


def test_rows_are_sorted_and_numbered_in_the_order_of_the_sizes(tmp_path):
    path = tmp_path / "a"
    stretches = [
        ("chr1", peaks((0, 10, 5, 1))),
        ("chr2", peaks((5000, 5010, 5005, 0.5), (6000, 6010, 6005, 0.5))),
        ("chr10", peaks()),
        ("chr2", peaks((10, 20, 15, 0.25))),
    ]
    write_track("bed", path, SIZES, PeakSet.collect("TF.CELL", stretches, SIZES))
    assert [row[:4] for row in read(path)] == [
        ["chr2", "10", "20", "TF.CELL.peak1"],
        ["chr2", "5000", "5010", "TF.CELL.peak2"],
        ["chr2", "6000", "6010", "TF.CELL.peak3"],
        ["chr1", "0", "10", "TF.CELL.peak4"],
    ]


def test_every_line_is_a_row(tmp_path, rng):
    """No track line, no comment, no column too many: IGV and bedToBigBed want that."""
    n = 200
    start = np.sort(rng.choice(800, n, replace=False)) * 10
    score = rng.random(n).tolist()
    rows = zip(start, start + 8, start + 3, score, strict=True)
    path = tmp_path / "a"
    write_track(
        "bed", path, SIZES, PeakSet.collect("A.B", [("chr2", peaks(*rows))], SIZES)
    )
    lines = path.read_text().splitlines()
    assert len(lines) == n
    for line in lines:
        assert re.fullmatch(
            r"chr2\t\d+\t\d+\tA\.B\.peak\d+\t\d{1,4}\t\.\t[\d.e-]+\t-1\t-1\t3", line
        )


@pytest.mark.parametrize(
    ("signal", "score"),
    [(0, "0"), (0.0004, "20"), (0.25, "500"), (0.9996, "1000"), (1, "1000")],
)
def test_score_is_the_root_of_the_probability_in_thousandths(tmp_path, signal, score):
    path = tmp_path / "a"
    found = [("chr2", peaks((0, 10, 5, signal)))]
    write_track("bed", path, SIZES, PeakSet.collect("A.B", found, SIZES))
    assert read(path)[0][4] == score
    assert float(read(path)[0][6]) == pytest.approx(signal, rel=1e-6)


@pytest.mark.parametrize(("signal", "score"), [(-3.5, 0), (12.0, 1000)])
def test_score_stays_in_range(signal, score):
    (row,) = PeakSet.collect("A", [("chr2", peaks((0, 9, 5, signal)))], SIZES).rows
    assert row.score == score


def test_peaks_are_cut_at_the_ends(tmp_path):
    found = [("chr1", peaks((-50, 50, -10, 0.5), (900, 1100, 1050, 0.5)))]
    rows = PeakSet.collect("A", found, SIZES).rows
    assert [(row.start, row.end, row.summit) for row in rows] == [
        (0, 50, 0),
        (900, 995, 94),
    ]


def test_white_space_in_a_name_would_be_a_column(tmp_path):
    (row,) = PeakSet.collect(
        "TF.HeLa  S3\t", [("chr2", peaks((0, 9, 5, 1)))], SIZES
    ).rows
    assert row.name == "TF.HeLa_S3.peak1"


def test_no_peak_is_an_empty_file(tmp_path):
    path = tmp_path / "a"
    write_track("bed", path, SIZES, PeakSet.collect("A", [], SIZES))
    assert path.read_bytes() == b""


@pytest.mark.parametrize(
    ("chrom", "row", "words"),
    [
        ("chr9", (0, 10, 5, 1), "chr9 of 0 bp"),
        ("chr1", (995, 1005, 1000, 1), "does not fit chr1 of 995 bp"),
        ("chr1", (-20, 0, -10, 1), "does not fit chr1"),
    ],
)
def test_peak_outside_is_refused(chrom, row, words):
    with pytest.raises(RegionError, match=words):
        PeakSet.collect("A", [(chrom, peaks(row))], SIZES)


GOOD = NarrowPeak("chr2", 100, 200, "A.peak1", 500, 0.5, 50)


@pytest.mark.parametrize(
    ("change", "error", "words"),
    [
        ({"start": -1}, RegionError, "chr2:-1-200"),
        ({"end": 100}, RegionError, "chr2:100-100"),
        ({"end": 10_001}, RegionError, "chr2 of 10000 bp"),
        ({"summit": 100}, RegionError, "summit 100"),
        ({"summit": -1}, RegionError, "summit -1"),
        ({"name": "a b"}, UsageError, "'a b' with score 500"),
        ({"name": ""}, UsageError, "white space"),
        ({"score": 1001}, UsageError, "score 1001"),
        ({"score": -1}, UsageError, "score -1"),
        ({"start": 99}, UsageError, "chr2:99 comes after"),
    ],
)
def test_invalid_rows_are_refused(change, error, words):
    check_rows(SIZES, [GOOD, GOOD])
    with pytest.raises(error, match=words):
        check_rows(SIZES, [GOOD, GOOD._replace(**change)])


def test_chromosomes_out_of_order_are_refused():
    rows = [GOOD._replace(chrom="chr10"), GOOD]
    with pytest.raises(UsageError, match="in the order of the sizes"):
        check_rows(SIZES, rows)


def test_lost_row_is_noticed(tmp_path):
    found = PeakSet.collect(
        "A", [("chr2", peaks((0, 10, 5, 1), (20, 30, 25, 1)))], SIZES
    )
    path = tmp_path / "a"
    write_track("bed", path, SIZES, found)
    check_narrowpeak(path, path, SIZES, found)
    path.write_text("".join(path.read_text().splitlines(keepends=True)[:1]))
    with pytest.raises(ValidationError, match="read 1, written 2"):
        check_narrowpeak(path, path, SIZES, found)


@pytest.mark.parametrize("change", [("10", "11"), ("\n", "\t\n"), ("chr2", "\nchr2")])
def test_other_text_is_noticed(tmp_path, change):
    found = PeakSet.collect("A", [("chr2", peaks((0, 10, 5, 1)))], SIZES)
    path = tmp_path / "a"
    write_track("bed", path, SIZES, found)
    path.write_text(path.read_text().replace(*change))
    with pytest.raises(ValidationError):
        check_narrowpeak(path, path, SIZES, found)


def test_a_file_that_reads_back_otherwise_is_not_kept(tmp_path, monkeypatch):
    written = write_narrowpeak

    def lose_the_end(path, *args):
        found = written(path, *args)
        path.write_bytes(path.read_bytes()[:-5])
        return found

    broken = replace(FORMATS["bed"], write=lose_the_end)
    monkeypatch.setattr(formats, "FORMATS", FormatTable([broken]))
    found = PeakSet.collect("A", [("chr2", peaks((0, 10, 5, 1)))], SIZES)
    with pytest.raises(ValidationError, match="line 1"):
        write_track("bed", tmp_path / "a", SIZES, found)
    assert list(tmp_path.iterdir()) == []
