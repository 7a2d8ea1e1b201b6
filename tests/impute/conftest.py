"""A small bulk run: toy weights, two chromosomes with a gap, every pair."""

import pytest

from tfimpute_tracks.genome import Region, open_genome
from tfimpute_tracks.impute import BulkJob, ShardSize, WorkerSpec, make_plan
from tfimpute_tracks.impute.plan_file import write_plan
from tfimpute_tracks.impute.store import Store
from tfimpute_tracks.impute.worker import open_worker
from tfimpute_tracks.models import load_model
from toys import AROUND, random_letters, write_fasta, write_model


class Toy:
    """Files of a run, and what is made of them."""

    def __init__(self, folder, rng, **changes):
        self.folder = folder
        letters = {
            "chr1": random_letters(rng, 2990),
            "chr2": random_letters(rng, 600) + "N" * 200 + random_letters(rng, 203),
        }
        self.fasta = write_fasta(folder / "toy.fa", letters)
        self.weights = write_model(folder / "toy.safetensors", **changes)
        self.model = load_model(self.weights)
        self.store = folder / "store"

    def plan(self, tiles=40, per_shard=0, **changes):
        with open_genome(self.fasta) as genome:
            regions = [Region(c, 0, size) for c, size in genome.chrom_sizes.items()]
            pairs = changes.pop("pairs", self.model.vocabulary.all_pairs())
            size = ShardSize(tiles, per_shard)
            return make_plan(
                self.model, pairs, regions, genome, 20, shard_size=size, **changes
            )

    def spec(self, **changes):
        fields = {"store": self.store, "model": str(self.weights), "fasta": self.fasta}
        return WorkerSpec(**fields | {"cache_dir": None} | changes)

    def job(self, plan=None, **changes):
        return BulkJob(plan or self.plan(), self.spec(), ["cpu"], **changes)

    def made(self, plan=None):
        """Make a store in this process."""
        (self.store / "shards").mkdir(parents=True, exist_ok=True)
        write_plan(self.store, plan or self.plan())
        maker = open_worker(self.spec())
        for shard in maker.plan.shards:
            maker.make(shard.number, lambda _: None)
        return Store(self.store)


@pytest.fixture
def toy(tmp_path, rng):
    return Toy(tmp_path, rng)


@pytest.fixture
def around(tmp_path, rng):
    """The same with a model whose scores depend on what is around a tile."""
    return Toy(tmp_path, rng, config=AROUND)
