"""Compressed blocks in a file, and the R-tree that finds them.

bigWig and bigBed files hold their data, and each of their zoom levels, as compressed
blocks in the order of the genome, followed by a tree of the places that each block
covers. Places are ordered by chromosome number, then by position. What a block holds
is decided by its writer.

Source of the format: Kent et al. 2010, Bioinformatics 26:2204, supplement.
"""

from __future__ import annotations

import struct
import zlib
from typing import IO

import numpy as np
from isal import isal_zlib
from numpy.typing import NDArray

__all__ = ["Blocks"]

_LEVEL = 2  # of three: a fifth of zlib's time at its level 4, for files 8 % larger
_TINY = 128  # bytes: to set up zlib takes longer than to write them
_MAGIC = 0x2468ACE0

# Both ends of an extent as one number each: chromosome number << 32 | position.
_ITEM = np.dtype([("start", "<u8"), ("end", "<u8"), ("offset", "<u8"), ("size", "<u8")])


class Blocks:
    """Blocks in a row, each compressed by itself, and where they lie.

    Parameters
    ----------
    file : binary file
        Open for writing; blocks go to its present position.
    fan_out : int
        The most children of a node of the tree.
    """

    def __init__(self, file: IO[bytes], fan_out: int) -> None:
        self.largest = 0
        self._file, self._fan_out = file, fan_out
        self._end = file.tell()  # of the last block: asking for each takes long
        self._items: list[NDArray[np.void]] = []
        self._n_items = 0

    def __len__(self) -> int:
        return self._n_items

    def add(self, places: NDArray[np.uint32], contents: list[bytes]) -> None:
        """Compress blocks and write them.

        Parameters
        ----------
        places : uint32 array, shape (n_blocks, 4)
            What each block covers: the number of the chromosome of its first item, where
            that item starts, the number of the chromosome of the last item, and the last
            end there. 0-based, half-open; not before those of the last block.
        contents : list of bytes
        """
        packed = [_compress(content) for content in contents]
        sizes = np.array([len(block) for block in packed])
        numbers = places.astype(np.uint64)
        items = np.empty(len(packed), dtype=_ITEM)
        items["start"], items["end"] = (numbers[:, ::2] << 32 | numbers[:, 1::2]).T
        items["offset"], items["size"] = self._end + np.cumsum(sizes) - sizes, sizes
        self._items.append(items)
        self._n_items += len(items)
        self._end += self._file.write(b"".join(packed))
        self.largest = max([self.largest, *map(len, contents)])

    def write_index(self, file: IO[bytes], items_per_block: int, shift: int = 0) -> int:
        """Write the tree of the blocks.

        Parameters
        ----------
        file : binary file
            Where the tree goes, at its present position.
        items_per_block : int
            The most items that a block holds.
        shift : int
            How far the blocks lie from where they were written.

        Returns
        -------
        int
            Where the tree begins.
        """
        offset, fan_out = file.tell(), self._fan_out
        items = np.concatenate(self._items)
        items["offset"] += np.uint64(shift)
        end = int(items["end"].max())
        low, high = _places(items["start"][:1]), _places(np.array([end], "<u8"))
        file.write(
            struct.pack("<IIQ", _MAGIC, fan_out, len(items))
            + low.tobytes()
            + high.tobytes()
            + struct.pack("<QII", offset, items_per_block, 0)
        )
        levels = [items]
        while len(levels[0]) > fan_out:
            levels.insert(0, _parents(levels[0], fan_out))
        for depth, level in enumerate(levels):
            is_leaf = depth == len(levels) - 1
            if not is_leaf:
                # Each node has a header of four bytes.
                below = file.tell() + 4 * -(-len(level) // fan_out) + 24 * len(level)
                node = 32 if depth == len(levels) - 2 else 24
                full = 4 + fan_out * node
                level["offset"] = below + full * np.arange(len(level))
            _write_nodes(file, level, is_leaf, fan_out)
        return offset


def _compress(data: bytes) -> bytes:
    """Compress a block; what is tiny, as of a short contig, is stored as it is."""
    n = len(data)
    if n > _TINY:
        packed: bytes = isal_zlib.compress(data, _LEVEL)
        return packed
    # The format of zlib, RFC 1950 and 1951: one last block, not compressed.
    head = struct.pack("<BBBHH", 0x78, 0x01, 1, n, n ^ 0xFFFF)
    return head + data + struct.pack(">I", zlib.adler32(data))


def _parents(items: NDArray[np.void], fan_out: int) -> NDArray[np.void]:
    """Return one item for each node of `items`: what the node covers."""
    firsts = np.arange(0, len(items), fan_out)
    parents = np.zeros(len(firsts), dtype=_ITEM)
    parents["start"] = items["start"][firsts]
    parents["end"] = np.maximum.reduceat(items["end"], firsts)
    return parents


def _write_nodes(
    file: IO[bytes], level: NDArray[np.void], is_leaf: bool, fan_out: int
) -> None:
    pieces = [_places(level["start"]), _places(level["end"])]
    pieces.append(level["offset"][:, None].view("<u4"))
    if is_leaf:
        pieces.append(level["size"][:, None].view("<u4"))
    rows = np.hstack(pieces)
    for first in range(0, len(rows), fan_out):
        node = rows[first : first + fan_out]
        file.write(struct.pack("<BBH", is_leaf, 0, len(node)) + node.tobytes())


def _places(keys: NDArray[np.uint64]) -> NDArray[np.uint32]:
    """Split keys into the columns chromosome number and position."""
    columns = np.empty((len(keys), 2), dtype="<u4")
    columns[:, 0] = keys >> np.uint64(32)
    columns[:, 1] = keys & np.uint64(0xFFFFFFFF)
    return columns
