"""Where compiled kernels are kept when numba finds no place by itself.

numba keeps them beside the source or in the user's cache folder, and fails where it can
write to neither, as in a container. Then they go to a temporary folder, which is this
user's alone: what lies there is run.
"""

from __future__ import annotations

import os
import stat
import sys
import tempfile
from contextlib import suppress
from pathlib import Path

from tfimpute_tracks.errors import OutputError

__all__ = ["ensure_compile_cache", "temporary_cache_dir"]

_VARIABLE = "NUMBA_CACHE_DIR"


def ensure_compile_cache(package: Path) -> None:
    """Choose a folder for compiled kernels where numba would find none.

    It is the environment variable NUMBA_CACHE_DIR of this process and its children. A
    value that can be used stays.

    Parameters
    ----------
    package : Path
        The folder of the kernels' source.

    Raises
    ------
    OutputError
        There is no writable temporary folder either.
    """
    chosen = os.environ.get(_VARIABLE)
    places = [Path(chosen).absolute()] if chosen else []
    places += [package / "__pycache__", _user_cache()]
    if not any(map(_is_writable, places)):
        folder = str(temporary_cache_dir() / "numba")
        os.environ[_VARIABLE] = folder
        numba = sys.modules.get("numba")
        if numba:  # it has read the variable already
            numba.config.CACHE_DIR = folder


def temporary_cache_dir() -> Path:
    """Make the folder of this user's caches among temporary files.

    Returns
    -------
    Path
        Nobody else can write to it. The same in each process of this user.

    Raises
    ------
    OutputError
        There is no writable temporary folder.
    """
    try:
        user = os.getuid() if hasattr(os, "getuid") else 0
        folder = Path(tempfile.gettempdir(), f"tfimpute-tracks-{user}")
        with suppress(FileExistsError):
            folder.mkdir(mode=0o700)
        found = folder.lstat()
        others_write = found.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
        is_own = hasattr(os, "getuid") and found.st_uid == user and not others_write
        if not stat.S_ISDIR(found.st_mode) or not (is_own or os.name == "nt"):
            folder = Path(tempfile.mkdtemp(prefix="tfimpute-tracks-"))
    except OSError as error:
        raise OutputError(
            "no folder for caches can be written: neither the package's, nor the "
            f"user's, nor a temporary one ({error.strerror or error}); set TMPDIR to a "
            "writable folder"
        ) from error
    return folder


def _user_cache() -> Path:
    """Return the folder that numba takes where that of the source is read-only."""
    base = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(os.path.expanduser(base), "numba")  # noqa: PTH111 - may lack a home


def _is_writable(folder: Path) -> bool:
    """Try to write a file, as a full disk or quota shows only then."""
    if not folder.is_absolute():
        return False  # the home of a user who has none
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder, buffering=0) as probe:
            return probe.write(bytes(4096)) == 4096
    except OSError:
        return False
