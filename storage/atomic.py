"""Files that are there whole or not at all.

A file is written under a temporary name beside its place, synced to the disk and only
then renamed: whatever kills the run, a file under its final name is a complete one.
The temporary name starts with a dot and ends in ``.tmp``, so no pattern such as
``*.bw`` takes a leftover for a result. What a file holds is no concern of this module.
"""

from __future__ import annotations

import errno
import json
import os
import secrets
import shutil
import tempfile
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import numpy as np

from tfimpute_tracks.errors import OutputError, WriteError

__all__ = [
    "atomic_file",
    "check_room",
    "check_writable_dir",
    "remove_leftovers",
    "write_json",
    "write_text",
]

_STEM, _ENDING = 40, ".tmp"  # of a temporary name
_FULL = {errno.ENOSPC, errno.EDQUOT}


@contextmanager
def atomic_file(
    dest: Path, needed: int | None = None, sync: bool = True
) -> Iterator[Path]:
    """Lend a temporary path that becomes `dest` when the block ends well.

    Parameters
    ----------
    dest : Path
        The file to make or to replace. Its folder must exist.
    needed : int, optional
        Size in bytes, where it is known beforehand: a disk with less room is refused
        before anything is written.
    sync : bool
        Wait for the disk. Without, a crash of the machine (not of the run) may leave a
        damaged file: for what is checked when it is read and can be made again.

    Yields
    ------
    Path
        A name in the folder of `dest` that does not exist yet. The block creates the
        file and closes it.

    Raises
    ------
    WriteError
        If the disk is full, or the file cannot be written, synced or renamed. After
        this and any other exception, `dest` is as it was and the temporary file gone.
    """
    if needed is not None:
        check_room(dest.parent, needed, dest)
    token = f"{os.getpid()}-{secrets.token_hex(4)}"
    # A name has 255 bytes at most, and a letter of it up to four.
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
            raise  # the block could not read something, say
        size = temp.stat().st_size if temp.exists() else 0
        _remove(temp)
        raise WriteError(_explain(error, dest, needed or size)) from error
    finally:
        _remove(temp)


def remove_leftovers(folder: Path, names: Collection[str]) -> None:
    """Remove what killed processes left half-written.

    Parameters
    ----------
    folder : Path
    names : collection of str
        The files it should have become; nobody may be writing them now.
    """
    stems = {name[:_STEM] for name in names}
    for path in folder.glob(f".*{_ENDING}"):
        # Its name is a dot, the stem, a dot, the token without one, and the ending.
        if path.name[1 : -len(_ENDING)].rpartition(".")[0] in stems:
            path.unlink(missing_ok=True)


def check_room(folder: Path, needed: int, what: Path) -> None:
    """Refuse a write that the disk has no room for.

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
        If fewer bytes are free. A folder that is not there, or a file system that
        does not tell its size, passes: the write itself will say what is wrong.
    """
    with suppress(OSError):
        disk = shutil.disk_usage(folder)
        if disk.total > 0 and disk.free < needed:
            raise WriteError(_disk_full(what, needed, folder, disk.free))


def check_writable_dir(path: Path) -> None:
    """Make a folder, with its parents, and try a write in it.

    Parameters
    ----------
    path : Path

    Raises
    ------
    OutputError
        If it cannot be made, is a file, or takes no file.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=path) as probe:
            probe.write(bytes(4096))
            probe.flush()
    except OSError as error:
        reason = "it is a file" if path.is_file() else _reason(error)
        raise OutputError(
            f"cannot write to the folder {path}: {reason}; name another one, or make "
            "this one writable"
        ) from error


def write_text(dest: Path, text: str) -> None:
    """Write a text file, whole or not at all.

    Parameters
    ----------
    dest : Path
    text : str
        Written as UTF-8, line ends as they are.

    Raises
    ------
    WriteError
        See :func:`atomic_file`.
    """
    data = text.encode()
    with atomic_file(dest, len(data)) as temp:
        temp.write_bytes(data)


def write_json(dest: Path, obj: object) -> None:
    """Write a JSON file for people to read, whole or not at all.

    Parameters
    ----------
    dest : Path
    obj : object
        What JSON can say, and numpy scalars and arrays. Write None for a missing
        number: NaN and inf are not JSON.

    Raises
    ------
    WriteError
        See :func:`atomic_file`.
    TypeError, ValueError
        If JSON has no words for `obj`; nothing is written.
    """
    text = json.dumps(obj, indent=2, allow_nan=False, default=_plain)
    write_text(dest, text + "\n")


def _plain(obj: object) -> object:
    if isinstance(obj, np.generic | np.ndarray):
        return obj.tolist()
    raise TypeError(f"JSON has no words for a {type(obj).__name__}: {obj!r}")


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _is_about(error: OSError, folder: Path) -> bool:
    """Tell whether an error names a file of the folder, or none, as a write does."""
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
        f"cannot write {dest}: {_reason(error)}; nothing of it was left behind: "
        "choose another folder, or mend this one and run again"
    )


def _disk_full(dest: Path, needed: int, folder: Path, free: int) -> str:
    return (
        f"disk full: {dest} needs at least {_megabytes(needed)}, and {folder} has "
        f"{_megabytes(free)} free; make room or choose another folder, and run again"
    )


def _reason(error: OSError) -> str:
    return error.strerror or str(error)


def _megabytes(size: int) -> str:
    return f"{size / 1e6:.2f} MB"
