"""Columns of HDF5 files that users keep: how they are stored, and texts in them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["COLUMN", "READ_ERRORS", "to_bytes", "to_text"]

# gzip, not a faster codec, because every HDF5 reader supports it. The checksum detects
# flipped bits.
COLUMN: dict[str, Any] = {
    "compression": "gzip",
    "compression_opts": 4,
    "shuffle": True,
    "fletcher32": True,
}
"""Options of h5py's `create_dataset` for a column."""
READ_ERRORS = (
    OSError,
    RuntimeError,
    AttributeError,
    LookupError,
    TypeError,
    ValueError,
)
"""What reading a damaged or foreign HDF5 file with h5py can raise."""


def to_bytes(texts: Sequence[str]) -> NDArray[np.bytes_]:
    """Convert texts to a column.

    Parameters
    ----------
    texts : sequence of str

    Returns
    -------
    bytes array, shape (n,)
        UTF-8 of fixed length: checksums do not cover strings of variable length.
    """
    return np.array([text.encode() for text in texts], dtype=np.bytes_)


def to_text(column: NDArray[np.bytes_]) -> tuple[str, ...]:
    """Convert a column to texts; the inverse of :func:`to_bytes`.

    Parameters
    ----------
    column : bytes array, shape (n,)

    Returns
    -------
    tuple of str
    """
    return tuple(value.decode() for value in column.tolist())
