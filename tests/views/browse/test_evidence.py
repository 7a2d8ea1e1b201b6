"""With tracks to go by, a scan, a bulk run and the live page say the same."""

import numpy as np
import pytest

from evidence_toys import give_tracks
from tfimpute_tracks.engines.scorer import Scorer
from tfimpute_tracks.engines.tiles import TileRange, read_codes
from tfimpute_tracks.genome import Region, open_genome
from tfimpute_tracks.kernels.products import sigmoid
from tfimpute_tracks.tracks import scan_region
from tfimpute_tracks.views.browse import LiveScores


@pytest.fixture
def given(toy, tmp_path, rng):
    model, fasta, _ = toy
    with open_genome(fasta) as genome:
        yield give_tracks(model, tmp_path, rng, genome.chrom_sizes), model, genome


def test_tracks_change_scores_and_a_region_is_a_slice(given, monkeypatch):
    model, letters, genome = given
    pairs = model.vocabulary.all_pairs()
    _, whole = scan_region(model, genome, "chr1", 0, 4000, pairs, 20)
    _, alone = scan_region(letters, genome, "chr1", 0, 4000, pairs, 20)
    assert np.nanmax(np.abs(whole - alone)) > 0.2
    np.testing.assert_array_equal(np.isnan(whole), np.isnan(alone))
    monkeypatch.setattr(Scorer, "max_logits", 12 * 7)  # few tiles at a time
    _, part = scan_region(model, genome, "chr1", 1000, 3000, pairs, 20)
    np.testing.assert_array_equal(part, whole[50 : 50 + len(part)])


def test_a_bulk_run_says_what_a_scan_says(given):
    model, _, genome = given
    pairs = model.vocabulary.all_pairs()
    _, whole = scan_region(model, genome, "chr1", 0, 4000, pairs, 20)
    scorer = Scorer(model, pairs, 20)
    tiles = TileRange("chr1", 400, 60)
    features = scorer.features(read_codes(genome, tiles, scorer.grid), tiles)
    for first, n in ((0, len(pairs)), (3, 5)):
        some = scorer.for_pairs(pairs[first : first + n])
        found = sigmoid(some.logits(features))
        known = ~np.isnan(whole[20:80, 0])
        expected = whole[20:80, first : first + n]
        np.testing.assert_allclose(found[known], expected[known], atol=1e-6)


def test_the_browser_page_says_what_a_scan_says(given):
    model, _, genome = given
    pair = model.vocabulary.pair("MAX:HepG2")
    stride = model.config.stride
    _, whole = scan_region(model, genome, "chr1", 0, 4000, [pair], stride)
    live = LiveScores(model, genome)
    values = live.signal(pair, "probability", Region("chr1", 0, 4000)).values
    np.testing.assert_allclose(values, whole[:, 0], atol=1e-6)


def test_where_tracks_are_empty_a_scan_is_that_of_sequence(given):
    model, letters, genome = given
    pairs = ["CTCF:K562", "EP300:H1-hESC"]
    codes = genome.codes("chr1", 0, 2000)
    for chrom in ("chr20", "chr9"):
        tiles = TileRange(chrom, 0, 40)
        scores = [
            Scorer(some, pairs).score(codes[: 40 * 20 + 40], tiles)
            for some in (model, letters)
        ]
        np.testing.assert_array_equal(*scores)
