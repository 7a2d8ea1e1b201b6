"""Arrays in an HDF5 file that can be computed again, such as a cache or a checkpoint.

Each array is a data set with a CRC-32. A file that is truncated, damaged or of another
kind reads as None, so files are not synced to the disk: a crash of the machine can lose
a file and nothing else. Integers are compressed; floats are not, because they hardly
shrink. HDF5's own checksum requires chunks, and doubles the time to read floats.
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
from tfimpute_tracks.storage.zstd_chunks import ZstdChunks, create_zstd

__all__ = ["read_arrays", "write_arrays"]

_FORMAT = "tfimpute-tracks arrays"
_FORMAT_VERSION = 2  # of 1, with another compression, nothing is read


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

    # In memory first: HDF5 prints tracebacks and may crash where a disk fills up.
    with h5py.File(dest.name, "w", driver="core", backing_store=False) as file:
        for name, array in arrays.items():
            if _is_packed(array):
                shape = array.shape
                packed = create_zstd(file, name, shape, array.dtype, chunks=shape)
                packed.write_chunk((0,) * array.ndim, array)
            else:
                file.create_dataset(name, data=array)
            file[name].attrs["crc32"] = _checksum(array)
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

    try:
        # Without a lock: a file is replaced, never changed.
        with h5py.File(path, "r", locking=False) as file:
            expected = (_FORMAT, _FORMAT_VERSION, json.dumps(about, sort_keys=True))
            keys = ("format", "format-version", "about")
            if tuple(file.attrs.get(key) for key in keys) != expected:
                return None
            arrays = {}
            for name in names:
                dataset = file[name]
                if _is_packed(dataset):
                    array = ZstdChunks(dataset).read_chunk((0,) * dataset.ndim)
                else:
                    array = np.asarray(dataset[...])
                if _checksum(array) != dataset.attrs["crc32"]:
                    return None
                arrays[name] = array
            return arrays
    except (OSError, KeyError, ValueError, RuntimeError):
        return None


def _is_packed(array: Any) -> bool:
    """Whether an array is compressed; a data set has the same attributes."""
    return array.size > 0 and array.ndim > 0 and array.dtype.kind in "iu"


def _checksum(array: NDArray[Any]) -> int:
    return zlib.crc32(np.ascontiguousarray(array).reshape(-1).view(np.uint8).data)
