"""Output of a run: results to stdout, log and progress to stderr.

The command line's entry point sets the verbosity once. Progress bars are shown on a
terminal only.
"""

from __future__ import annotations

import logging
import re
import sys
from collections import Counter
from collections.abc import Iterable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tfimpute_tracks.api.notes import NOTES
from tfimpute_tracks.api.progress import Advance, no_progress

__all__ = [
    "SETTINGS",
    "Settings",
    "capture_logging",
    "log",
    "print_files",
    "print_result",
    "progress_bar",
    "show_json",
]


@dataclass
class Settings:
    """Verbosity.

    Attributes
    ----------
    quiet : bool
        Only warnings and errors.
    verbose : bool
        A more detailed log.
    progress : bool
        Progress bars on a terminal.
    debug : bool
        Tracebacks of errors.
    """

    quiet: bool = False
    verbose: bool = False
    progress: bool = True
    debug: bool = False


_MAX_FILES = 24  # named one by one
_ENDING = re.compile(r"(\.receipt)?\.[A-Za-z]+(\.gz)?$")

SETTINGS = Settings()
"""The settings of this process."""


def print_result(text: str) -> None:
    """Write one line of result to stdout.

    Parameters
    ----------
    text : str
    """
    sys.stdout.write(text + "\n")
    sys.stdout.flush()  # a program may read the line while this one still runs


def print_files(files: Iterable[object]) -> None:
    """Write the paths of files to stdout, in one line; of many, folders and numbers.

    Parameters
    ----------
    files : iterable of Path or str
    """
    paths = [Path(str(file)) for file in files]
    if len(paths) <= _MAX_FILES:
        print_result(" ".join(map(str, paths)))
        return
    kinds: dict[Path, Counter[str]] = {}
    for path in paths:
        # What files of a kind have in common: .bw, .receipt.json, .effects.tsv.
        ending = _ENDING.search(path.name)
        kind = ending.group() if ending else path.name
        kinds.setdefault(path.parent, Counter())[kind] += 1
    print_result(
        "; ".join(
            f"{folder}: {', '.join(f'{n:,} {kind}' for kind, n in counts.items())}"
            for folder, counts in kinds.items()
        )
    )


def show_json(value: Any) -> None:
    """Write a result to stdout as JSON.

    Parameters
    ----------
    value : JSON values
        Paths are allowed, too.
    """
    from tfimpute_tracks.storage import json_text

    print_result(json_text(value))


def log(text: str, *, detail: bool = False, warning: bool = False) -> None:
    """Write one line of log to stderr.

    Parameters
    ----------
    text : str
    detail : bool
        Only with --verbose.
    warning : bool
        Also with --quiet, marked as a warning.
    """
    if warning:
        sys.stderr.write(f"warning: {text}\n")
    elif not SETTINGS.quiet and (SETTINGS.verbose or not detail):
        sys.stderr.write(f"{text}\n")


class _Handler(logging.Handler):
    """Writes records of `logging` as lines of the log."""

    def emit(self, record: logging.LogRecord) -> None:
        if record.name == NOTES.name:
            detail = record.levelno < logging.INFO
            is_warning = record.levelno >= logging.WARNING
            log(record.getMessage(), detail=detail, warning=is_warning)
            return
        # What makes a result doubtful, commands report themselves. A record is about
        # the machine: a cache that cannot be written, a library that is missing.
        is_warning = record.levelno >= logging.WARNING
        if not SETTINGS.quiet or record.levelno >= logging.ERROR:
            text = " ".join(record.getMessage().split())
            log(text, detail=True, warning=is_warning)


_HANDLER = _Handler()


def capture_logging() -> None:
    """Write what `logging` receives, from this package and others, to the log.

    A warning is marked as one; with --quiet there is none. Less is shown with
    --verbose, and of this package only.
    """
    logging.getLogger().addHandler(_HANDLER)  # once, however often it is called
    logging.getLogger("tfimpute_tracks").setLevel(logging.INFO)


def progress_bar(
    title: str, total: int | None, unit: str, scale: float = 1.0
) -> AbstractContextManager[Advance]:
    """Open a bar with rate and remaining time, on a terminal.

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
    if not (SETTINGS.progress and not SETTINGS.quiet and sys.stderr.isatty()):
        return no_progress(title, total, unit, scale)
    from tfimpute_tracks.commands.bars import draw_bar

    return draw_bar(title, total, unit, scale)
