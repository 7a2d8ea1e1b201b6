"""Commands as processes of their own: how long they take and how much memory.

The memory of a process is what Linux keeps as its high-water mark, which a new process
inherits from whoever starts it, here a benchmark that holds PyTorch. So this file is
also a script: run by a bare Python it starts the command, and the mark is the
command's own.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

__all__ = ["Child", "run_child", "tfimpute"]


class Child(NamedTuple):
    """What became of a command: wall seconds, peak memory in MB, output, CPU seconds."""

    seconds: float
    peak_mb: float
    output: str
    cpu_seconds: float


def run_child(command: list[str]) -> Child:
    """Run a command to its end.

    Parameters
    ----------
    command : list of str

    Returns
    -------
    Child

    Raises
    ------
    RuntimeError
        It did not end well.
    """
    launcher = [sys.executable, "-I", "-S", __file__]
    # An installed package has its bytecode; without it a command starts 0.2 s later.
    env = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    with tempfile.NamedTemporaryFile() as reported:
        done = subprocess.run(
            [*launcher, reported.name, *command],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            env=env,
        )
        if done.returncode:
            last = done.stdout.strip().splitlines()[-1:] or ["no output"]
            raise RuntimeError(f"{' '.join(command)}: {last[0]}")
        reported.seek(0)
        measured = json.load(reported)
    peak_mb = measured["peak_kb"] / 1e3
    return Child(measured["seconds"], peak_mb, done.stdout, measured["cpu_seconds"])


def tfimpute(*arguments: object) -> list[str]:
    """Give the command that runs a verb of this package.

    Parameters
    ----------
    *arguments : object
        The verb and its options; each is turned into text.

    Returns
    -------
    list of str
    """
    return [sys.executable, "-m", "tfimpute_tracks", *map(str, arguments)]


def _launch(reported: str, command: list[str]) -> int:
    began = time.perf_counter()
    process = os.spawnv(os.P_NOWAIT, command[0], command)
    _, status, usage = os.wait4(process, 0)
    seconds = time.perf_counter() - began
    # Linux counts ru_maxrss in kB.
    result = {
        "seconds": seconds,
        "peak_kb": usage.ru_maxrss,
        "cpu_seconds": usage.ru_utime + usage.ru_stime,
    }
    Path(reported).write_text(json.dumps(result), encoding="utf-8")
    return os.waitstatus_to_exitcode(status)


if __name__ == "__main__":
    sys.exit(_launch(sys.argv[1], sys.argv[2:]))
