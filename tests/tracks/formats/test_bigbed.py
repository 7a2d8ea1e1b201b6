"""bigBed files say what went in, to three readers that are not ours."""

from __future__ import annotations

import struct
from dataclasses import replace
from itertools import compress

import numpy as np
import pybigtools
import pytest

import bbi_readers
from bbi_readers import READERS
from tfimpute_tracks.errors import RegionError, UsageError, ValidationError
from tfimpute_tracks.kernels.peaks import Peaks
from tfimpute_tracks.tracks.formats import (
    NarrowPeak,
    PeakSet,
    SignalStyle,
    write_track,
)
from tfimpute_tracks.tracks.formats.bbi import BbiKind, BbiWriter
from tfimpute_tracks.tracks.formats.bigbed import check_bigbed, write_bigbed
from tfimpute_tracks.tracks.formats.narrowpeak import as_text

SIZES = {"chr2": 2_000_000, "chr10": 500_000, "chr1": 995, "chrM": 16_571}


@pytest.fixture
def peaks(rng):
    """1500 peaks on two chromosomes: three blocks, and the end of one."""
    found = []
    for chrom, n in (("chr2", 1200), ("chr10", 300)):
        start = np.sort(rng.choice(SIZES[chrom] // 1000, n, replace=False)) * 1000
        width = rng.integers(100, 900, n)
        score = rng.random(n, dtype=np.float32)
        peaks = Peaks(start, start + width, start + width // 3, score)
        found.append((chrom, peaks))
    return PeakSet.collect("CTCF.K562", found, SIZES)


def expected_records(peaks):
    records = {}
    for row in peaks.rows:
        record = (row.start, row.end, "\t".join(as_text(row)[3:]))
        records.setdefault(row.chrom, []).append(record)
    return records


@pytest.mark.parametrize("reader", READERS)
def test_readers_give_what_was_written(tmp_path, peaks, reader):
    path = tmp_path / "a.bb"
    assert write_track("bigbed", path, SIZES, peaks) is True
    found = READERS[reader](path)
    assert found.chroms == SIZES
    assert found.records == expected_records(peaks)


@pytest.mark.parametrize("reader", READERS)
def test_single_peak(tmp_path, reader):
    path = tmp_path / "a.bb"
    peaks = PeakSet((NarrowPeak("chr1", 994, 995, "A.peak1", 1000, 1.0, 0),))
    write_track("bigbed", path, SIZES, peaks)
    assert READERS[reader](path).records == expected_records(peaks)


@pytest.mark.parametrize("reader", READERS)
def test_rows_may_overlap(tmp_path, reader):
    path = tmp_path / "a.bb"
    places = [(0, 1000), (0, 10), (5, 400), (5, 20), (300, 700)]
    rows = [NarrowPeak("chr2", s, e, f"p{s}-{e}", 0, 0.0, 1) for s, e in places]
    write_track("bigbed", path, SIZES, PeakSet(tuple(rows)))
    assert READERS[reader](path).records == expected_records(PeakSet(tuple(rows)))
    summary = pybigtools.open(str(path)).info()["summary"]
    assert summary["basesCovered"] == 1000
    assert summary["sum"] == sum(e - s for s, e in places)
    assert (summary["min"], summary["max"]) == (1, 4)


def test_six_columns_are_standard(tmp_path, peaks):
    """With ten, igv.js takes the signal for a thick start, and IGV draws hairlines."""
    path = tmp_path / "a.bb"
    write_track("bigbed", path, SIZES, peaks)
    field_count, defined_field_count = struct.unpack_from("<HH", path.read_bytes(), 32)
    assert (field_count, defined_field_count) == (10, 6)


def test_columns_are_described(tmp_path, peaks):
    path = tmp_path / "a.bb"
    write_track("bigbed", path, SIZES, peaks)
    described = pybigtools.open(str(path)).sql(parse=True)
    assert described["name"] == "bigNarrowPeak"
    names = [name for name, _, _ in described["fields"]]
    assert names[4:] == ["score", "strand", "signalValue", "pValue", "qValue", "peak"]


def test_ucsc_finds_the_columns_by_name(tmp_path, peaks):
    path = tmp_path / "a.bb"
    write_track("bigbed", path, SIZES, peaks)
    code = (
        "import bbi, json, sys\n"
        "rows = bbi.fetch_intervals(sys.argv[1], 'chr10', 0, -1, iterator=False)\n"
        "names = ['name', 'score', 'strand', 'signalValue', 'peak']\n"
        "print(json.dumps(rows[names].values.tolist()))"
    )
    rows = [as_text(row) for row in peaks.rows if row.chrom == "chr10"]
    expected = [(*row[3:6], float(row[6]), int(row[9])) for row in rows]
    found = [  # texts or numbers, as pandas likes
        (name, str(score), strand, pytest.approx(float(signal)), int(summit))
        for name, score, strand, signal, summit in bbi_readers.in_child(code, path)
    ]
    assert found == expected


def test_coverage_counts_in_every_zoom_level(tmp_path, peaks):
    path = tmp_path / "a.bb"
    write_track("bigbed", path, SIZES, peaks)
    covered = sum(row.end - row.start for row in peaks.rows)
    file = pybigtools.open(str(path))
    assert file.info()["summary"]["basesCovered"] == covered
    assert len(file.zooms()) >= 3
    for reduction in file.zooms():
        records = [
            record
            for chrom in SIZES
            for _, _, record in file.zoom_records(reduction, chrom)
        ]
        assert sum(record["bases_covered"] for record in records) == covered
        assert sum(record["sum"] for record in records) == covered


def test_deep_trees(tmp_path, peaks):
    path = tmp_path / "a.bb"
    kind = BbiKind(0x8789F2EB, 7, 10, 6, fan_out=2)
    write_bigbed(path, SIZES, peaks, SignalStyle(), kind)
    check_bigbed(path, path, SIZES, peaks)
    for read in READERS.values():
        assert read(path).records == expected_records(peaks)


def test_no_peak_no_file(tmp_path):
    path = tmp_path / "a.bb"
    assert write_track("bigbed", path, SIZES, PeakSet(())) is False
    assert list(tmp_path.iterdir()) == []


def test_no_peak_removes_the_file_of_an_earlier_run(tmp_path, peaks):
    path = tmp_path / "a.bb"
    write_track("bigbed", path, SIZES, peaks)
    assert write_track("bigbed", path, SIZES, PeakSet(())) is False
    assert list(tmp_path.iterdir()) == []


GOOD = NarrowPeak("chr2", 100, 200, "A.peak1", 500, 0.5, 50)


@pytest.mark.parametrize(
    ("rows", "error"),
    [
        ((GOOD._replace(end=3_000_000),), RegionError),
        ((GOOD._replace(chrom="chr9"),), RegionError),
        ((GOOD, GOOD._replace(start=99)), UsageError),
        ((GOOD._replace(chrom="chr10"), GOOD), UsageError),
    ],
)
def test_invalid_rows_are_refused(tmp_path, rows, error):
    """Bigtools writes a stump of these, or a file with rows beyond the end."""
    with pytest.raises(error):
        write_track("bigbed", tmp_path / "a.bb", SIZES, PeakSet(tuple(rows)))
    assert list(tmp_path.iterdir()) == []


def test_lost_block_is_noticed(tmp_path, peaks, monkeypatch):
    add_blocks = BbiWriter.add_blocks

    def lose_one(self, places, contents, n_items):
        is_kept = places[:, 1] > 100_000
        add_blocks(self, places[is_kept], [*compress(contents, is_kept)], n_items)

    monkeypatch.setattr(BbiWriter, "add_blocks", lose_one)
    with pytest.raises(ValidationError, match="number of peaks of chr"):
        write_track("bigbed", tmp_path / "a.bb", SIZES, peaks)
    assert list(tmp_path.iterdir()) == []


def test_other_rows_are_noticed(tmp_path, peaks):
    path = tmp_path / "a.bb"
    write_track("bigbed", path, SIZES, peaks)
    check_bigbed(path, path, SIZES, peaks)
    with pytest.raises(ValidationError, match="column descriptions"):
        check_bigbed(path, path, SIZES, replace(peaks, about="Others"))
    some = tuple(row for row in peaks.rows if row.chrom == "chr2")
    with pytest.raises(ValidationError, match="of chr10: read 300, written 0"):
        check_bigbed(path, path, SIZES, replace(peaks, rows=some))
    changed = (*peaks.rows[:-1], peaks.rows[-1]._replace(summit=3))
    with pytest.raises(ValidationError, match="a peak of chr10"):
        check_bigbed(path, path, SIZES, replace(peaks, rows=changed))
    with pytest.raises(ValidationError, match="size of chrX"):
        check_bigbed(path, path, SIZES | {"chrX": 5}, peaks)


@pytest.mark.parametrize("size", [0, 100, 3000, 20_000])
def test_short_file_is_noticed(tmp_path, peaks, size):
    path = tmp_path / "a.bb"
    write_track("bigbed", path, SIZES, peaks)
    path.write_bytes(path.read_bytes()[:size])
    with pytest.raises(ValidationError, match=r"a\.bb"):
        check_bigbed(path, path, SIZES, peaks)


def test_peaks_of_many_contigs_are_read_back_whole(tmp_path):
    """Most contigs with another reader than the first ones."""
    sizes = {f"s{i:04}": 300 for i in range(1200)}
    rows = [
        NarrowPeak(chrom, 75, 125, f"p{i}", 500, 0.25, 10)
        for i, chrom in enumerate(sizes)
        if i % 3
    ]
    dest = tmp_path / "a.bb"
    write_track("bigbed", dest, sizes, PeakSet(tuple(rows)))
    for reader in READERS.values():
        assert sum(map(len, reader(dest).records.values())) == len(rows)
