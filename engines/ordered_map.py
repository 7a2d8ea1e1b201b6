"""Work in threads, results in turn.

Threads and not processes: the kernels, NumPy, HDF5's filters and file reads let go of
Python's lock, tables are shared, and nothing is forked or pickled.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

__all__ = ["ordered_map"]

Item = TypeVar("Item")
Result = TypeVar("Result")

_AHEAD = 2  # items per thread that are begun or done before their turn


def ordered_map(
    work: Callable[[Item], Result], items: Iterable[Item], n_threads: int
) -> Iterator[Result]:
    """Work on items in threads and give the results in the items' order.

    Parameters
    ----------
    work : callable
    items : iterable
    n_threads : int

    Yields
    ------
    result of `work`
        Few items are begun before their turn, so results do not pile up.

    Raises
    ------
    Exception
        Whatever `work` raises, when its turn comes. Then, and when whoever asks stops
        asking, items not begun are dropped and those begun are waited for.
    """
    waiting: deque[Future[Result]] = deque()
    pool = ThreadPoolExecutor(n_threads, thread_name_prefix="scan")
    try:
        for item in items:
            waiting.append(pool.submit(work, item))
            if len(waiting) > _AHEAD * n_threads:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
