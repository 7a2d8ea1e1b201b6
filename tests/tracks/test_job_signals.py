"""A scan of another signal: what is drawn, beside what, and that peaks stay."""

import json

import numpy as np
import pybigtools
import pytest

from tfimpute_tracks.engines.scorer import Scorer
from tfimpute_tracks.engines.tiles import TileRange
from tfimpute_tracks.errors import UsageError
from tfimpute_tracks.genome import Region, open_genome
from tfimpute_tracks.kernels.peaks import call_peaks
from tfimpute_tracks.tracks import ScanJob, run_scan, scan_region
from tfimpute_tracks.tracks.formats import choose_formats
from tfimpute_tracks.tracks.record import TrackOptions
from tfimpute_tracks.tracks.signals import SIGNALS
from tfimpute_tracks.vocabulary import Pair
from toys import (
    CALIBRATED,
    CONFIG,
    VOCABULARY,
    make_model,
    random_letters,
    torch_scorer,
    write_fasta,
)

PAIRS = [Pair("CTCF", "K562"), Pair("MAX", "HepG2"), Pair("CTCF", "HepG2")]
L, STRIDE = CONFIG.seq_len, CONFIG.pool
OFFSET = (L - STRIDE) // 2
SIGNAL_NAMES = tuple(SIGNALS)


@pytest.fixture
def genome(tmp_path, rng):
    letters = {
        "chr1": random_letters(rng, 2990),
        "chr2": random_letters(rng, 600) + "N" * 200 + random_letters(rng, 203),
    }
    with open_genome(write_fasta(tmp_path / "toy.fa", letters)) as opened:
        yield opened


def _job(tmp_path, genome, options, **changes):
    regions = [Region(name, 0, size) for name, size in genome.chrom_sizes.items()]
    fields = {
        "model": make_model(tmp_path, card=CALIBRATED),
        "pairs": PAIRS,
        "regions": regions,
        "out_dir": tmp_path / "out",
        "stride": STRIDE,
        "options": options,
    }
    return ScanJob(**fields | changes)


def _run(job, genome):
    return list(run_scan(job, genome, lambda _: None))


def _values(path, chrom):
    with pybigtools.open(str(path)) as file:
        return {start: (end, value) for start, end, value in file.records(chrom)}


def _expected(model, genome, chrom, pair, signal):
    """Each tile's value, by way of probabilities of one pair at a time."""

    def probabilities(cell):
        size = genome.chrom_sizes[chrom]
        some = [(pair.tf, cell)]
        starts, values = scan_region(model, genome, chrom, 0, size, some, STRIDE)
        return starts, values[:, 0].astype(np.float64)

    starts, values = probabilities(pair.cell)
    if signal == "log-odds":
        values = np.log(values / (1 - values))
    elif signal == "specificity":
        every = [probabilities(cell)[1] for cell in VOCABULARY.cells]
        values = values - np.mean(every, axis=0)
    elif signal == "score":
        # Its own share of bound sites, or that of its TF.
        share = {PAIRS[0]: 0.3, PAIRS[1]: 0.1, PAIRS[2]: 0.2}[pair]
        odds = values / (1 - values) / (share / (1 - share)) / np.exp(-0.5)
        odds = odds ** (1 / 0.7)
        values = odds / (1 + odds)
    return starts[~np.isnan(values)] + OFFSET, values[~np.isnan(values)]


@pytest.mark.parametrize("signal", SIGNAL_NAMES[1:])
def test_each_tile_holds_what_the_formula_says(tmp_path, genome, signal, monkeypatch):
    # Few tiles at a time, so that what is reduced is reduced in parts.
    monkeypatch.setattr(Scorer, "max_logits", 100)
    job = _job(tmp_path, genome, TrackOptions(signal))
    for result in _run(job, genome):
        stem = f"{result.pair.tf}.{result.pair.cell}.{signal}"
        assert [file.name for file in result.files] == [
            f"{stem}.bw",
            f"{stem}.receipt.json",
        ]
        for chrom in genome.chrom_sizes:
            drawn = _values(result.files[0], chrom)
            starts, values = _expected(job.model, genome, chrom, result.pair, signal)
            assert list(drawn) == starts.tolist()
            found = np.array([value for _, value in drawn.values()])
            # Probabilities near 0 and 1 have few digits left for the log-odds.
            sure = np.abs(values) < 9
            np.testing.assert_allclose(found[sure], values[sure], atol=6e-3)
            assert sure.mean() > 0.5


def test_signals_live_in_one_folder_and_have_the_same_peaks(tmp_path, genome):
    results = {
        signal: _run(_job(tmp_path, genome, TrackOptions(signal)), genome)
        for signal in SIGNAL_NAMES
    }
    counts = {s: [r.record.n_peaks for r in some] for s, some in results.items()}
    assert all(some == counts["probability"] for some in counts.values())
    assert sum(counts["probability"]) > 0
    names = [file.name for some in results.values() for r in some for file in r.files]
    assert len(set(names)) == len(names)
    assert sorted(names) == sorted(f.name for f in (tmp_path / "out").iterdir())
    for signal in SIGNAL_NAMES:
        again = _run(_job(tmp_path, genome, TrackOptions(signal)), genome)
        assert all(result.reused for result in again)


def test_another_calibration_is_another_run(tmp_path, genome):
    _run(_job(tmp_path, genome, TrackOptions("score")), genome)
    told = CALIBRATED["calibration"] | {"slope": 0.8}
    other = make_model(tmp_path, card=CALIBRATED | {"calibration": told})
    results = _run(_job(tmp_path, genome, TrackOptions("score"), model=other), genome)
    assert not any(result.reused for result in results)
    receipt = json.loads((tmp_path / "out/CTCF.K562.score.receipt.json").read_text())
    slope, offset = receipt["record"]["calibration"]
    assert (slope, offset) == (0.8, pytest.approx(-0.5 + np.log(0.3 / 0.7)))


def test_peaks_are_those_of_the_score_at_its_own_threshold(tmp_path, genome):
    """Calibration moves no peak: it keeps the order of tiles."""
    job = _job(tmp_path, genome, TrackOptions())
    (tmp_path / "plain").mkdir()
    plain = make_model(tmp_path / "plain")  # the same weights, without a calibration
    n_peaks = 0
    for result in _run(job, genome):
        pair = result.pair
        assert result.record.threshold != job.model.score_threshold(pair)
        rows = [
            (chrom, start, end)
            for chrom in genome.chrom_sizes
            for start, end in _peaks_of_score(plain, genome, chrom, pair)
        ]
        (file,) = (f for f in result.files if f.suffix == ".narrowPeak")
        found = [line.split("\t")[:3] for line in file.read_text().splitlines()[1:]]
        assert [(c, int(s), int(e)) for c, s, e in found] == rows
        n_peaks += len(rows)
    assert n_peaks > 0


def _peaks_of_score(model, genome, chrom, pair):
    size = genome.chrom_sizes[chrom]
    starts, scores = scan_region(model, genome, chrom, 0, size, [pair], STRIDE)
    first = int(starts[0]) + OFFSET
    peaks = call_peaks(first, STRIDE, scores[:, 0], model.score_threshold(pair))
    return zip(peaks.start.tolist(), peaks.end.tolist(), strict=True)


@pytest.mark.parametrize(
    "change", [TrackOptions("log-odds", 40), TrackOptions("log-odds", None, 0)]
)
def test_other_options_are_another_run(tmp_path, genome, change):
    _run(_job(tmp_path, genome, TrackOptions("log-odds")), genome)
    results = _run(_job(tmp_path, genome, change), genome)
    assert not any(result.reused for result in results)


@pytest.mark.parametrize("signal", SIGNAL_NAMES)
def test_an_interrupted_scan_is_resumed_by_its_own_signal_only(
    tmp_path, genome, monkeypatch, signal
):
    other = SIGNAL_NAMES[SIGNAL_NAMES.index(signal) - 1]
    whole = _run(
        _job(tmp_path, genome, TrackOptions(signal), out_dir=tmp_path / "w"), genome
    )
    run = run_scan(
        _job(tmp_path, genome, TrackOptions(signal), block_size=16),
        genome,
        lambda _: None,
    )
    next(run)
    run.close()  # one pair is written, the others wait
    scored = []
    score = Scorer.features
    monkeypatch.setattr(
        Scorer, "features", lambda self, *a: scored.append(1) or score(self, *a)
    )
    _run(_job(tmp_path, genome, TrackOptions(other), block_size=16), genome)
    assert scored
    scored.clear()
    results = _run(_job(tmp_path, genome, TrackOptions(signal), block_size=16), genome)
    assert not scored
    assert [result.reused for result in results] == [True, False, False]
    for result, expected in zip(results, whole, strict=True):
        for path, same in zip(result.files[:-1], expected.files[:-1], strict=True):
            assert path.read_bytes() == same.read_bytes()


@pytest.mark.parametrize("signal", SIGNAL_NAMES)
def test_bins_of_a_region_are_those_of_its_chromosome(tmp_path, genome, signal):
    options, pairs = TrackOptions(signal, 5 * STRIDE), PAIRS[:1]
    (tiles,) = _run(
        _job(
            tmp_path, genome, TrackOptions(signal), pairs=pairs, out_dir=tmp_path / "t"
        ),
        genome,
    )
    (whole,) = _run(_job(tmp_path, genome, options, pairs=pairs, block_size=7), genome)
    region = Region("chr1", 777, 1834)
    job = _job(
        tmp_path,
        genome,
        options,
        pairs=pairs,
        block_size=7,
        regions=[region],
        out_dir=tmp_path / "part",
    )
    (part,) = _run(job, genome)
    assert whole.record.n_peaks == tiles.record.n_peaks
    complete = _values(whole.files[0], "chr1")
    single = _values(tiles.files[0], "chr1")
    off = 0.5 * 10 ** -SIGNALS[signal].decimals
    for start, (end, value) in complete.items():
        mean = np.mean([v for s, (_, v) in single.items() if start <= s < end])
        assert value == pytest.approx(mean, abs=1.5 * off)
    # Cut are the first and the last, no other.
    slice_ = list(_values(part.files[0], "chr1").items())
    assert all(complete[start] == bin_ for start, bin_ in slice_[1:-1])
    assert len(slice_) == len(
        [s for s, (e, _) in complete.items() if s < region.end and e > region.start]
    )
    # Bins of which no tile has a value are not drawn.
    assert len(_values(whole.files[0], "chr2")) < 1003 // (5 * STRIDE)


def test_zoom_levels_are_as_many_as_asked_for(tmp_path, genome):
    for n in (0, 2):
        options = TrackOptions(max_zooms=n)
        job = _job(tmp_path, genome, options, out_dir=tmp_path / str(n))
        with pybigtools.open(str(_run(job, genome)[0].files[0])) as file:
            assert len(file.zooms()) == n


def test_the_receipt_describes_the_track(tmp_path, genome):
    job = _job(tmp_path, genome, TrackOptions("specificity", 40), pairs=PAIRS[:1])
    (result,) = _run(job, genome)
    told = json.loads(result.files[-1].read_text())["record"]
    expected = {
        "model": "toy",
        "weights": job.model.checkpoint.digest,
        "status": "measured",
        "signal": "specificity",
        "stride": STRIDE,
        "bin_size": 40,
        "max_zooms": 10,
        "threshold": result.record.threshold,
        "n_peaks": result.record.n_peaks,
        "expected_auroc": None,
        "genome": "toy.fa",
        "build": "",
        "mean_over_cells": 4,
    }
    assert {key: told[key] for key in expected} == expected


def test_the_build_is_recorded_where_the_chromosomes_are_its_own(tmp_path, rng):
    letters = {"chr20": random_letters(rng, 2000)}
    with open_genome(write_fasta(tmp_path / "toy20.fa", letters)) as genome:
        (result,) = _run(
            _job(tmp_path, genome, TrackOptions(), pairs=PAIRS[:1]), genome
        )
    told = json.loads(result.files[-1].read_text())["record"]
    assert told["build"] == "toy1"


def test_bins_of_parts_of_tiles_are_refused_before_anything_is_scanned(
    tmp_path, genome
):
    with pytest.raises(UsageError, match="use 20 or 40"):
        _run(_job(tmp_path, genome, TrackOptions(bin_size=30)), genome)
    assert not (tmp_path / "out").exists()


def test_peaks_are_written_with_the_probability_only():
    assert choose_formats(None) == ("bigwig", "bed", "bigbed")
    assert choose_formats([], "specificity") == ("bigwig",)
    assert choose_formats(["bigbed,parquet", "bigwig"]) == (
        "bigwig",
        "parquet",
        "bigbed",
    )
    for wrong in ("bed", "bigbed"):
        with pytest.raises(UsageError, match="peaks are called on the probability"):
            TrackOptions("log-odds", formats=(wrong,)).resolved(STRIDE)


@pytest.mark.parametrize("engine", ["cpu", "torch"])
def test_many_pairs_are_scored_in_parts(tmp_path, rng, engine):
    """By the engine of GPUs too, on a CPU here."""
    model = make_model(tmp_path)
    codes = rng.integers(0, 4, 60 + 499 * STRIDE).astype(np.uint8)
    scorer = Scorer(model, model.vocabulary.all_pairs(), STRIDE)
    whole = scorer.score(codes, TileRange("", 0, 500))
    if engine == "torch":
        scorer = torch_scorer(model, scorer.pairs, STRIDE)
    scorer.max_logits = 12 * 33
    found = scorer.score(codes, TileRange("", 0, 500))
    if engine == "cpu":
        np.testing.assert_array_equal(found, whole)  # not a bit changes
    np.testing.assert_allclose(found, whole, atol=1e-5)
