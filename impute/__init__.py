"""Bulk imputation: every pair, over whole genomes, into a store.

``plan`` holds what is to be made and ``estimate`` what it costs; ``worker`` makes a shard
and ``shard_file`` is its file; ``single``, ``pool`` and ``cluster`` have shards made and
yield ``events``; ``run`` ties them together under a ``lock``, with a ``status``. ``store`` reads
the result, for ``export``, ``query``, ``catalogue`` and the projection of ``similarity``.
"""

from __future__ import annotations

from tfimpute_tracks.impute.cluster import Cluster
from tfimpute_tracks.impute.estimate import check_disk
from tfimpute_tracks.impute.plan import ShardSize, make_plan
from tfimpute_tracks.impute.run import (
    BulkJob,
    check_store,
    missing_shards,
    prepare_bulk,
    run_bulk,
)
from tfimpute_tracks.impute.worker import WorkerSpec

__all__ = [
    "BulkJob",
    "Cluster",
    "ShardSize",
    "WorkerSpec",
    "check_disk",
    "check_store",
    "make_plan",
    "missing_shards",
    "prepare_bulk",
    "run_bulk",
]
