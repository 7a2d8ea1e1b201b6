"""Digests of the contents of files, arrays and JSON values.

Inputs are the same if their digests are equal, whatever their names, dates and folders.
A digest is ``sha256:`` and 64 hexadecimal digits.
"""

from __future__ import annotations

import hashlib
import json
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tfimpute_tracks.errors import InputFileError
from tfimpute_tracks.storage.input_paths import open_input

__all__ = ["digest_arrays", "digest_file", "digest_json"]


def digest_file(path: Path) -> str:
    """Digest the bytes of a file.

    Parameters
    ----------
    path : Path

    Returns
    -------
    str
        ``sha256:<hex>``, as ``sha256sum`` prints it.

    Raises
    ------
    InputFileError
        If the file cannot be read.
    """
    try:
        with open_input(path) as file:
            return _named(hashlib.file_digest(file, "sha256").hexdigest())
    except OSError as error:
        raise InputFileError(
            f"cannot read {path}: {error.strerror}; check the path"
        ) from error


def digest_arrays(*arrays: NDArray[Any]) -> str:
    """Digest arrays: their types, shapes and bytes, in the order given.

    Parameters
    ----------
    *arrays : array of numbers, any shape
        The memory layout (a view, transposed, reversed) does not matter.

    Returns
    -------
    str
        ``sha256:<hex>``

    Raises
    ------
    TypeError
        If an array holds Python objects, whose bytes are addresses.
    """
    total = hashlib.sha256()
    for array in arrays:
        if array.dtype.hasobject:
            raise TypeError(f"no digest of an array of dtype {array.dtype}")
        total.update(_kind(array.dtype.str, array.shape))
        total.update(np.ascontiguousarray(array).reshape(-1).view(np.uint8).data)
    return _named(total.hexdigest())


@lru_cache(64)
def _kind(dtype: str, shape: tuple[int, ...]) -> bytes:
    return json.dumps([dtype, shape]).encode() + b"\n"


def digest_json(obj: object) -> str:
    """Digest JSON values, whatever the order of keys.

    Parameters
    ----------
    obj : object
        Strings, numbers, booleans, None, lists and dicts of them. A tuple equals a
        list; 1 and 1.0 differ.

    Returns
    -------
    str
        ``sha256:<hex>`` of the canonical text: sorted keys, no spaces.

    Raises
    ------
    TypeError, ValueError
        If `obj` contains anything else, such as NaN or inf.
    """
    text = json.dumps(obj, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return _named(hashlib.sha256(text.encode()).hexdigest())


def _named(hexdigits: str) -> str:
    return f"sha256:{hexdigits}"
