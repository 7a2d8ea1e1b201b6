"""A small run, in this process.

To start another process, with its imports and kernels, takes longer than a small shard.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from queue import SimpleQueue

from tfimpute_tracks.errors import TracksError, UsageError, WriteError
from tfimpute_tracks.impute.events import Done, Event, Failed, Part
from tfimpute_tracks.impute.worker import ShardWorker

__all__ = ["make_shard"]

_NAME = "this process"


class _StoppedError(Exception):
    """Nobody waits for the shard any more."""


def make_shard(worker: ShardWorker, number: int) -> Iterator[Event]:
    """Make a shard.

    Parameters
    ----------
    worker : ShardWorker
    number : int
        Of the shard.

    Yields
    ------
    Part, Done, Failed
        As they happen.

    Raises
    ------
    WriteError
        The disk is full.
    UsageError
        The input is wrong.
    """
    progress: SimpleQueue[int | None] = SimpleQueue()
    is_stopped = False

    def advance(n_scores: int) -> None:
        if is_stopped:
            raise _StoppedError
        progress.put(n_scores)

    with ThreadPoolExecutor(1) as pool:
        making = pool.submit(worker.make, number, advance)
        making.add_done_callback(lambda _: progress.put(None))
        try:
            while (n_scores := progress.get()) is not None:
                yield Part(_NAME, n_scores)
        finally:  # on Ctrl-C the pool waits for a column, not for the shard
            is_stopped = True
    try:
        made = making.result()
    except (WriteError, UsageError):
        raise
    except TracksError as error:
        yield Failed(number, str(error))
    else:
        yield Done(_NAME, number, made.n_bytes, made.seconds)
