"""Progress of a run, in a JSON file that other processes may read.

``status.json`` is replaced atomically, about once a second, and stays when the run ends:
with the shards that failed, and why.
"""

from __future__ import annotations

import logging
import os
import socket
import time
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tfimpute_tracks.errors import WriteError
from tfimpute_tracks.impute.events import Done, Event, Failed, Note, Part
from tfimpute_tracks.impute.plan import Plan, Shard
from tfimpute_tracks.storage import write_json

__all__ = ["Status"]

_LOG = logging.getLogger(__name__)


class Status:
    """Progress and speed of a run.

    Parameters
    ----------
    path : Path
        Of the file.
    plan : Plan
    todo : list of Shard
        Shards that this run has to make.
    n_reused : int
        Shards that were there.
    clock : callable
        Returns seconds, never decreasing.
    interval : float
        Seconds between two versions of the file.
    """

    def __init__(
        self,
        path: Path,
        plan: Plan,
        todo: list[Shard],
        n_reused: int,
        clock: Callable[[], float] = time.monotonic,
        interval: float = 1.0,
    ) -> None:
        self._path, self._plan, self._clock = path, plan, clock
        self._interval = interval
        self._todo = todo
        self._total = sum(shard.n_scores for shard in todo)
        self._sizes = {shard.number: shard.n_scores for shard in todo}
        self._done_scores = 0  # of complete shards
        self._partial: Counter[str] = Counter()  # of those being made, by worker
        self._began = clock()
        self._first: tuple[float, int] | None = None  # time and number of scores
        self._written_at = float("-inf")
        self._started = _now()
        self._n_reused = n_reused
        self._has_warned = False
        self.n_done = 0
        self.n_bytes = 0
        self.failed: dict[int, str] = {}
        self.notes: list[str] = []

    def update(self, event: Event) -> None:
        """Count an event, and write the file where it is old.

        Parameters
        ----------
        event : Event
        """
        if isinstance(event, Part):
            self._partial[event.worker] += event.n_scores
        elif isinstance(event, Done):
            self._partial[event.worker] = 0
            self._done_scores += self._sizes[event.number]
            self.n_done += 1
            self.n_bytes += event.n_bytes
        elif isinstance(event, Failed):
            self.failed[event.number] = event.reason
        elif isinstance(event, Note):
            self._partial[event.worker] = 0
            self.notes.append(event.text)
        if self._first is None and self.n_scores:
            self._first = self._clock(), self.n_scores
        if self._clock() - self._written_at > self._interval:
            self.write("running")

    @property
    def n_scores(self) -> int:
        """Scores computed by this run, including unfinished shards."""
        return self._done_scores + sum(self._partial.values())

    @property
    def seconds(self) -> float:
        """Seconds since the run began."""
        return self._clock() - self._began

    @property
    def rate(self) -> float:
        """Mb x pairs per second."""
        return self._plan.megabases(self.n_scores) / max(self.seconds, 1e-9)

    @property
    def seconds_left(self) -> float | None:
        """Seconds until the end at the rate since the first scores; None if unknown.

        What comes before them, above all the compilation of kernels, is over.
        """
        n_left = self._total - self.n_scores
        if n_left <= 0:
            return 0.0
        if self._first is None:
            return None
        since, before = self._first
        n = self.n_scores - before
        return n_left * (self._clock() - since) / n if n > 0 else None

    def write(self, state: str) -> None:
        """Write the file.

        Parameters
        ----------
        state : str
            `running`, `done`, `failed` or `stopped`.

        Notes
        -----
        A file that cannot be written costs one warning: shards do not need it.
        """
        self._written_at = self._clock()
        try:
            write_json(self._path, self._fields(state))
        except WriteError as error:
            if not self._has_warned:
                _LOG.warning("the status is not kept up to date: %s", error)
            self._has_warned = True

    def _fields(self, state: str) -> dict[str, Any]:
        left, shards = self.seconds_left, self._plan.shards
        return {
            "state": state,
            "store": self._plan.digest,
            "process": os.getpid(),
            "host": socket.gethostname(),
            "started": self._started,
            "updated": _now(),
            "shards": {
                "planned": len(self._todo) + self._n_reused,
                "reused": self._n_reused,
                "done": self.n_done,
                "failed": len(self.failed),
            },
            "mb_pairs": {
                "planned": round(self._plan.megabases(self._total), 3),
                "done": round(self._plan.megabases(self.n_scores), 3),
                "per_second": round(self.rate, 1),
            },
            "seconds": round(self.seconds, 1),
            "seconds_left": None if left is None else round(left, 1),
            "bytes_written": self.n_bytes,
            "failed": [
                {
                    "shard": index,
                    "file": shards[index].file_name,
                    "chrom": shards[index].block.ranges[0].chrom,
                    "start": shards[index].block.ranges[0].first,
                    "reason": reason,
                }
                for index, reason in sorted(self.failed.items())
            ],
            "notes": self.notes[-20:],
        }


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
