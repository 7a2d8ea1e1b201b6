"""Columns of an HDF5 file that people keep: how they are stored, and names in them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["COLUMN", "READ_ERRORS", "to_bytes", "to_text"]

# gzip, and not a faster codec, because every HDF5 reader has it. The checksum finds a
# flipped bit.
COLUMN: dict[str, Any] = {
    "compression": "gzip",
    "compression_opts": 4,
    "shuffle": True,
    "fletcher32": True,
}
"""How a column is stored: options of h5py's `create_dataset`."""
READ_ERRORS = (
    OSError,
    RuntimeError,
    AttributeError,
    LookupError,
    TypeError,
    ValueError,
)
"""What h5py and those who take its answers raise over a damaged or foreign file."""


def to_bytes(texts: Sequence[str]) -> NDArray[np.bytes_]:
    """Make a column of texts.

    Parameters
    ----------
    texts : sequence of str

    Returns
    -------
    bytes array, shape (n,)
        UTF-8 of one length: a checksum does not reach strings of variable length.
    """
    return np.array([text.encode() for text in texts], dtype=np.bytes_)


def to_text(column: NDArray[np.bytes_]) -> tuple[str, ...]:
    """Undo :func:`to_bytes`.

    Parameters
    ----------
    column : bytes array, shape (n,)

    Returns
    -------
    tuple of str
    """
    return tuple(value.decode() for value in column.tolist())
