"""The cache folder, and what is kept there of FASTA files.

These are indexes of files in read-only folders, and unpacked gzip files, which can be
read only from their beginning. Names in the cache include a key of the source file, so
that a changed file is never combined with data from the old one.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Callable
from pathlib import Path

from tfimpute_tracks.kernels.compile_cache import temporary_cache_dir
from tfimpute_tracks.storage import atomic_file, check_writable_dir
from tfimpute_tracks.storage.table import open_unpacked

__all__ = ["cache_key", "default_cache_dir", "unpack"]

_SAMPLE = 1 << 16


def default_cache_dir() -> Path:
    """Return the folder ``tfimpute-tracks`` in $XDG_CACHE_HOME, or else in ~/.cache.

    A user without a home has a temporary folder.

    Returns
    -------
    Path
        It need not exist.
    """
    home = os.environ.get("XDG_CACHE_HOME", "")
    # The XDG specification says to ignore relative paths.
    if Path(home).is_absolute():
        return Path(home) / "tfimpute-tracks"
    try:
        return Path.home() / ".cache" / "tfimpute-tracks"
    except RuntimeError:  # a user without a home, as in a container
        return temporary_cache_dir()


def cache_key(path: Path) -> str:
    """Compute a short key of a file that changes when the file does.

    Only the first and the last 64 kB are digested, with size and modification time: a
    genome has gigabytes. The last bytes of a gzip file are a checksum of its content.

    Parameters
    ----------
    path : Path

    Returns
    -------
    str
        16 hexadecimal digits.
    """
    stat = path.stat()
    key = hashlib.sha256(f"{stat.st_size} {stat.st_mtime_ns} ".encode())
    with path.open("rb") as file:
        key.update(file.read(_SAMPLE))
        file.seek(max(0, stat.st_size - _SAMPLE))
        key.update(file.read(_SAMPLE))
    return key.hexdigest()[:16]


def unpack(path: Path, cache_dir: Path, log: Callable[[str], None]) -> Path:
    """Unpack a gzip file into the cache, unless it is there already.

    Parameters
    ----------
    path : Path
    cache_dir : Path
    log : callable
        Receives a message if the file is unpacked.

    Returns
    -------
    Path
        The unpacked file.

    Raises
    ------
    InputFileError
        The file is cut short or damaged.
    OutputError, WriteError
        The cache cannot be written to, or the disk is full.
    """
    text = cache_dir / "fasta" / f"{path.stem}-{cache_key(path)}.fa"
    if text.is_file():
        return text
    check_writable_dir(text.parent)
    log(
        f"{path} is gzip, which can only be read from its beginning; unpacking it once"
        f" to {text} (compress it with bgzip to avoid this)"
    )
    with (
        atomic_file(text) as temp,
        open_unpacked(path, "FASTA") as packed,
        temp.open("wb") as out,
    ):
        shutil.copyfileobj(packed, out, 1 << 20)
    return text
