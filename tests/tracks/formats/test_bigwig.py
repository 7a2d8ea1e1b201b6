"""bigWig files say what went in, to three readers that are not ours."""

from __future__ import annotations

import itertools
import tracemalloc

import numpy as np
import pybigtools
import pyBigWig
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import bbi_readers
from bbi_readers import READERS
from tfimpute_tracks.errors import InputFileError, RunError
from tfimpute_tracks.genome.signal import Signal, SignalPack
from tfimpute_tracks.tracks.formats import SignalStyle, read_signal, write_track
from tfimpute_tracks.tracks.formats.bbi import BbiKind
from tfimpute_tracks.tracks.formats.bigwig import write_bigwig
from tfimpute_tracks.tracks.formats.bins import gather_bins

NAN = float("nan")
SIZES = {"chr2": 100_010, "chr10": 30_000, "chr1": 995}


def float32(*values):
    return np.array(values, dtype=np.float32)


def expected_records(signals, sizes, decimals=4):
    """The slow twin: each bin by itself, as readers should give it."""
    records = {}
    for chrom, first, step, values in signals:
        for i, value in enumerate(np.asarray(values, dtype=np.float32).tolist()):
            start = max(first + i * step, 0)
            end = min(first + (i + 1) * step, sizes[chrom])
            if not np.isnan(value):
                rounded = value if decimals is None else round(value, decimals)
                record = (start, end, float(np.float32(rounded)))
                records.setdefault(chrom, []).append(record)
    return records


def ragged(rng, n_pieces=60):
    """Pieces of all lengths on three chromosomes, with holes in and between them."""
    signals = []
    for chrom, size in SIZES.items():
        at = int(rng.integers(0, 50))
        for _ in range(n_pieces):
            n = int(rng.choice([1, 2, 63, 64, 65, 200]))
            if at + n * 10 > size:
                break
            values = rng.random(n, dtype=np.float32)
            values[rng.random(n) < rng.choice([0, 0.01, 0.5])] = NAN
            signals.append(Signal(chrom, at, 10, values))
            at += n * 10 + int(rng.choice([0, 7, 500]))
    return signals


def in_packs(signals):
    """Lay neighboring signals of the same step end to end."""
    packs = []
    for step, some in itertools.groupby(signals, lambda signal: signal.step):
        chroms, starts, _, values = zip(*some, strict=True)
        lengths = np.array([len(own) for own in values])
        packs.append(
            SignalPack(chroms, np.array(starts), step, lengths, np.concatenate(values))
        )
    return packs


CASES = {
    "single value": [Signal("chr10", 500, 100, float32(0.25))],
    "constant": [Signal("chr2", 0, 100, np.full(900, 0.5, dtype=np.float32))],
    "first is the highest": [
        Signal("chr2", 0, 100, np.linspace(1, 0, 500, dtype="f4"))
    ],
    "all zero": [Signal("chr1", 0, 1, np.zeros(995, dtype=np.float32))],
    "one value and its neighbors missing": [
        Signal("chr1", 0, 100, float32(NAN, 1, NAN))
    ],
    "last bin is partial": [Signal("chr1", 0, 20, np.linspace(0, 1, 50, dtype="f4"))],
    "first bin begins before 0": [Signal("chr1", -50, 100, float32(0.1, 0.2, 0.3))],
    "bin larger than its chromosome": [Signal("chr1", -5, 2000, float32(0.5))],
    "last base": [Signal("chr1", 994, 1, float32(0.75))],
    "gaps": [Signal("chr2", 35, 20, float32(0.1, NAN, NAN, 0.2, 0.3, NAN, 0.4) / 3)],
    "pieces that touch": [
        Signal("chr2", 0, 10, np.arange(100, dtype="f4")),
        Signal("chr2", 1000, 10, np.arange(100, dtype="f4")),
        Signal("chr2", 2000, 50, np.arange(100, dtype="f4")),
    ],
    "several chromosomes, one left out": [
        Signal("chr2", 0, 100, np.linspace(0, 1, 1001, dtype="f4")),
        Signal("chr1", 45, 100, np.linspace(0, 1, 9, dtype="f4")),
    ],
    "a chromosome of missing values": [
        Signal("chr2", 0, 10, np.full(500, NAN, dtype=np.float32)),
        Signal("chr10", 0, 10, np.full(500, 0.5, dtype=np.float32)),
    ],
    "all negative": [Signal("chr2", 0, 10, np.linspace(-9, -1, 900, dtype="f4"))],
    "one bin, negative": [Signal("chr1", 100, 50, float32(-3.25))],
    "negative": [Signal("chr2", 0, 10, float32(-1, -0.5, -1e-9, 0))],
    "ragged": ragged(np.random.default_rng(3)),
}


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("case", CASES)
def test_readers_give_what_was_written(tmp_path, case, reader):
    path = tmp_path / "a.bw"
    write_track("bigwig", path, SIZES, CASES[case])
    found = READERS[reader](path)
    assert found.chroms == SIZES
    assert found.records == expected_records(CASES[case], SIZES)


@pytest.mark.parametrize("case", CASES)
def test_head_is_right(tmp_path, case):
    """libBigWig leaves a maximum of 2.2e-308 where the first value is the highest."""
    path = tmp_path / "a.bw"
    write_track("bigwig", path, SIZES, CASES[case])
    records = [
        r for rows in expected_records(CASES[case], SIZES).values() for r in rows
    ]
    widths = np.array([end - start for start, end, _ in records])
    values = np.array([value for _, _, value in records])
    summary = pybigtools.open(str(path)).info()["summary"]
    assert summary["basesCovered"] == widths.sum()
    assert summary["min"] == values.min()
    assert summary["max"] == values.max()
    assert summary["sum"] == pytest.approx((widths * values).sum(), abs=1e-9)
    theirs = bbi_readers.ucsc_summary(path)
    for name in ("basesCovered", "min", "max", "sum", "mean"):
        assert theirs[name] == summary[name]
    with pyBigWig.open(str(path)) as file:
        head = file.header()
    squares = (widths * values**2).sum()
    # libBigWig gives them without what follows the point.
    assert head["nBasesCovered"] == widths.sum()
    assert (head["minVal"], head["maxVal"]) == (int(values.min()), int(values.max()))
    assert abs(head["sumData"] - (widths * values).sum()) < 1
    assert abs(head["sumSquared"] - squares) < 1


@pytest.mark.parametrize("n", [1, 900, 50_000])
@pytest.mark.parametrize("value", [0.7, -3.3, 1e-4])
def test_the_spread_of_a_constant_track_is_zero_and_not_nan(tmp_path, value, n):
    """A sum of squares that is rounded below the square of the sum has no root."""
    path = tmp_path / "a.bw"
    sizes = {"chr1": 50_000_000}
    write_track(
        "bigwig", path, sizes, [Signal("chr1", 0, 100, np.full(n, value, dtype="f4"))]
    )
    spread = bbi_readers.ucsc_summary(path)["std"]
    assert spread == pytest.approx(0, abs=1e-6)
    assert pybigtools.open(str(path)).info()["summary"]["std"] == spread
    file = pybigtools.open(str(path))
    for _, _, zoom in file.zoom_records(max(file.zooms()), "chr1"):
        bases, total = zoom["bases_covered"], zoom["sum"]
        assert zoom["sum_squares"] - total * total / bases >= 0
    with pyBigWig.open(str(path)) as bbi_file:
        (spread,) = bbi_file.stats("chr1", type="std")
    assert spread == pytest.approx(0, abs=2e-3)


def assert_zooms_are_right(path, n_zooms):
    file = pybigtools.open(str(path))
    assert len(file.zooms()) == n_zooms
    for reduction, chrom in itertools.product(file.zooms(), SIZES):
        end_before = 0
        n_bins = 0
        for start, end, zoom in file.zoom_records(reduction, chrom):
            bins = list(file.records(chrom, start, end))
            widths = np.array([e - s for s, e, _ in bins])
            values = np.array([value for _, _, value in bins])
            assert zoom["bases_covered"] == widths.sum()
            assert zoom["min_val"] == values.min()
            assert zoom["max_val"] == values.max()
            assert zoom["sum"] == pytest.approx((widths * values).sum(), rel=1e-5)
            squares = (widths * values**2).sum()
            assert zoom["sum_squares"] == pytest.approx(squares, rel=1e-5)
            assert end_before <= start < end
            assert end - start < reduction + 1000
            end_before = end
            n_bins += len(bins)
        assert n_bins == len(list(file.records(chrom)))


def test_every_zoom_record_sums_up_its_bins(tmp_path, rng):
    """libBigWig stores a sum of zero in the last record, and in some inner ones."""
    path = tmp_path / "a.bw"
    write_track("bigwig", path, SIZES, ragged(rng))
    # 160, 640, 2560, 10240 and 40960 bp: as long as the longest has more than one.
    assert_zooms_are_right(path, n_zooms=5)


def test_zoomed_out_means(tmp_path, rng):
    """What UCSC's code draws of a chromosome in 100 pixels, from the zoom levels."""
    path = tmp_path / "a.bw"
    values = rng.random(10_000, dtype=np.float32)
    write_track("bigwig", path, SIZES, [Signal("chr2", 0, 10, values)])
    code = (
        "import bbi, json, sys\n"
        "means = bbi.fetch(sys.argv[1], 'chr2', 0, 100_000, bins=100, summary='mean')\n"
        "print(json.dumps(means.tolist()))"
    )
    means = bbi_readers.in_child(code, path)
    assert means == pytest.approx(values.reshape(100, 100).mean(axis=1), abs=0.05)


@pytest.mark.parametrize("max_zooms", [0, 1, 3])
def test_max_zooms(tmp_path, rng, max_zooms):
    path = tmp_path / "a.bw"
    write_track("bigwig", path, SIZES, ragged(rng), SignalStyle(max_zooms=max_zooms))
    assert_zooms_are_right(path, n_zooms=max_zooms)


VALUES = st.sampled_from([NAN, NAN, 0.0, 1.0, 0.12345, 1e-7])
PIECES = st.lists(
    st.tuples(
        st.sampled_from(["chr2", "chr1"]),
        st.sampled_from([0, 0, 1, 30]),  # bp left empty before the piece
        st.sampled_from([1, 10, 10, 25]),
        st.tuples(VALUES, VALUES, st.integers(0, 40)),
    ),
    max_size=12,
)


@settings(max_examples=30)
@given(PIECES, st.sampled_from([0, 2, None]), st.booleans())
def test_any_layout_reads_back(tmp_path_factory, pieces, decimals, packed):
    sizes = {"chr2": 30_000, "chr1": 30_000}
    at = dict.fromkeys(sizes, 0)
    signals = []
    for chrom, hole, step, (one, other, n) in sorted(
        pieces, key=lambda piece: piece[0] == "chr1"
    ):
        values = np.tile(np.float32([one, other]), n)[: 2 * n - 1]
        first = at[chrom] + hole
        at[chrom] = first + step * len(values)
        signals.append(Signal(chrom, first, step, values))
    expected = expected_records(signals, sizes, decimals)
    signals = in_packs(signals) if packed else signals
    path = tmp_path_factory.mktemp("any") / "a.bw"
    if not expected:
        with pytest.raises(RunError, match="nothing to write"):
            write_track("bigwig", path, sizes, signals, SignalStyle(decimals))
        return
    write_track("bigwig", path, sizes, signals, SignalStyle(decimals))
    for reader in (bbi_readers.bigtools, bbi_readers.libbigwig):
        assert reader(path).records == expected


@pytest.mark.slow
def test_chromosome_of_2_500_000_bins(tmp_path, rng):
    sizes = {"chr1": 50_000_000 - 3}
    values = rng.random(2_500_000, dtype=np.float32)
    path = tmp_path / "a.bw"
    write_track("bigwig", path, sizes, [Signal("chr1", 0, 20, values)])
    read = read_signal(path, "chr1")
    expected = np.round(values.astype(np.float64), 4).astype(np.float32)
    assert np.array_equal(read.values, expected)
    assert np.array_equal(read.starts, np.arange(0, 50_000_000, 20))
    assert np.array_equal(read.ends[:-1], read.starts[1:])
    assert read.ends[-1] == 50_000_000 - 3
    # Rounding is what makes bulk sets affordable: the same unrounded takes this much.
    assert path.stat().st_size < 0.6 * 2_500_000 * 10


def test_many_scaffolds(tmp_path, rng):
    sizes = {f"scaffold_{i}": 1000 + i for i in range(600)}
    signals = [Signal(chrom, 0, 100, rng.random(10, dtype="f4")) for chrom in sizes]
    path = tmp_path / "a.bw"
    write_track("bigwig", path, sizes, signals)
    for read in READERS.values():
        found = read(path)
        assert found.chroms == sizes
        assert found.records == expected_records(signals, sizes)
    write_track("bigwig", tmp_path / "b.bw", sizes, in_packs(signals))
    assert (tmp_path / "b.bw").read_bytes() == path.read_bytes()
    again = [own for pack in in_packs(signals) for own in pack.signals()]
    assert [own[:3] for own in again] == [own[:3] for own in signals]


def test_deep_trees(tmp_path, rng):
    """Trees as high as those of a large genome, made of small nodes."""
    signals = ragged(rng)
    path = tmp_path / "a.bw"
    kind = BbiKind(0x888FFC26, 16, fan_out=3)
    style = SignalStyle()
    batches = gather_bins(SIZES, signals, style.decimals)
    write_bigwig(path, SIZES, batches, style, kind)
    for read in READERS.values():
        assert read(path).records == expected_records(signals, SIZES)
    assert_zooms_are_right(path, n_zooms=5)
    file = pybigtools.open(str(path))
    everything = expected_records(signals, SIZES)["chr2"]
    for start in range(0, 20_000, 777):
        found = list(file.records("chr2", start, start + 500))
        cut = [
            (max(s, start), min(e, start + 500), value)
            for s, e, value in everything
            if s < start + 500 and e > start
        ]
        assert found == cut


def test_zero_is_written_and_never_negative(tmp_path):
    path = tmp_path / "a.bw"
    write_track("bigwig", path, SIZES, [Signal("chr1", 0, 10, float32(-0.0, 0, -1e-9))])
    values = read_signal(path, "chr1").values
    assert values.tolist() == [0, 0, 0]
    assert not np.signbit(values).any()


@pytest.mark.parametrize("dtype", [">f4", "f2", "f8", "i8", "u1"])
def test_any_number_type(tmp_path, dtype):
    path = tmp_path / "a.bw"
    write_track(
        "bigwig", path, SIZES, [Signal("chr1", 0, 10, np.arange(5).astype(dtype))]
    )
    assert read_signal(path, "chr1").values.tolist() == [0, 1, 2, 3, 4]


def test_any_view(tmp_path):
    path = tmp_path / "a.bw"
    values = np.arange(40, dtype=np.float32).reshape(20, 2)
    write_track("bigwig", path, SIZES, [Signal("chr1", 0, 10, values[::-2, 1])])
    assert read_signal(path, "chr1").values.tolist() == values[::-2, 1].tolist()


def test_caller_may_use_its_array_again(tmp_path):
    def signals():
        values = np.empty(10, dtype=np.float32)
        for i in range(5):
            values[:] = i
            yield Signal("chr1", np.int64(i * 100), np.int64(10), values)

    path = tmp_path / "a.bw"
    write_track("bigwig", path, SIZES, signals())
    assert read_signal(path, "chr1").values.tolist() == np.repeat(range(5), 10).tolist()


def test_memory_is_flat(tmp_path, rng):
    values = rng.random(1 << 16, dtype=np.float32)

    def peak(n_pieces):
        sizes = {"chr1": n_pieces * len(values) * 10}
        starts = (i * len(values) * 10 for i in range(n_pieces))
        signals = (Signal("chr1", start, 10, values) for start in starts)
        tracemalloc.start()
        write_track("bigwig", tmp_path / "a.bw", sizes, signals)
        size = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return size

    assert peak(8) < 1.2 * peak(2)


def test_read_signal_cuts_at_the_ends(tmp_path):
    path = tmp_path / "a.bw"
    write_track(
        "bigwig", path, SIZES, [Signal("chr1", 0, 100, float32(0.1, NAN, 0.3, 0.4))]
    )
    found = read_signal(path, "chr1", 50, 310)
    assert found.starts.tolist() == [50, 200, 300]
    assert found.ends.tolist() == [100, 300, 310]
    assert found.values.tolist() == float32(0.1, 0.3, 0.4).tolist()
    assert read_signal(path, "chr10").values.shape == (0,)


def test_files_of_many_contigs_are_read_back_whole(tmp_path):
    """Most of them with another reader than the first ones."""
    sizes = {f"s{i:04}": 300 + i % 7 for i in range(1200)}
    values = np.random.default_rng(3).random((1200, 3)).astype(np.float32)
    signals = [
        Signal(chrom, 75, 50, own) for chrom, own in zip(sizes, values, strict=True)
    ]
    dest = tmp_path / "a.bw"
    write_track("bigwig", dest, sizes, iter(signals))
    for reader in READERS.values():
        contents = reader(dest)
        assert contents.chroms == sizes
        for signal in signals[::100]:
            records = contents.records[signal.chrom]
            assert [start for start, _, _ in records] == [75, 125, 175]
            got = [value for _, _, value in records]
            np.testing.assert_allclose(got, signal.values, atol=1e-4)


@pytest.mark.parametrize("start", [2**31 - 500, 2**31, 4_294_000_000])
def test_positions_beyond_what_libraries_read(tmp_path, start):
    """As in genomes of amphibians and lungfish; the format ends at 2^32."""
    dest, sizes = tmp_path / "a.bw", {"chr1": 2**32 - 1, "chr2": 1000}
    values = np.arange(10, dtype=np.float32)
    signals = [Signal("chr1", start, 100, values), Signal("chr2", 0, 100, values)]
    assert write_track("bigwig", dest, sizes, signals)
    found = read_signal(dest, "chr1")
    assert found.starts.tolist() == [start + 100 * i for i in range(10)]
    assert found.values.tolist() == values.tolist()
    with pytest.raises(InputFileError, match="reads positions up to 2,147,483,647"):
        read_signal(dest, "chr1", start, 2**32 - 1)
