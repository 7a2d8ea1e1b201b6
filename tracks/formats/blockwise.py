"""bigWig and bigBed read block after block, as the description of the format has it.

Libraries yield bins one by one, and search all chromosomes for each. This reads every
block once and shares no code with the writer: names come from the tree of chromosomes,
blocks from the leaves of the index.

Source of the format: Kent et al. 2010, Bioinformatics 26:2204, supplement.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, cast

import numpy as np
from isal import isal_zlib
from isal.igzip_lib import IsalError
from numpy.typing import NDArray

from tfimpute_tracks.errors import TracksError
from tfimpute_tracks.tracks.formats.bins import Batch
from tfimpute_tracks.tracks.formats.zoom import BIN

__all__ = ["Fault", "Row", "signal_batches", "text_blocks"]

_TREE, _INDEX = 0x78CA8C91, 0x2468ACE0
_NODE = struct.Struct("<BBH")
_INNER = np.dtype([("place", "<u4", 4), ("at", "<u8")])
_LEAF = np.dtype([("place", "<u4", 4), ("at", "<u8"), ("size", "<u8")])
_SECTION = np.dtype(
    [(name, "<u4") for name in ("chrom", "start", "end", "step", "span")]
    + [("kind", "u1"), ("reserved", "u1"), ("n", "<u2")]
)
_KIND_AT = 20
_ROW = struct.Struct("<III")
_BINS, _STEPS = 1, 3  # what a section lists: bins, or values; starts and values else
_MAX_DEPTH = 9
_READ_AHEAD = 1 << 16  # bytes
_BYTES_AT_ONCE = 1 << 18

Row = tuple[str, ...]
Fault = Callable[[str], TracksError]
"""Makes the error of a reason."""


def signal_batches(path: Path, names: Sequence[str], fault: Fault) -> Iterator[Batch]:
    """Read the bins of a bigWig.

    Parameters
    ----------
    path : Path
    names : sequence of str
        Its chromosomes, in the order that numbers those of the batches.
    fault : callable
        Makes the error of a reason.

    Yields
    ------
    Batch
        Of many blocks.

    Raises
    ------
    TracksError
        That of `fault`: the file is damaged, or has another chromosome.
    """
    numbers = {name: i for i, name in enumerate(names)}
    with _damage(fault):
        sections = _Sections()
        for chrom, number, start, end, content in _blocks(path):
            sections.add(content, (number, start, end, numbers[chrom]))
            if sections.n_bytes >= _BYTES_AT_ONCE:
                yield Batch(names, *sections.read())
                sections = _Sections()
        if sections.n_bytes:
            yield Batch(names, *sections.read())


def text_blocks(path: Path, fault: Fault) -> Iterator[tuple[str, list[Row]]]:
    """Read the rows of a bigBed.

    Parameters
    ----------
    path : Path
    fault : callable
        Makes the error of a reason.

    Yields
    ------
    chrom : str
    rows : list of tuple of str
        Start, end and the other columns, of a block.

    Raises
    ------
    TracksError
        That of `fault`: the file is damaged.
    """
    with _damage(fault):
        for chrom, number, start, end, content in _blocks(path):
            yield chrom, _rows(content, number, (start, end))


class _Sections:
    """Sections of a bigWig, read together: those of short contigs are tiny."""

    def __init__(self) -> None:
        self.n_bytes = 0
        self._heads: list[bytes] = []
        self._bins: list[bytes] = []
        self._indexed: list[tuple[int, int, int, int]] = []

    def add(self, content: bytes, indexed: tuple[int, int, int, int]) -> None:
        """Add a section, and what the index says: chromosome, start, end; and ours."""
        kind = content[_KIND_AT]
        bins = content[_SECTION.itemsize :]
        if kind != _BINS:
            bins = _listed(content).tobytes()
        self._heads.append(content[: _SECTION.itemsize])
        self._bins.append(bins)
        self._indexed.append(indexed)
        self.n_bytes += len(content)

    def read(self) -> tuple[NDArray[np.uint32], NDArray[np.void]]:
        """Join the bins, and check that each section is where its index says."""
        heads = np.frombuffer(b"".join(self._heads), _SECTION)
        bins = np.frombuffer(b"".join(self._bins), BIN)
        lengths = np.array([len(part) for part in self._bins])
        chroms, starts, ends, own = np.array(self._indexed).T
        if (lengths != heads["n"] * BIN.itemsize).any() or not heads["n"].all():
            raise ValueError("a block has more or fewer bins than it says")
        n = heads["n"].astype(np.int64)
        lasts = np.cumsum(n) - 1
        for name, expected in (
            ("chrom", [chroms]),
            ("start", [starts, bins["start"][lasts - n + 1]]),
            ("end", [ends, bins["end"][lasts]]),
        ):
            for numbers in expected:
                wrong = np.flatnonzero(heads[name] != numbers)
                if len(wrong):
                    at = heads[wrong[0]]
                    span = f"{at['start']} to {at['end']}"
                    raise ValueError(f"bins from {span} are not indexed so")
        return np.repeat(own.astype(np.uint32), n), bins


def _listed(content: bytes) -> NDArray[np.void]:
    """List the bins of a section that is shorter than that."""
    (head,) = np.frombuffer(content, _SECTION, 1)
    n = int(head["n"])
    bins = np.empty(n, BIN)
    if head["kind"] == _STEPS:
        bins["start"] = head["start"] + head["step"] * np.arange(n, dtype=np.uint32)
        bins["value"] = np.frombuffer(content, "<f4", n, _SECTION.itemsize)
    else:
        items = np.frombuffer(content, "<u4,<f4", n, _SECTION.itemsize)
        bins["start"], bins["value"] = items["f0"], items["f1"]
    bins["end"] = bins["start"] + head["span"]
    return bins


def _rows(content: bytes, number: int, place: tuple[int, int]) -> list[Row]:
    """Read a block of rows, and check that they are where their index says."""
    at, rows = 0, list[Row]()
    while at < len(content):
        found, start, end = _ROW.unpack_from(content, at)
        stop = content.index(b"\0", at + _ROW.size)
        if found != number or not place[0] <= start < end <= place[1]:
            raise ValueError(f"a row from {start} to {end} is not indexed so")
        rest = content[at + _ROW.size : stop].decode()
        rows.append((str(start), str(end), *rest.split("\t")))
        at = stop + 1
    return rows


def _blocks(path: Path) -> Iterator[tuple[str, int, int, int, bytes]]:
    """Yield name and number of a block's chromosome, start, end, and content."""
    with path.open("rb") as opened:
        file = _File(opened)
        _, tree_at, _, index_at = struct.unpack("<4Q", file.read(0, 32))
        names = dict(_names(file, tree_at))
        for (first, start, last, end), at, size in _leaves(file, index_at):
            if first != last:
                raise ValueError(f"a block is of {names[first]} and {names[last]}")
            content = isal_zlib.decompress(file.read(at, size))
            yield names[first], first, start, end, content


# The types of isal have an error for the class of errors.
_ERRORS = (
    struct.error,
    cast("type[Exception]", IsalError),
    KeyError,
    ValueError,
    IndexError,
)


@contextmanager
def _damage(fault: Fault) -> Iterator[None]:
    """Turn what damaged numbers lead to into one error."""
    try:
        yield
    except _ERRORS as error:
        reason = " ".join(str(error).split())
        raise fault(f"a block or its index is damaged ({reason})") from error


class _File:
    """An open file, read only where it is, with what follows: blocks may be tiny."""

    def __init__(self, file: IO[bytes]) -> None:
        self._handle = file.fileno()
        self._size = os.fstat(self._handle).st_size
        self._first, self._held = 0, b""

    def read(self, at: int, size: int) -> bytes:
        if at + size > self._size:
            raise ValueError("the file ends before a block")
        begin = at - self._first
        if not 0 <= begin <= len(self._held) - size:
            self._held = os.pread(self._handle, max(size, _READ_AHEAD), at)
            self._first, begin = at, 0
        return self._held[begin : begin + size]


def _names(file: _File, tree_at: int) -> Iterator[tuple[int, str]]:
    """Yield number and name of each chromosome."""
    magic, _, width, *_ = struct.unpack("<IIIIQQ", file.read(tree_at, 32))
    if magic != _TREE:
        raise ValueError("no tree of chromosomes")
    key = f"S{width}"
    inner = np.dtype([("name", key), ("at", "<u8")])
    leaf = np.dtype([("name", key), ("number", "<u4"), ("size", "<u4")])
    for name, number, _ in _walk(file, tree_at + 32, inner, leaf):
        yield number, name.decode()


def _leaves(
    file: _File, index_at: int
) -> Iterator[tuple[tuple[int, int, int, int], int, int]]:
    """Yield place, offset and size of each block."""
    if struct.unpack("<I", file.read(index_at, 4)) != (_INDEX,):
        raise ValueError("no index")
    for place, at, size in _walk(file, index_at + 48, _INNER, _LEAF):
        yield tuple(place), at, size


def _walk(
    file: _File,
    at: int,
    inner: np.dtype[np.void],
    leaf: np.dtype[np.void],
    depth: int = 0,
) -> Iterator[tuple[Any, ...]]:
    """Yield the items of all leaves below a node."""
    if depth > _MAX_DEPTH:
        raise ValueError("the index is too deep")
    is_leaf, _, n = _NODE.unpack(file.read(at, _NODE.size))
    kind = leaf if is_leaf else inner
    items = np.frombuffer(file.read(at + _NODE.size, n * kind.itemsize), kind, n)
    for item in items.tolist():
        if is_leaf:
            yield item
        else:
            yield from _walk(file, item[-1], inner, leaf, depth + 1)
