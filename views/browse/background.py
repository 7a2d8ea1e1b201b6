"""Wide windows of the page, computed in the background, one at a time."""

from __future__ import annotations

from threading import Event, Lock, Thread
from typing import Any

from tfimpute_tracks.engines.ordered_map import ordered_map
from tfimpute_tracks.engines.tiles import TileRange
from tfimpute_tracks.errors import TracksError
from tfimpute_tracks.genome import Region
from tfimpute_tracks.views.browse.scores import LiveScores
from tfimpute_tracks.vocabulary import Pair

__all__ = ["Background"]


class Background:
    """Computes a wide window block by block, one window at a time.

    Parameters
    ----------
    scores : LiveScores
    """

    def __init__(self, scores: LiveScores) -> None:
        self._scores = scores
        self._lock = Lock()
        self._stop = Event()
        self._thread: Thread | None = None
        self._done = self._total = 0
        self._error = ""

    def start(self, pairs: list[Pair], signal: str, region: Region) -> None:
        """Start to compute a window, and stop the previous one.

        Parameters
        ----------
        pairs : list of Pair
        signal : str
        region : Region

        Raises
        ------
        RegionError
            No tile is centered there.
        """
        blocks = self._scores.tiles(region)
        work = [(pair, block) for block in blocks for pair in pairs]
        with self._lock:
            self.stop()
            self._stop = Event()
            self._done, self._total, self._error = 0, len(work), ""
            arguments = work, signal, self._stop
            self._thread = Thread(target=self._run, args=arguments, daemon=True)
            self._thread.start()

    def stop(self) -> None:
        """Stop after the current block."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join()

    def state(self) -> dict[str, Any]:
        """Report the progress.

        Returns
        -------
        dict
            `running`, the `fraction` done, and `error`, empty if there was none.
        """
        running = self._thread is not None and self._thread.is_alive()
        fraction = self._done / self._total if self._total else 1.0
        return {"running": running, "fraction": fraction, "error": self._error}

    def _run(
        self, work: list[tuple[Pair, TileRange]], signal: str, stop: Event
    ) -> None:
        def compute(item: tuple[Pair, TileRange]) -> None:
            if not stop.is_set():
                self._scores.compute(item[0], signal, item[1])

        try:
            for _ in ordered_map(compute, work, self._scores.threads):
                self._done += 1
        except TracksError as error:
            self._error = " ".join(str(error).split())
