"""One run per store, or per share of it.

The lock is the kernel's, so it ends with the process however that ends. Shares of one
run (``--part i/n``) work side by side; a run of the whole store works alone.
"""

from __future__ import annotations

import errno
import fcntl
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from tfimpute_tracks.errors import OutputError

__all__ = ["store_lock"]

_NO_LOCKS = {errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP}


@contextmanager
def store_lock(folder: Path, number: int = 1, of: int = 1) -> Iterator[None]:
    """Hold a store, or a share of it, while the block runs.

    Parameters
    ----------
    folder : Path
        Of the store.
    number, of : int
        Which share, from 1; 1 of 1 is the whole.

    Yields
    ------
    None

    Raises
    ------
    OutputError
        Another run holds it.
    """
    whole = of == 1
    with _held(folder / ".lock", fcntl.LOCK_EX if whole else fcntl.LOCK_SH, folder):
        if whole:
            yield
            return
        with _held(folder / f".lock.{number}-of-{of}", fcntl.LOCK_EX, folder):
            yield


@contextmanager
def _held(path: Path, kind: int, folder: Path) -> Iterator[None]:
    with path.open("a+", encoding="utf-8") as file:
        try:
            fcntl.flock(file, kind | fcntl.LOCK_NB)
        except OSError as error:
            if error.errno not in _NO_LOCKS:
                raise OutputError(
                    f"another run works on {folder} ({_owner(file)}); wait for it, or "
                    "give another --out-dir"
                ) from error
            # This file system has no locks. Files are whole or not there in any case.
        if kind == fcntl.LOCK_EX:
            file.truncate(0)
            file.write(f"process {os.getpid()} on {socket.gethostname()}")
            file.flush()
        yield


def _owner(file: IO[str]) -> str:
    file.seek(0)
    return file.read().strip() or "one of its shares"
