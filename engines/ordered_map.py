"""Work in threads, results in order.

Threads and not processes: the kernels, NumPy, HDF5's filters and file reads release
Python's lock, tables are shared, and nothing is forked or pickled.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import TypeVar

__all__ = ["ordered_map"]

Item = TypeVar("Item")
Result = TypeVar("Result")

_AHEAD = 2  # items per thread that are started before their turn


def ordered_map(
    work: Callable[[Item], Result],
    items: Iterable[Item],
    n_threads: int,
    pool: ThreadPoolExecutor | None = None,
) -> Iterator[Result]:
    """Work on items in threads, and yield the results in the order of the items.

    Parameters
    ----------
    work : callable
    items : iterable
    n_threads : int
    pool : ThreadPoolExecutor, optional
        Of so many threads, which others may use, too; by default one of its own.

    Yields
    ------
    result of `work`
        Few items are started before their turn, so results do not pile up.

    Raises
    ------
    Exception
        Whatever `work` raises, when its turn comes. Then, and when the caller stops
        iterating, items not started are dropped, and started ones are awaited.
    """
    waiting: deque[Future[Result]] = deque()
    threads = pool or ThreadPoolExecutor(n_threads, thread_name_prefix="scan")
    try:
        for item in items:
            waiting.append(threads.submit(work, item))
            if len(waiting) > _AHEAD * n_threads:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        wait([future for future in waiting if not future.cancel()])
        if pool is None:
            threads.shutdown()
