"""One run per store, or per part of it.

The lock is the operating system's, so it ends with the process however that ends. Parts
of one run (``--part i/n``) work in parallel; a run of the whole store works alone.
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
    """Hold a store, or a part of it, while the block runs.

    Parameters
    ----------
    folder : Path
        Of the store.
    number, of : int
        Which part, from 1; 1 of 1 is the whole store.

    Yields
    ------
    None

    Raises
    ------
    OutputError
        Another run holds it.
    """
    is_whole = of == 1
    kind = fcntl.LOCK_EX if is_whole else fcntl.LOCK_SH
    with _held(folder / ".lock", kind, folder):
        if is_whole:
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
                    "use another --out-dir"
                ) from error
            # This file system has no locks. Files are written atomically in any case.
        if kind == fcntl.LOCK_EX:
            file.truncate(0)
            file.write(f"process {os.getpid()} on {socket.gethostname()}")
            file.flush()
        yield


def _owner(file: IO[str]) -> str:
    file.seek(0)
    return file.read().strip() or "one of its parts"
