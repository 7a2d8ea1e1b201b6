"""Commands in forked processes, which may crash or hang without harm to the soak.

A fork of a process that has imported everything starts at once, so that thousands of
commands fit into minutes.
"""

from __future__ import annotations

import faulthandler
import os
import resource
import signal
import sys
import time
import traceback
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout, suppress
from io import StringIO
from pathlib import Path
from typing import NamedTuple

from outputs import HALF_WRITTEN, report_half_written

__all__ = ["Outcome", "run_command", "run_forked", "run_here"]

_MEMORY = 12 << 30  # bytes of address space: an absurd size must not end the machine

_SIGNS = {
    "Traceback (most recent": "traceback",
    "Exception ignored": "ignored exception",
    "panicked at": "panic",
    HALF_WRITTEN: "leftover",
}


class Outcome(NamedTuple):
    """How a command ended: exit code, minus the signal, or None for a hang."""

    code: int | None
    out: str
    err: str

    def fault(self) -> str:
        """Say what is wrong with it; empty if nothing is."""
        if self.code is None:
            return "hangs"
        if self.code < 0:
            return f"ended by {signal.Signals(-self.code).name}"
        for sign, name in _SIGNS.items():
            if sign in self.err:
                return f"{name}: {self.err.strip().splitlines()[-1][:300]}"
        if self.code not in (0, 1, 2):
            return f"exit code {self.code}"
        last = self.err.strip().splitlines()[-1:]
        if self.code and not (last and last[0].startswith("error: ")):
            return f"exit code {self.code} without an error message"
        return ""


def run_command(arguments: list[str], folder: Path, timeout: float) -> Outcome:
    """Run a command line of this package in a folder.

    Parameters
    ----------
    arguments : list of str
    folder : Path
        Becomes the working directory and holds the caches.
    timeout : float
        Seconds.

    Returns
    -------
    Outcome
    """

    def call() -> int:
        from tfimpute_tracks.cli import main

        try:
            main(arguments)
        except SystemExit as stop:
            report_half_written(folder)
            return int(stop.code or 0)
        return 0

    return run_forked(call, folder, timeout)


def run_here(arguments: list[str], folder: Path) -> None:
    """Run a command line in this process, in a folder and without its messages.

    Parameters
    ----------
    arguments : list of str
    folder : Path
    """
    from tfimpute_tracks.cli import main

    before = Path.cwd()
    os.chdir(folder)
    try:
        with redirect_stdout(StringIO()), redirect_stderr(StringIO()):
            main([*arguments, "--cache-dir", "cache"])
    except SystemExit:
        pass
    finally:
        os.chdir(before)


def run_forked(call: Callable[[], int], folder: Path, timeout: float) -> Outcome:
    """Run a function in a fork of this process.

    Parameters
    ----------
    call : callable
        Gives the exit code.
    folder : Path
    timeout : float
        Seconds; after them all its processes are killed.

    Returns
    -------
    Outcome
    """
    streams = [folder / ".stdout", folder / ".stderr"]
    pid = os.fork()
    if not pid:
        _child(call, folder, streams, timeout)
    deadline = time.monotonic() + timeout
    code = None
    while time.monotonic() < deadline:
        done, status = os.waitpid(pid, os.WNOHANG)
        if done:
            code = os.waitstatus_to_exitcode(status)
            break
        time.sleep(0.003)
    with suppress(ProcessLookupError):
        os.killpg(pid, signal.SIGKILL)
    if code is None:
        os.waitpid(pid, 0)
    texts = [path.read_text(errors="replace") for path in streams]
    for path in streams:
        path.unlink()
    return Outcome(code, *texts)


def _child(
    call: Callable[[], int], folder: Path, streams: list[Path], timeout: float
) -> None:
    """Run the function with its own streams, and end this process."""
    code = 1
    try:
        os.setsid()
        for number, path in enumerate(streams, 1):
            os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), number)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        os.chdir(folder)
        os.environ["XDG_CACHE_HOME"] = str(folder / ".cache")
        resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        # Says where it hangs.
        faulthandler.dump_traceback_later(max(timeout - 2, 1), file=sys.__stderr__)
        code = call()
    except BaseException:
        traceback.print_exc()
    finally:
        for stream in (sys.stdout, sys.stderr):
            with suppress(Exception):
                stream.flush()
        os._exit(code)
