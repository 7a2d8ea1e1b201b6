"""How long work says how far it is: bars on the command line, nothing in Python."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol

from tfimpute_tracks.api.notes import log

__all__ = ["Advance", "ProgressBar", "RateLog", "no_progress"]


class Advance(Protocol):
    """Counts finished units of a progress bar."""

    def __call__(self, n: int, note: str = "") -> None:
        """Count units.

        Parameters
        ----------
        n : int
            Finished units since the last call.
        note : str
            Shown after the bar.
        """


class ProgressBar(Protocol):
    """Opens a progress bar."""

    def __call__(
        self, title: str, total: int | None, unit: str, scale: float = 1.0
    ) -> AbstractContextManager[Advance]:
        """Open a progress bar.

        Parameters
        ----------
        title : str
        total : int or None
            Number of units; None if unknown.
        unit : str
            Unit of the rate.
        scale : float
            Units per one of `unit`: 1e6 for a total in bp and a rate in Mb.

        Returns
        -------
        context manager
            A block that counts units.
        """


@contextmanager
def no_progress(
    title: str, total: int | None, unit: str, scale: float = 1.0
) -> Iterator[Advance]:
    """Show nothing.

    Parameters
    ----------
    title : str
    total : int or None
    unit : str
    scale : float

    Yields
    ------
    Advance
    """
    yield lambda n, note="": None


class RateLog:
    """Counts bp and logs the rate once, early, also where no bar is shown.

    What comes before the first count, above all the compilation of kernels, is no part
    of the rate.

    Parameters
    ----------
    n_bases : int
        bp in total.
    advance : callable
        Receives each count.
    clock : callable
        Returns seconds, never decreasing.

    Attributes
    ----------
    n_done : int
        bp counted so far.
    """

    _SECONDS = 3

    def __init__(
        self,
        n_bases: int,
        advance: Callable[[int], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._n_bases = n_bases
        self._advance, self._clock = advance, clock
        self.n_done = 0
        self._first: tuple[float, int] | None = None
        self._is_logged = False

    def __call__(self, n: int) -> None:
        """Count `n` more bp."""
        self._advance(n)
        self.n_done += n
        now = self._clock()
        since, before = self._first = self._first or (now, self.n_done)
        seconds = now - since
        is_due = seconds > self._SECONDS and self.n_done < self._n_bases
        if is_due and not self._is_logged:
            self._is_logged = True
            rate = (self.n_done - before) / seconds
            left = (self._n_bases - self.n_done) / rate
            log(f"{rate / 1e6:.1f} Mb/s, about {left:.0f} s remaining")
