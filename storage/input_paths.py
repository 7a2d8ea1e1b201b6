"""What a path of an input is: a file, a folder, a pipe, or nothing.

A pipe, as of ``<(command)``, is read once and its content kept, so that it serves
readers that look twice.
"""

from __future__ import annotations

import stat
from io import BufferedReader, BytesIO
from pathlib import Path

__all__ = ["is_folder", "is_input", "open_input", "why_no_file"]

# Content of pipes, which can be read only once, by device and number.
_PIPES: dict[tuple[int, int], bytes] = {}


def is_input(path: Path) -> bool:
    """Check whether a path is a file that can be read, or a pipe.

    Parameters
    ----------
    path : Path

    Returns
    -------
    bool
    """
    try:
        return path.is_file() or path.is_fifo()
    except (OSError, ValueError):  # a text that is no possible path
        return False


def is_folder(path: Path) -> bool:
    """Check whether a path is a folder; of a text that is no possible path, false.

    Parameters
    ----------
    path : Path

    Returns
    -------
    bool
    """
    try:
        return path.is_dir()
    except (OSError, ValueError):
        return False


def why_no_file(path: Path) -> str:
    """Say why a path is not a file to read, where :func:`is_input` is false.

    Parameters
    ----------
    path : Path

    Returns
    -------
    str
        `is a folder`, `is a device` or `no such file`.
    """
    if is_folder(path):
        return "is a folder"
    return "is a device" if path.exists() else "no such file"


def open_input(path: Path) -> BufferedReader | BytesIO:
    """Open a file as it is; a pipe as often as is needed.

    Parameters
    ----------
    path : Path

    Returns
    -------
    binary file

    Raises
    ------
    OSError
        The file cannot be opened.
    """
    status = path.stat()
    if not stat.S_ISFIFO(status.st_mode):
        return path.open("rb")
    key = status.st_dev, status.st_ino
    if key not in _PIPES:
        _PIPES[key] = path.read_bytes()
    return BytesIO(_PIPES[key])
