"""Checks of files that a table names as the peaks of one track.

Peaks of the wrong track are as good as any to all code behind, so nobody would see it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path

from tfimpute_tracks.errors import InputFileError, listed
from tfimpute_tracks.genome.bed import count_columns
from tfimpute_tracks.genome.many_tracks import find_layout, first_rows, list_keys
from tfimpute_tracks.storage.input_paths import open_input
from tfimpute_tracks.storage.table import open_unpacked

__all__ = ["check_track_files", "is_binary"]

_BINARY = (0x888FFC26, 0x8789F2EB)  # bigWig and bigBed


def check_track_files(files: Iterable[tuple[str, Path]]) -> None:
    """Refuse files that are not the peaks of the one track that they are named for.

    Parameters
    ----------
    files : iterable of (str, Path)
        What a file is named for, such as a pair, and a BED file, plain or gzip.

    Raises
    ------
    InputFileError
        Two names have one file, or two files with the same content, unless these have
        no rows: one of the names is wrong. A file has peaks of many tracks, is a bigBed
        or a bigWig, or cannot be read.
    """
    named: dict[Path, str] = {}
    contents: dict[bytes, tuple[str, Path]] = {}
    for name, path in files:
        other = named.setdefault(path.resolve(), name)
        if other != name:
            raise InputFileError(
                f"{path} is named for {other} and for {name}; use one file for each, or "
                "--from FILE if the file names its own TFs and cell lines"
            )
        with open_unpacked(path, "BED file") as file:
            digest = hashlib.file_digest(file, "sha256").digest()
        _check_single(path)
        first, where = contents.setdefault(digest, (name, path))
        if first != name and count_columns(path):
            raise InputFileError(
                f"{where} of {first} and {path} of {name} have the same content; one of "
                "them is misnamed: use the right file for each"
            )


def _check_single(path: Path) -> None:
    """Refuse a file of many tracks, and one that is no text."""
    if is_binary(path):
        raise InputFileError(
            f"{path}: is a bigBed or a bigWig, where a BED file is needed; name it "
            "TF.CELL.bb or TF.CELL.bw and read it with --from"
        )
    try:
        layout = find_layout(path, first_rows(path))
    except InputFileError:
        return  # of another kind; who reads the file will say so
    keys = [] if layout is None else [k for k in list_keys(path, layout) if any(k)]
    if layout is not None and len(keys) > 1:
        names = listed([" in ".join(key) for key in keys], 3)
        raise InputFileError(
            f"{path}: has {layout.kind} of {len(keys):,} tracks ({names}), where a file "
            "of one is needed; use --from FILE, which divides it"
        )


def is_binary(path: Path) -> bool:
    """Check whether a file is a bigWig or a bigBed, of either byte order.

    Parameters
    ----------
    path : Path

    Returns
    -------
    bool

    Raises
    ------
    InputFileError
        The file cannot be read.
    """
    try:
        with open_input(path) as file:
            magic = file.read(4)
    except OSError as error:
        raise InputFileError(
            f"{path}: cannot be read ({error.strerror}); check the path"
        ) from error
    return any(int.from_bytes(magic, order) in _BINARY for order in ("little", "big"))
