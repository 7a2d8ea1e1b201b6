"""Runs killed at random moments and started again, until they end as if undisturbed."""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from damage import Tally
from outputs import digests, half_written
from runs import RUNS, Run, make_run_inputs

__all__ = ["soak_runs"]


class Whole(NamedTuple):
    """An undisturbed run: seconds, digests of its files, and those that hold times."""

    seconds: float
    files: dict[str, str]
    timed: set[str]


_MAX_KILLS = 4  # in a row, of one run
_TIMEOUT = 300.0  # seconds of a run that takes a few


def soak_runs(
    folder: Path, seed: int, n_kills: int, until: float, log: Callable[[str], None]
) -> Tally:
    """Kill each verb in turn until there were so many kills or the time is over.

    Parameters
    ----------
    folder : Path
        For work.
    seed : int
    n_kills : int
    until : float
        Of `time.monotonic`; each verb is killed once at least.
    log : callable

    Returns
    -------
    Tally
    """
    tally, rng = Tally(), random.Random(seed)
    inputs = folder / "runs"
    inputs.mkdir()
    make_run_inputs(inputs, seed)
    wholes = {run.verb: _undisturbed(run, inputs) for run in RUNS}
    for verb, (seconds, files, timed) in wholes.items():
        log(f"{verb}: {seconds:.1f} s undisturbed, {len(files)} files")
        log(f"  not compared, as two runs differ: {', '.join(sorted(timed)) or 'none'}")
    first = True
    while sum(tally.tried.values()) < n_kills and (first or time.monotonic() < until):
        for run in RUNS:
            if not first and time.monotonic() > until:
                break
            left = n_kills - sum(tally.tried.values())
            if left <= 0 and not first:
                break
            _disturb(run, inputs, wholes[run.verb], rng, tally, max(left, 1))
        first = False
    shutil.rmtree(inputs)
    return tally


def _undisturbed(run: Run, inputs: Path) -> Whole:
    """Run twice, time the second run, and digest what both write alike."""
    found = []
    for _ in range(2):
        _clear(inputs)
        began = time.monotonic()
        code, err = _finish(run, inputs, resumed=False)
        if code:
            raise RuntimeError(f"{run.command}: {err}")
        seconds = time.monotonic() - began
        found.append(digests(inputs / "out"))
    timed = {name for name in found[1] if found[0].get(name) != found[1][name]}
    return Whole(seconds, found[1], timed)


def _disturb(
    run: Run,
    inputs: Path,
    whole: Whole,
    rng: random.Random,
    tally: Tally,
    n_max: int,
) -> None:
    """Kill a run one to four times, let it end, and compare."""
    _clear(inputs)
    moments, resumed, ended = [], False, False
    for _ in range(rng.randint(1, min(_MAX_KILLS, n_max))):
        process = _start(run, inputs, resumed)
        how = rng.choice((signal.SIGKILL, signal.SIGKILL, signal.SIGTERM))
        moment = rng.uniform(0.2, 0.98) * whole.seconds
        moments.append(f"{how.name} after {moment:.2f} s")
        with suppress(subprocess.TimeoutExpired):
            process.wait(moment)
        ended = process.poll() is not None
        if ended and process.returncode:
            err = process.communicate()[1]
            tally.failures.append(f"{run.verb} {moments}: {err.strip()[-300:]}")
            return
        _end(process, how)
        if ended:  # before the moment
            break
        tally.tried[run.verb] += 1
        resumed = True
        for fault in half_written(inputs / "out"):
            if not fault.endswith("temporary file"):
                tally.failures.append(f"{run.verb} {moments}: {fault}")
    code, err = (0, "") if ended else _finish(run, inputs, resumed)
    found = digests(inputs / "out")
    differ = {
        name
        for name in found.keys() | whole.files.keys()
        if found.get(name) != whole.files.get(name) and name not in whole.timed
    }
    if code:
        tally.failures.append(f"{run.verb} {moments}: {err.strip()[-300:]}")
    elif differ or found.keys() != whole.files.keys():
        tally.failures.append(f"{run.verb} {moments}: differ: {sorted(differ)}")
    else:
        tally.failures += [
            f"{run.verb} {moments}: {fault}" for fault in half_written(inputs / "out")
        ]


def _command(run: Run, resumed: bool) -> list[str]:
    more = run.resume if resumed else ()
    return [sys.executable, "-m", "tfimpute_tracks", *run.command, *more]


def _start(run: Run, inputs: Path, resumed: bool) -> subprocess.Popen[str]:
    return subprocess.Popen(
        _command(run, resumed),
        cwd=inputs,
        env=os.environ | {"XDG_CACHE_HOME": str(inputs / "cache")},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def _end(process: subprocess.Popen[str], how: signal.Signals) -> None:
    """Send a signal to the run and, for SIGKILL, to the processes that it started."""
    with suppress(ProcessLookupError):
        if how == signal.SIGKILL:
            os.killpg(process.pid, how)
        else:
            process.send_signal(how)
    try:
        process.communicate(timeout=60)
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)


def _finish(run: Run, inputs: Path, resumed: bool) -> tuple[int, str]:
    process = _start(run, inputs, resumed)
    try:
        err = process.communicate(timeout=_TIMEOUT)[1]
    except subprocess.TimeoutExpired:
        _end(process, signal.SIGKILL)
        return 1, f"no end within {_TIMEOUT:.0f} s"
    return process.returncode, err


def _clear(inputs: Path) -> None:
    shutil.rmtree(inputs / "out", ignore_errors=True)
    shutil.rmtree(inputs / "cache" / "tfimpute-tracks", ignore_errors=True)
