"""Events of a run: what the engines report.

The local pool and the Dask cluster yield the same stream of events, so that progress,
status and failures are handled once, in ``run``.
"""

from __future__ import annotations

from typing import NamedTuple, TypeAlias

__all__ = ["ATTEMPTS", "Done", "Event", "Failed", "Note", "Part"]

ATTEMPTS = 3
"""How often a shard is tried before it counts as failed."""


class Part(NamedTuple):
    """Some scores of a shard are computed."""

    worker: str
    n_scores: int


class Done(NamedTuple):
    """A shard is on disk."""

    worker: str
    number: int
    n_bytes: int
    seconds: float


class Failed(NamedTuple):
    """A shard failed for good; the others go on."""

    number: int
    reason: str


class Note(NamedTuple):
    """A message for people.

    The worker that is named has lost what it had computed of an unfinished shard.
    """

    text: str
    worker: str = ""


Event: TypeAlias = Part | Done | Failed | Note
