"""What a run says to its user, through `logging`.

A library does not print. The command line shows these records as lines of its log; in
Python, warnings appear on stderr and the others where `logging` is set up to show them.
"""

from __future__ import annotations

import logging

__all__ = ["NOTES", "log"]

NOTES = logging.getLogger("tfimpute_tracks.notes")
"""Where the records go."""
NOTES.setLevel(logging.DEBUG)


def log(text: str, *, detail: bool = False, warning: bool = False) -> None:
    """Say something about a run.

    Parameters
    ----------
    text : str
        One line.
    detail : bool
        Of interest to few: a DEBUG record, otherwise INFO.
    warning : bool
        It makes a result doubtful: a WARNING record.
    """
    level = logging.DEBUG if detail else logging.INFO
    NOTES.log(logging.WARNING if warning else level, "%s", text)
