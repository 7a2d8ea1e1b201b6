"""Work in processes, results in order: for work that holds Python's lock.

Processes are spawned, never forked: numba, PyTorch and open files do not survive a fork.
"""

from __future__ import annotations

import os
import signal
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context, parent_process
from typing import Any, TypeVar

from tfimpute_tracks.errors import RunError

__all__ = ["begin_child", "ordered_processes"]

Item = TypeVar("Item")
Result = TypeVar("Result")

_AHEAD = 2  # items per process that are started before their turn
_OWN: dict[str, Any] = {}  # of a process of the pool: its work, and whether to stop


def ordered_processes(
    open_work: Callable[[Any], Callable[[Item], Iterable[Result]]],
    argument: object,
    items: Iterable[Item],
    n_processes: int,
) -> Iterator[Result]:
    """Work on items in processes, and yield the results in the order of the items.

    Parameters
    ----------
    open_work : callable
        Of the top level of a module. Called once in each process with `argument`; what
        it returns makes the results of an item one by one.
    argument : object
        It pickles, as items and results do.
    items : iterable
    n_processes : int

    Yields
    ------
    result
        Those of an item together, when all of them are made.

    Raises
    ------
    Exception
        Whatever the work raises, when its turn comes. Then, and when the caller stops
        iterating, items not started are dropped, and a result being made is awaited.
    RunError
        A process died.
    """
    context = get_context("spawn")
    stop = context.Event()
    pool = ProcessPoolExecutor(
        n_processes, context, _begin, (open_work, argument, stop)
    )
    waiting: deque[Future[list[Result]]] = deque()
    try:
        for item in items:
            waiting.append(pool.submit(_results, item))
            if len(waiting) > _AHEAD * n_processes:
                yield from waiting.popleft().result()
        while waiting:
            yield from waiting.popleft().result()
    except BrokenProcessPool as error:
        raise RunError(
            "a process of this run died, as when memory is short: run the same command "
            "again to go on, with fewer --threads"
        ) from error
    finally:
        stop.set()
        pool.shutdown(wait=True, cancel_futures=True)


def begin_child() -> None:
    """Leave Ctrl-C to the parent of this process, and end when the parent is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _begin(open_work: Callable[[Any], Any], argument: object, stop: Any) -> None:
    begin_child()
    _OWN.update(work=open_work(argument), stop=stop)


def _results(item: Any) -> list[Any]:
    results = []
    for result in _OWN["work"](item):
        results.append(result)
        if _OWN["stop"].is_set():
            break
    return results
