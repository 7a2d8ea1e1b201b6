"""A bulk run: shards that are there are kept, the others are made.

The same for every engine: a lock on the store, the plan on disk, existing shards checked,
the others made by local processes (``pool``) or a Dask cluster (``cluster``), and a
status file that is up to date at any time. A run may be killed whenever; the next one
resumes it.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

from tfimpute_tracks.engines.scorer import Scorer
from tfimpute_tracks.errors import OutputError, RunError, UsageError
from tfimpute_tracks.genome import Sequences
from tfimpute_tracks.impute.cluster import Cluster, run_cluster
from tfimpute_tracks.impute.estimate import Estimate, estimate
from tfimpute_tracks.impute.events import Event, Failed
from tfimpute_tracks.impute.lock import store_lock
from tfimpute_tracks.impute.plan import Plan, Shard, part_of
from tfimpute_tracks.impute.plan_file import has_plan, read_plan, write_plan
from tfimpute_tracks.impute.pool import Slot, Work, run_pool
from tfimpute_tracks.impute.shard_file import is_complete, shard_path
from tfimpute_tracks.impute.single import make_shards
from tfimpute_tracks.impute.status import Status
from tfimpute_tracks.impute.worker import ShardWorker, WorkerSpec, open_worker
from tfimpute_tracks.models.model import Model
from tfimpute_tracks.storage import (
    check_store_dir,
    check_writable_dir,
    is_store,
    remove_leftovers,
)
from tfimpute_tracks.tracks.record import RunRecord

__all__ = [
    "BulkJob",
    "BulkResult",
    "Prepared",
    "Todo",
    "check_store",
    "missing_shards",
    "prepare_bulk",
    "run_bulk",
]

_LOG = logging.getLogger(__name__)
_SMALL_SECONDS = 10.0  # a run that other processes would not make shorter


@dataclass(frozen=True)
class BulkJob:
    """How a store is to be made.

    Parameters
    ----------
    plan : Plan
    spec : WorkerSpec
        What each process opens; its device is overridden by `devices`.
    devices : list of str
        One local process each.
    part : (int, int)
        Which part of the shards, from 1, and of how many.
    overwrite : bool
        Make everything again.
    verify : bool
        Read every shard that is there, and make damaged ones again.
    cluster : Cluster, optional
        Instead of local processes.
    may_stay : bool
        Whether a run of seconds stays in the process that starts it.
    """

    plan: Plan
    spec: WorkerSpec
    devices: list[str]
    part: tuple[int, int] = (1, 1)
    overwrite: bool = False
    verify: bool = False
    cluster: Cluster | None = None
    may_stay: bool = True


@dataclass(frozen=True)
class BulkResult:
    """The result of a run.

    Attributes
    ----------
    n_made, n_reused : int
        Shards.
    n_damaged : int
        Of those made: that were there and damaged.
    n_bytes : int
        Written.
    seconds : float
    rate : float
        Mb x pairs per second, while shards were made.
    failed : dict of int to str
        Number of each shard that failed, and why.
    """

    n_made: int
    n_reused: int
    n_damaged: int
    n_bytes: int
    seconds: float
    rate: float
    failed: dict[int, str]


def check_store(folder: Path, plan: Plan) -> None:
    """Refuse a folder that contains tracks or the store of another plan, or lies in one.

    Parameters
    ----------
    folder : Path
    plan : Plan

    Raises
    ------
    UsageError
        With what differs, and both values; or with the other store, or the tracks.
    InputFileError
        The store's own plan cannot be read.
    """
    check_store_dir(folder)
    if not is_store(folder) or has_plan(folder, plan):
        return
    there = read_plan(folder)
    if there.digest == plan.digest:
        return
    old_content, new_content = there.content(), plan.content()
    for name in there.values_of(RunRecord):
        old, new = old_content.get(name), new_content.get(name)
        if old != new:
            raise UsageError(_differs(folder, name.replace("_", " "), old, new))
    if there.regions == plan.regions:
        for before, after in zip(there.blocks, plan.blocks, strict=False):
            if before.ranges == after.ranges and before.digest != after.digest:
                chrom, first, _ = before.ranges[0]
                what = f"sequence at {chrom}:{first + 1}"
                raise UsageError(_differs(folder, what, before.digest, after.digest))
    names = [name for name in old_content if old_content[name] != new_content[name]]
    what = f"plan ({', '.join(names).replace('_', ' ')})"
    raise UsageError(_differs(folder, what, there.digest, plan.digest))


class Todo(NamedTuple):
    """What a run has to make.

    Attributes
    ----------
    shards : list of Shard
    n_damaged : int
        Of them, those that are there and damaged.
    """

    shards: list[Shard]
    n_damaged: int


class Prepared(NamedTuple):
    """A run that can start.

    Attributes
    ----------
    todo : Todo
    cost : Estimate
    worker : ShardWorker
        It makes shards in this process.
    """

    todo: Todo
    cost: Estimate
    worker: ShardWorker


def missing_shards(job: BulkJob) -> Todo:
    """Find what a run has to make.

    Parameters
    ----------
    job : BulkJob

    Returns
    -------
    Todo
    """
    shards = part_of(job.plan.shards, *job.part)
    if job.overwrite:
        return Todo(shards, 0)
    folder = job.spec.store
    todo = [s for s in shards if not is_complete(folder, job.plan, s, job.verify)]
    return Todo(todo, sum(shard_path(folder, shard).exists() for shard in todo))


def prepare_bulk(job: BulkJob, model: Model, genome: Sequences) -> Prepared:
    """Check a store and estimate what its missing shards cost.

    Parameters
    ----------
    job : BulkJob
    model : Model
    genome : Sequences

    Returns
    -------
    Prepared

    Raises
    ------
    UsageError, InputFileError
        As :func:`check_store`.
    """
    folder, plan, device = job.spec.store, job.plan, job.devices[0]
    check_store(folder, plan)
    todo = missing_shards(job)
    fast = plan.precision == "fast"
    scorer = Scorer(model, plan.pairs[:1], plan.stride, device, fast)
    threads = job.spec.threads * (len(job.devices) if device == "cpu" else 1)
    worker = ShardWorker(folder, plan, scorer, genome, threads)
    cost = estimate(worker, todo.shards, len(job.devices))
    return Prepared(todo, cost, worker)


def run_bulk(
    job: BulkJob,
    watch: Callable[[Event, Status], None],
    prepared: Prepared | None = None,
) -> BulkResult:
    """Make the missing shards of a store.

    Parameters
    ----------
    job : BulkJob
    watch : callable
        Called with each event, and the status after it.
    prepared : Prepared, optional
        From :func:`prepare_bulk`: a store may take long to read.
        Shards that another run has made meanwhile are made again, the same.

    Returns
    -------
    BulkResult

    Raises
    ------
    OutputError
        The folder cannot be written to, or another run works on it.
    UsageError
        It contains the store of another plan.
    WriteError
        The disk is full. Complete shards stay.
    RunError
        No process, or no cluster, works.
    """
    folder = job.spec.store
    for path in (folder, folder / "shards"):
        check_writable_dir(path)
    with store_lock(folder, *job.part):
        check_store(folder, job.plan)
        if not is_store(folder):
            write_plan(folder, job.plan)
        shards, n_damaged = prepared.todo if prepared else missing_shards(job)
        names = {shard.file_name for shard in shards}
        remove_leftovers(folder / "shards", names)
        n_reused = len(part_of(job.plan.shards, *job.part)) - len(shards)
        status = Status(folder / _status_name(job), job.plan, shards, n_reused)
        status.write("running")
        state = "stopped"
        try:
            for event in _events(job, shards, prepared):
                status.update(event)
                watch(event, status)
            state = "failed" if status.failed else "done"
        except RunError:
            state = "failed"
            raise
        finally:
            remove_leftovers(folder / "shards", names)
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


def _events(
    job: BulkJob, todo: list[Shard], prepared: Prepared | None
) -> Iterator[Event]:
    """Compute the shards, and append the position of each that fails."""
    numbers = [shard.number for shard in todo]
    if not numbers:
        return
    events: Iterator[Event]
    if job.cluster is not None:
        events = run_cluster(job.cluster, job.spec, job.plan.digest, numbers)
    elif (
        prepared is not None
        and job.may_stay
        and (len(numbers) == 1 or prepared.cost.seconds < _SMALL_SECONDS)
    ):
        events = make_shards(prepared.worker, numbers)
    else:
        events = run_pool(_open_work, _slots(job), numbers)
    for event in events:
        if isinstance(event, Failed):
            tiles = job.plan.shards[event.number].block.ranges[0]
            position = f"{tiles.chrom}:{tiles.first + 1}"
            yield Failed(event.number, f"{position}: {event.reason}")
        else:
            yield event


def _slots(job: BulkJob) -> list[Slot]:
    folder: Path | None = job.spec.store / "logs"
    try:
        check_writable_dir(job.spec.store / "logs")
    except OutputError as error:  # shards do not need them
        _LOG.warning("the logs of the processes are not written: %s", error)
        folder = None
    number, of = job.part
    prefix = "" if of == 1 else f"{number}-of-{of}."
    slots = []
    for index, device in enumerate(job.devices):
        name = f"{device.replace(':', '')}-{index + 1}"
        log = folder and folder / f"{prefix}{name}.log"
        slots.append(Slot(name, replace(job.spec, device=device), log))
    return slots


def _open_work(spec: WorkerSpec) -> Work:
    worker = open_worker(spec)

    def make(number: int, progress: Callable[[int], None]) -> tuple[int, float]:
        result = worker.make(number, progress)
        return result.n_bytes, result.seconds

    return make


def _status_name(job: BulkJob) -> str:
    number, of = job.part
    return "status.json" if of == 1 else f"status.{number}-of-{of}.json"


def _differs(folder: Path, what: str, old: object, new: object) -> str:
    return (
        f"{folder} is a store of another {what}: it has {old or 'none'}, this run "
        f"{new or 'none'}; use the same, or another --out-dir"
    )
