"""The folder for what is costly to make again, and what of a FASTA goes there.

Indexes of files in read-only folders, and the text of gzip files, which can be read
from their beginning only. A name in the cache carries a key of the file it was made
from, so a changed file never meets what was made of the old one.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Callable
from pathlib import Path

from tfimpute_tracks.storage import atomic_file, check_writable_dir
from tfimpute_tracks.storage.table import open_unpacked

__all__ = ["cache_key", "default_cache_dir", "unpack"]

_SAMPLE = 1 << 16


def default_cache_dir() -> Path:
    """Give ``tfimpute-tracks`` under $XDG_CACHE_HOME, or else under ~/.cache.

    Returns
    -------
    Path
        It need not exist.
    """
    home = os.environ.get("XDG_CACHE_HOME", "")
    # The specification has a relative path ignored.
    base = Path(home) if Path(home).is_absolute() else Path.home() / ".cache"
    return base / "tfimpute-tracks"


def cache_key(path: Path) -> str:
    """Give a short key of a file that changes when the file does.

    Of a genome's gigabytes only the ends are digested. The last bytes of a gzip file
    are a checksum of its content; a plain file has its time of change.

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
        Takes a sentence if the file is unpacked.

    Returns
    -------
    Path
        The text.

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
        f" to {text} (compress it with bgzip to save that)"
    )
    with (
        atomic_file(text) as temp,
        open_unpacked(path, "FASTA") as packed,
        temp.open("wb") as out,
    ):
        shutil.copyfileobj(packed, out, 1 << 20)
    return text
