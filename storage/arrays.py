"""Arrays in an HDF5 file that can be computed again, such as a cache or a checkpoint.

Each array is a data set with a CRC-32. A file that is truncated, damaged or of another
kind reads as None, so files are not synced to the disk: a crash of the machine can lose
a file and nothing else. Integers are compressed with LZ4, which reads twice as fast as
Zstandard; floats are not compressed, because they hardly shrink. HDF5's own checksum
requires chunks, and doubles the time to read floats.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tfimpute_tracks.storage.atomic import atomic_file

__all__ = ["read_arrays", "write_arrays"]

_FORMAT = "tfimpute-tracks arrays"
_FORMAT_VERSION = 1


def write_arrays(
    dest: Path, arrays: Mapping[str, NDArray[Any]], about: Mapping[str, Any]
) -> None:
    """Write arrays atomically.

    Parameters
    ----------
    dest : Path
        The file to make or to replace. Its folder must exist.
    arrays : mapping of str to array
    about : mapping of str to JSON values
        Identifies the arrays: :func:`read_arrays` must be called with the same.

    Raises
    ------
    WriteError
        The disk is full, or the file cannot be written.
    """
    import h5py
    import hdf5plugin

    # In memory first: HDF5 prints tracebacks and may crash where a disk fills up.
    with h5py.File(dest.name, "w", driver="core", backing_store=False) as file:
        for name, array in arrays.items():
            options: dict[str, Any] = {}
            if array.size and array.dtype.kind in "iu":
                options = {"chunks": array.shape, "compression": hdf5plugin.LZ4()}
            dataset = file.create_dataset(name, data=array, **options)
            dataset.attrs["crc32"] = _checksum(array)
        file.attrs["format"] = _FORMAT
        file.attrs["format-version"] = _FORMAT_VERSION
        file.attrs["about"] = json.dumps(about, sort_keys=True)
        file.flush()
        content = file.id.get_file_image()
    with atomic_file(dest, sync=False) as temp:
        temp.write_bytes(content)


def read_arrays(
    path: Path, about: Mapping[str, Any], names: tuple[str, ...]
) -> dict[str, NDArray[Any]] | None:
    """Read arrays back.

    Parameters
    ----------
    path : Path
    about : mapping of str to JSON values
        As given to :func:`write_arrays`.
    names : tuple of str
        Arrays to read.

    Returns
    -------
    dict of str to array, or None
        None if there is no such file, it is damaged, or it contains other arrays.
    """
    import h5py
    import hdf5plugin  # noqa: F401  registers the filter

    try:
        # Without a lock: a file is replaced, never changed.
        with h5py.File(path, "r", locking=False) as file:
            expected = (_FORMAT, _FORMAT_VERSION, json.dumps(about, sort_keys=True))
            keys = ("format", "format-version", "about")
            if tuple(file.attrs.get(key) for key in keys) != expected:
                return None
            arrays = {}
            for name in names:
                arrays[name] = np.asarray(file[name][...])
                if _checksum(arrays[name]) != file[name].attrs["crc32"]:
                    return None
            return arrays
    except (OSError, KeyError, ValueError, RuntimeError):
        return None


def _checksum(array: NDArray[Any]) -> int:
    return zlib.crc32(np.ascontiguousarray(array).reshape(-1).view(np.uint8).data)
