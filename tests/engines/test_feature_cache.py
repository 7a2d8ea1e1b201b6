"""The tile cache: the same scores with and without it, and nothing that can hurt."""

import os
import threading

import numpy as np
import pytest

from tfimpute_tracks.engines.feature_cache import FeatureCache
from tfimpute_tracks.engines.scorer import Scorer
from tfimpute_tracks.engines.tiles import TileRange
from tfimpute_tracks.genome import open_genome
from tfimpute_tracks.tracks.scan import scan_blocks
from toys import CONFIG, make_model, random_letters, write_fasta

RANGES = [TileRange("chr1", 0, 140)]
STRIDE = 20


@pytest.fixture
def genome(tmp_path, rng):
    letters = {
        "chr1": random_letters(rng, 1500) + "N" * 200 + random_letters(rng, 1300)
    }
    with open_genome(write_fasta(tmp_path / "toy.fa", letters)) as opened:
        yield opened


def _scores(model, genome, cache, pair="CTCF:K562", n_threads=1, **how):
    scorer = Scorer(model, [pair], STRIDE, cache=cache, **how)
    blocks = scan_blocks(scorer, genome, RANGES, n_threads, block_size=32)
    return np.concatenate([block.scores for block in blocks])


@pytest.mark.parametrize("fast", [False, True])
def test_cold_warm_and_no_cache_are_the_same_bit_for_bit(tmp_path, genome, fast):
    model = make_model(tmp_path)
    cache = FeatureCache(tmp_path / "cache", 10**9)
    for pair in ("CTCF:K562", "MAX:HepG2"):
        without = _scores(model, genome, None, pair, fast=fast)
        assert np.isnan(without).any()
        for n_threads in (1, 3):
            with_cache = _scores(model, genome, cache, pair, n_threads, fast=fast)
            np.testing.assert_array_equal(with_cache, without)
    assert (cache.misses, cache.hits) == (5, 15)
    assert cache.state().files == 5


def test_what_features_depend_on_is_not_mixed_up(tmp_path, genome):
    cache = FeatureCache(tmp_path / "cache", 10**9)
    model, other = make_model(tmp_path), make_model(tmp_path / "..", seed=3)
    exact = _scores(model, genome, cache)
    assert not np.array_equal(_scores(other, genome, cache), exact)
    assert not np.array_equal(_scores(model, genome, cache, fast=True), exact)
    assert (cache.hits, cache.misses) == (0, 15)


@pytest.mark.parametrize("damage", ["cut", "flip", "empty", "foreign"])
def test_a_damaged_file_counts_as_missing_and_is_replaced(tmp_path, genome, damage):
    model, cache = make_model(tmp_path), FeatureCache(tmp_path / "cache", 10**9)
    expected = _scores(model, genome, cache)
    paths = sorted((tmp_path / "cache").glob("*/*.h5"))
    content = paths[0].read_bytes()
    paths[0].write_bytes(
        {
            "cut": content[: len(content) // 2],
            "flip": content[:-40] + bytes([content[-40] ^ 255]) + content[-39:],
            "empty": b"",
            "foreign": paths[1].read_bytes(),
        }[damage]
    )
    again = FeatureCache(tmp_path / "cache", 10**9)
    np.testing.assert_array_equal(_scores(model, genome, again), expected)
    third = FeatureCache(tmp_path / "cache", 10**9)
    np.testing.assert_array_equal(_scores(model, genome, third), expected)
    assert third.misses == 0


def test_what_was_used_least_recently_goes_first(tmp_path, genome):
    model, cache = make_model(tmp_path), FeatureCache(tmp_path / "cache", 10**9)
    _scores(model, genome, cache)
    paths = sorted((tmp_path / "cache").glob("*/*.h5"))
    for age, path in enumerate(paths):
        os.utime(path, (10_000 - age, 10_000 - age))
    total = cache.state().size
    oldest = paths[-1].stat().st_size
    removed = cache.prune(total - 1)
    assert removed == (1, oldest)
    assert not paths[-1].exists()
    assert all(path.exists() for path in paths[:-1])


def test_reading_a_block_makes_it_recent(tmp_path, genome):
    model, cache = make_model(tmp_path), FeatureCache(tmp_path / "cache", 10**9)
    _scores(model, genome, cache)
    paths = list((tmp_path / "cache").glob("*/*.h5"))
    for path in paths:
        os.utime(path, (10, 10))
    _scores(model, genome, cache)
    assert min(path.stat().st_mtime for path in paths) > 10**6


def test_the_cache_stays_below_its_limit(tmp_path, genome):
    model = make_model(tmp_path)
    roomy = FeatureCache(tmp_path / "roomy", 10**9)
    expected = _scores(model, genome, roomy)
    limit = roomy.state().size // 2
    tight = FeatureCache(tmp_path / "tight", limit)
    np.testing.assert_array_equal(_scores(model, genome, tight), expected)
    assert 0 < tight.state().size <= limit
    # A genome that does not fit: its first blocks stay, and the next run finds them.
    again = FeatureCache(tmp_path / "tight", limit)
    np.testing.assert_array_equal(_scores(model, genome, again), expected)
    assert again.hits == tight.state().files > 0
    assert FeatureCache(tmp_path / "roomy", 10**9).prune(0).files == 5
    assert roomy.state() == (0, 0)


@pytest.mark.parametrize("n_threads", [1, 3])
def test_a_full_disk_costs_one_warning(small_disk, tmp_path, genome, caplog, n_threads):
    model, disk = make_model(tmp_path), small_disk(1 << 14)
    cache = FeatureCache(disk / "cache", 10**9)
    expected = _scores(model, genome, None)
    scores = _scores(model, genome, cache, n_threads=n_threads)
    np.testing.assert_array_equal(scores, expected)
    assert len(caplog.messages) == 1
    assert "disk full" in caplog.text


def test_a_folder_that_cannot_be_written_costs_only_speed(tmp_path, genome, caplog):
    model = make_model(tmp_path)
    (tmp_path / "cache").write_text("a file where the folder should be")
    cache = FeatureCache(tmp_path / "cache", 10**9)
    expected = _scores(model, genome, None)
    np.testing.assert_array_equal(_scores(model, genome, cache), expected)
    assert len(caplog.messages) == 1


def test_blocks_that_cannot_be_removed_cost_one_warning(tmp_path, genome, caplog):
    model, folder = make_model(tmp_path), tmp_path / "cache"
    expected = _scores(model, genome, None)
    (folder / "aa" / "a.h5").mkdir(parents=True)  # `unlink` refuses a folder
    os.utime(folder / "aa" / "a.h5", (0, 0))
    full = FeatureCache(folder, 10**9)
    _scores(make_model(tmp_path / "..", seed=3), genome, full)
    scores = _scores(model, genome, FeatureCache(folder, full.state().size))
    np.testing.assert_array_equal(scores, expected)
    assert len(caplog.messages) == 1


def test_what_a_killed_writer_left_is_removed_in_time(tmp_path, genome):
    model, cache = make_model(tmp_path), FeatureCache(tmp_path / "cache", 10**9)
    _scores(model, genome, cache)
    folder = next((tmp_path / "cache").glob("??"))
    old, new = folder / ".a.h5.1-aa.tmp", folder / ".b.h5.1-bb.tmp"
    for path in (old, new):
        path.write_bytes(b"half")
    os.utime(old, (10, 10))
    cache.prune()
    assert (old.exists(), new.exists()) == (False, True)
    cache.prune(0)
    assert not new.exists()


def test_writers_and_readers_at_once_agree(tmp_path, genome):
    model = make_model(tmp_path)
    expected = _scores(model, genome, None)
    results = {}

    def work(i):
        cache = FeatureCache(tmp_path / "cache", 10**9)
        results[i] = _scores(model, genome, cache, n_threads=2)

    threads = [threading.Thread(target=work, args=(i,)) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(results) == 4
    for scores in results.values():
        np.testing.assert_array_equal(scores, expected)


def test_the_model_of_the_toy_has_an_odd_last_block():
    assert 140 % 32 != 0
    assert CONFIG.seq_len + 139 * STRIDE <= 3000
