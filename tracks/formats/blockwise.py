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
from typing import IO, cast

import numpy as np
from isal import isal_zlib
from isal.igzip_lib import IsalError
from numpy.typing import NDArray

from tfimpute_tracks.errors import TracksError
from tfimpute_tracks.genome import Region
from tfimpute_tracks.tracks.formats.bins import Batch
from tfimpute_tracks.tracks.formats.zoom import BIN

__all__ = [
    "Fault",
    "Row",
    "check_chroms",
    "check_index",
    "signal_batches",
    "text_blocks",
]

_BIGWIG, _BIGBED, _TREE, _INDEX = 0x888FFC26, 0x8789F2EB, 0x78CA8C91, 0x2468ACE0
_ZOOM = np.dtype(
    [("reduction", "<u4"), ("reserved", "<u4"), ("data_at", "<u8"), ("index_at", "<u8")]
)
_NODE = struct.Struct("<BBH")
_INNER = np.dtype([("place", "<u4", 4), ("at", "<u8")])
_LEAF = np.dtype([("place", "<u4", 4), ("at", "<u8"), ("size", "<u8")])
_SECTION = np.dtype(
    [(name, "<u4") for name in ("chrom", "start", "end", "step", "span")]
    + [("kind", "u1"), ("reserved", "u1"), ("n", "<u2")]
)
_ROW = struct.Struct("<III")
# Numbers of a bin, by what a section lists: bins, starts and values, or values; no
# section has the length that the first one asks for.
_WORDS = np.array([-1, 3, 2, 1], dtype=np.int64)
_MAX_DEPTH = 40  # of an index: deeper, a node is its own child
_READ_AHEAD = 1 << 16  # bytes

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
    ours = {name: i for i, name in enumerate(names)}
    with _damage(fault), path.open("rb") as opened:
        file = _File(opened)
        numbers = np.array([ours[name] for name in _names(file)], dtype=np.uint32)
        for places, contents in _blocks(file):
            chroms, bins = _bins(places, contents)
            yield Batch(names, numbers[chroms], bins)


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
    with _damage(fault), path.open("rb") as opened:
        file = _File(opened)
        names = _names(file)
        for places, contents in _blocks(file):
            for place, content in zip(places.tolist(), contents, strict=True):
                yield names[place[0]], _rows(content, place)


def check_index(
    path: Path, fault: Fault, region: Region | None = None, reduction: int = 0
) -> None:
    """Check that no block is larger than the bigWig that holds it.

    pybigtools asks for as much memory as an index says, and ends the process without it.

    Parameters
    ----------
    path : Path
        What is no bigWig, and one of the other byte order, passes.
    fault : callable
        Makes the error of a reason.
    region : Region, optional
        Of whose blocks; by default all.
    reduction : int
        bp of the zoom level whose blocks these are; 0 for the data.

    Raises
    ------
    TracksError
        That of `fault`.
    """
    with _damage(fault), path.open("rb") as opened:
        if opened.read(4) != struct.pack("<I", _BIGWIG):
            return
        file = _File(opened)
        span = (0, (1 << 64) - 1)
        if region is not None:
            chroms = _chroms(file)
            numbers = chroms["number"][chroms["name"] == region.chrom.encode()]
            if not numbers.size:
                return
            number = int(numbers[0]) << 32
            span = (number + region.start, number + region.end)
        for items in _walk(file, file.index_of(reduction) + 48, _INNER, _LEAF, span):
            if (items["size"] > file.size).any():
                raise ValueError("a block is longer than the file")


def _bins(
    places: NDArray[np.uint32], contents: list[bytes]
) -> tuple[NDArray[np.uint32], NDArray[np.void]]:
    """Read sections, and check that each is where its index says.

    All at once: those of short contigs are tiny.
    """
    from tfimpute_tracks.kernels.bins import list_bins

    size = _SECTION.itemsize
    lengths = np.array([len(content) for content in contents])
    if (lengths < size).any():
        raise ValueError("a block is too short")
    heads = np.frombuffer(b"".join([content[:size] for content in contents]), _SECTION)
    n, words = heads["n"].astype(np.int64), _WORDS[heads["kind"]]
    if not n.all() or (lengths != size + 4 * words * n).any():
        raise ValueError("a block has more or fewer bins than it says")
    data = np.frombuffer(b"".join(contents), "<u4")
    firsts = (np.cumsum(lengths) - lengths + size) // 4
    bins = np.empty(n.sum(), dtype=BIN)
    list_bins(data, data.view("<f4"), firsts, heads, words, bins)
    lasts = np.cumsum(n) - 1
    found = heads["chrom"], bins["start"][lasts - n + 1], bins["end"][lasts]
    said = heads["chrom"], heads["start"], heads["end"]
    for numbers in found, said:
        is_wrong = (np.stack(numbers, axis=1) != places[:, [0, 1, 3]]).any(axis=1)
        if is_wrong.any():
            _, start, _, end = places[is_wrong.argmax()]
            raise ValueError(f"bins from {start} to {end} are not indexed so")
    return np.repeat(heads["chrom"], n), bins


def _rows(content: bytes, place: list[int]) -> list[Row]:
    """Read a block of rows, and check that they are where their index says."""
    number, first, _, last = place
    at, rows = 0, list[Row]()
    while at < len(content):
        found, start, end = _ROW.unpack_from(content, at)
        stop = content.index(b"\0", at + _ROW.size)
        if found != number or not first <= start < end <= last:
            raise ValueError(f"a row from {start} to {end} is not indexed so")
        rest = content[at + _ROW.size : stop].decode()
        rows.append((str(start), str(end), *rest.split("\t")))
        at = stop + 1
    return rows


def _blocks(file: _File) -> Iterator[tuple[NDArray[np.uint32], list[bytes]]]:
    """Yield what the index says of some blocks, and their content."""
    for node in _walk(file, file.index_at + 48, _INNER, _LEAF):
        n_parts = -(-int(node["size"].sum()) // _READ_AHEAD)
        for items in np.array_split(node, min(max(n_parts, 1), len(node))):
            places = items["place"]
            if (places[:, 0] != places[:, 2]).any():
                raise ValueError("a block is of several chromosomes")
            spans = zip(items["at"].tolist(), items["size"].tolist(), strict=True)
            packed = [file.read(at, size) for at, size in spans]
            yield places, [isal_zlib.decompress(data) for data in packed]


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
    """An open file, read with what follows: blocks may be tiny."""

    def __init__(self, file: IO[bytes]) -> None:
        self._handle = file.fileno()
        self.size = os.fstat(self._handle).st_size
        self._first, self._held = 0, b""
        _, self.tree_at, _, self.index_at = struct.unpack("<4Q", self.read(0, 32))
        if struct.unpack("<I", self.read(self.index_at, 4)) != (_INDEX,):
            raise ValueError("no index")

    def index_of(self, reduction: int) -> int:
        """Find the index of the data, or of a zoom level, by its bp."""
        if not reduction:
            return int(self.index_at)
        (n,) = struct.unpack("<H", self.read(6, 2))
        levels = np.frombuffer(self.read(64, n * _ZOOM.itemsize), _ZOOM)
        at: int = levels["index_at"][levels["reduction"] == reduction].tolist()[0]
        return at

    def read(self, at: int, size: int) -> bytes:
        if at + size > self.size:
            raise ValueError("the file ends before a block")
        begin = at - self._first
        if not 0 <= begin <= len(self._held) - size:
            self._held = os.pread(self._handle, max(size, _READ_AHEAD), at)
            self._first, begin = at, 0
        return self._held[begin : begin + size]


def check_chroms(path: Path, fault: Fault) -> None:
    """Check that the tree of chromosomes of a bigWig or bigBed has an end.

    Parameters
    ----------
    path : Path
        What is neither, and a file of the other byte order, passes.
    fault : callable
        Makes the error of a reason.

    Raises
    ------
    TracksError
        That of `fault`: pybigtools would end the process.
    """
    with _damage(fault), path.open("rb") as opened:
        head = opened.read(32)
        if len(head) == 32 and struct.unpack_from("<I", head)[0] in (_BIGWIG, _BIGBED):
            _chroms(_File(opened))


def _names(file: _File) -> list[str]:
    """Read the names of chromosomes, in the order of their numbers."""
    items = _chroms(file)
    items = items[np.argsort(items["number"])]
    if (items["number"] != np.arange(len(items))).any():
        raise ValueError("chromosomes are not numbered from 0")
    return [name.decode() for name in items["name"].tolist()]


def _chroms(file: _File) -> NDArray[np.void]:
    """Read the names, numbers and sizes of chromosomes, sorted by name."""
    magic, _, width, *_ = struct.unpack("<IIIIQQ", file.read(file.tree_at, 32))
    if magic != _TREE:
        raise ValueError("no tree of chromosomes")
    key = f"S{width}"
    inner = np.dtype([("name", key), ("at", "<u8")])
    leaf = np.dtype([("name", key), ("number", "<u4"), ("size", "<u4")])
    return np.concatenate([*_walk(file, file.tree_at + 32, inner, leaf)])


def _walk(
    file: _File,
    at: int,
    inner: np.dtype[np.void],
    leaf: np.dtype[np.void],
    span: tuple[int, int] | None = None,
    depth: int = 0,
) -> Iterator[NDArray[np.void]]:
    """Yield the items of each leaf below a node, or those that overlap a span of keys."""
    if depth > _MAX_DEPTH:
        raise ValueError("the index is too deep")
    is_leaf, _, n = _NODE.unpack(file.read(at, _NODE.size))
    kind = leaf if is_leaf else inner
    items = np.frombuffer(file.read(at + _NODE.size, n * kind.itemsize), kind, n)
    if span is not None:
        chroms, positions = np.moveaxis(items["place"].reshape(-1, 2, 2), 2, 0)
        first, last = (chroms.astype(np.uint64) << np.uint64(32) | positions).T
        items = items[(first < np.uint64(span[1])) & (last > np.uint64(span[0]))]
    if is_leaf:
        yield items
        return
    for below in items["at"].tolist():
        yield from _walk(file, below, inner, leaf, span, depth + 1)
