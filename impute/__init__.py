"""Bulk imputation: every pair there is, over whole genomes, into a store.

``plan`` says what is to be made and ``estimate`` what it costs; ``maker`` makes a
shard, with ``judge`` for its scores and ``shard_file`` for its file; ``pool`` and
``cluster`` hand shards out and tell ``events``; ``run`` ties them together under a
``lock``, with a ``status``. What comes out is read by ``store``, for ``export``,
``query``, ``catalogue`` and the map of ``similarity``.
"""

from __future__ import annotations

from tfimpute_tracks.impute.cluster import Cluster
from tfimpute_tracks.impute.estimate import check_disk, estimate
from tfimpute_tracks.impute.plan import ShardSize, make_plan
from tfimpute_tracks.impute.run import BulkJob, check_store, missing_shards, run_bulk
from tfimpute_tracks.impute.worker import WorkerSpec

__all__ = [
    "BulkJob",
    "Cluster",
    "ShardSize",
    "WorkerSpec",
    "check_disk",
    "check_store",
    "estimate",
    "make_plan",
    "missing_shards",
    "run_bulk",
]
