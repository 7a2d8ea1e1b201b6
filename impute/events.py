"""What whoever hands out shards tells whoever runs the whole.

Three engines (this process, ``pool``, ``cluster``) give the same stream of events, so
progress, status and the record of failures are written once, in ``run``.
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
    """A shard was given up; the others go on."""

    number: int
    reason: str


class Note(NamedTuple):
    """Something happened that a person may want to know.

    What the worker named had computed of an unfinished shard is lost.
    """

    text: str
    worker: str = ""


Event: TypeAlias = Part | Done | Failed | Note
