"""How long work says how far it is: bars on the command line, nothing in Python."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol

__all__ = ["Advance", "ProgressBar", "no_progress"]


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
