"""Bytes of a FASTA by their place in the text, whether it is plain or bgzip.

The one thing in which the two kinds differ. Offsets are those of the unpacked text, as
in a ``.fai``. No handle is shared: a plain file is mapped, a bgzip file is opened for
every read, and threads and forked processes cannot move each other's place in it.
"""

from __future__ import annotations

import os
import weakref
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

__all__ = ["BgzipBytes", "Bytes", "PlainBytes", "silent_htslib"]


_MAX_BLOCK = 1 << 16  # bytes of an unpacked block


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
    """The bytes of a plain file.

    Parameters
    ----------
    path : Path
        Not empty.
    """

    def __init__(self, path: Path) -> None:
        # The file as it is now, whatever takes its name later.
        self._handle = os.open(path, os.O_RDONLY)
        weakref.finalize(self, os.close, self._handle)

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
        return np.frombuffer(os.pread(self._handle, n_bytes, offset), dtype=np.uint8)


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
        self._handle = os.open(path, os.O_RDONLY)
        weakref.finalize(self, os.close, self._handle)
        table = np.fromfile(gzi, dtype="<u8")
        if not len(table) or len(table) != 2 * table[0] + 1:
            raise ValueError(f"{gzi}: not a .gzi")
        blocks = table[1:].astype(np.int64).reshape(-1, 2)
        self._packed, self._unpacked = np.vstack([[0, 0], blocks]).T
        # A block is unpacked whole or not at all, so what was unpacked last is kept: a
        # genome of many small sequences has hundreds of them in a block. A tuple, for
        # threads to see all of it or nothing.
        self._recent = 0, np.empty(0, dtype=np.uint8)

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
        start, text = self._recent
        if not start <= offset <= offset + n_bytes <= start + len(text):
            start, text = self._recent = self._unpack(offset, offset + n_bytes)
        return text[offset - start : offset - start + n_bytes]

    def _unpack(self, start: int, end: int) -> tuple[int, NDArray[np.uint8]]:
        """Give the blocks that hold a stretch, and where they start."""
        first = int(np.searchsorted(self._unpacked, start, side="right")) - 1
        last = int(np.searchsorted(self._unpacked, end))
        places = self._packed[first : last + 1].tolist()
        if last >= len(self._packed):
            places.append(os.fstat(self._handle).st_size)
        packed = os.pread(self._handle, places[-1] - places[0], places[0])
        edges = [place - places[0] for place in places]
        # Block by block with zlib: pysam takes two and a half times as long.
        text = b"".join(_inflate(packed[a:b]) for a, b in pairwise(edges))
        return int(self._unpacked[first]), np.frombuffer(text, dtype=np.uint8)


def _inflate(block: bytes) -> bytes:
    """Unpack one block, a gzip file of its own, and check it."""
    try:
        return zlib.decompress(block, wbits=31, bufsize=_MAX_BLOCK)
    except zlib.error as error:
        raise OSError(f"a block is damaged: {error}") from error


@contextmanager
def silent_htslib() -> Iterator[None]:
    """Keep htslib from printing its own account of a damaged file; ours is raised.

    Yields
    ------
    None
        Its verbosity is what it was when the block ends.
    """
    from pysam import set_verbosity  # only bgzip needs it

    before = set_verbosity(0)
    try:
        yield
    finally:
        set_verbosity(before)
