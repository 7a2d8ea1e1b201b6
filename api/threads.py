"""The number of CPU threads of all numerical libraries, for a process or a call."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager

from tfimpute_tracks.api.notes import log
from tfimpute_tracks.errors import UsageError, counted

__all__ = ["count_threads", "limit_threads", "one_blas_thread", "set_threads"]


def set_threads(threads: int | str) -> int:
    """Set the number of CPU threads of all numerical libraries.

    Parameters
    ----------
    threads : int or str
        A number, or `max`.

    Returns
    -------
    int

    Raises
    ------
    UsageError
        As :func:`count_threads`.
    """
    import numba
    from threadpoolctl import threadpool_limits

    n_threads = count_threads(threads)
    numba.set_num_threads(n_threads)
    threadpool_limits(n_threads)
    return n_threads


@contextmanager
def limit_threads(threads: int | str) -> Iterator[int]:
    """Set the number of CPU threads while the block runs.

    Parameters
    ----------
    threads : int or str
        A number, or `max`.

    Yields
    ------
    int

    Raises
    ------
    UsageError
        As :func:`count_threads`.
    """
    import numba
    from threadpoolctl import threadpool_limits

    n_threads, before = count_threads(threads), numba.get_num_threads()
    numba.set_num_threads(n_threads)
    try:
        with threadpool_limits(n_threads):
            yield n_threads
    finally:
        numba.set_num_threads(before)


def one_blas_thread() -> AbstractContextManager[object]:
    """Multiply matrices on one thread while the block runs.

    Those of a short call are small: to wait for a second thread takes longer, above all
    where other programs keep the CPUs busy.

    Returns
    -------
    context manager
    """
    from threadpoolctl import threadpool_limits

    limits: AbstractContextManager[object] = threadpool_limits(1, "blas")
    return limits


def count_threads(threads: int | str) -> int:
    """Find how many CPU threads a user asks for.

    Parameters
    ----------
    threads : int or str
        A number, or `max`.

    Returns
    -------
    int
        At most one per CPU of this process; more are warned of.

    Raises
    ------
    UsageError
        Not a number above 0.
    """
    import numba

    n_cpus = int(numba.config.NUMBA_NUM_THREADS)  # type: ignore[attr-defined]
    text = str(threads)
    if text == "max":
        return n_cpus
    if not (text.isdecimal() and len(text) < 19 and int(text)):
        raise UsageError(f"--threads {text!r}; use max or a number from 1 to {n_cpus}")
    n_threads = min(int(text), n_cpus)
    if int(text) > n_cpus:
        seen = counted(n_cpus, "CPU")
        log(f"--threads {text}: using {n_threads}, of {seen}", warning=True)
    return n_threads
