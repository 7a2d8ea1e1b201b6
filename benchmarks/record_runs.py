"""Steps of a recording, each run in a process of its own."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
from record_steps import ADDRESSES, THREADS, WITHOUT_JSON
from recording import Recording, log


def read_steps(table: str) -> dict[str, str]:
    """Read a table of steps: what is typed, by name."""
    rows = [line for line in table.splitlines() if line and not line.startswith("#")]
    joined = re.sub(r"\n +", " ", "\n".join(rows))
    return dict(row.split(": ", 1) for row in joined.splitlines())


class Runner:
    """Runs steps in a folder, each after those whose output it reads.

    Parameters
    ----------
    work : Path
        Inputs lie in `work/in`, what a step NAME makes in `work/NAME`.
    """

    def __init__(self, work: Path) -> None:
        self.work = work
        self.failed: dict[str, str] = {}
        self.seconds: dict[str, float] = {}
        self._done: dict[str, Future[Recording]] = {}

    def run(self, jobs: dict[str, Callable[[], Recording]], n_workers: int) -> None:
        """Run jobs, those first that stand first; a job may `wait` for earlier ones."""
        with ThreadPoolExecutor(n_workers) as pool:
            for name, job in jobs.items():
                self._done[name] = pool.submit(self._timed, name, job)

    def results(self) -> Iterator[tuple[str, Recording]]:
        """Give what each job that came to its end has recorded."""
        for name, future in self._done.items():
            if future.exception() is None:
                yield name, future.result()
            else:
                self.failed[name] = str(future.exception())

    def _timed(self, name: str, job: Callable[[], Recording]) -> Recording:
        began = time.monotonic()
        try:
            return job()
        finally:
            self.seconds[name] = time.monotonic() - began
            log(f"{self.seconds[name]:6.1f} s  {name}")

    def step(self, name: str, typed: str) -> Recording:
        """Run a command, and record what it printed; its files are read at the end."""
        out = self.work / name
        out.mkdir(parents=True, exist_ok=True)
        words = [self._filled(name, word) for word in shlex.split(typed)]
        if words[0] not in WITHOUT_JSON:
            words.append("--json")
        done = subprocess.run(
            product("-q", *words),
            env=environment(self.work, THREADS.get(name, 1)),
            cwd=self.work,
            capture_output=True,
            text=True,
            check=False,
            stdin=subprocess.DEVNULL,
        )
        if done.returncode:
            raise RuntimeError(f"exit {done.returncode}: {done.stderr.strip()[-600:]}")
        recording = Recording()
        recording.text(f"{name}/stderr", done.stderr)
        record_stdout(recording, f"{name}/stdout", done.stdout)
        return recording

    def script(self, name: str, *words: str) -> Recording:
        """Run record.py itself, in a process of its own with the same environment."""
        out = self.work / name
        out.mkdir(parents=True, exist_ok=True)
        command = [
            sys.executable,
            str(Path(__file__).with_name("record.py").resolve()),
            *words,
            str(out),
        ]
        done = subprocess.run(
            command,
            env=environment(self.work, 1),
            cwd=self.work,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise RuntimeError(f"exit {done.returncode}: {done.stderr.strip()[-600:]}")
        own = Recording.read(out)
        for file in ("numbers.npz", "text.json"):
            (out / file).unlink()
        return own

    def _filled(self, name: str, word: str) -> str:
        """Put folders for what stands in angle brackets, and wait for their steps."""

        def path(match: re.Match[str]) -> str:
            found = match[1]
            if found == "out":
                found = name
            elif not found.startswith("in/"):
                self.wait(found)
            return str(self.work / found)

        return re.sub(r"<([^<>]+)>", path, word)

    def wait(self, name: str) -> None:
        """Wait for the end of an earlier job; fail where it failed."""
        error = self._done[name].exception()
        if error is not None:
            raise RuntimeError(f"{name} failed")


def product(*words: str) -> list[str]:
    """Give the command line of the product."""
    return [sys.executable, "-m", "tfimpute_tracks", *words]


def environment(work: Path, threads: int) -> dict[str, str]:
    """Give an environment that says all that results could depend on."""
    own = {k: v for k, v in os.environ.items() if not k.startswith("TFIMPUTE")}
    paths = own.get("PYTHONPATH", "").split(os.pathsep)
    own["PYTHONPATH"] = os.pathsep.join(str(Path(p).absolute()) for p in paths if p)
    for name in ("NUMBA", "OMP", "MKL", "OPENBLAS"):
        own[f"{name}_NUM_THREADS"] = str(threads)
    return own | {
        "CUDA_VISIBLE_DEVICES": "",
        "MPLBACKEND": "agg",
        "NO_COLOR": "1",
        "COLUMNS": "100",
        "XDG_CACHE_HOME": str(work / "cache"),
    }


def record_stdout(recording: Recording, key: str, text: str) -> None:
    """Record what a command printed: JSON as numbers, the rest as sentences."""
    if text.lstrip()[:1] in {"{", "["}:
        value, end = json.JSONDecoder().raw_decode(text.lstrip())
        recording.tree(key, value)
        text = text.lstrip()[end:]
    recording.text(f"{key}/text", text)


def browse(runner: Runner, name: str, typed: str) -> Recording:
    """Record what the browser page's server answers."""
    recording = Recording()
    server = subprocess.Popen(
        product("-q", *shlex.split(typed), "--port", "0", "--no-cache"),
        env=environment(runner.work, 1),
        cwd=runner.work,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    limit = threading.Timer(300, server.kill)
    limit.start()
    try:
        assert server.stdout is not None
        address = server.stdout.readline().strip()
        for what, asked in ADDRESSES.items():
            with urllib.request.urlopen(f"{address}{asked}", timeout=120) as answer:
                _record_answer(recording, f"{name}/{what}", answer)
    finally:
        limit.cancel()
        server.terminate()
        server.wait()
    return recording


def _record_answer(recording: Recording, key: str, answer: Any) -> None:
    content = answer.read()
    if "json" in answer.headers["content-type"]:
        recording.tree(key, json.loads(content))
        return
    for name, header in (("x-start", "x-start"), ("x-width", "x-step")):
        recording.number(f"{key}/{name}", float(answer.headers[header]))
    recording.number(f"{key}/values", np.frombuffer(content, dtype="<f4"))
