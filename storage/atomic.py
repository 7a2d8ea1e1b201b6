"""Writing files atomically: a file is complete, or it does not exist.

A file is written under a temporary name in its folder, synced to the disk and only then
renamed: whatever kills the run, a file under its final name is complete. The temporary
name starts with a dot and ends in ``.tmp``, so that patterns such as ``*.bw`` never
match it.
"""

from __future__ import annotations

import errno
import json
import math
import os
import secrets
import shutil
import time
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import numpy as np

from tfimpute_tracks.errors import WriteError

__all__ = [
    "atomic_file",
    "check_free_space",
    "json_text",
    "remove_leftovers",
    "write_json",
    "write_text",
]

_STEM, _ENDING = 40, ".tmp"  # characters of the name kept in a temporary name
_FULL = {errno.ENOSPC, errno.EDQUOT}


@contextmanager
def atomic_file(
    dest: Path, needed: int | None = None, sync: bool = True
) -> Iterator[Path]:
    """Provide a temporary path that becomes `dest` when the block succeeds.

    Parameters
    ----------
    dest : Path
        The file to make or to replace. Its folder must exist.
    needed : int, optional
        Size in bytes, if it is known: a disk with less free space is refused before
        anything is written.
    sync : bool
        Wait for the disk. Without it, a crash of the machine (not of the run) may leave
        a damaged file: only for files that are checked when they are read.

    Yields
    ------
    Path
        In the folder of `dest`. The block creates the file and closes it.

    Raises
    ------
    WriteError
        `dest` is a folder or a device, the disk is full, or the file cannot be written.
        After any exception, `dest` is unchanged and the temporary file is removed.
    """
    if dest.is_symlink():
        dest = dest.resolve()  # the file behind it is replaced, not the link
    if dest.exists() and not dest.is_file():
        kind = "a folder" if dest.is_dir() else "a device or a pipe"
        raise WriteError(f"{dest} is {kind}; use a file name")
    if needed is not None:
        check_free_space(dest.parent, needed, dest)
    token = f"{os.getpid()}-{secrets.token_hex(4)}"
    # A name has 255 bytes at most, and a character up to four.
    temp = dest.with_name(f".{dest.name[:_STEM]}.{token}{_ENDING}")
    try:
        yield temp
        if sync:
            _sync(temp)
        temp.replace(dest)
        # Some network file systems cannot sync a folder; the file itself is safe.
        with suppress(OSError):
            if sync:
                _sync(dest.parent)
    except OSError as error:
        if not _is_about(error, dest.parent):
            raise  # of another file, which the block reads
        size = temp.stat().st_size if temp.exists() else 0
        _remove(temp)
        raise WriteError(_explain(error, dest, needed or size)) from error
    finally:
        _remove(temp)


def remove_leftovers(
    folder: Path, names: Collection[str], idle_seconds: float = 0
) -> None:
    """Remove temporary files of killed processes.

    Parameters
    ----------
    folder : Path
    names : collection of str
        Final names of the files.
    idle_seconds : float
        Only what was not changed for so long. With 0 no process may be writing the
        files now.
    """
    stems = {name[:_STEM] for name in names}
    latest = time.time() - idle_seconds
    for path in folder.glob(f".*{_ENDING}"):
        # A name is a dot, the stem, a dot, a token without a dot, and the ending.
        if path.name[1 : -len(_ENDING)].rpartition(".")[0] in stems:
            with suppress(OSError):  # somebody else removed it
                if not idle_seconds or path.stat().st_mtime < latest:
                    path.unlink()


def check_free_space(folder: Path, needed: int, what: Path) -> None:
    """Refuse a write for which the disk has too little free space.

    Parameters
    ----------
    folder : Path
        Any folder of the disk.
    needed : int
        Bytes.
    what : Path
        The file to name in the message.

    Raises
    ------
    WriteError
        Fewer bytes are free. A missing folder, or a file system that does not report
        its size, passes: the write itself will fail with a reason.
    """
    with suppress(OSError):
        disk = shutil.disk_usage(folder)
        if disk.total > 0 and disk.free < needed:
            raise WriteError(_disk_full(what, needed, folder, disk.free))


def write_text(dest: Path, text: str) -> None:
    """Write a text file atomically.

    Parameters
    ----------
    dest : Path
    text : str
        Written as UTF-8, with unchanged line ends; names of files that are no text, as
        the bytes that they are.

    Raises
    ------
    WriteError
        See :func:`atomic_file`.
    """
    data = text.encode(errors="surrogateescape")
    with atomic_file(dest, len(data)) as temp:
        temp.write_bytes(data)


def write_json(dest: Path, obj: object) -> None:
    """Write an indented JSON file atomically.

    Parameters
    ----------
    dest : Path
    obj : object
        See :func:`json_text`.

    Raises
    ------
    WriteError
        See :func:`atomic_file`.
    TypeError
        `obj` cannot be converted to JSON; nothing is written.
    """
    write_text(dest, json_text(obj) + "\n")


def json_text(obj: object) -> str:
    """Format a result as indented JSON.

    Parameters
    ----------
    obj : object
        JSON values, paths, and numpy scalars and arrays. NaN and inf, which JSON cannot
        hold, become null: a statistic of too few values is missing.

    Returns
    -------
    str

    Raises
    ------
    TypeError
        `obj` holds anything else.
    """
    return json.dumps(_plain(obj), indent=2, allow_nan=False)


def _plain(obj: object) -> object:
    if isinstance(obj, np.generic | np.ndarray):
        obj = obj.tolist()
    if isinstance(obj, float):
        return obj if math.isfinite(obj) else None
    if isinstance(obj, dict):
        return {key: _plain(value) for key, value in obj.items()}
    if isinstance(obj, list | tuple):
        return [_plain(value) for value in obj]
    return str(obj) if isinstance(obj, Path) else obj


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _is_about(error: OSError, folder: Path) -> bool:
    """Whether an error names a file in the folder, or none, as errors of writes do."""
    if error.filename is None:
        return True
    named = Path(os.fsdecode(error.filename)).absolute()
    return folder.absolute() in (named, named.parent)


def _remove(temp: Path) -> None:
    with suppress(OSError):
        temp.unlink(missing_ok=True)


def _explain(error: OSError, dest: Path, needed: int) -> str:
    if error.errno in _FULL:
        free = shutil.disk_usage(dest.parent).free
        return _disk_full(dest, needed, dest.parent, free)
    return (
        f"cannot write {dest}: {_reason(error)}; nothing of it was kept: choose another "
        "folder, or fix this one and run again"
    )


def _disk_full(dest: Path, needed: int, folder: Path, free: int) -> str:
    # What was written before the disk was full is free again, so it is not what is needed.
    least = f"at least {_size(needed)}" if needed > free else f"more than {_size(free)}"
    return (
        f"disk full: {dest} needs {least}, and {folder} has {_size(free)} free; free some "
        "space or choose another folder, and run again"
    )


def _reason(error: OSError) -> str:
    return error.strerror or str(error)


def _size(n_bytes: int) -> str:
    return f"{n_bytes / 1e6:,.1f} MB" if n_bytes >= 1e6 else f"{n_bytes / 1e3:,.0f} kB"
