"""Damaged inputs for every reader: no traceback, no hang, nothing half written."""

from __future__ import annotations

import random
import shutil
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from addresses import ask_addresses
from children import Outcome, run_command
from mutations import mutate
from options import with_odd_option
from readers import READERS, Reader

__all__ = ["Tally", "soak_readers"]

_TIMEOUT = 60.0  # seconds of a command that takes one


@dataclass
class Tally:
    """Counts of one part of the soak.

    Attributes
    ----------
    tried, refused : Counter
        Damaged inputs by kind, and those that ended with an error message.
    verbs : Counter
        Commands by verb.
    failures : list of str
    """

    tried: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    verbs: Counter[str] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)


def soak_readers(
    inputs: Path,
    folder: Path,
    seed: int,
    until: float,
    chosen: Sequence[str],
    log: Callable[[str], None],
) -> Tally:
    """Damage inputs in turn until the time is over.

    Parameters
    ----------
    inputs : Path
        Folder of whole inputs.
    folder : Path
        For work; inputs that show a fault stay in it.
    seed : int
    until : float
        Of `time.monotonic`; each reader gets one damaged input at least.
    chosen : sequence of str
        `KIND` or `KIND#NUMBER`: only these.
    log : callable

    Returns
    -------
    Tally
    """
    tally, seen = Tally(), set()
    jobs = _chosen(chosen)
    number = 0
    while number == 0 or (time.monotonic() < until and not _is_one(chosen)):
        for index, reader in jobs:
            if number and time.monotonic() > until:
                break
            name = f"{reader.kind}#{index}.{_number(chosen, number)}"
            work = folder / "work"
            outcome = _try(inputs, work, reader, f"{seed}:{name}")
            tally.tried[reader.kind] += 1
            tally.verbs[reader.verb] += 1
            tally.refused[reader.kind] += outcome.code in (1, 2)
            fault = outcome.fault()
            if fault:
                kept = _keep(work, folder, reader, name, outcome)
                tally.failures.append(f"{name}: {fault}; {kept}")
                if fault[:80] not in seen:
                    seen.add(fault[:80])
                    log(tally.failures[-1])
            if not chosen:
                _try_option(inputs, work, reader, f"{seed}:option:{name}", tally)
        number += 1
    if not chosen or "browse" in chosen:
        ask_addresses(inputs, folder, seed, tally)
    return tally


def _chosen(chosen: Sequence[str]) -> list[tuple[int, Reader]]:
    """Give the readers that `KIND` or `KIND#INDEX.NUMBER` name; all without any."""
    jobs = list(enumerate(READERS))
    if not chosen:
        return jobs
    return [
        (index, reader)
        for index, reader in jobs
        if any(
            text == reader.kind or text.startswith(f"{reader.kind}#{index}.")
            for text in chosen
        )
    ]


def _is_one(chosen: Sequence[str]) -> bool:
    return any("#" in text for text in chosen) or list(chosen) == ["browse"]


def _number(chosen: Sequence[str], number: int) -> int:
    named = [int(text.rpartition(".")[2]) for text in chosen if "#" in text]
    return named[0] if named else number


def _try(inputs: Path, work: Path, reader: Reader, seed: str) -> Outcome:
    """Run a reader on one damaged input."""
    shutil.rmtree(work, ignore_errors=True)
    shutil.copytree(inputs, work)
    (work / "out").mkdir()
    rng = random.Random(seed)
    damaged = mutate((inputs / reader.file).read_bytes(), reader.is_text, rng)
    (work / reader.file).write_bytes(damaged.content)
    outcome = run_command(reader.command.split(), work, _TIMEOUT)
    (work / "damage.txt").write_text(damaged.what + "\n")
    return outcome


def _try_option(
    inputs: Path, work: Path, reader: Reader, seed: str, tally: Tally
) -> None:
    """Run a reader on whole inputs with an odd option."""
    shutil.rmtree(work, ignore_errors=True)
    shutil.copytree(inputs, work)
    (work / "out").mkdir()
    arguments = with_odd_option(
        reader.verb, reader.command.split(), inputs, random.Random(seed)
    )
    outcome = run_command(arguments, work, _TIMEOUT)
    tally.tried["option"] += 1
    tally.verbs[reader.verb] += 1
    tally.refused["option"] += outcome.code in (1, 2)
    if outcome.fault():
        tally.failures.append(f"{outcome.fault()}: {' '.join(arguments)[:300]}")


def _keep(
    work: Path, folder: Path, reader: Reader, name: str, outcome: Outcome
) -> Path:
    """Keep the damaged file and what the command wrote to stderr."""
    kept = folder / "failures" / name.replace(" ", "-").replace("#", "-")
    kept.mkdir(parents=True, exist_ok=True)
    shutil.copy(work / reader.file, kept)
    what = (work / "damage.txt").read_text()
    (kept / "report.txt").write_text(
        f"tfimpute-tracks {reader.command}\n{what}{outcome.code}\n{outcome.err}"
    )
    return kept
