"""bigWig and bigBed read block after block, as the description of the format has it.

For files of so many chromosomes that libraries take long: they search all of them for
each. Reads every block once and shares no code with the writer: names come from the
tree of chromosomes, blocks from the leaves of the index.

Source of the format: Kent et al. 2010, Bioinformatics 26:2204, supplement.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from tfimpute_tracks.errors import TracksError
from tfimpute_tracks.tracks.formats.zoom import BIN

__all__ = ["Fault", "signal_blocks", "text_blocks"]

_TREE, _INDEX = 0x78CA8C91, 0x2468ACE0
_NODE = struct.Struct("<BBH")
_INNER = np.dtype([("place", "<u4", 4), ("at", "<u8")])
_LEAF = np.dtype([("place", "<u4", 4), ("at", "<u8"), ("size", "<u8")])
_SECTION = struct.Struct("<IIIIIBBH")
_ROW = struct.Struct("<III")
_BINS, _STARTS, _STEPS = 1, 2, 3  # what a section of a bigWig lists
_MAX_DEPTH = 9

Row = tuple[str, ...]
Fault = Callable[[str], TracksError]
"""Makes the error of a reason."""


def signal_blocks(path: Path, fault: Fault) -> Iterator[tuple[str, NDArray[np.void]]]:
    """Read the bins of a bigWig.

    Parameters
    ----------
    path : Path
    fault : callable
        Makes the error of a reason.

    Yields
    ------
    chrom : str
    bins : array of BIN, shape (n,)
        Of a block.

    Raises
    ------
    TracksError
        That of `fault`: the file is damaged.
    """
    for chrom, number, (start, end), content in _blocks(path, fault):
        found, first, last, step, span, kind, _, n = _SECTION.unpack_from(content)
        if kind == _BINS:
            bins = np.frombuffer(content, BIN, n, _SECTION.size)
        else:
            bins = np.empty(n, BIN)
            if kind == _STEPS:
                bins["start"] = first + step * np.arange(n)
                bins["value"] = np.frombuffer(content, "<f4", n, _SECTION.size)
            else:
                items = np.frombuffer(content, "<u4,<f4", n, _SECTION.size)
                bins["start"], bins["value"] = items["f0"], items["f1"]
            bins["end"] = bins["start"] + span
        place = number, int(bins["start"][0]), int(bins["end"][-1])
        if place != (found, first, last) or place[1:] != (start, end):
            raise fault(f"a block of {chrom} is of {place}, its index says otherwise")
        yield chrom, bins


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
    for chrom, number, (low, high), content in _blocks(path, fault):
        at, rows = 0, []
        while at < len(content):
            found, start, end = _ROW.unpack_from(content, at)
            stop = content.index(b"\0", at + _ROW.size)
            if found != number or not low <= start < end <= high:
                raise fault(f"a row of {chrom} is not where its index says")
            rest = content[at + _ROW.size : stop].decode()
            rows.append((str(start), str(end), *rest.split("\t")))
            at = stop + 1
        yield chrom, rows


def _blocks(
    path: Path, fault: Fault
) -> Iterator[tuple[str, int, tuple[int, int], bytes]]:
    """Yield name and number of the chromosome, what the index says, and content."""
    try:
        with path.open("rb") as file:
            (tree_at,) = struct.unpack("<8xQ", file.read(16))
            (index_at,) = struct.unpack("<8xQ", file.read(16))
            names = dict(_names(file, tree_at))
            for (first, start, last, end), at, size in _leaves(file, index_at):
                if first != last:
                    raise fault(f"a block is of {names[first]} and {names[last]}")
                file.seek(at)
                content = zlib.decompress(file.read(size))
                yield names[first], first, (start, end), content
    except (struct.error, zlib.error, KeyError, ValueError, IndexError) as error:
        raise fault(f"a block or its index is damaged ({error})") from error


def _names(file: IO[bytes], tree_at: int) -> Iterator[tuple[int, str]]:
    """Yield number and name of each chromosome."""
    file.seek(tree_at)
    magic, _, width, _, _, _ = struct.unpack("<IIIIQQ", file.read(32))
    if magic != _TREE:
        raise ValueError("no tree of chromosomes")
    key = f"S{width}"
    inner = np.dtype([("name", key), ("at", "<u8")])
    leaf = np.dtype([("name", key), ("number", "<u4"), ("size", "<u4")])
    for name, number, _ in _walk(file, tree_at + 32, inner, leaf):
        yield number, name.decode()


def _leaves(
    file: IO[bytes], index_at: int
) -> Iterator[tuple[tuple[int, int, int, int], int, int]]:
    """Yield place, offset and size of each block."""
    file.seek(index_at)
    if struct.unpack("<I", file.read(4)) != (_INDEX,):
        raise ValueError("no index")
    for place, at, size in _walk(file, index_at + 48, _INNER, _LEAF):
        yield tuple(place), at, size


def _walk(
    file: IO[bytes],
    at: int,
    inner: np.dtype[np.void],
    leaf: np.dtype[np.void],
    depth: int = 0,
) -> Iterator[tuple[Any, ...]]:
    """Yield the items of all leaves below a node."""
    if depth > _MAX_DEPTH:
        raise ValueError("the index is too deep")
    file.seek(at)
    is_leaf, _, n = _NODE.unpack(file.read(_NODE.size))
    kind = leaf if is_leaf else inner
    items = np.frombuffer(file.read(n * kind.itemsize), kind, n)
    for item in items.tolist():
        if is_leaf:
            yield item
        else:
            yield from _walk(file, item[-1], inner, leaf, depth + 1)
