"""Every error a user can meet, as one tree.

::

    TracksError                      anything this package raises on purpose
    ├── UsageError        (exit 2)   the request cannot be met as it was typed
    │   ├── UnknownNameError         a TF, cell line or model nobody has heard of
    │   ├── RegionError              a chromosome or interval outside the sequence
    │   ├── InputFileError           a file that is missing, empty, foreign or broken
    │   ├── OutputError              a place that cannot be written to
    │   └── DeviceError              a device that is not there
    └── RunError          (exit 1)   a run that was right to start and could not end
        ├── WriteError               the disk filled up, or a write failed
        └── ValidationError          a file we wrote does not read back as written

A message says what is wrong, the value, the place, and what to do about it, on one
line: the command line prints it as it stands. ``cli.py`` alone turns errors into exit
codes, through :attr:`TracksError.exit_code`.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

__all__ = [
    "DeviceError",
    "InputFileError",
    "OutputError",
    "RegionError",
    "RunError",
    "TracksError",
    "UnknownNameError",
    "UsageError",
    "ValidationError",
    "WriteError",
    "listed",
]


class TracksError(Exception):
    """Base of everything this package raises on purpose."""

    exit_code = 1


class UsageError(TracksError):
    """The request cannot be met as it was typed; nothing was run."""

    exit_code = 2


class UnknownNameError(UsageError):
    """A TF, cell line, pair or model that the vocabulary does not hold."""


class RegionError(UsageError):
    """A chromosome or an interval that the sequence does not hold."""


class InputFileError(UsageError):
    """An input file that is missing, empty, foreign or broken."""


class OutputError(UsageError):
    """An output place that cannot be written to."""


class DeviceError(UsageError):
    """A compute device that this machine does not have."""


class RunError(TracksError):
    """A run that was right to start and could not end."""


class WriteError(RunError):
    """A write that failed: a full disk, most often."""


class ValidationError(RunError):
    """A file that an independent reader does not read back as it was written."""


def listed(items: Iterable[Any], limit: int = 5, separator: str = ", ") -> str:
    """List the first of some items for a message.

    Parameters
    ----------
    items : iterable
        Shown as ``str`` shows them.
    limit : int
        How many to show.
    separator : str

    Returns
    -------
    str
        ``a, b and 3 more``.
    """
    texts = [str(item) for item in items]
    n_more = len(texts) - limit
    return separator.join(texts[:limit]) + (
        f" and {n_more:,} more" if n_more > 0 else ""
    )
