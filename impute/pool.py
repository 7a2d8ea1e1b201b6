"""A pool of processes on this machine that survives the death of its workers.

Processes are spawned, never forked: numba, PyTorch and open files do not survive a fork.
A worker that dies is replaced, and its item is tried again; an item that fails three
times fails for good; a slot (a GPU, for example) whose workers die three times in a row
is closed, and its items go to the others. Workers end by themselves when the process
that started them is gone.
"""

from __future__ import annotations

import logging
import os
import signal
import sys
import traceback
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from pathlib import Path
from typing import Any, NamedTuple

from tfimpute_tracks.engines.ordered_processes import begin_child
from tfimpute_tracks.errors import RunError, TracksError, UsageError, WriteError
from tfimpute_tracks.impute.events import ATTEMPTS, Done, Event, Failed, Note, Part

__all__ = ["Slot", "Work", "run_pool"]

_LOG = logging.getLogger(__name__)
_MAX_DEATHS = 3  # in a row, before a slot is closed
_JOIN_SECONDS = 5.0  # for a process to end

# make(item, progress) -> (bytes, seconds)
Work = Callable[[int, Callable[[int], None]], tuple[int, float]]


class Slot(NamedTuple):
    """Where one worker runs.

    Attributes
    ----------
    name : str
        For logs and status: `cpu-1`, `cuda:0`.
    argument : object
        Passed to `open_work`; it pickles.
    log : Path, optional
    """

    name: str
    argument: Any
    log: Path | None = None


@dataclass
class _Worker:
    slot: Slot
    process: SpawnProcess
    pipe: Connection
    is_ready: bool = False
    item: int | None = None


@dataclass
class _State:
    waiting: deque[int]
    n_done: int = 0
    tried: Counter[int] = field(default_factory=Counter)
    deaths: Counter[str] = field(default_factory=Counter)
    workers: list[_Worker] = field(default_factory=list)


def run_pool(
    open_work: Callable[[Any], Work], slots: Sequence[Slot], items: Sequence[int]
) -> Iterator[Event]:
    """Compute items in worker processes.

    Parameters
    ----------
    open_work : callable
        Of the top level of a module. Called once in each process with the slot's
        argument; what it returns makes an item.
    slots : sequence of Slot
    items : sequence of int

    Yields
    ------
    Part, Done, Failed, Note
        As they happen.

    Raises
    ------
    WriteError
        The disk is full: nothing more can be done.
    UsageError
        A worker's input is wrong, so any worker's would be.
    RunError
        No slot is left.
    """
    state = _State(deque(items))
    n_processes = min(len(slots), len(items))
    try:
        for slot in slots[:n_processes]:
            state.workers.append(_start(open_work, slot))
        while state.waiting or any(w.item is not None for w in state.workers):
            for worker in _ready(state.workers):
                yield from _receive(worker, state, open_work)
            _hand_out(state)
            if not state.workers:
                yield from _fail_remaining(state)
    finally:
        _stop(state.workers)


def _ready(workers: list[_Worker]) -> list[_Worker]:
    pipes = {id(worker.pipe): worker for worker in workers}
    return [pipes[id(pipe)] for pipe in wait([w.pipe for w in workers])]


def _receive(
    worker: _Worker, state: _State, open_work: Callable[[Any], Work]
) -> Iterator[Event]:
    """Receive one message of a worker, or notice that it died."""
    try:
        kind, value = worker.pipe.recv()
    except (EOFError, OSError):
        yield from _replace_worker(worker, state, open_work)
        return
    name = worker.slot.name
    if kind == "part":
        yield Part(name, value)
        return
    if kind == "stop":
        raise value
    worker.is_ready = kind != "broken"  # such a worker ends by itself
    item, worker.item = worker.item, None
    if kind == "done" and item is not None:
        state.deaths[name] = 0
        state.n_done += 1
        yield Done(name, item, *value)
    elif kind in {"failed", "broken"}:
        yield Note(f"{name}: {value}", name)
        if item is not None:
            yield from _try_again(item, value, state)


def _hand_out(state: _State) -> None:
    for worker in state.workers:
        if state.waiting and worker.is_ready and worker.item is None:
            worker.item = state.waiting.popleft()
            with suppress(OSError):  # it died meanwhile: its pipe reports that next
                worker.pipe.send(worker.item)


def _fail_remaining(state: _State) -> Iterator[Event]:
    """Report the remaining items as failed: every slot is closed."""
    reason = f"each process failed {_MAX_DEATHS} times in a row; see their logs"
    if not state.n_done:
        raise RunError(reason)
    while state.waiting:
        yield Failed(state.waiting.popleft(), reason)


def _replace_worker(
    worker: _Worker, state: _State, open_work: Callable[[Any], Work]
) -> Iterator[Event]:
    """Replace a worker that died, and put its item back."""
    state.workers.remove(worker)
    worker.process.join(_JOIN_SECONDS)
    name = worker.slot.name
    reason = f"the process of {name} died ({_cause(worker.process.exitcode)})"
    yield Note(reason, name)
    state.deaths[name] += 1
    if worker.item is not None:
        yield from _try_again(worker.item, reason, state)
    if state.deaths[name] >= _MAX_DEATHS:
        yield Note(f"{name} is closed after {_MAX_DEATHS} deaths in a row")
    elif state.waiting:
        state.workers.append(_start(open_work, worker.slot))


def _try_again(item: int, reason: str, state: _State) -> Iterator[Event]:
    state.tried[item] += 1
    if state.tried[item] >= ATTEMPTS:
        yield Failed(item, reason)
    else:
        state.waiting.append(item)  # at the end: the others must not wait for it


def _cause(exit_code: int | None) -> str:
    if exit_code is not None and exit_code < 0:
        return f"signal {signal.Signals(-exit_code).name}"
    return f"exit code {exit_code}"


def _start(open_work: Callable[[Any], Work], slot: Slot) -> _Worker:
    context = get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(
        target=_worker_main, args=(open_work, slot, theirs), name=slot.name, daemon=True
    )
    process.start()
    theirs.close()  # or the death of the worker would never be noticed
    return _Worker(slot, process, ours)


def _stop(workers: list[_Worker]) -> None:
    for worker in workers:
        worker.pipe.close()
        worker.process.terminate()
    for worker in workers:
        worker.process.join(_JOIN_SECONDS)
        if worker.process.is_alive():
            worker.process.kill()
            worker.process.join()


def _worker_main(
    open_work: Callable[[Any], Work], slot: Slot, pipe: Connection
) -> None:
    """Make items until the parent closes the pipe."""
    begin_child()
    _open_log(slot.log)
    try:
        _LOG.info("%s, process %d", slot.name, os.getpid())
        make = open_work(slot.argument)
        pipe.send(("ready", None))
        while True:
            _make_one(make, pipe.recv(), pipe)
    except (EOFError, BrokenPipeError, ConnectionResetError):
        return  # the parent is done
    except UsageError as error:
        _LOG.exception("the input of this process is wrong")
        with suppress(OSError):
            pipe.send(("stop", error))
    except Exception as error:
        # A device may be unusable after this: a new process starts over.
        _LOG.exception("this process cannot continue")
        with suppress(OSError):
            pipe.send(("broken", _format_error(error)))
        sys.exit(1)


def _open_log(path: Path | None) -> None:
    """Write the log of this process to a file; shards do not need it."""
    logging.raiseExceptions = False  # a full disk is no reason for a traceback per line
    if path is None:
        return
    try:
        handler = logging.FileHandler(path)
    except OSError:  # its folder was checked: the disk has become full
        return
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
    logging.basicConfig(handlers=[handler], level=logging.INFO)


def _make_one(make: Work, item: int, pipe: Connection) -> None:
    try:
        made = make(item, lambda n: pipe.send(("part", n)))
    except WriteError as error:
        _LOG.exception("item %d: cannot write", item)
        pipe.send(("stop", error))
    except (BrokenPipeError, ConnectionResetError):
        raise
    except TracksError as error:
        _LOG.exception("item %d failed", item)
        pipe.send(("failed", str(error)))
    else:
        _LOG.info("item %d: %d bytes in %.2f s", item, *made)
        pipe.send(("done", made))


def _format_error(error: Exception) -> str:
    last = traceback.extract_tb(error.__traceback__)[-1]
    where = f"{Path(last.filename).name}:{last.lineno}"
    return f"{type(error).__name__} at {where}: {error}"
