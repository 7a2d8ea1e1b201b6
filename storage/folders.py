"""Folders that results are written to: writable, and not inside of a bulk store.

A bulk store and a folder of tracks are known by their files. They stay apart: a store
holds only what `impute` wrote, so that it can be read, copied and resumed as one thing.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from tfimpute_tracks.errors import OutputError, UsageError

__all__ = [
    "PLAN_FILE",
    "RECEIPT_ENDING",
    "check_output_dir",
    "check_store_dir",
    "check_writable_dir",
    "is_store",
]

PLAN_FILE = "store.json"
RECEIPT_ENDING = ".receipt.json"


def is_store(folder: Path) -> bool:
    """Check whether a folder is a bulk store.

    Parameters
    ----------
    folder : Path

    Returns
    -------
    bool
    """
    return (folder / PLAN_FILE).is_file()


def check_output_dir(path: Path) -> None:
    """Make a folder for results, with its parents, and try to write a file in it.

    Parameters
    ----------
    path : Path

    Raises
    ------
    UsageError
        It is a bulk store, or lies in one.
    OutputError
        It cannot be made, is a file, or is not writable.
    """
    whole = path.resolve()
    _check_outside(path, [whole, *whole.parents])
    check_writable_dir(path)


def check_store_dir(path: Path) -> None:
    """Refuse a folder for a bulk store that lies in another store, or contains tracks.

    Parameters
    ----------
    path : Path
        It need not exist.

    Raises
    ------
    UsageError
        With the other store, or a file of the tracks.
    """
    _check_outside(path, list(path.resolve().parents))
    if is_store(path):
        return
    for receipt in sorted(path.glob(f"*{RECEIPT_ENDING}"))[:1]:
        raise UsageError(
            f"{path} contains tracks, such as those of {receipt.name}; use another "
            "--out-dir for a bulk store"
        )


def check_writable_dir(path: Path) -> None:
    """Make a folder, with its parents, and try to write a file in it.

    Parameters
    ----------
    path : Path

    Raises
    ------
    OutputError
        It cannot be made, is a file, or is not writable.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=path) as probe:
            probe.write(bytes(4096))
            probe.flush()
    except OSError as error:
        reason = "it is a file" if path.is_file() else error.strerror or str(error)
        raise OutputError(
            f"cannot write to the folder {path}: {reason}; use another one, or make "
            "this one writable"
        ) from error


def _check_outside(path: Path, folders: list[Path]) -> None:
    for store in folders:
        if is_store(store):
            where = "is" if store == path.resolve() else f"lies in {store}, which is"
            raise UsageError(f"{path} {where} a bulk store; use another folder")
