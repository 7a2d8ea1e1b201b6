"""Short contigs share shards; what is read of them is what each alone would hold."""

import numpy as np
import pytest
from stored import log_odds

from tfimpute_tracks.engines.tiles import TileRange, cut_parts
from tfimpute_tracks.errors import RegionError
from tfimpute_tracks.genome import Region, open_genome
from tfimpute_tracks.impute import BulkJob, prepare_bulk
from tfimpute_tracks.impute.estimate import _warm_up
from tfimpute_tracks.impute.plan import ShardSize, make_plan
from tfimpute_tracks.impute.plan_file import write_plan
from tfimpute_tracks.impute.query import rank_pairs
from tfimpute_tracks.impute.store import Store
from tfimpute_tracks.impute.worker import WorkerSpec, open_worker
from tfimpute_tracks.models import load_model
from toys import AROUND, random_letters, write_fasta, write_model


def _made(folder, fasta, weights, tiles):
    model = load_model(weights)
    with open_genome(fasta) as genome:
        regions = [Region(c, 0, size) for c, size in genome.chrom_sizes.items()]
        pairs = model.vocabulary.all_pairs()
        size = ShardSize(tiles, 5)
        plan = make_plan(model, pairs, regions, genome, 20, shard_size=size)
        job = BulkJob(plan, WorkerSpec(folder, str(weights), fasta, None), ["cpu"])
        cost = prepare_bulk(job, model, genome).cost
        assert cost.n_bytes > 0
    (folder / "shards").mkdir(parents=True)
    write_plan(folder, plan)
    worker = open_worker(WorkerSpec(folder, str(weights), fasta, None))
    for shard in worker.plan.shards:
        worker.make(shard.number, lambda _: None)
    return Store(folder)


@pytest.mark.slow
@pytest.mark.parametrize("config", [None, AROUND])
def test_short_contigs_share_shards(tmp_path, rng, config):
    sizes = [61, 300, 999, 4000, 77, 120, 640, 64, 63]
    sequences = {f"s{i}": random_letters(rng, n) for i, n in enumerate(sizes)}
    sequences["s1"] = sequences["s1"][:90] + "N" * 130 + sequences["s1"][220:]
    fasta = write_fasta(tmp_path / "many.fa", sequences)
    changes = {"config": config} if config else {}
    weights = write_model(tmp_path / "toy.safetensors", **changes)
    packed = _made(tmp_path / "packed", fasta, weights, 200)
    alone = _made(tmp_path / "alone", fasta, weights, 3)
    ranges = [len(block.ranges) for block in packed.plan.blocks]
    assert ranges == [3, 1, 5]
    assert packed.plan.n_tiles == alone.plan.n_tiles
    assert sum(packed.plan.n_known) == sum(alone.plan.n_known)
    assert (packed.peak_counts() == alone.peak_counts()).all()
    for pair in packed.plan.pairs[::4]:
        for chrom, size in zip(sequences, sizes, strict=True):
            where = [Region(chrom, 0, size)]
            values = [
                np.concatenate([part.values for part in log_odds(store, pair, where)])
                for store in (packed, alone)
            ]
            np.testing.assert_array_equal(*values)
            starts = [next(log_odds(s, pair, where)).start for s in (packed, alone)]
            assert starts[0] == starts[1]
        whole = list(log_odds(packed, pair))
        assert [part.chrom for part in whole] == list(sequences)
    for chrom in ("s2", "s5", "s8"):
        region = Region(chrom, 0, packed.plan.chrom_sizes[chrom])
        assert rank_pairs(packed, region, {}) == rank_pairs(alone, region, {})


def test_short_regions_share_shards_and_tiles(tmp_path, rng):
    """Two regions of one tile, regions that touch, and a contig without a tile."""
    sequences = {
        "a": random_letters(rng, 3000),
        "b": "ACGT",
        "c": random_letters(rng, 300),
    }
    fasta = write_fasta(tmp_path / "g.fa", sequences)
    weights = write_model(tmp_path / "toy.safetensors")
    store = _made(tmp_path / "whole", fasta, weights, 200)
    assert list(store.plan.chrom_sizes) == ["a", "b", "c"]
    pair = store.plan.pairs[0]
    bounds = [(100, 103), (107, 110), (500, 700), (700, 720), (1500, 1510)]
    regions = [Region("a", *span) for span in bounds] + [Region("c", 90, 200)]
    found = list(log_odds(store, pair, regions))
    starts = [start for part in found for start in part.starts.tolist()]
    assert (
        starts
        == sorted(set(starts[: -len(found[-1].values)])) + found[-1].starts.tolist()
    )
    with open_genome(fasta) as genome:
        model = load_model(weights)
        some = make_plan(
            model, [pair], regions, genome, 20, shard_size=ShardSize(200, 5)
        )
    assert [len(block.ranges) for block in some.blocks] == [4]
    with pytest.raises(RegionError, match="no tile at b:1-4"):
        list(log_odds(store, pair, [Region("b", 0, 4)]))


@pytest.mark.parametrize(
    "sample",
    [[TileRange("a", 0, 4096)], [TileRange("a", 0, 9), TileRange("b", 40, 5)]],
)
def test_a_round_that_warms_up_caches_nothing_of_the_next(sample):
    """Blocks of the cache are of some hundred tiles, from the first one on."""
    blocks = [
        {tiles for part in cut_parts(ranges, 20, 256) for tiles in part}
        for ranges in (sample, _warm_up(sample, 20, 99))
    ]
    assert not set.intersection(*blocks)
