"""Short blocks scored together: the same scores, few tasks, few files of the cache."""

import numpy as np
import pytest

from tfimpute_tracks.engines.feature_cache import FeatureCache
from tfimpute_tracks.engines.packs import group_blocks, split_rows
from tfimpute_tracks.engines.scorer import Scorer
from tfimpute_tracks.engines.tiles import TileRange, plan_tiles, read_codes
from tfimpute_tracks.genome import Region, open_genome
from tfimpute_tracks.kernels.products import sigmoid
from tfimpute_tracks.models.config import RecurrentConfig
from tfimpute_tracks.tracks.scan import scan_blocks
from toys import AROUND, DEEP, make_model, random_letters, write_fasta

PAIRS = ["CTCF:K562", "MAX:HepG2"]
GRU = RecurrentConfig(
    seq_len=60, filter_length=8, n_filters=32, pool=13, recurrent_units=16
)


@pytest.fixture
def contigs(tmp_path, rng):
    sizes = [60, 61, 139, 800, 140, 77, 2000, 66, 64]
    sequences = {f"s{i}": random_letters(rng, n) for i, n in enumerate(sizes)}
    sequences["s4"] = sequences["s4"][:20] + "N" * 90 + sequences["s4"][110:]
    with open_genome(write_fasta(tmp_path / "many.fa", sequences), tmp_path) as genome:
        yield genome


def _ranges(genome, seq_len, stride):
    sizes = dict(genome.chrom_sizes)
    regions = [Region(chrom, 0, size) for chrom, size in sizes.items()]
    return plan_tiles(regions, sizes, seq_len, stride)


@pytest.mark.parametrize("config", [None, AROUND, DEEP, GRU])
@pytest.mark.parametrize("size", [5, 40, 4000])
def test_packed_blocks_have_the_same_scores(tmp_path, contigs, config, size):
    model = make_model(tmp_path, **({"config": config} if config else {}))
    scorer = Scorer(model, PAIRS)
    ranges = _ranges(contigs, model.config.seq_len, scorer.stride)
    found = list(scan_blocks(scorer, contigs, ranges, block_size=size))
    scored = [tiles for block in found for tiles in block.ranges]
    assert sum(tiles.n_tiles for tiles in scored) == sum(t.n_tiles for t in ranges)
    for block in found:
        assert len(block.scores) == block.n_tiles
        for tiles, rows in split_rows(block.ranges):
            codes = read_codes(contigs, tiles, scorer.grid)
            expected = sigmoid(scorer.score(codes, tiles))
            np.testing.assert_array_equal(block.scores[rows], expected)
    known = {block[:2] for block in found[::2]}
    again = list(scan_blocks(scorer, contigs, ranges, known=known, block_size=size))
    assert [block[:2] for block in again] == [block[:2] for block in found]
    for one, other in zip(found, again, strict=True):
        if one[:2] in known:
            assert other.scores is None
        else:
            np.testing.assert_array_equal(one.scores, other.scores)


def test_packed_blocks_share_a_file_of_the_cache(tmp_path, contigs):
    model = make_model(tmp_path)
    cache = FeatureCache(tmp_path / "cache", 1 << 30)
    scorer = Scorer(model, PAIRS, cache=cache)
    ranges = _ranges(contigs, model.config.seq_len, scorer.stride)
    before, after = (list(scan_blocks(scorer, contigs, ranges)) for _ in range(2))
    assert (cache.misses, cache.hits, cache.state().files) == (1, 1, 1)
    for one, other in zip(before, after, strict=True):
        np.testing.assert_array_equal(one.scores, other.scores)


def test_long_blocks_stay_alone(toy_grid):
    blocks = [TileRange("a", 0, n) for n in (1100, 1000, 10, 10, 5000, 3, 4)]
    groups = list(group_blocks(blocks, toy_grid, 2000))
    assert [len(group) for group in groups] == [1, 3, 1, 2]
    assert [tiles for group in groups for tiles in group] == blocks


@pytest.fixture
def toy_grid(tmp_path):
    return Scorer(make_model(tmp_path), PAIRS).grid
