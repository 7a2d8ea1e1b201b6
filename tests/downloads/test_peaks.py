"""Peaks of every format become one file per track."""

from __future__ import annotations

import numpy as np
import pyBigWig
import pytest

from tfimpute_tracks.downloads import (
    call_signal_peaks,
    read_download,
    read_peaks,
    write_tracks,
)
from tfimpute_tracks.errors import InputFileError, UsageError
from tfimpute_tracks.genome import read_bed, read_narrowpeak
from tfimpute_tracks.tracks.formats import NarrowPeak, PeakSet, write_track

NARROW = ("chr20", 100, 200, ".", 0, ".", 5.5, -1, 3, 40)


def rows(table, *columns):
    return [tuple(row) for row in table[list(columns)].itertuples(index=False)]


@pytest.fixture
def merge(tmp_path, known):
    """Give a function that writes the tracks of files, and reads them again."""

    def call(*paths, threshold=None):
        folder = tmp_path / "out"
        folder.mkdir(exist_ok=True)
        found = read_download(paths, known)
        return {
            str(file.pair): file.path
            for file in write_tracks(found.tracks, folder, threshold)
        }

    return call


def test_ten_and_twenty_columns_have_signal_and_summit(write):
    more = (5.0, 5.0, 90, 210, 3.5, 40, 95, 205, 2.5, 45)
    for name, row in (("a.bed", NARROW), ("b.bed", (*NARROW, *more))):
        table = read_peaks(write(name, row))
        columns = ("chrom", "start", "end", "signal", "summit")
        assert rows(table, *columns) == [("chr20", 100, 200, 5.5, 40)]


def test_broad_peaks_and_beds_have_none(write):
    for row in (NARROW[:9], NARROW[:3], NARROW[:6]):
        table = read_peaks(write("a.bed", row))
        assert list(table.columns) == ["chrom", "start", "end"]
        assert rows(table, "start", "end") == [(100, 200)]


def test_the_column_of_bins_is_removed(write, merge):
    path = write("MAX.K562.bed", (585, *NARROW), header="#bin\tchrom\n")
    assert rows(read_peaks(path), "chrom", "start", "summit") == [("chr20", 100, 40)]
    (made,) = merge(path).values()
    assert rows(read_narrowpeak(made), "start", "summit") == [(100, 40)]


def test_an_empty_file_has_no_peaks(write):
    assert len(read_peaks(write("a.bed", header="# none\n"))) == 0


def test_real_conservative_peaks_of_a_new_tf(shared_data):
    path = shared_data / "hg19" / "new_tf" / "ATF7.K562.narrowPeak.gz"
    table = read_peaks(path)
    assert len(table) > 10_000
    assert (table["summit"] >= 0).all()


@pytest.fixture
def signal(tmp_path):
    """A bigWig with a peak of two runs, a short one and a low one."""
    path = tmp_path / "MAX.K562.bigWig"
    values = np.zeros(5000)
    values[1000:1100], values[1100:1150], values[1170:1300] = 6, 9, 7
    values[2000:2100], values[3000:3400] = 8, 4
    with pyBigWig.open(str(path), "w") as file:
        file.addHeader([("chr1", 9000), ("chr20", 6000)])
        file.addEntries("chr20", 0, values=values, span=1, step=1)
    return path


def test_peaks_of_a_signal_reach_the_threshold(signal, merge):
    table = call_signal_peaks(signal, 5)
    columns = ("chrom", "start", "end", "signal", "summit")
    assert rows(table, *columns) == [("chr20", 1000, 1300, 9.0, 100)]
    assert rows(call_signal_peaks(signal, 4), "start") == [(1000,), (3000,)]
    assert len(call_signal_peaks(signal, 10)) == 0
    with pytest.raises(UsageError, match="is a signal; set --signal-threshold"):
        merge(signal)
    (made,) = merge(signal, threshold=5).values()
    assert rows(read_narrowpeak(made), "start", "signal_value") == [(1000, 9.0)]


def test_peaks_next_to_their_signal_need_no_threshold(signal, write, merge):
    path = write("MAX.K562.bed", NARROW)
    assert merge(signal, path) == {"MAX:K562": path}


def test_bigbed_is_read_with_summits(tmp_path, merge):
    path = tmp_path / "MAX.K562.bb"
    rows_ = tuple(
        NarrowPeak("chr20", start, start + 200, f"p{start}", 900, start / 8, 30)
        for start in (100, 700, 1500)
    )
    write_track("bigbed", path, {"chr1": 9000, "chr20": 6000}, PeakSet(rows_))
    (made,) = merge(path).values()
    columns = ("chrom", "start", "end", "signal_value", "summit")
    assert rows(read_narrowpeak(made), *columns) == [
        ("chr20", start, start + 200, start / 8, 30) for start in (100, 700, 1500)
    ]


def test_merged_peaks_keep_the_summit_of_the_strongest(write, merge):
    one = write("eGFP-MAX.K562.bed", NARROW, ("chr1", 5, 9, ".", 0, ".", 1, 1, 1, -1))
    two = write(
        "MAX.K-562.bed",
        ("chr20", 150, 260, ".", 0, ".", 8, -1, 3, 20),
        ("chr20", 400, 500, ".", 0, ".", 2, -1, 3, 70),
    )
    (made,) = merge(one, two).values()
    columns = ("chrom", "start", "end", "signal_value", "summit")
    assert sorted(rows(read_narrowpeak(made), *columns)) == [
        ("chr1", 5, 9, 1.0, -1),
        ("chr20", 100, 260, 8.0, 70),
        ("chr20", 400, 500, 2.0, 70),
    ]


def test_without_all_summits_there_are_none(write, merge):
    one, two = write("MAX.K562.bed", NARROW), write("HA-MAX.K562.bed", NARROW[:3])
    (made,) = merge(one, two).values()
    assert made.suffix == ".bed"
    assert rows(read_bed(made), "start", "end") == [(100, 200)]


def test_a_file_of_many_tracks_is_divided(write, merge):
    end = (7, ".", 15, 16, "0,0,0")
    path = write(
        "remap.bed.gz",
        ("chr20", 10, 30, "GSE1.MAX.K-562", *end),
        ("chr20", 20, 40, "GSE2.MAX.K562", 9, ".", 35, 36, "0,0,0"),
        ("chr20", 50, 60, "GSE1.ATF7.LNCaP_DHT", *end[:2], 55, 56, "0,0,0"),
        header='track name="x"\n',
    )
    made = merge(path)
    columns = ("chrom", "start", "end", "summit")
    assert rows(read_narrowpeak(made["MAX:K562"]), *columns) == [("chr20", 10, 40, 25)]
    assert rows(read_narrowpeak(made["ATF7:LNCaP_DHT"]), *columns) == [
        ("chr20", 50, 60, 5)
    ]


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_joined_files_of_many_tracks_are_read(tmp_path, merge, end):
    name = "ID=SRX{};Name=MAX%20(@%20{});Title=x"
    rows_ = [
        "track name=x",
        f"chr20\t10\t30\t{name.format(1, 'K-562')}",
        "",
        "track name=y",
        f"chr20\t50\t60\t{name.format(2, 'Hep%20G2')}",
        "# end",
    ]
    path = tmp_path / "atlas.bed"
    path.write_bytes("".join(row + end for row in rows_).encode())
    made = merge(path)
    assert sorted(made) == ["MAX:HepG2", "MAX:K562"]
    assert rows(read_bed(made["MAX:HepG2"]), "start", "end") == [(50, 60)]


def test_a_row_of_several_cell_lines_is_in_each(write, merge):
    path = write(
        "clusters.bed",
        ("chr20", 10, 30, "MAX", 500, "K562,HepG2"),
        ("chr20", 50, 60, "REST", 500, "K562"),
    )
    made = merge(path)
    assert sorted(made) == ["MAX:HepG2", "MAX:K562", "REST:K562"]
    assert rows(read_bed(made["MAX:HepG2"]), "start") == [(10,)]


def test_one_file_of_one_track_stays_where_it_is(write, merge):
    path = write("MAX.K562.bed", NARROW)
    assert merge(path) == {"MAX:K562": path}


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (("chr20", "x", 20), "the start 'x' is not a position"),
        (("chr20", 30, 20), "chr20 30 20 is no interval"),
    ],
)
def test_damaged_rows_of_many_tracks_are_refused(write, merge, row, message):
    good = [("chr20", i, i + 5, "GSE1.MAX.K562") for i in range(300)]
    path = write("remap.bed", *good, (*row, "GSE1.MAX.K562"))
    with pytest.raises(InputFileError, match=message):
        merge(path)


def test_a_damaged_signal_is_refused(signal):
    signal.write_bytes(signal.read_bytes()[:200])
    with pytest.raises(InputFileError, match="cannot read"):
        read_peaks(signal, 5)
