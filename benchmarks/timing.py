"""Runs in turn, medians and ranges, and the figures made of them.

Two ways of doing a thing are timed A B A B in one process, so that what else the
machine does at the time meets both; a ratio is taken within each turn, and its median
and range over the turns are reported.
"""

from __future__ import annotations

import os
import statistics
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

__all__ = [
    "Figure",
    "Unavailable",
    "alternate",
    "figure",
    "print_result",
    "ratios",
    "seconds",
    "thread_count",
]

_SHORTEST = 0.2  # seconds; shorter work is repeated within its turn


class Unavailable(Exception):  # noqa: N818  not a fault: what it measures is not here
    """A benchmark cannot run here; the message says why."""


@dataclass(frozen=True)
class Figure:
    """One line of the table.

    Parameters
    ----------
    group : str
        The benchmark's name on the command line.
    what : str
    value, low, high : float
        The median, the smallest and the largest of the runs.
    runs : int
    unit : str
        `x` for a ratio.
    better : str
        `more` or `less`.
    asked : str
        What it should be, or nothing.
    detail : str
        Sizes and absolute times, for who wants to check.
    """

    group: str
    what: str
    value: float
    low: float
    high: float
    runs: int
    unit: str = "x"
    better: str = "more"
    asked: str = ""
    detail: str = ""


def print_result(text: str) -> None:
    """Write a line to standard output at once.

    Parameters
    ----------
    text : str
    """
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def thread_count() -> int:
    """Give the threads that every side gets: OMP_NUM_THREADS, or all cores.

    Returns
    -------
    int
    """
    cores = len(os.sched_getaffinity(0))
    return int(os.environ.get("OMP_NUM_THREADS") or cores)


def seconds(
    work: Callable[[], object], clock: Callable[[], float] = time.perf_counter
) -> float:
    """Time one call.

    Parameters
    ----------
    work, clock : callable

    Returns
    -------
    float
    """
    began = clock()
    work()
    return clock() - began


def alternate(
    ways: Mapping[str, Callable[[], object]],
    runs: int,
    warm_up: bool = True,
    clock: Callable[[], float] = time.perf_counter,
) -> dict[str, list[float]]:
    """Time several ways in turn.

    Parameters
    ----------
    ways : mapping of name to callable
    runs : int
        Turns.
    warm_up : bool
        Call each once before. Work that then takes less than a fifth of a second is
        repeated within its turns, and the mean counts.
    clock : callable
        For example :func:`time.process_time`, which leaves out what else the machine does.

    Returns
    -------
    dict of name to list of seconds, one for each turn
    """
    repeats = dict.fromkeys(ways, 1)
    if warm_up:
        for name, work in ways.items():
            seconds(work)  # compiles, fills caches
            repeats[name] = max(1, round(_SHORTEST / max(seconds(work), 1e-6)))
    times: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(runs):
        for name, work in ways.items():
            taken = [seconds(work, clock) for _ in range(repeats[name])]
            times[name].append(statistics.fmean(taken))
    return times


def ratios(
    above: Sequence[float], below: Sequence[float], factor: float = 1.0
) -> list[float]:
    """Divide turn by turn.

    Parameters
    ----------
    above, below : sequence of float, of one length
    factor : float
        What each ratio is multiplied by, where the two sides' work differs in size.

    Returns
    -------
    list of float
    """
    return [factor * a / b for a, b in zip(above, below, strict=True)]


def figure(group: str, what: str, values: Sequence[float], **more: str) -> Figure:
    """Make a figure of the values of several runs and say it.

    Parameters
    ----------
    group, what : str
    values : sequence of float
    **more : str
        Other fields of :class:`Figure`.

    Returns
    -------
    Figure
    """
    made = Figure(
        group,
        what,
        statistics.median(values),
        min(values),
        max(values),
        len(values),
        **more,
    )
    asked = f", asked {made.asked}" if made.asked else ""
    detail = f"  [{made.detail}]" if made.detail else ""
    print_result(
        f"{group:>10}  {what}: {made.value:.3g} {made.unit} "
        f"({made.low:.3g} to {made.high:.3g} of {made.runs}{asked}){detail}"
    )
    return made
