"""A small run, in this process.

To start another process, with its imports and kernels, takes longer than a small shard.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from queue import SimpleQueue

from tfimpute_tracks.errors import TracksError, UsageError, WriteError
from tfimpute_tracks.impute.events import Done, Event, Failed, Part
from tfimpute_tracks.impute.worker import ShardWorker

__all__ = ["make_shards"]

_AT_ONCE = 2  # shards


class _StoppedError(Exception):
    """Nobody waits for the shard any more."""


def make_shards(worker: ShardWorker, numbers: Iterable[int]) -> Iterator[Event]:
    """Make shards: while one is written, the next is computed.

    Parameters
    ----------
    worker : ShardWorker
    numbers : iterable of int
        Of the shards.

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
    events: SimpleQueue[Event | Future[None]] = SimpleQueue()
    is_stopped = False

    def make(number: int) -> None:
        name, n_done = f"shard {number} in this process", 0

        def advance(n_scores: int) -> None:
            nonlocal n_done
            if is_stopped:
                raise _StoppedError
            n_done += n_scores
            events.put(Part(name, n_scores))

        try:
            made = worker.make(number, advance)
        except (WriteError, UsageError):
            raise
        except TracksError as error:
            events.put(Part(name, -n_done))
            events.put(Failed(number, str(error)))
        else:
            events.put(Done(name, number, made.n_bytes, made.seconds))

    pool = ThreadPoolExecutor(_AT_ONCE)
    try:
        makings = [pool.submit(make, number) for number in numbers]
        for making in makings:
            making.add_done_callback(events.put)
        n_left = len(makings)
        while n_left:
            event = events.get()
            if isinstance(event, Future):
                event.result()
                n_left -= 1
            else:
                yield event
    finally:  # on Ctrl-C the pool waits for columns, not for shards
        is_stopped = True
        pool.shutdown(cancel_futures=True)
