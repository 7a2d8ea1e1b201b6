"""The least memory that a run needs, where `ulimit -v` or a batch system limits it.

Short of it, libraries end in the middle of a run, each in its own way, or wait for a
thread that never starts. So the limit is compared with what was found to be needed.
"""

from __future__ import annotations

import os
from collections.abc import Sequence

from tfimpute_tracks.errors import RunError, counted

__all__ = ["check_address_space", "needed_bytes"]

# Found by `scan` and by `train` on 2 to 64 CPUs: libraries reserve some for each.
_BASE, _PER_CPU, _TO_FIT = 1_100 << 20, 75 << 20, 750 << 20
_FITTING = {"train", "extend", "card", "evaluate", "compare", "embeddings", "enhancers"}
_QUICK = {"-h", "--help", "--version"}


def check_address_space(typed: Sequence[str]) -> None:
    """Refuse a run for which the limit of address space is too low.

    Parameters
    ----------
    typed : sequence of str
        The arguments of the command line.

    Raises
    ------
    RunError
        The limit is below what the verb needs.
    """
    try:
        import resource
    except ImportError:  # Windows has no such limit
        return
    limit, _ = resource.getrlimit(resource.RLIMIT_AS)
    needed = needed_bytes(typed, _n_threads())
    if limit == resource.RLIM_INFINITY or limit >= needed or _QUICK & set(typed):
        return
    raise RunError(
        f"`ulimit -v` allows {limit >> 20:,} MB of address space, and this needs about "
        f"{needed >> 20:,} MB with {counted(_n_threads(), 'thread')}; raise the limit, or set the "
        "variable OMP_NUM_THREADS to fewer threads"
    )


def needed_bytes(typed: Sequence[str], n_threads: int) -> int:
    """Give the address space without which a verb fails.

    Parameters
    ----------
    typed : sequence of str
        The arguments of the command line.
    n_threads : int
        Threads that libraries start, whatever ``--threads`` is.

    Returns
    -------
    int
        Bytes.
    """
    return _BASE + _PER_CPU * n_threads + (_TO_FIT if _FITTING & set(typed) else 0)


def _n_threads() -> int:
    seen = (
        len(os.sched_getaffinity(0))
        if hasattr(os, "sched_getaffinity")
        else os.cpu_count() or 1
    )
    asked = os.environ.get("OMP_NUM_THREADS", "")
    return int(asked) if asked.isdecimal() and 0 < len(asked) < 5 else seen
