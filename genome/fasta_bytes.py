"""Bytes of a FASTA by their place in the text, whether it is plain or bgzip.

The one thing in which the two kinds differ. Offsets are those of the unpacked text, as
in a ``.fai``. No handle is shared: a plain file is mapped, a bgzip file is opened for
every read, and threads and forked processes cannot move each other's place in it.
"""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

__all__ = ["BgzipBytes", "Bytes", "PlainBytes"]


class Bytes(Protocol):
    """A text to read from anywhere."""

    def read(self, offset: int, n_bytes: int) -> NDArray[np.uint8]:
        """Read bytes.

        Parameters
        ----------
        offset : int
            Bytes before the first one wanted, in the unpacked text.
        n_bytes : int

        Returns
        -------
        uint8 array, shape (n_bytes,), or shorter where the text ends; not writable
        """


class PlainBytes:
    """The bytes of a plain file, through the system's page cache.

    Parameters
    ----------
    path : Path
        Not empty.
    """

    def __init__(self, path: Path) -> None:
        self._mapped = np.memmap(path, dtype=np.uint8, mode="r")

    def read(self, offset: int, n_bytes: int) -> NDArray[np.uint8]:
        """Read bytes; see :meth:`Bytes.read`.

        Parameters
        ----------
        offset : int
        n_bytes : int

        Returns
        -------
        uint8 array, shape (n_bytes,), or shorter where the text ends; not writable
        """
        return np.asarray(self._mapped[offset : offset + n_bytes])


class BgzipBytes:
    """The unpacked bytes of a bgzip file.

    Parameters
    ----------
    path : Path
    gzi : Path
        Its ``.gzi``: a count, then of every block but the first the places of its
        first byte in the packed and in the unpacked file, all little-endian uint64.

    Raises
    ------
    ValueError
        `gzi` is not such a file.
    """

    def __init__(self, path: Path, gzi: Path) -> None:
        self._path = path
        table = np.fromfile(gzi, dtype="<u8")
        if not len(table) or len(table) != 2 * table[0] + 1:
            raise ValueError(f"{gzi}: not a .gzi")
        blocks = table[1:].astype(np.int64).reshape(-1, 2)
        self._packed, self._unpacked = np.vstack([[0, 0], blocks]).T.astype(np.int64)

    def read(self, offset: int, n_bytes: int) -> NDArray[np.uint8]:
        """Read bytes; see :meth:`Bytes.read`.

        Parameters
        ----------
        offset : int
        n_bytes : int

        Returns
        -------
        uint8 array, shape (n_bytes,), or shorter where the text ends; not writable

        Raises
        ------
        OSError
            A block is damaged.
        """
        import pysam  # only bgzip needs it

        block = int(np.searchsorted(self._unpacked, offset, side="right")) - 1
        within = offset - int(self._unpacked[block])
        # htslib prints its own account of a damaged file; ours is raised.
        verbosity = pysam.set_verbosity(0)
        try:
            with pysam.BGZFile(str(self._path), "r", None) as file:
                file.seek(int(self._packed[block]) << 16 | within)
                return np.frombuffer(file.read(n_bytes), dtype=np.uint8)
        finally:
            pysam.set_verbosity(verbosity)
