"""A job's files: what is drawn where, what is missing, what an earlier run left."""

import json

import numpy as np
import pybigtools
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tfimpute_tracks.engines.feature_cache import FeatureCache
from tfimpute_tracks.engines.scorer import Scorer
from tfimpute_tracks.errors import RegionError
from tfimpute_tracks.genome import Region, open_genome
from tfimpute_tracks.models import load_model
from tfimpute_tracks.tracks import ScanJob, plan_tiles, run_scan, scan_region
from tfimpute_tracks.tracks.record import TrackOptions
from tfimpute_tracks.vocabulary import Pair
from toys import CONFIG, make_model, random_letters, write_fasta

PAIRS = [Pair("CTCF", "K562"), Pair("MAX", "HepG2")]
L, STRIDE = CONFIG.seq_len, CONFIG.pool
OFFSET = (L - STRIDE) // 2


@pytest.fixture
def genome(tmp_path, rng):
    letters = {
        "chr1": random_letters(rng, 2990),
        "chr2": random_letters(rng, 600) + "N" * 200 + random_letters(rng, 203),
    }
    with open_genome(write_fasta(tmp_path / "toy.fa", letters)) as opened:
        yield opened


def _job(tmp_path, genome, **changes):
    regions = [Region(name, 0, size) for name, size in genome.chrom_sizes.items()]
    fields = {
        "model": make_model(tmp_path),
        "pairs": PAIRS,
        "regions": regions,
        "out_dir": tmp_path / "out",
        "stride": STRIDE,
    }
    return ScanJob(**fields | changes)


def _run(job, genome):
    done = []
    return list(run_scan(job, genome, done.append)), sum(done)


def _values(path, chrom):
    with pybigtools.open(str(path)) as file:
        return {start: (end, value) for start, end, value in file.records(chrom)}


@pytest.mark.parametrize("formats", [("bigwig", "bed"), ("bed",)])
def test_unknown_sequence_is_refused_and_nothing_stays(tmp_path, genome, formats):
    options = TrackOptions(formats=formats)
    job = _job(tmp_path, genome, regions=[Region("chr2", 680, 720)], options=options)
    with pytest.raises(RegionError, match="chr2:681-720 is unknown"):
        _run(job, genome)
    assert not list(job.out_dir.iterdir())


def test_each_tile_is_drawn_at_its_center_and_missing_stays_missing(tmp_path, genome):
    results, bases = _run(_job(tmp_path, genome), genome)
    assert bases == sum((size - L) // STRIDE + 1 for size in (2990, 1003)) * STRIDE
    for column, result in enumerate(results):
        for chrom, size in genome.chrom_sizes.items():
            starts, scores = scan_region(
                make_model(tmp_path), genome, chrom, 0, size, PAIRS, STRIDE
            )
            drawn = _values(result.files[0], chrom)
            has_value = ~np.isnan(scores[:, column])
            assert list(drawn) == (starts[has_value] + OFFSET).tolist()
            values = np.array([value for _, value in drawn.values()])
            np.testing.assert_allclose(values, scores[has_value, column], atol=1e-4)
            assert all(end - start == STRIDE for start, (end, _) in drawn.items())


def test_a_region_s_track_is_a_slice_of_its_chromosome_s(tmp_path, genome):
    whole, _ = _run(_job(tmp_path, genome), genome)
    job = _job(
        tmp_path, genome, regions=[Region("chr1", 777, 1234)], out_dir=tmp_path / "part"
    )
    part, _ = _run(job, genome)
    complete = _values(whole[0].files[0], "chr1")
    slice_ = _values(part[0].files[0], "chr1")
    expected = {s: v for s, v in complete.items() if s < 1234 and s + STRIDE > 777}
    assert slice_ == expected


def test_peaks_are_where_the_score_reaches_the_stated_threshold(tmp_path, genome):
    (result, _), _ = _run(_job(tmp_path, genome, threshold=0.6), genome)
    about, *lines = result.files[1].read_text().splitlines()
    assert about == "# CTCF in K562, predicted from sequence; imputed"
    rows = [line.split("\t") for line in lines]
    assert len(rows) == result.record.n_peaks > 0
    assert result.record.threshold == 0.6
    drawn = {c: _values(result.files[0], c) for c in genome.chrom_sizes}
    for row in rows:
        start, end, signal, summit = (
            int(row[1]),
            int(row[2]),
            float(row[6]),
            int(row[9]),
        )
        inside = {s: v for s, (_, v) in drawn[row[0]].items() if start <= s < end}
        assert max(inside.values()) == pytest.approx(signal, abs=1e-4)
        assert signal >= 0.6
        assert int(row[4]) == pytest.approx(1000 * signal**0.5, abs=1)
        assert inside[start + summit - STRIDE // 2] == pytest.approx(signal, abs=1e-4)


def test_without_peaks_there_is_no_bigbed_not_even_an_older_one(tmp_path, genome):
    (with_peaks, _), _ = _run(_job(tmp_path, genome, threshold=0.6), genome)
    assert (tmp_path / "out" / "CTCF.K562.bb") in with_peaks.files
    (without, _), _ = _run(_job(tmp_path, genome, threshold=1.0), genome)
    assert without.record.n_peaks == 0
    assert not (tmp_path / "out" / "CTCF.K562.bb").exists()
    assert (tmp_path / "out" / "CTCF.K562.narrowPeak").read_text().count("\n") == 1


def test_a_second_run_keeps_what_is_whole_and_mends_what_is_not(tmp_path, genome):
    job = _job(tmp_path, genome)
    first, _ = _run(job, genome)
    again, bases = _run(job, genome)
    assert [r.reused for r in again] == [True, True]
    assert bases == 0
    assert [(r.files, r.record.n_peaks) for r in again] == [
        (r.files, r.record.n_peaks) for r in first
    ]
    content = first[0].files[0].read_bytes()
    first[0].files[0].write_bytes(content[:-1] + b"x")
    mended, _ = _run(job, genome)
    assert [r.reused for r in mended] == [False, True]
    assert first[0].files[0].read_bytes() == content


@pytest.mark.parametrize(
    "change",
    [
        {"stride": 30},
        {"threshold": 0.3},
        {"seed": 5},
        {"fast": True},
        {"regions": [Region("chr1", 0, 2000)]},
        {"options": TrackOptions(formats=("bigwig", "bed", "bigbed", "bedgraph"))},
        {"options": TrackOptions(bin_size=40)},
        {"options": TrackOptions(max_zooms=1)},
    ],
)
def test_a_change_of_any_input_computes_again(tmp_path, genome, change):
    _run(_job(tmp_path, genome), genome)
    if "seed" in change:
        change = {"model": make_model(tmp_path, **change)}
    results, _ = _run(_job(tmp_path, genome, **change), genome)
    assert [r.reused for r in results] == [False, False]


@pytest.mark.parametrize(
    "change",
    [
        {"model": "renamed"},
        {"device": "cpu:1"},
        {"threads": 3},
        {"options": TrackOptions(bin_size=STRIDE)},
        {"options": TrackOptions(formats=("bigbed", "bed", "bigwig"))},
    ],
)
def test_what_changes_no_score_computes_nothing_again(tmp_path, genome, change):
    """Names of files, the number of a device, threads, defaults written out."""
    job = _job(tmp_path, genome)
    _run(job, genome)
    if "model" in change:
        renamed = tmp_path / "renamed.safetensors"
        (tmp_path / "toy.safetensors").rename(renamed)
        change = {"model": load_model(renamed)}
        assert change["model"].name != job.model.name
    results, bases = _run(
        _job(tmp_path, genome, **{"model": job.model, **change}), genome
    )
    assert [r.reused for r in results] == [True, True]
    assert bases == 0


def test_a_renamed_fasta_computes_nothing_again(tmp_path, genome):
    _run(_job(tmp_path, genome), genome)
    other = tmp_path / "other.fa"
    other.write_bytes((tmp_path / "toy.fa").read_bytes())
    with open_genome(other) as renamed:
        results, _ = _run(_job(tmp_path, renamed), renamed)
    assert [r.reused for r in results] == [True, True]


def test_the_receipt_lists_inputs_and_files(tmp_path, genome):
    (result, _), _ = _run(_job(tmp_path, genome), genome)
    receipt = json.loads(result.files[-1].read_text())
    assert receipt["digest"] == result.record.digest
    assert receipt["record"]["sequence"].startswith("sha256:")
    assert receipt["record"]["pair"] == ["CTCF", "K562"]
    assert receipt["record"]["status"] == "imputed"
    assert [o["name"] for o in receipt["outputs"]] == [
        f.name for f in result.files[:-1]
    ]


def test_regions_without_a_tile_are_refused(tmp_path, genome):
    with pytest.raises(RegionError, match="no tile of 60 bp fits chr1:1-20"):
        _run(_job(tmp_path, genome, regions=[Region("chr1", 0, 20)]), genome)


@given(st.integers(1, 90), st.integers(60, 400), st.data())
def test_tiles_of_any_regions_are_whole_and_come_once(stride, size, data):
    edges = data.draw(
        st.lists(st.integers(0, size), min_size=2, max_size=8, unique=True)
    )
    edges = sorted(edges)[: len(edges) // 2 * 2]
    regions = [Region("c", a, b) for a, b in zip(edges[::2], edges[1::2], strict=True)]
    try:
        ranges = plan_tiles(regions, {"c": size}, 60, stride)
    except RegionError:
        ranges = []
    starts = [r.first + i * stride for r in ranges for i in range(r.n_tiles)]
    offset = (60 - stride) // 2
    expected = [
        s
        for s in range(0, size - 59, stride)
        if any(s + offset < r.end and s + offset + stride > r.start for r in regions)
    ]
    assert starts == expected


def _interrupt_after(n):
    done = []

    def progress(bases):
        done.append(bases)
        if len(done) == n:
            raise KeyboardInterrupt

    return progress


def test_an_interrupted_scan_resumes_and_ends_as_if_it_had_not_been(
    tmp_path, genome, monkeypatch
):
    whole, _ = _run(_job(tmp_path, genome, out_dir=tmp_path / "whole"), genome)
    scored = []
    score = Scorer.features
    monkeypatch.setattr(
        Scorer,
        "features",
        lambda self, *args: scored.append(1) or score(self, *args),
    )
    job = _job(tmp_path, genome, threads=2, block_size=16)
    with pytest.raises(KeyboardInterrupt):
        list(run_scan(job, genome, _interrupt_after(6)))
    assert not list(tmp_path.glob("out/*.bw"))
    (left,) = tmp_path.glob("out/.unfinished-*")
    n_first = len(scored)
    results, _ = _run(job, genome)
    n_blocks = -(-147 // 16) + -(-48 // 16)
    assert len(scored) - n_first <= n_blocks - 6
    for result, expected in zip(results, whole, strict=True):
        for path, other in zip(result.files[:-1], expected.files[:-1], strict=True):
            assert path.read_bytes() == other.read_bytes()
    assert not left.exists()


def test_another_pair_s_interrupted_scan_is_not_resumed(tmp_path, genome):
    with pytest.raises(KeyboardInterrupt):
        list(
            run_scan(_job(tmp_path, genome, block_size=16), genome, _interrupt_after(4))
        )
    other, _ = _run(_job(tmp_path, genome, pairs=PAIRS[:1], block_size=16), genome)
    expected, _ = _run(
        _job(tmp_path, genome, pairs=PAIRS[:1], out_dir=tmp_path / "x"), genome
    )
    assert other[0].files[0].read_bytes() == expected[0].files[0].read_bytes()


@pytest.mark.parametrize(
    "changes", [{"threads": 3}, {"cache": True}, {"block_size": 7}]
)
def test_threads_cache_and_blocks_change_no_byte(tmp_path, genome, changes):
    expected, _ = _run(_job(tmp_path, genome, out_dir=tmp_path / "plain"), genome)
    if "cache" in changes:
        changes["cache"] = FeatureCache(tmp_path / "cache", 10**9)
    for _ in range(2):
        results, _ = _run(_job(tmp_path, genome, overwrite=True, **changes), genome)
        for result, other in zip(results, expected, strict=True):
            for path, same in zip(result.files[:-1], other.files[:-1], strict=True):
                assert path.read_bytes() == same.read_bytes()


def test_a_scan_interrupted_while_writing_scores_nothing_twice(
    tmp_path, genome, monkeypatch
):
    job = _job(tmp_path, genome, block_size=16)
    run = run_scan(job, genome, lambda n: None)
    next(run)
    run.close()  # the first pair is written, the second is not
    (left,) = tmp_path.glob("out/.unfinished-*")

    def never(self, *args):
        raise AssertionError("scored again")

    monkeypatch.setattr(Scorer, "features", never)
    results, _ = _run(job, genome)
    assert [result.reused for result in results] == [True, False]
    assert not left.exists()
