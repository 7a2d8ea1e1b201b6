"""Time, disk and memory of a run before it starts, measured on its own sequence."""

from __future__ import annotations

import resource
import shutil
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from time import monotonic

from tfimpute_tracks.engines.tiles import TileRange, cut_parts
from tfimpute_tracks.errors import OutputError
from tfimpute_tracks.impute.plan import Block, Shard
from tfimpute_tracks.impute.shard_file import write_shard
from tfimpute_tracks.impute.worker import ShardWorker

__all__ = ["Estimate", "check_disk", "estimate"]

_OVERHEAD = 1.15  # starting processes, waiting for the disk
_SAMPLED = 40  # the least part of a run that is measured is 1 / 40,
_MIN_SAMPLE = 128  # and so many tiles


@dataclass(frozen=True)
class Estimate:
    """Time, disk and memory of a run.

    Attributes
    ----------
    n_shards, n_reused : int
        To be made, and there already.
    megabases : float
        Of tiles with a value, per pair.
    n_bytes : int
        That will be written.
    bytes_free : int
    rate : float
        Mb x pairs per second of one process.
    seconds : float
        Of the whole run, with all its processes.
    memory : int
        Bytes, of all processes.
    largest_shard : (float, int)
        Seconds and bytes of a full shard.
    """

    n_shards: int
    n_reused: int
    megabases: float
    n_bytes: int
    bytes_free: int
    rate: float
    seconds: float
    memory: int
    largest_shard: tuple[float, int]

    def is_large(self, max_seconds: float = 3600, max_bytes: float = 10e9) -> bool:
        """Check whether a run should not start without confirmation.

        Parameters
        ----------
        max_seconds, max_bytes : float

        Returns
        -------
        bool
        """
        return self.seconds >= max_seconds or self.n_bytes >= max_bytes


def estimate(worker: ShardWorker, todo: list[Shard], n_processes: int) -> Estimate:
    """Measure a sample of a run and extrapolate.

    Parameters
    ----------
    worker : ShardWorker
        Of the plan, the store and the device.
    todo : list of Shard
    n_processes : int

    Returns
    -------
    Estimate
    """
    plan = worker.plan
    n_known = sum(shard.n_known * shard.n_pairs for shard in todo)
    free = shutil.disk_usage(_existing(worker.folder)).free
    seconds, per_score = 0.0, 0.0
    if n_known:
        seconds, per_score = _sample(worker, todo)
    scores_per_second = 1 / seconds if seconds else 0.0
    largest = max((shard.n_scores for shard in todo), default=0)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    peak *= 1 if sys.platform == "darwin" else 1024
    return Estimate(
        n_shards=len(todo),
        n_reused=len(plan.shards) - len(todo),
        megabases=n_known * plan.stride / 1e6 / max(len(plan.tfs), 1),
        n_bytes=int(n_known * per_score),
        bytes_free=free,
        rate=plan.megabases(scores_per_second),
        seconds=_OVERHEAD * n_known * seconds / n_processes,
        memory=peak * (n_processes + 1),
        largest_shard=(largest * seconds, int(largest * per_score)),
    )


def check_disk(cost: Estimate, store: Path) -> None:
    """Refuse a run that its disk cannot hold.

    Parameters
    ----------
    cost : Estimate
    store : Path

    Raises
    ------
    OutputError
        With the space that is free and that is needed.
    """
    if cost.n_bytes > cost.bytes_free:
        raise OutputError(
            f"{store} needs about {cost.n_bytes / 1e9:.1f} GB and its disk has "
            f"{cost.bytes_free / 1e9:.1f} GB free; free some, use another --out-dir, "
            "fewer pairs or regions, or --sparse"
        )


def _sample(worker: ShardWorker, todo: list[Shard]) -> tuple[float, float]:
    """Make a small shard: seconds on one thread, and bytes, per score."""
    plan = worker.plan
    shard = max(todo, key=lambda shard: shard.n_known)
    # A small part of a small run, which would wait for its estimate.
    n = max(sum(one.block.n_tiles for one in todo) // _SAMPLED, _MIN_SAMPLE)
    n = min(n, plan.chunk.tiles, shard.block.n_tiles)
    sample = cut_parts(shard.block.ranges, plan.stride, n)[0]
    if len(shard.block.ranges) == 1:  # from the middle: a block's ends may be N
        tiles = shard.block.ranges[0]
        first = tiles.first + (tiles.n_tiles - n) // 2 * plan.stride
        sample = [TileRange(tiles.chrom, first, n)]
    most = _MIN_SAMPLE if plan.device == "cpu" else n
    warm = _warm_up(sample, plan.stride, most)
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "shards").mkdir()
        for some in (warm, sample):
            small = shard._replace(block=Block(tuple(some), ""))
            began = monotonic()
            codes = worker.read(some)
            columns = worker.columns(small, codes)
            size = write_shard(Path(folder), plan, small, columns)
            seconds = monotonic() - began
    return seconds / small.n_scores, size / small.n_scores


def _warm_up(sample: Sequence[TileRange], stride: int, most: int) -> list[TileRange]:
    """Choose tiles for a round that compiles kernels.

    Ranges begin one tile later, where they have two: no block of these is in the cache
    when the sample is made.
    """
    return [
        TileRange(chrom, first + (n > 1) * stride, min(max(n - 1, 1), most))
        for chrom, first, n in sample
    ]


def _existing(path: Path) -> Path:
    path = path.absolute()
    while not path.exists():
        path = path.parent
    return path
