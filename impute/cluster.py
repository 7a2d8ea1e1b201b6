"""Shards made by a Dask cluster: of many machines, or started here.

A task is a shard by its number; model and sequence are opened once per worker process.
Dask gives the tasks of a dead worker to another one. The scheduler is not durable: when
it dies the run ends, and the next run finds every shard that was written. All workers
must see the folder of the store: a shared file system.
"""

from __future__ import annotations

import socket
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import CancelledError
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from typing import Any

from tfimpute_tracks.errors import (
    RunError,
    UsageError,
    WriteError,
    check_packages,
    counted,
)
from tfimpute_tracks.impute.events import ATTEMPTS, Done, Event, Failed, Note
from tfimpute_tracks.impute.worker import ShardWorker, WorkerSpec, open_worker

__all__ = ["Cluster", "run_cluster"]

_TIMEOUT = "15s"  # for a scheduler to answer
_CONNECTED = {"running", "connecting"}
_GONE = (
    "the Dask scheduler is gone; completed shards are kept: start it again and run the "
    "same command"
)
_WORKERS: dict[tuple[WorkerSpec, str], ShardWorker] = {}


@dataclass(frozen=True)
class Cluster:
    """Where Dask's scheduler is.

    Parameters
    ----------
    scheduler : str, optional
        Such as ``tcp://10.0.0.1:8786``. None for a cluster on this machine.
    n_workers : int
        Processes of the cluster on this machine.
    """

    scheduler: str | None = None
    n_workers: int = 1


def run_cluster(
    cluster: Cluster, spec: WorkerSpec, digest: str, numbers: list[int]
) -> Iterator[Event]:
    """Compute shards on a Dask cluster.

    Parameters
    ----------
    cluster : Cluster
    spec : WorkerSpec
        Its paths are made absolute; a worker picks its own GPU where there is one.
    digest : str
        Of the plan: a worker that made shards of another one opens everything again.
    numbers : list of int
        Of the plan's shards.

    Yields
    ------
    Done, Failed, Note
        As they happen.

    Raises
    ------
    UsageError
        Dask is not installed, or no scheduler answers.
    WriteError
        The disk is full.
    RunError
        The connection to the scheduler is lost.
    """
    absolute = spec.resolved()
    with _client(cluster) as client:
        yield Note(_describe(client))
        try:
            yield from _follow(client, absolute, digest, numbers)
        except (OSError, CancelledError) as error:  # the connection, not a task
            raise RunError(_GONE) from error


def _follow(
    client: Any, spec: WorkerSpec, digest: str, numbers: list[int]
) -> Iterator[Event]:
    from dask.distributed import as_completed

    tried: Counter[int] = Counter()
    futures = as_completed(
        [_submit(client, spec, digest, number, 0) for number in numbers]
    )
    for future in futures:
        index = int(future.key.split("-")[1])
        if future.status == "cancelled" or client.status not in _CONNECTED:
            raise RunError(_GONE)
        error = future.exception()
        if error is None:
            yield Done(*future.result())
            continue
        if isinstance(error, WriteError | UsageError):
            raise error
        tried[index] += 1
        reason = _format_error(error)
        # Dask has tried a shard that kills its workers often enough by itself.
        if tried[index] >= ATTEMPTS or type(error).__name__ == "KilledWorker":
            yield Failed(index, reason)
        else:
            yield Note(f"shard {index} is tried again: {reason}")
            futures.add(_submit(client, spec, digest, index, tried[index]))


def _submit(
    client: Any, spec: WorkerSpec, digest: str, index: int, attempt: int
) -> Any:
    key = f"shard-{index}-{attempt}-{time.time_ns()}"
    return client.submit(_make, spec, digest, index, key=key, pure=False)


def _make(spec: WorkerSpec, digest: str, index: int) -> tuple[str, int, int, float]:
    """Make a shard in a worker of Dask."""
    key = spec, digest
    if key not in _WORKERS:
        _WORKERS.clear()  # one store at a time: the tables of a model are large
        _WORKERS[key] = open_worker(replace(spec, device=_own_device(spec.device)))
    result = _WORKERS[key].make(index, lambda _: None)
    return socket.gethostname(), result.number, result.n_bytes, result.seconds


def _own_device(device: str) -> str:
    """Use the GPU that CUDA_VISIBLE_DEVICES assigns to this worker, like dask-cuda."""
    return "cuda:0" if device.startswith("cuda") else device


def _format_error(error: BaseException) -> str:
    name = type(error).__name__
    if name == "KilledWorker":
        return "it killed every worker that tried it"
    return str(error) if isinstance(error, RunError) else f"{name}: {error}"


@contextmanager
def _client(cluster: Cluster) -> Iterator[Any]:
    check_packages("--engine dask", "dask", "distributed")
    from dask.distributed import Client, LocalCluster

    if cluster.scheduler is None:
        with (
            LocalCluster(
                n_workers=cluster.n_workers,
                threads_per_worker=1,
                host="127.0.0.1",
                dashboard_address=None,
            ) as local,
            Client(local) as client,
        ):
            yield client
        return
    try:
        client = Client(cluster.scheduler, timeout=_TIMEOUT)
    except (OSError, ValueError) as error:  # TimeoutError is an OSError
        raise UsageError(
            f"no Dask scheduler answers at {cluster.scheduler} ({error}); start one "
            "with `dask scheduler`, or check the address"
        ) from error
    try:
        yield client
    finally:
        with suppress(OSError, TimeoutError):
            client.close(timeout=5)


def _describe(client: Any) -> str:
    info = client.scheduler_info(n_workers=-1)
    n = len(info.get("workers", {}))
    return f"Dask at {info.get('address')}: {counted(n, 'worker')}"
