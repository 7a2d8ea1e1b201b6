"""Every error a user can see, as one tree, and what messages are made of.

::

    TracksError                      anything that this package raises on purpose
    ├── UsageError        (exit 2)   the request is invalid; nothing was run
    │   ├── UnknownNameError         an unknown TF, cell line, pair or model
    │   ├── RegionError              a chromosome or interval outside of the sequence
    │   ├── InputFileError           a file that is missing, empty, foreign or damaged
    │   ├── OutputError              a file or folder that cannot be written
    │   └── DeviceError              a missing compute device
    └── RunError          (exit 1)   a valid run that failed
        ├── WriteError               a full disk, or a write that failed
        └── ValidationError          a written file that does not read back as written

A message says what is wrong, the value, where, and what to do about it, in one line:
the command line prints it unchanged. Only ``cli.py`` converts errors to exit codes,
through :attr:`TracksError.exit_code`.
"""

from __future__ import annotations

from collections.abc import Iterable
from importlib.util import find_spec
from typing import Any

__all__ = [
    "TRAINING",
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
    "check_packages",
    "counted",
    "listed",
    "missing_package",
    "shown",
    "size_text",
]


_MAX_SHOWN = 60  # characters of a value
# {package that not every installation has: (the extra that brings it, its name)}
_OPTIONAL = {
    "anndata": ("anndata", "anndata"),
    "cachetools": ("browse", "cachetools"),
    "dask": ("cluster", "Dask"),
    "dask_jobqueue": ("cluster", "dask-jobqueue"),
    "distributed": ("cluster", "Dask"),
    "gkmsvm": ("compare", "gkmsvm-lite"),
    "lightmotif": ("compare", "lightmotif"),
    "memelite": ("motifs", "memelite"),
    "pyarrow": ("parquet", "pyarrow"),
    "pyjaspar": ("motifs", "pyjaspar"),
    "scipy": ("stats", "SciPy"),
    "sklearn": ("stats", "scikit-learn"),
    "starlette": ("browse", "Starlette"),
    "torch": ("torch", "PyTorch"),
    "uvicorn": ("browse", "Uvicorn"),
}

TRAINING = ("torch", "scipy", "sklearn")
"""The packages that training needs; the extra `torch` has them."""


class TracksError(Exception):
    """Base of all that this package raises on purpose."""

    exit_code = 1


class UsageError(TracksError):
    """The request is invalid; nothing was run."""

    exit_code = 2


class UnknownNameError(UsageError):
    """An unknown TF, cell line, pair or model."""


class RegionError(UsageError):
    """A chromosome or an interval outside of the sequence."""


class InputFileError(UsageError):
    """An input file that is missing, empty, foreign or damaged."""


class OutputError(UsageError):
    """A file or folder that cannot be written."""


class DeviceError(UsageError):
    """A compute device that this machine does not have."""


class RunError(TracksError):
    """A valid run that failed."""


class WriteError(RunError):
    """A write that failed, most often because the disk is full."""


class ValidationError(RunError):
    """A file that an independent reader does not read back as written."""


def check_packages(what: str, *names: str) -> None:
    """Refuse what needs packages of an extra that are not installed.

    Parameters
    ----------
    what : str
        What needs them, for the message.
    *names : str
        The packages as they are imported.

    Raises
    ------
    UsageError
        One is not installed. The message has the command that installs it.
    """
    for name in names:
        if find_spec(name) is None:
            raise UsageError(_needs(what, name))


def missing_package(what: str, error: Exception) -> UsageError | None:
    """Turn the failed import of a package of an extra into an error for the user.

    Parameters
    ----------
    what : str
        What needs the package, for the message.
    error : Exception

    Returns
    -------
    UsageError or None
        As of :func:`check_packages`; None for any other error.
    """
    if not isinstance(error, ModuleNotFoundError):
        return None
    name = (error.name or "").partition(".")[0]
    return UsageError(_needs(what, name)) if name in _OPTIONAL else None


def _needs(what: str, name: str) -> str:
    extra, shown_name = _OPTIONAL[name]
    return f"{what} needs {shown_name}: pip install 'tfimpute-tracks[{extra}]'"


def counted(n: int, noun: str, plural: str = "") -> str:
    """Write a number of things.

    Parameters
    ----------
    n : int
    noun : str
        Of one thing.
    plural : str
        By default the noun and an s.

    Returns
    -------
    str
        ``1 pair``, ``1,200 pairs``.
    """
    return f"{n:,} {noun if n == 1 else plural or noun + 's'}"


def shown(value: object) -> str:
    """Write a value of any type on one line, shortened.

    Parameters
    ----------
    value : object

    Returns
    -------
    str
        What ``repr`` gives; the type of what cannot be written, such as an integer of
        thousands of digits.
    """
    try:
        text = " ".join(repr(value).split())
    except ValueError:
        text = f"of type {type(value).__name__}, too long to show"
    return text if len(text) <= _MAX_SHOWN else f"{text[:_MAX_SHOWN]}..."


def size_text(n_bp: int) -> str:
    """Write a length in the unit that suits it.

    Parameters
    ----------
    n_bp : int

    Returns
    -------
    str
        ``850 bp``, ``61.2 kb``, ``3 Mb``.
    """
    scale, unit = (1, "bp") if n_bp < 1000 else (1000, "kb")
    if n_bp >= 999_500:
        scale, unit = 1_000_000, "Mb"
    number = n_bp / scale
    return f"{number:,.{0 if number >= 100 else 1}f}".removesuffix(".0") + f" {unit}"


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
