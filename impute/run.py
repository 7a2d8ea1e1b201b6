"""A bulk run: what is there is kept, the rest is handed out, and the end is told.

The same for every engine: a lock on the store, the plan on disk, shards validated, the
others made by local processes (``pool``) or a Dask cluster (``cluster``), and a status
file that is true at any time. A run may be killed whenever; the next one goes on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

from tfimpute_tracks.errors import RunError, UsageError
from tfimpute_tracks.impute.cluster import Cluster, run_cluster
from tfimpute_tracks.impute.events import Event, Failed
from tfimpute_tracks.impute.lock import store_lock
from tfimpute_tracks.impute.plan import (
    Plan,
    Shard,
    share_of,
)
from tfimpute_tracks.impute.plan_file import PLAN_FILE, read_plan, write_plan
from tfimpute_tracks.impute.pool import Place, Work, run_pool
from tfimpute_tracks.impute.shard_file import is_whole, shard_path
from tfimpute_tracks.impute.status import Status
from tfimpute_tracks.impute.worker import WorkerSpec, open_worker
from tfimpute_tracks.storage import check_writable_dir, remove_leftovers

__all__ = ["BulkJob", "BulkResult", "Todo", "check_store", "missing_shards", "run_bulk"]


@dataclass(frozen=True)
class BulkJob:
    """How a store is to be made.

    Parameters
    ----------
    plan : Plan
    spec : MakerSpec
        What each process opens; its device is overridden by `devices`.
    devices : list of str
        One local process each.
    share : (int, int)
        Which share of the shards, from 1, and of how many.
    overwrite : bool
        Make everything again.
    verify : bool
        Read every shard that is there, and make those again that are damaged.
    cluster : Cluster, optional
        Work there and not in local processes.
    """

    plan: Plan
    spec: WorkerSpec
    devices: list[str]
    share: tuple[int, int] = (1, 1)
    overwrite: bool = False
    verify: bool = False
    cluster: Cluster | None = None


@dataclass(frozen=True)
class BulkResult:
    """What became of a run.

    Attributes
    ----------
    n_made, n_reused : int
        Shards.
    n_damaged : int
        Of those made: that were there and wrong.
    n_bytes : int
        Written.
    seconds : float
    rate : float
        Mb x pairs per second, while shards were made.
    failed : dict of int to str
        Shards given up, and why.
    """

    n_made: int
    n_reused: int
    n_damaged: int
    n_bytes: int
    seconds: float
    rate: float
    failed: dict[int, str]


def check_store(folder: Path, plan: Plan) -> None:
    """Refuse a folder that holds the store of another plan.

    Parameters
    ----------
    folder : Path
    plan : Plan

    Raises
    ------
    UsageError
        With what differs, and both digests.
    InputFileError
        The store's own plan cannot be read.
    """
    if not (folder / PLAN_FILE).exists():
        return
    there = read_plan(folder)
    if there.digest == plan.digest:
        return
    for name in ("tool_version", "weights", "device", "precision"):
        old, new = getattr(there, name), getattr(plan, name)
        if old != new:
            raise UsageError(_other(folder, name.replace("_", " "), old, new))
    if (there.stride, there.regions) == (plan.stride, plan.regions):
        for old, new in zip(there.blocks, plan.blocks, strict=False):
            if old.tiles == new.tiles and old.digest != new.digest:
                what = f"sequence at {old.tiles.chrom}:{old.tiles.first + 1}"
                raise UsageError(_other(folder, what, old.digest, new.digest))
    what = "plan (pairs, regions, stride, margin or size of shards)"
    raise UsageError(_other(folder, what, there.digest, plan.digest))


class Todo(NamedTuple):
    """What a run has to make.

    Attributes
    ----------
    shards : list of Shard
    n_damaged : int
        Of them, those that are there and wrong.
    """

    shards: list[Shard]
    n_damaged: int


def missing_shards(job: BulkJob) -> Todo:
    """Find what a run has to make.

    Parameters
    ----------
    job : BulkJob

    Returns
    -------
    Todo
    """
    shards = share_of(job.plan.shards, *job.share)
    if job.overwrite:
        return Todo(shards, 0)
    folder = job.spec.store
    todo = [s for s in shards if not is_whole(folder, job.plan, s, job.verify)]
    return Todo(todo, sum(shard_path(folder, shard).exists() for shard in todo))


def run_bulk(
    job: BulkJob,
    watch: Callable[[Event, Status], None],
    todo: Todo | None = None,
) -> BulkResult:
    """Make what is missing of a store.

    Parameters
    ----------
    job : BulkJob
    watch : callable
        Told each event, and the status after it.
    todo : Todo, optional
        From :func:`missing_shards`, where that was asked before: a store may take long
        to read. What another run has made meanwhile is made again, the same.

    Returns
    -------
    BulkResult

    Raises
    ------
    OutputError
        The folder cannot be written to, or another run works on it.
    UsageError
        It holds the store of another plan.
    WriteError
        The disk is full. What is complete stays.
    RunError
        No process, or no cluster, could work.
    """
    folder = job.spec.store
    for made in (folder, folder / "shards", folder / "logs"):
        check_writable_dir(made)
    with store_lock(folder, *job.share):
        check_store(folder, job.plan)
        if not (folder / PLAN_FILE).exists():
            write_plan(folder, job.plan)
        shards, n_damaged = todo or missing_shards(job)
        names = {shard.file_name for shard in shards}
        remove_leftovers(folder / "shards", names)
        n_reused = len(share_of(job.plan.shards, *job.share)) - len(shards)
        status = Status(folder / _status_name(job), job.plan, shards, n_reused)
        status.write("running")
        state = "stopped"
        try:
            for event in _events(job, shards):
                status.hear(event)
                watch(event, status)
            state = "failed" if status.failed else "done"
        except RunError:
            state = "failed"
            raise
        finally:
            remove_leftovers(folder / "shards", names)
            with suppress(RunError):  # no room for it: the first error says so
                status.write(state)
    return BulkResult(
        status.n_done,
        n_reused,
        n_damaged,
        status.n_bytes,
        status.seconds,
        status.rate,
        status.failed,
    )


def _events(job: BulkJob, todo: list[Shard]) -> Iterator[Event]:
    """Have the shards made, and name the place of each that failed."""
    numbers = [shard.number for shard in todo]
    if not numbers:
        return
    if job.cluster is not None:
        events = run_cluster(job.cluster, job.spec, job.plan.digest, numbers)
    else:
        events = run_pool(_open_work, _places(job), numbers)
    for event in events:
        if isinstance(event, Failed):
            tiles = job.plan.shards[event.number].block.tiles
            place = f"{tiles.chrom}:{tiles.first + 1}"
            yield Failed(event.number, f"{place}: {event.reason}")
        else:
            yield event


def _places(job: BulkJob) -> list[Place]:
    number, of = job.share
    prefix = "" if of == 1 else f"{number}-of-{of}."
    places = []
    for index, device in enumerate(job.devices):
        name = f"{device.replace(':', '')}-{index + 1}"
        log = job.spec.store / "logs" / f"{prefix}{name}.log"
        places.append(Place(name, replace(job.spec, device=device), log))
    return places


def _open_work(spec: WorkerSpec) -> Work:
    maker = open_worker(spec)

    def make(index: int, progress: Callable[[int], None]) -> tuple[int, float]:
        made = maker.make(index, progress)
        return made.n_bytes, made.seconds

    return make


def _status_name(job: BulkJob) -> str:
    number, of = job.share
    return "status.json" if of == 1 else f"status.{number}-of-{of}.json"


def _other(folder: Path, what: str, old: str, new: str) -> str:
    return (
        f"{folder} is a store of another {what}: it has {old}, this run {new}; give "
        "the same, or another --out-dir"
    )
