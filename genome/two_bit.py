"""Sequence in a .2bit file, as UCSC distributes genomes: two bits per base.

Blocks of N and of lower-case bases are lists of intervals; other ambiguous bases do not
exist. Both byte orders and both versions (1 has 64-bit offsets) are read. Bytes are read
with ``pread``: threads and forked processes may read at once, and a file that is cut
short meanwhile is an error and not a crash.
"""

from __future__ import annotations

import os
import struct
import weakref
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tfimpute_tracks.errors import InputFileError, counted, listed
from tfimpute_tracks.kernels.encode import N_CODE

__all__ = ["TwoBitFile", "is_two_bit"]

Codes = NDArray[np.uint8]
_Blocks = tuple[NDArray[np.int64], NDArray[np.int64]]  # starts and ends, ascending

_MAGIC = 0x1A412743
_BLOCK = 1 << 20  # bases unpacked at once
# Bases of a byte, first in the highest bits; in the file T C A G = 0..3.
_BASES = np.array([3, 1, 0, 2], dtype=np.uint8)[
    (np.arange(256)[:, None] >> np.array([6, 4, 2, 0])) & 3
]
_WORDS = _BASES.view(np.uint32).ravel()  # all four at once


def is_two_bit(path: Path) -> bool:
    """Report whether a file is a .2bit file, whatever its name.

    Parameters
    ----------
    path : Path

    Returns
    -------
    bool
        False for what cannot be read.
    """
    try:
        if not path.is_file():  # opening a pipe would wait
            return False
        with path.open("rb") as file:
            return _byte_order(file.read(4)) != ""
    except OSError:
        return False


class TwoBitFile:
    """An open .2bit file.

    Parameters
    ----------
    path : Path
    log : callable
        Receives a message if there are sequences without bases, which are left out.

    Attributes
    ----------
    sizes : dict of str to int
        Lengths in bp, in the file's order.

    Raises
    ------
    InputFileError
        The file is damaged, cut short, or of an unknown version.
    """

    def __init__(self, path: Path, log: Callable[[str], None]) -> None:
        self._path = path
        self._file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        weakref.finalize(self, os.close, self._file)
        self._length = os.fstat(self._file).st_size
        header = self._read(0, 16)
        self._order = _byte_order(header[:4])
        version, n, _ = struct.unpack(f"{self._order}3I", header[4:])
        if version > 1:
            raise self._damaged(f"version {version} is unknown; 0 and 1 are read")
        self._at = self._offsets(n, 8 if version else 4)
        sizes = {name: self._numbers(at, 1)[0] for name, at in self._at.items()}
        self.sizes = {name: int(size) for name, size in sizes.items() if size}
        if not self.sizes:
            raise InputFileError(f"{path}: has no sequences; use a complete genome")
        if empty := [name for name, size in sizes.items() if not size]:
            log(
                f"{path}: {counted(len(empty), 'sequence')} without bases left out: "
                f"{listed(empty)}"
            )
        self._unknown: dict[str, _Blocks] = {}
        self._masked: dict[str, _Blocks] = {}
        self._first: dict[str, int] = {}

    def codes(self, chrom: str, start: int, end: int) -> Codes:
        """Read sequence as codes.

        Parameters
        ----------
        chrom : str
        start, end : int
            0-based, half-open, bp; inside of the sequence.

        Returns
        -------
        uint8 array, shape (end - start,)
            A, C, G, T = 0..3 in either case, N = 4.

        Raises
        ------
        InputFileError
            The file is damaged there.
        """
        self._load(chrom)
        codes = np.empty(end - start, dtype=np.uint8)
        for first in range(start, end, _BLOCK):
            last = min(first + _BLOCK, end)
            packed = self._read(
                self._first[chrom] + first // 4, (last + 3) // 4 - first // 4
            )
            bases = _WORDS[np.frombuffer(packed, np.uint8)].view(np.uint8)
            at = first % 4
            codes[first - start : last - start] = bases[at : at + last - first]
        for left, right in _overlaps(self._unknown[chrom], start, end):
            codes[left - start : right - start] = N_CODE
        return codes

    def is_soft_masked(self, chrom: str, start: int, end: int) -> NDArray[np.bool_]:
        """Find the lower-case bases.

        Parameters
        ----------
        chrom, start, end
            As for :meth:`codes`, with its errors.

        Returns
        -------
        bool array, shape (end - start,)
        """
        self._load(chrom)
        masked = np.zeros(end - start, dtype=np.bool_)
        for left, right in _overlaps(self._masked[chrom], start, end):
            masked[left - start : right - start] = True
        return masked

    def _offsets(self, n: int, width: int) -> dict[str, int]:
        """Read the index: the offset of each sequence."""
        found: dict[str, int] = {}
        # A name has at most 255 bytes.
        index = self._read(16, min(n * (256 + width), self._length - 16))
        kind, at = f"{self._order}{'Q' if width == 8 else 'I'}", 0
        try:
            for _ in range(n):
                end = at + 1 + index[at]
                name = index[at + 1 : end].decode()
                if name in found:
                    raise self._damaged(f"has two sequences {name!r}")
                (found[name],) = struct.unpack(kind, index[end : end + width])
                at = end + width
        except (IndexError, struct.error, UnicodeDecodeError) as error:
            raise self._damaged("its index of sequences is cut short") from error
        return found

    def _load(self, chrom: str) -> None:
        """Read the blocks of a sequence when it is first needed."""
        if chrom in self._first:
            return
        at, blocks = self._at[chrom] + 4, []
        for _ in range(2):
            n = int(self._numbers(at, 1)[0])
            both = self._numbers(at + 4, 2 * n).reshape(2, n)
            starts, ends = both[0], both[0] + both[1]
            inside = n == 0 or int(ends.max()) <= self.sizes[chrom]
            if not inside or np.any(starts[1:] < ends[:-1]):
                raise self._damaged(f"the blocks of {chrom} are not in order inside it")
            blocks.append((starts, ends))
            at += 4 + 8 * n
        if at + 4 + -(-self.sizes[chrom] // 4) > self._length:
            raise self._damaged(f"{chrom} is cut short")
        self._unknown[chrom], self._masked[chrom] = blocks
        self._first[chrom] = at + 4

    def _numbers(self, at: int, n: int) -> NDArray[np.int64]:
        data = self._read(at, 4 * n)
        return np.frombuffer(data, f"{self._order}u4").astype(np.int64)

    def _read(self, at: int, n: int) -> bytes:
        if at + n > self._length:
            raise self._damaged(f"it ends before byte {at + n:,}")
        parts = []
        while n:
            try:
                part = os.pread(self._file, n, at)
            except OSError as error:
                raise InputFileError(
                    f"{self._path}: cannot be read ({error})"
                ) from error
            if not part:
                raise self._damaged("it was cut short while it was read")
            parts.append(part)
            at, n = at + len(part), n - len(part)
        return b"".join(parts)

    def _damaged(self, why: str) -> InputFileError:
        return InputFileError(
            f"{self._path}: is a damaged .2bit file: {why}; download it again"
        )


def _byte_order(magic: bytes) -> str:
    """Find the byte order of a .2bit file from its first four bytes; empty if none."""
    for order in "<>":
        if magic == struct.pack(f"{order}I", _MAGIC):
            return order
    return ""


def _overlaps(blocks: _Blocks, start: int, end: int) -> list[tuple[int, int]]:
    """Clip the blocks that overlap an interval to it."""
    starts, ends = blocks
    first, last = np.searchsorted(ends, start, "right"), np.searchsorted(starts, end)
    left = np.maximum(starts[first:last], start).tolist()
    return list(zip(left, np.minimum(ends[first:last], end).tolist(), strict=True))
