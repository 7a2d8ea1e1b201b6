"""Every writer on a disk that fills up: an error within seconds, and nothing left."""

from __future__ import annotations

import re
import shutil

import numpy as np
import pytest

from tfimpute_tracks.errors import OutputError, WriteError
from tfimpute_tracks.genome.signal import Signal
from tfimpute_tracks.kernels.peaks import Peaks
from tfimpute_tracks.storage import (
    atomic_file,
    check_writable_dir,
    write_arrays,
    write_receipt,
    write_text,
)
from tfimpute_tracks.tracks.formats import (
    PeakSet,
    SignalStyle,
    write_track,
)
from tfimpute_tracks.tracks.record import TrackOptions

SIZES = {"chr1": 200_000_000}
DISK = 1 << 18


@pytest.fixture
def disk(small_disk):
    """A file system of 256 KiB."""
    return small_disk(DISK)


@pytest.fixture
def peaks(rng):
    n = 30_000
    start = np.arange(n, dtype=np.int64) * 1000
    score = rng.random(n, dtype=np.float32)
    found = Peaks(start, start + 100, start + 50, score)
    return PeakSet.collect("CTCF.K562", [("chr1", found)], SIZES)


def assert_fails_cleanly(disk, write):
    with pytest.raises(WriteError) as caught:
        write()
    assert str(caught.value).startswith("disk full: ")
    assert re.search(r" [0-9.,]+ [kM]B free", str(caught.value))
    assert list(disk.iterdir()) == []
    # What was taken is given back, unnamed files too.
    assert shutil.disk_usage(disk).used == 0


def test_bigwig(disk, rng):
    values = rng.random(1_000_000, dtype=np.float32)
    signals = [Signal("chr1", 0, 100, values)]
    assert_fails_cleanly(
        disk, lambda: write_track("bigwig", disk / "a.bw", SIZES, signals)
    )


def test_bigwig_that_just_does_not_fit(disk, rng):
    """The data fits, and the disk is full when the zoom levels are copied in place."""
    values = rng.random(60_000, dtype=np.float32)
    signals = [Signal("chr1", 0, 100, values)]
    write_track("bigwig", disk / "a.bw", SIZES, signals[:1], SignalStyle(max_zooms=0))
    size = (disk / "a.bw").stat().st_size
    assert size > DISK / 2
    (disk / "a.bw").unlink()
    fill = disk / "fill"
    fill.write_bytes(bytes(DISK - size - 20_000))
    with pytest.raises(WriteError, match="disk full"):
        write_track("bigwig", disk / "a.bw", SIZES, signals)
    assert list(disk.iterdir()) == [fill]


def test_narrowpeak(disk, peaks):
    assert_fails_cleanly(
        disk, lambda: write_track("bed", disk / "a.narrowPeak", SIZES, peaks)
    )


def test_bigbed(disk, peaks):
    assert_fails_cleanly(
        disk, lambda: write_track("bigbed", disk / "a.bb", SIZES, peaks)
    )


def test_text(disk):
    assert_fails_cleanly(disk, lambda: write_text(disk / "a", "A" * (DISK + 1)))


def test_arrays(disk):
    arrays = {"a": np.ones(DISK, dtype=np.float32)}
    assert_fails_cleanly(disk, lambda: write_arrays(disk / "a.h5", arrays, {}))


def test_size_not_known_beforehand(disk):
    def write():
        with atomic_file(disk / "a") as temp, temp.open("wb") as file:
            for _ in range(100):
                file.write(bytes(DISK // 50))

    assert_fails_cleanly(disk, write)


def test_receipt(disk):
    fill = disk / "fill"
    fill.write_bytes(bytes(DISK))
    with pytest.raises(WriteError, match="disk full"):
        write_receipt(disk / "r", TrackOptions(), [fill], megabases=1, seconds=1)
    assert list(disk.iterdir()) == [fill]


def test_old_file_survives(disk, rng):
    dest = disk / "a.bw"
    write_track(
        "bigwig", dest, SIZES, [Signal("chr1", 0, 100, np.ones(10, dtype=np.float32))]
    )
    old = dest.read_bytes()
    values = rng.random(1_000_000, dtype=np.float32)
    with pytest.raises(WriteError):
        write_track("bigwig", dest, SIZES, [Signal("chr1", 0, 100, values)])
    assert dest.read_bytes() == old


def test_full_disk_is_no_place_for_a_run(disk):
    (disk / "fill").write_bytes(bytes(DISK))
    with pytest.raises(OutputError, match="No space left"):
        check_writable_dir(disk)
