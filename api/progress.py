"""How long work says how far it is: bars on the command line, nothing in Python."""

from __future__ import annotations

from collections.abc import Callable, Iterator
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


ProgressBar = Callable[[str, int | None, str], AbstractContextManager[Advance]]
"""From title, total (None: unknown) and unit to a block that counts units."""


@contextmanager
def no_progress(title: str, total: int | None, unit: str) -> Iterator[Advance]:
    """Show nothing.

    Parameters
    ----------
    title : str
    total : int or None
    unit : str

    Yields
    ------
    Advance
    """
    yield lambda n, note="": None
