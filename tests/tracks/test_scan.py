"""A scan gives what the plain network gives, tile by tile, whatever the blocks."""

import numpy as np
import pytest

from tfimpute_tracks.engines.scorer import Scorer
from tfimpute_tracks.engines.tiles import TileRange
from tfimpute_tracks.errors import RegionError, UsageError
from tfimpute_tracks.genome import open_genome
from tfimpute_tracks.kernels.encode import encode
from tfimpute_tracks.tracks import scan_region
from tfimpute_tracks.tracks.scan import scan_blocks
from toys import CONFIG, VOCABULARY, make_model, random_letters, write_fasta

PAIRS = ["CTCF:K562", "MAX:HepG2", "EP300:GM12878"]


@pytest.fixture
def genome(tmp_path, rng):
    letters = {
        "chr1": random_letters(rng, 3000, "ACGTacgt"),
        "chr20": random_letters(rng, 700)
        + "N" * 400
        + random_letters(rng, 500, "ACGTNR"),
    }
    path = write_fasta(tmp_path / "toy.fa", letters)
    with open_genome(path) as opened:
        yield opened, letters


def _plain(model, text, start, end, stride):
    starts = np.arange(start, end - CONFIG.seq_len + 1, stride)
    tiles = np.stack([encode(text[s : s + CONFIG.seq_len]) for s in starts])
    scores = model.predict(tiles, PAIRS)
    scores[(tiles == 4).sum(axis=1) > CONFIG.seq_len / 2] = np.nan
    return starts, scores


@pytest.mark.parametrize("stride", [13, 20, 100])
def test_a_scan_equals_the_network_on_each_tile(tmp_path, genome, stride):
    model = make_model(tmp_path)
    opened, letters = genome
    for chrom, start, end in [("chr1", 0, 3000), ("chr20", 17, 1590)]:
        starts, scores = scan_region(model, opened, chrom, start, end, PAIRS, stride)
        expected_starts, expected = _plain(model, letters[chrom], start, end, stride)
        np.testing.assert_array_equal(starts, expected_starts)
        assert starts.dtype == np.int64
        assert scores.dtype == np.float32
        np.testing.assert_allclose(scores, expected, atol=1e-5)
        assert np.isnan(scores).any() == (chrom == "chr20")


@pytest.mark.parametrize("fast", [False, True])
def test_neither_blocks_nor_threads_change_a_bit(tmp_path, genome, fast):
    model, ranges = make_model(tmp_path), [TileRange("chr20", 0, 78)]

    def scores(tiles_per_block, n_threads, pairs):
        scorer = Scorer(model, pairs, 20, fast=fast)
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


def test_a_path_and_a_name_without_chr_will_do(tmp_path, genome):
    model = make_model(tmp_path)
    opened, _ = genome
    a = scan_region(model, opened.path, "1", 100, 500, PAIRS)
    b = scan_region(model, opened, "chr1", 100, 500, PAIRS, CONFIG.pool)
    np.testing.assert_array_equal(a[1], b[1])


def test_a_region_shorter_than_a_tile_has_no_tile(tmp_path, genome):
    starts, scores = scan_region(make_model(tmp_path), genome[0], "chr1", 0, 59, PAIRS)
    assert starts.shape == (0,)
    assert scores.shape == (0, 3)


@pytest.mark.parametrize(("start", "end"), [(-1, 100), (5, 5), (0, 3001)])
def test_a_region_outside_names_the_length(tmp_path, genome, start, end):
    with pytest.raises(RegionError, match="3000 bp"):
        scan_region(make_model(tmp_path), genome[0], "chr1", start, end, PAIRS)


def test_no_pair_and_no_stride_are_refused(tmp_path, genome):
    model = make_model(tmp_path)
    with pytest.raises(UsageError, match="no pair"):
        scan_region(model, genome[0], "chr1", 0, 500, [])
    with pytest.raises(UsageError, match="stride 0"):
        scan_region(model, genome[0], "chr1", 0, 500, PAIRS, 0)
