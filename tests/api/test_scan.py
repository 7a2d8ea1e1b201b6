"""A scan in memory has the values, the peaks and the files of `scan`."""

import json

import numpy as np
import pandas as pd
import pybigtools
import pytest

import tfimpute_tracks
from tfimpute_tracks.errors import TracksError, UsageError

PAIRS = ["CTCF:K562", "MAX:HepG2", "EP300:GM12878"]


@pytest.fixture
def scan(model, gapped):
    def make(region=None, pairs=PAIRS, **options):
        return model.scan(gapped, region, pairs, **options)

    return make


def written(folder):
    """The files of a folder; of receipts what does not depend on the clock."""
    files = {}
    for path in sorted(folder.iterdir()):
        if path.suffix == ".json":
            receipt = json.loads(path.read_text())
            files[path.name] = [
                receipt[name] for name in ("digest", "record", "outputs")
            ]
        else:
            files[path.name] = path.read_bytes()
    return files


def test_files_are_those_of_the_verb(run, scan, weights, gapped, tmp_path):
    ours, theirs = tmp_path / "ours", tmp_path / "theirs"
    files = scan().write(ours)
    arguments = ["-m", weights, "-g", gapped, "--pairs", ";".join(PAIRS)]
    run("scan", *arguments, "--no-cache", "-o", theirs)
    assert written(ours) == written(theirs)
    assert sorted(files) == sorted(ours.iterdir())


@pytest.mark.parametrize("signal", ["score", "log-odds", "specificity"])
def test_other_signals_are_those_of_the_verb(
    run, scan, weights, gapped, tmp_path, signal
):
    ours, theirs = tmp_path / "ours", tmp_path / "theirs"
    scan("chr1:101-1,400", PAIRS[:2], signal=signal).to_bigwig(ours)
    arguments = ["-m", weights, "-g", gapped, "--pairs", ";".join(PAIRS[:2])]
    run("scan", *arguments, "-r", "chr1:101-1400", "--signal", signal, "-o", theirs)
    assert written(ours) == written(theirs)


def test_array_has_the_values_of_the_bigwig(run, scan, weights, gapped, tmp_path):
    array = scan().array
    arguments = ["-m", weights, "-g", gapped, "--pairs", ";".join(PAIRS)]
    run("scan", *arguments, "-o", tmp_path / "o")
    assert array.dims == ("position", "pair")
    assert array.dtype == np.float32
    for pair in PAIRS:
        track = array.sel(pair=pair).dropna("position").to_series()
        own = array.sel(pair=pair).dropna("position")
        rows = zip(
            own.chrom.values, own.position.values, own.end.values, track, strict=True
        )
        seen = {(c, int(p)): (int(e), round(float(v), 5)) for c, p, e, v in rows}
        file = pybigtools.open(str(tmp_path / "o" / f"{pair.replace(':', '.')}.bw"))
        for chrom in ("chr1", "chr20"):
            for start, end, value in file.records(chrom):
                for position in range(start, end, 20):  # equal bins are one record
                    last, ours = seen.pop((chrom, position))
                    assert ours == pytest.approx(value, abs=2e-6)
                    assert last <= end
        assert not seen


def test_gaps_have_no_value(scan):
    array = scan("chr1:1,401-2,200").array
    middle = array.sel(position=slice(1600, 1900))
    assert middle.isnull().all()
    assert not array.isnull().all()


def test_array_describes_itself(scan, model):
    array = scan("chr20", signal="log-odds").array
    assert array.name == "log_odds"
    assert array.attrs["model"] == "toy"
    assert array.attrs["regions"] == ["chr20:1-900"]
    assert array.status.sel(pair="CTCF:K562") == "measured"
    pair = model.vocabulary.pair("CTCF:K562")
    assert array.threshold.sel(pair="CTCF:K562") == model.core.threshold(pair)
    assert int(array.end.max()) <= 900
    assert int(array.position.min()) >= 0


def test_peaks_are_those_of_the_narrowpeak(run, scan, weights, gapped, tmp_path):
    peaks = scan().call_peaks()
    arguments = ["-m", weights, "-g", gapped, "--pairs", ";".join(PAIRS)]
    run("scan", *arguments, "--format", "bed", "-o", tmp_path / "o")
    rows = []
    for pair in PAIRS:
        text = (tmp_path / "o" / f"{pair.replace(':', '.')}.narrowPeak").read_text()
        for line in text.splitlines():
            if not line.startswith("#"):
                chrom, start, end, name, score, _, value, _, _, summit = line.split()
                where = [chrom, int(start), int(end), *pair.split(":")]
                middle = int(start) + int(summit)
                rows.append([*where, name, int(score), float(value), middle])
    theirs = pd.DataFrame(rows, columns=list(peaks))
    assert len(rows) > 3
    pd.testing.assert_frame_equal(peaks, theirs, rtol=1e-4)


def test_threshold_moves_the_peaks(scan):
    found = scan("chr20")
    assert len(found.call_peaks(0.0)) >= 1
    assert (found.call_peaks(0.9).probability >= 0.9).all()
    assert found.call_peaks(1.0).empty
    assert list(found.call_peaks(1.0)) == list(found.call_peaks(0.0))
    assert scan("chr20", threshold=0.9).call_peaks().equals(found.call_peaks(0.9))


@pytest.mark.parametrize(
    "region",
    [("chr1", 100, 1200), [("chr1", np.int64(100), 1200)], ["chr1:101-1200"]],
)
def test_regions_are_written_in_any_way(scan, region):
    assert scan(region).array.equals(scan("chr1:101-1,200").array)


def test_several_regions_are_one_array(scan):
    array = scan(["chr20", ("chr1", 0, 500)]).array
    assert list(dict.fromkeys(array.chrom.values)) == ["chr1", "chr20"]


@pytest.mark.parametrize(
    "pairs",
    [
        "ctcf:k562;MAX:HepG2",
        [("CTCF", "K562"), "MAX:HepG2"],
        ("CTCF:K562", "MAX:HepG2"),
    ],
)
def test_pairs_are_written_in_any_way(scan, pairs):
    assert scan("chr20", pairs).pairs == ["CTCF:K562", "MAX:HepG2"]


def test_one_tuple_is_one_pair(scan):
    assert scan("chr20", ("CTCF", "K562")).pairs == ["CTCF:K562"]


def test_threads_change_nothing_and_are_restored(scan):
    import numba

    before = numba.get_num_threads()
    assert scan(threads=1).array.equals(scan().array)
    assert numba.get_num_threads() == before


def test_open_genome_stays_open(model, plain):
    from tfimpute_tracks.genome import open_genome

    with open_genome(plain) as genome:
        first = model.scan(genome, "chr20", PAIRS).array
        assert model.scan(genome, "chr20", PAIRS).array.equals(first)


def test_no_genome_is_the_bundled_region():
    model = tfimpute_tracks.load_model()
    scan = model.scan(None, ("chr20", 48_598_000, 48_601_000), "CTCF:K562")
    assert "548 measured tracks" in scan.array.attrs["predicted_from"]
    sequence = tfimpute_tracks.load_model(evidence="none")
    other = sequence.scan(None, ("chr20", 48_598_000, 48_601_000), "CTCF:K562")
    assert other.array.attrs["predicted_from"] == "sequence"
    assert repr(scan) == "Scan(1 pair, 31 positions, probability)"


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"pairs": []}, "no pair"),
        ({"pairs": "CTCF"}, "TF:CELL"),
        ({"pairs": "NOPE:K562"}, "unknown TF 'NOPE'"),
        ({"pairs": [3]}, "pair 3"),
        ({"pairs": None}, "no pair"),
        ({"pairs": 5}, "no pair in 5"),
        ({"pairs": pd.DataFrame({"tf": ["CTCF"]})}, "no column 'cell'"),
        ({"region": []}, "no region"),
        ({"region": "chr7:1-100"}, "chr7"),
        ({"region": ("chr1", 0.5, 100)}, "is not (chromosome, start, end)"),
        ({"region": ("chr1", -5, 100)}, "region"),
        ({"region": ("chr1", 100)}, "is not (chromosome, start, end)"),
        ({"region": ("chr1", 0, 10**9)}, "which has 4,000 bp"),
        ({"stride": 0}, "stride 0"),
        ({"stride": 2.5}, "stride 2.5"),
        ({"stride": True}, "stride True"),
        ({"signal": "counts"}, "signal 'counts'"),
        ({"signal": ["score"]}, "signal ['score']"),
        ({"threshold": 2}, "threshold 2"),
        ({"threshold": "0.5"}, "threshold '0.5'"),
        ({"threshold": float("nan")}, "threshold nan"),
        ({"threads": 0}, "threads"),
        ({"threads": "many"}, "threads"),
        ({"device": "tpu"}, "device 'tpu'"),
        ({"device": None}, "device 'None'"),
        ({"precision": "half"}, "precision 'half'"),
    ],
)
def test_wrong_values_are_named(scan, options, says):
    with pytest.raises(TracksError) as error:
        scan(**{"region": "chr20", **options})
    assert says in str(error.value)
    assert "\n" not in str(error.value)


def test_numbers_of_numpy_are_numbers(scan, tmp_path):
    found = scan("chr20", stride=np.int64(20), threshold=np.float32(0.5))
    same = scan("chr20", stride=20, threshold=0.5)
    assert found.array.identical(same.array)
    found.write(tmp_path / "a")
    same.write(tmp_path / "b")
    assert written(tmp_path / "a") == written(tmp_path / "b")


@pytest.mark.parametrize(
    ("sequences", "says"),
    [
        ("ACGT", "sequence 0 has 4 bp"),
        ([1], "sequence 1 is not a text"),
        (None, "sequences None"),
        (np.full((1, 60), 5), "codes of sequences are 0 to 4"),
        (np.full((1, 60), -1), "codes of sequences are 0 to 4"),
        (np.zeros((1, 4, 60), np.uint8), "sequence 0 has 240 bp"),
    ],
)
def test_wrong_sequences_are_named(model, sequences, says):
    with pytest.raises(UsageError, match=says):
        model.predict(sequences, "CTCF:K562")


def test_wrong_files_are_named(model, tmp_path, scan):
    with pytest.raises(UsageError, match=r"nowhere\.fa"):
        model.scan(tmp_path / "nowhere.fa", None, PAIRS)
    with pytest.raises(UsageError, match="genome 5; use a FASTA"):
        model.scan(5, None, PAIRS)
    with pytest.raises(UsageError, match="format 'wig'"):
        scan("chr20").write(tmp_path / "o", "wig")
    with pytest.raises(UsageError, match="unknown model 'nope'"):
        tfimpute_tracks.load_model("nope")
    with pytest.raises(UsageError, match="threshold -1"):
        scan("chr20").call_peaks(-1)
