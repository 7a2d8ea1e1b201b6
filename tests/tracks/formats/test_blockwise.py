"""Files read block after block say what other readers say, and damage is reported."""

import struct

import numpy as np
import pytest

from bbi_readers import bigtools
from tfimpute_tracks.errors import InputFileError
from tfimpute_tracks.genome.signal import Signal
from tfimpute_tracks.tracks.formats import NarrowPeak, PeakSet, write_track
from tfimpute_tracks.tracks.formats.bbi import BbiKind, open_bbi
from tfimpute_tracks.tracks.formats.bins import Batch
from tfimpute_tracks.tracks.formats.blockwise import signal_batches, text_blocks
from tfimpute_tracks.tracks.formats.zoom import BIN

SIZES = {f"contig{i}": 200 + 900 * (i % 13) for i in range(300)} | {"long": 400_000}


@pytest.fixture
def bigwig(tmp_path, rng):
    """Regular bins, and scattered ones between missing values."""
    signals = []
    for chrom, size in SIZES.items():
        values = rng.random(size // 20).astype(np.float32)
        values[rng.random(len(values)) < 0.02] = np.nan
        signals.append(Signal(chrom, 5, 20, values))
    write_track("bigwig", tmp_path / "a.bw", SIZES, signals)
    return tmp_path / "a.bw"


@pytest.fixture
def bigbed(tmp_path):
    rows = [
        NarrowPeak(chrom, at, at + 50, f"p{at}", 500, 0.25, 10)
        for chrom, size in SIZES.items()
        for at in range(0, size - 50, 100)
    ]
    write_track("bigbed", tmp_path / "a.bb", SIZES, PeakSet(tuple(rows)))
    return tmp_path / "a.bb"


def read_bins(path, fault):
    return signal_batches(path, [*SIZES], fault)


def test_bins_are_those_of_another_reader(bigwig):
    found = {}
    for batch in read_bins(bigwig, InputFileError):
        for chrom, bins in batch.by_chrom():
            found.setdefault(chrom, []).extend(bins.tolist())
    assert found == bigtools(bigwig).records


def test_rows_are_those_of_another_reader(bigbed):
    found = {}
    for chrom, rows in text_blocks(bigbed, InputFileError):
        found.setdefault(chrom, []).extend(
            (int(start), int(end), "\t".join(rest)) for start, end, *rest in rows
        )
    assert found == bigtools(bigbed).records


@pytest.mark.parametrize("length", [0, 4, 8, 12])
def test_blocks_shorter_than_their_head_are_an_error(tmp_path, length):
    """Together they have the length of a head, which promises as many bins as fit."""
    n_blocks = 24 // length if length else 1
    n_bins = (24 - length) // 4
    head = struct.pack("<5I2BH", 0, 0, 0, 0, 0, 0, 0, n_bins)
    contents = [head[i * length : (i + 1) * length] for i in range(n_blocks)]
    path, bins = tmp_path / "short.bw", np.array([(0, 10, 1)], BIN)
    with open_bbi(
        path, BbiKind(magic=0x888FFC26, items_per_block=1024), {"a": 100}, 10, 0
    ) as writer:
        writer.add_signal(Batch(["a"], np.zeros(1, np.uint32), bins))
        writer.add_blocks(np.zeros((n_blocks, 3), np.uint32), contents, n_blocks)
    with pytest.raises(InputFileError, match="too short"):
        list(signal_batches(path, ["a"], InputFileError))


@pytest.mark.parametrize("name", ["bigwig", "bigbed"])
def test_damage_is_the_given_error_or_harmless(request, name, rng):
    path = request.getfixturevalue(name)
    read = read_bins if name == "bigwig" else text_blocks
    whole, n_faults = path.read_bytes(), 0
    for at in rng.integers(0, len(whole), 150):
        changed = bytes([whole[at] ^ 1 << rng.integers(8)])
        path.write_bytes(whole[:at] + changed + whole[at + 1 :])
        try:
            list(read(path, InputFileError))
        except InputFileError:
            n_faults += 1
    assert n_faults > 50
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(InputFileError):
        list(read(path, InputFileError))
