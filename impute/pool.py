"""Work handed out to processes of this machine, whatever becomes of them.

Processes are spawned, never forked: numba, PyTorch and open files do not survive a
fork. A process that dies is replaced, and its piece is tried again; a piece that fails
three times is given up; a place (a GPU, say) whose processes die three times without
finishing anything is closed, and its pieces go to the others. Processes end by
themselves when the one that started them is gone.
"""

from __future__ import annotations

import logging
import os
import signal
import sys
import threading
import traceback
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from multiprocessing import get_context, parent_process
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from pathlib import Path
from typing import Any, NamedTuple

from tfimpute_tracks.errors import RunError, TracksError, UsageError, WriteError
from tfimpute_tracks.impute.events import ATTEMPTS, Done, Event, Failed, Note, Part

__all__ = ["Place", "Work", "run_pool"]

_LOG = logging.getLogger(__name__)
_DEATHS = 3  # in a row, before a place is closed
_PATIENCE = 5.0  # seconds that a process has to end when it is told to

# make(piece, progress) -> (bytes, seconds)
Work = Callable[[int, Callable[[int], None]], tuple[int, float]]


class Place(NamedTuple):
    """Where one process runs.

    Attributes
    ----------
    name : str
        For logs and status: `cpu-1`, `cuda:0`.
    argument : object
        What `open_work` is given there; it pickles.
    log : Path, optional
    """

    name: str
    argument: Any
    log: Path | None = None


@dataclass
class _Worker:
    place: Place
    process: SpawnProcess
    pipe: Connection
    is_ready: bool = False
    piece: int | None = None


@dataclass
class _State:
    waiting: deque[int]
    n_done: int = 0
    tried: Counter[int] = field(default_factory=Counter)
    deaths: Counter[str] = field(default_factory=Counter)
    workers: list[_Worker] = field(default_factory=list)


def run_pool(
    open_work: Callable[[Any], Work], places: Sequence[Place], pieces: Sequence[int]
) -> Iterator[Event]:
    """Hand out pieces of work.

    Parameters
    ----------
    open_work : callable
        Of the top level of a module. Called once in each process with the place's
        argument; what it returns makes a piece.
    places : sequence of Place
    pieces : sequence of int

    Yields
    ------
    Part, Done, Failed, Note
        As they happen.

    Raises
    ------
    WriteError
        The disk is full: nothing more can be done.
    UsageError
        A process says that what it was given is wrong, so any would.
    RunError
        No place is left.
    """
    state = _State(deque(pieces))
    n_processes = min(len(places), len(pieces))
    try:
        for place in places[:n_processes]:
            state.workers.append(_start(open_work, place))
        while state.waiting or any(w.piece is not None for w in state.workers):
            for worker in _speaking(state.workers):
                yield from _hear(worker, state, open_work)
            _hand_out(state)
            if not state.workers:
                yield from _give_up(state)
    finally:
        _stop(state.workers)


def _speaking(workers: list[_Worker]) -> list[_Worker]:
    pipes = {id(worker.pipe): worker for worker in workers}
    return [pipes[id(pipe)] for pipe in wait([w.pipe for w in workers])]


def _hear(
    worker: _Worker, state: _State, open_work: Callable[[Any], Work]
) -> Iterator[Event]:
    """Take one message of a worker, or notice that it is gone."""
    try:
        kind, value = worker.pipe.recv()
    except (EOFError, OSError):
        yield from _bury(worker, state, open_work)
        return
    name = worker.place.name
    if kind == "part":
        yield Part(name, value)
        return
    if kind == "stop":
        raise value
    worker.is_ready = kind != "broken"  # such a process ends by itself
    piece, worker.piece = worker.piece, None
    if kind == "done" and piece is not None:
        state.deaths[name] = 0
        state.n_done += 1
        yield Done(name, piece, *value)
    elif kind in {"failed", "broken"}:
        yield Note(f"{name}: {value}", name)
        if piece is not None:
            yield from _try_again(piece, value, state)


def _hand_out(state: _State) -> None:
    for worker in state.workers:
        if state.waiting and worker.is_ready and worker.piece is None:
            worker.piece = state.waiting.popleft()
            with suppress(OSError):  # it died meanwhile: the pipe says so next
                worker.pipe.send(worker.piece)


def _give_up(state: _State) -> Iterator[Event]:
    """Say what cannot be made any more: every place is closed."""
    reason = f"each process failed {_DEATHS} times in a row; their logs tell more"
    if not state.n_done:
        raise RunError(reason)
    while state.waiting:
        yield Failed(state.waiting.popleft(), reason)


def _bury(
    worker: _Worker, state: _State, open_work: Callable[[Any], Work]
) -> Iterator[Event]:
    """Replace a process that died, and give its piece back."""
    state.workers.remove(worker)
    worker.process.join(_PATIENCE)
    name = worker.place.name
    reason = f"the process of {name} died ({_cause(worker.process.exitcode)})"
    yield Note(reason, name)
    state.deaths[name] += 1
    if worker.piece is not None:
        yield from _try_again(worker.piece, reason, state)
    if state.deaths[name] >= _DEATHS:
        yield Note(f"{name} is given up after {_DEATHS} deaths in a row")
    elif state.waiting:
        state.workers.append(_start(open_work, worker.place))


def _try_again(piece: int, reason: str, state: _State) -> Iterator[Event]:
    state.tried[piece] += 1
    if state.tried[piece] >= ATTEMPTS:
        yield Failed(piece, reason)
    else:
        state.waiting.append(piece)  # behind the others: they are not to wait for it


def _cause(exit_code: int | None) -> str:
    if exit_code is not None and exit_code < 0:
        return f"signal {signal.Signals(-exit_code).name}"
    return f"exit code {exit_code}"


def _start(open_work: Callable[[Any], Work], place: Place) -> _Worker:
    context = get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(
        target=_live, args=(open_work, place, theirs), name=place.name, daemon=True
    )
    process.start()
    theirs.close()  # or its end would never be noticed
    return _Worker(place, process, ours)


def _stop(workers: list[_Worker]) -> None:
    for worker in workers:
        worker.pipe.close()
        worker.process.terminate()
    for worker in workers:
        worker.process.join(_PATIENCE)
        if worker.process.is_alive():
            worker.process.kill()
            worker.process.join()


def _live(open_work: Callable[[Any], Work], place: Place, pipe: Connection) -> None:
    """Be a worker: ask for pieces until there are no more."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for who started us
    threading.Thread(target=_end_with_parent, daemon=True).start()
    if place.log is not None:
        logging.basicConfig(
            filename=place.log,
            level=logging.INFO,
            format="%(asctime)s %(levelname)s %(message)s",
        )
    try:
        _LOG.info("%s, process %d", place.name, os.getpid())
        make = open_work(place.argument)
        pipe.send(("ready", None))
        while True:
            _make_one(make, pipe.recv(), pipe)
    except (EOFError, BrokenPipeError, ConnectionResetError):
        return  # nobody asks any more
    except UsageError as error:
        _LOG.exception("what this process was given is wrong")
        with suppress(OSError):
            pipe.send(("stop", error))
    except Exception as error:
        # A device may be unusable after this: the next process starts afresh.
        _LOG.exception("this process cannot go on")
        with suppress(OSError):
            pipe.send(("broken", _said(error)))
        sys.exit(1)


def _make_one(make: Work, piece: int, pipe: Connection) -> None:
    try:
        made = make(piece, lambda n: pipe.send(("part", n)))
    except WriteError as error:
        _LOG.exception("piece %d: nothing can be written", piece)
        pipe.send(("stop", error))
    except (BrokenPipeError, ConnectionResetError):
        raise
    except TracksError as error:
        _LOG.exception("piece %d failed", piece)
        pipe.send(("failed", str(error)))
    else:
        _LOG.info("piece %d: %d bytes in %.2f s", piece, *made)
        pipe.send(("done", made))


def _said(error: Exception) -> str:
    last = traceback.extract_tb(error.__traceback__)[-1]
    where = f"{Path(last.filename).name}:{last.lineno}"
    return f"{type(error).__name__} at {where}: {error}"


def _end_with_parent() -> None:
    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
