"""What cannot become a right bigWig becomes none, and says why."""

from __future__ import annotations

import os
import signal
import struct
import subprocess
import sys
from itertools import compress

import numpy as np
import pytest

from tfimpute_tracks.errors import (
    InputFileError,
    RegionError,
    RunError,
    UsageError,
    ValidationError,
)
from tfimpute_tracks.genome.signal import Signal
from tfimpute_tracks.tracks.formats import (
    SignalStyle,
    covered_spans,
    read_signal,
    signal_chroms,
    write_track,
)
from tfimpute_tracks.tracks.formats.bbi import BbiKind, BbiWriter
from tfimpute_tracks.tracks.formats.bigwig import check_bigwig, write_bigwig
from tfimpute_tracks.tracks.formats.bins import Batch, gather_bins
from tfimpute_tracks.tracks.formats.reading import without_panics
from tfimpute_tracks.tracks.formats.validate import Content
from tfimpute_tracks.tracks.formats.zoom import BIN

NAN = float("nan")
SIZES = {"chr2": 100_010, "chr10": 30_000, "chr1": 995}


def float32(*values):
    return np.array(values, dtype=np.float32)


@pytest.mark.parametrize(
    "signals",
    [
        [],
        [Signal("chr1", 0, 10, float32())],
        [
            Signal("chr1", 0, 10, float32(NAN, NAN)),
            Signal("chr1", 20, 10, float32(NAN)),
        ],
    ],
)
def test_nothing_to_write(tmp_path, signals):
    with pytest.raises(RunError, match=r"a\.bw: nothing to write"):
        write_track("bigwig", tmp_path / "a.bw", SIZES, signals)
    assert list(tmp_path.iterdir()) == []


ONES = np.ones(3, dtype=np.float32)


@pytest.mark.parametrize(
    ("signals", "error", "words"),
    [
        (
            [Signal("chr9", 0, 10, ONES)],
            RegionError,
            "chromosome chr9 is not among the 3",
        ),
        (
            [Signal("chr1", 980, 10, ONES)],
            RegionError,
            "chr1 from 980 to 1010 lie outside",
        ),
        ([Signal("chr1", 995, 10, ONES)], RegionError, "its 995 bp"),
        ([Signal("chr1", -10, 10, ONES)], RegionError, "from -10 to 20"),
        ([Signal("chr1", 0, 0, ONES)], UsageError, "step 0"),
        ([Signal("chr1", 0, 10, ONES[None])], UsageError, r"shape \(1, 3\)"),
        (
            [Signal("chr1", 0, 10, float32(1, np.inf))],
            RunError,
            "chr1 contains an infinite",
        ),
        ([Signal("chr1", 0, 10, float32(-np.inf))], RunError, "infinite"),
        (
            [Signal("chr10", 0, 10, ONES), Signal("chr2", 0, 10, ONES)],
            UsageError,
            "chr2 from 0 is out of order",
        ),
        (
            [
                Signal("chr2", 0, 10, ONES),
                Signal("chr1", 0, 9, ONES),
                Signal("chr2", 50, 10, ONES),
            ],
            UsageError,
            "chr2 from 50",
        ),
        (
            [Signal("chr2", 50, 10, ONES), Signal("chr2", 0, 10, ONES)],
            UsageError,
            "from 0",
        ),
        (
            [Signal("chr2", 0, 10, ONES), Signal("chr2", 29, 10, ONES)],
            UsageError,
            "from 29",
        ),
        (
            [Signal("chr2", 0, 10, ONES * NAN), Signal("chr2", 20, 10, ONES)],
            UsageError,
            "by start, without overlap",
        ),
    ],
)
def test_invalid_signals_are_refused(tmp_path, signals, error, words):
    with pytest.raises(error, match=words):
        write_track("bigwig", tmp_path / "a.bw", SIZES, signals)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("size", [0, 1 << 32])
def test_impossible_chromosome(tmp_path, size):
    sizes = SIZES | {"chrX": size}
    with pytest.raises(RegionError, match=f"chrX has {size} bp"):
        write_track("bigwig", tmp_path / "a.bw", sizes, [Signal("chr1", 0, 10, ONES)])
    assert list(tmp_path.iterdir()) == []


def test_exception_of_the_source_passes(tmp_path):
    def signals():
        yield Signal("chr2", 0, 10, np.ones(100_000 // 10, dtype=np.float32))
        yield Signal("chr1", 0, 10, ONES)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        write_track("bigwig", tmp_path / "a.bw", SIZES, signals())
    assert list(tmp_path.iterdir()) == []


def test_kill_leaves_no_file(tmp_path):
    code = (
        "import sys, time, pathlib, numpy as np\n"
        "from tfimpute_tracks.genome.signal import Signal\n"
        "from tfimpute_tracks.tracks.formats import write_track\n"
        "values = np.random.default_rng(0).random(1 << 17, dtype='f4')\n"
        "def signals():\n"
        "    for i in range(100):\n"
        "        if i == 3:\n"
        "            print('writing', flush=True)\n"
        "            time.sleep(60)\n"
        "        yield Signal('chr1', i * (1 << 17), 1, values)\n"
        "write_track('bigwig', pathlib.Path(sys.argv[1]), {'chr1': 1 << 27}, signals())\n"
    )
    path = tmp_path / "a.bw"
    with subprocess.Popen(
        [sys.executable, "-c", code, path], stdout=subprocess.PIPE, text=True
    ) as child:
        assert child.stdout.readline() == "writing\n"
        assert [p.suffix for p in tmp_path.iterdir()] == [".tmp"]
        child.send_signal(signal.SIGKILL)
    assert not path.exists()
    assert not list(tmp_path.glob("*.bw"))


def test_lost_block_is_noticed(tmp_path, monkeypatch):
    add_blocks = BbiWriter.add_blocks

    def lose_one(self, places, contents, n_items):
        is_kept = places[:, 1] < 40_000
        add_blocks(self, places[is_kept], [*compress(contents, is_kept)], n_items)

    monkeypatch.setattr(BbiWriter, "add_blocks", lose_one)
    signals = [Signal("chr2", 0, 10, np.ones(10_000, dtype=np.float32))]
    with pytest.raises(ValidationError, match=r"a\.bw does not read back as written"):
        write_track("bigwig", tmp_path / "a.bw", SIZES, signals)
    assert list(tmp_path.iterdir()) == []


@pytest.fixture
def written(tmp_path, rng):
    """A bigWig, and what the writer knows of it."""
    path = tmp_path / "a.bw"
    values = rng.random(9000, dtype=np.float32)
    write_track("bigwig", path, SIZES, [Signal("chr2", 0, 10, values)])
    content = Content()
    bins = np.rec.fromarrays(read_signal(path, "chr2"), dtype=BIN)
    content.add(Batch([*SIZES], np.zeros(len(bins), np.uint32), bins))
    check_bigwig(path, path, SIZES, content)
    return path, content


@pytest.mark.parametrize("at", range(1500, 20_000, 1777))
def test_flipped_byte_is_noticed(written, at):
    path, content = written
    data = bytearray(path.read_bytes())
    data[at] ^= 0x10
    path.write_bytes(data)
    with pytest.raises(ValidationError):
        check_bigwig(path, path, SIZES, content)


def test_damaged_input_is_one_error_and_no_other_output(written, capfd):
    """Where the reader panics, it says so on stderr by itself."""
    path, _ = written
    whole, reasons = path.read_bytes(), set()
    for at in range(1500, len(whole), 777):
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 0x10]) + whole[at + 1 :])
        try:
            read_signal(path, "chr2")
        except InputFileError as error:
            reasons.add(str(error))
    assert any("its data are damaged" in reason for reason in reasons)
    assert capfd.readouterr().err == ""


def test_what_others_write_meanwhile_is_not_lost(capfd):
    with without_panics():
        os.write(2, b"before\n\nthread '<unnamed>' panicked at src/x.rs:1:2:\nBad\n")
        os.write(2, b"note: run with `RUST_BACKTRACE=1` for more\nafter\n")
    assert capfd.readouterr().err == "before\nafter\n"


@pytest.mark.parametrize("size", [0, 10, 300, 2000, 9000])
def test_short_file_is_noticed(written, size):
    path, content = written
    path.write_bytes(path.read_bytes()[:size])
    with pytest.raises(ValidationError, match=r"a\.bw"):
        check_bigwig(path, path, SIZES, content)
    with pytest.raises(InputFileError, match=r"a\.bw"):
        read_signal(path, "chr2")


@pytest.mark.parametrize(
    ("sizes", "chrom", "words"),
    [
        (SIZES | {"chr3": 5}, "chr2", "size of chr3: read None, written 5"),
        (SIZES, "chr10", "number of bins of chr10: read None"),
    ],
)
def test_other_content_is_noticed(written, sizes, chrom, words):
    path, content = written
    other = Content({chrom: content.n_bins["chr2"]}, content.checksum)
    with pytest.raises(ValidationError, match=words):
        check_bigwig(path, path, sizes, other)


def test_foreign_file_is_no_bigwig(tmp_path):
    path = tmp_path / "a.bw"
    path.write_text("fixedStep chrom=chr1\n")
    with pytest.raises(InputFileError, match=r"cannot read chr1 from .*a\.bw"):
        read_signal(path, "chr1")


def test_unknown_chromosome_cannot_be_read(written):
    with pytest.raises(InputFileError, match=r"cannot read chr9 from .*a\.bw"):
        read_signal(written[0], "chr9")


@pytest.mark.parametrize("count", [1 << 50, 1 << 30])
def test_a_damaged_number_of_chromosomes_does_not_end_the_process(tmp_path, count):
    """pybigtools asked for memory for all of them."""
    path = tmp_path / "a.bw"
    write_track("bigwig", path, SIZES, [Signal("chr1", 0, 10, ONES)])
    content = bytearray(path.read_bytes())
    start = int.from_bytes(content[8:16], "little") + 16
    content[start : start + 8] = count.to_bytes(8, "little")
    path.write_bytes(content)
    with pytest.raises(InputFileError, match="list of chromosomes is damaged"):
        read_signal(path, "chr1")


@pytest.mark.parametrize("size", [1 << 62, 1 << 40])
def test_a_damaged_size_of_a_block_does_not_end_the_process(tmp_path, rng, size):
    """pybigtools asked for that much memory."""
    path, sizes = tmp_path / "a.bw", {"chr1": 2_000_000, "chr2": 1000}
    values = rng.random(20_000, dtype=np.float32)
    signals = [Signal("chr1", 0, 100, values), Signal("chr2", 0, 100, values[:10])]
    write_track("bigwig", path, sizes, signals, SignalStyle(max_zooms=1))
    intact = path.read_bytes()
    data_at, zoom_at = (struct.unpack_from("<Q", intact, at)[0] for at in (24, 64 + 16))
    for index, read in (
        (data_at, lambda: read_signal(path, "chr1", 1000, 2000)),
        (zoom_at, lambda: covered_spans(path)),
    ):
        content = bytearray(intact)
        leaf = index + 48 + 4  # a single node
        struct.pack_into("<Q", content, leaf + 24, size)
        path.write_bytes(content)
        with pytest.raises(InputFileError, match="a block is longer than the file"):
            read()
        assert len(read_signal(path, "chr2").values) == 10


def test_a_tree_of_chromosomes_without_an_end_does_not_end_the_process(tmp_path):
    """pybigtools followed a node that is its own child until its stack was full."""
    path, sizes = tmp_path / "a.bw", {f"contig{i:04}": 1000 for i in range(1000)}
    write_track("bigwig", path, sizes, [Signal("contig0000", 0, 10, ONES)])
    content = bytearray(path.read_bytes())
    (tree,) = struct.unpack_from("<Q", content, 8)
    _, _, key, *_ = struct.unpack_from("<IIIIQQ", content, tree)
    root = tree + 32
    assert content[root] == 0  # not a leaf
    struct.pack_into("<Q", content, root + 4 + key, root)
    path.write_bytes(content)
    for read in (signal_chroms, lambda path: read_signal(path, "contig0000")):
        with pytest.raises(InputFileError, match="the index is too deep"):
            read(path)


def test_a_deep_index_is_read(tmp_path, rng):
    path, sizes = tmp_path / "a.bw", {"chr1": 2_000_000}
    values = rng.random(20_000, dtype=np.float32)
    batches = gather_bins(sizes, [Signal("chr1", 0, 100, values)], 5)
    kind = BbiKind(magic=0x888FFC26, items_per_block=8, fan_out=2)
    write_bigwig(path, sizes, batches, SignalStyle(), kind)
    assert len(read_signal(path, "chr1", -5).values) == 20_000
