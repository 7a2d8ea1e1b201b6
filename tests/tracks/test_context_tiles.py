"""Models that look around: every tile scores as the network does on all it depends on.

The network reads the letters about a tile, N past the ends of the chromosome, one tile
after the other; scans, whatever their blocks, threads, cache and regions, must agree.
"""

from dataclasses import replace

import numpy as np
import pybigtools
import pytest

from tfimpute_tracks.engines.feature_cache import FeatureCache
from tfimpute_tracks.engines.scorer import Scorer
from tfimpute_tracks.engines.tiles import TileRange, read_codes
from tfimpute_tracks.genome import Region, open_genome, read_past_ends
from tfimpute_tracks.kernels.encode import encode
from tfimpute_tracks.tracks import (
    ScanJob,
    run_scan,
    run_selfcheck,
    scan_region,
)
from tfimpute_tracks.tracks.scan import scan_blocks
from tfimpute_tracks.vocabulary import Pair
from toys import AROUND, DEEP, VOCABULARY, make_model, random_letters, write_fasta

PAIRS = [Pair("CTCF", "K562"), Pair("MAX", "HepG2"), Pair("EP300", "GM12878")]
CONFIGS = pytest.mark.parametrize(
    "config", [AROUND, replace(DEEP, context_tiles=2)], ids=["plain", "deep"]
)


@pytest.fixture
def genome(tmp_path, rng):
    """Four chromosomes: with a gap, with odd letters, and two shorter than the halo."""
    letters = {
        "chr1": random_letters(rng, 700)
        + "N" * 210
        + random_letters(rng, 480, "ACGTacgt"),
        "chr2": random_letters(rng, 600, "ACGTACGTNR"),
        "chr3": random_letters(rng, 75),
        "chr4": random_letters(rng, 59),
    }
    with open_genome(write_fasta(tmp_path / "toy.fa", letters)) as opened:
        yield opened, letters


def _plain(model, text, starts, pairs=PAIRS):
    config = model.config
    past = "N" * config.flank
    padded = past + text + past
    spans = np.stack([encode(padded[s : s + config.receptive_field]) for s in starts])
    scores = model.predict(spans, pairs)
    tiles = spans[:, config.flank :][:, : config.seq_len]
    scores[2 * (tiles == 4).sum(axis=1) > config.seq_len] = np.nan
    return scores


@CONFIGS
@pytest.mark.parametrize("stride", [13, 20, 100])
def test_every_tile_of_a_genome(tmp_path, genome, config, stride):
    model = make_model(tmp_path, config=config)
    opened, letters = genome
    assert len(letters["chr3"]) < config.flank
    for chrom, text in letters.items():
        starts, scores = scan_region(model, opened, chrom, 0, len(text), PAIRS, stride)
        assert len(starts) == max(0, (len(text) - config.seq_len) // stride + 1)
        if chrom == "chr4":
            continue  # shorter than a tile
        expected = _plain(model, text, starts)
        np.testing.assert_allclose(scores, expected, atol=1e-5)
        assert np.isnan(scores).any() == (chrom == "chr1")
        # And what is around matters.
        alone = model.predict([text[s : s + config.seq_len] for s in starts], PAIRS)
        assert np.nanmax(np.abs(scores - alone)) > 0.02


@CONFIGS
def test_a_region_s_scores_are_those_of_its_chromosome(tmp_path, genome, config):
    model = make_model(tmp_path, config=config)
    opened, letters = genome
    size = len(letters["chr1"])
    _, whole = scan_region(model, opened, "chr1", 0, size, PAIRS, 20)
    for first, end in ((0, 61), (20, 400), (640, 1000), (1300, size)):
        starts, some = scan_region(model, opened, "chr1", first, end, PAIRS, 20)
        np.testing.assert_array_equal(some, whole[starts // 20])
    # Off the chromosome's grid, too, what is around the region is read.
    starts, some = scan_region(model, opened, "chr1", 333, 444, PAIRS, 20)
    np.testing.assert_allclose(some, _plain(model, letters["chr1"], starts), atol=1e-5)


def _tracks(model, genome, folder, **changes):
    regions = [Region(c, 0, n) for c, n in genome.chrom_sizes.items() if n >= 60]
    fields = {"model": model, "pairs": PAIRS, "regions": regions, "stride": 20}
    job = ScanJob(**fields | changes, out_dir=folder)
    results = list(run_scan(job, genome, lambda _: None))
    tracks = []
    for result in results:
        with pybigtools.open(str(result.files[0])) as file:
            tracks.append({c: list(file.records(c)) for c in file.chroms()})
    return results, tracks


def test_a_region_s_track_is_a_slice_of_its_chromosome_s(tmp_path, genome):
    model = make_model(tmp_path, config=AROUND)
    _, whole = _tracks(model, genome[0], tmp_path / "whole")
    region = Region("chr1", 333, 1200)
    _, part = _tracks(model, genome[0], tmp_path / "part", regions=[region], threads=2)
    for all_, some in zip(whole, part, strict=True):
        expected = [r for r in all_["chr1"] if r[0] < 1200 and r[1] > 333]
        assert some["chr1"] == expected
        assert len(expected) > 20


def test_a_base_of_the_halo_is_a_base_of_the_track(tmp_path, genome):
    """Tracks are kept when the command is given again, unless it would give others."""
    model = make_model(tmp_path, config=AROUND)
    opened, letters = genome
    regions = [Region("chr1", 300, 500)]
    _tracks(model, opened, tmp_path / "out", regions=regions)

    def changed(at):
        text = letters["chr1"]
        other = "A" if text[at] != "A" else "C"
        path = tmp_path / f"{at}.fa"
        write_fasta(path, letters | {"chr1": text[:at] + other + text[at + 1 :]})
        with open_genome(path) as genome:
            results, _ = _tracks(model, genome, tmp_path / "out", regions=regions)
        return not results[0].reused

    # Tiles of the region start at 280 and end at 540; the halo has 80 more.
    assert [changed(at) for at in (199, 620)] == [False, False]
    assert changed(200)
    assert changed(619)


@pytest.mark.parametrize("fast", [False, True])
@pytest.mark.parametrize("stride", [13, 20])
def test_neither_blocks_nor_threads_change_a_bit(
    tmp_path, genome, monkeypatch, fast, stride
):
    model = make_model(tmp_path, config=AROUND)
    ranges = [TileRange("chr1", 0, 1300 // stride), TileRange("chr3", 0, 1)]

    def scores(tiles_per_block, n_threads, pairs):
        scorer = Scorer(model, pairs, stride, fast=fast)
        blocks = scan_blocks(
            scorer, genome[0], ranges, n_threads, block_size=tiles_per_block
        )
        return np.concatenate([block.scores for block in blocks])

    for pairs in (PAIRS[:1], VOCABULARY.all_pairs() * 6):
        whole = scores(8192, 1, pairs)
        assert len(np.unique(whole)) > 50
        for tiles_per_block, n_threads in [(7, 1), (1, 3), (30, 2)]:
            parts = scores(tiles_per_block, n_threads, pairs)
            np.testing.assert_array_equal(parts, whole)
        with monkeypatch.context() as patch:
            patch.setattr(Scorer, "max_logits", 5 * len(pairs))
            np.testing.assert_array_equal(scores(8192, 1, pairs), whole)


@CONFIGS
@pytest.mark.parametrize("stride", [13, 20])
def test_cold_and_warm_cache_are_the_same_bit_for_bit(tmp_path, genome, config, stride):
    model = make_model(tmp_path, config=config)
    alone = make_model(tmp_path / "..", config=replace(config, context_tiles=0))
    cache = FeatureCache(tmp_path / "cache", 10**9)
    ranges = [TileRange("chr1", 0, 1300 // stride)]

    def scores(model, pair, cache=None, n_threads=1):
        scorer = Scorer(model, [pair], stride, cache=cache)
        blocks = scan_blocks(scorer, genome[0], ranges, n_threads, block_size=32)
        return np.concatenate([block.scores for block in blocks])

    scores(alone, PAIRS[0], cache)  # the same filters, read without a halo
    for pair in PAIRS[:2]:
        without = scores(model, pair)
        assert np.isnan(without).any()
        for n_threads in (1, 3):
            kept = scores(model, pair, cache, n_threads)
            np.testing.assert_array_equal(kept, without)
    n_blocks = -(-ranges[0].n_tiles // 32)
    assert (cache.misses, cache.hits) == (2 * n_blocks, 3 * n_blocks)


@pytest.mark.parametrize(("start", "end"), [(-7, 20), (-30, 110), (60, 82), (80, 99)])
def test_bases_past_the_ends_are_unknown(genome, start, end):
    opened, letters = genome
    codes = read_past_ends(opened, "chr3", start, end)
    text = "N" * 50 + letters["chr3"] + "N" * 50
    np.testing.assert_array_equal(codes, encode(text[50 + start : 50 + end]))


def test_all_that_scores_depend_on_is_read(tmp_path, genome):
    grid = Scorer(make_model(tmp_path, config=AROUND), PAIRS, 13).grid
    codes = read_codes(genome[0], TileRange("chr3", 13, 1), grid)
    text = "N" * 67 + genome[1]["chr3"] + "N" * 78
    np.testing.assert_array_equal(codes, encode(text))


@CONFIGS
def test_the_self_test_looks_around_as_well(tmp_path, config):
    model = make_model(tmp_path, config=config)
    records = run_selfcheck(model, n_bases=4_000)
    records = [record for record in records if record.engine[:3] == "cpu"]
    assert {record.stride for record in records} == {config.stride, 37}
    for record in records:
        assert record.difference <= record.tolerance, record
    lengths = {
        (record.tiles - 1) * record.stride + config.receptive_field
        for record in records
    }
    assert max(lengths) <= 4_000 < min(lengths) + 100
