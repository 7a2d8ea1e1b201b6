"""The container that bigWig and bigBed files share.

Laid out as UCSC's programs do it: a head, the table of zoom levels, a summary of the
whole, the chromosomes, the data in compressed blocks with their index, each zoom level
likewise, and the magic number once more to show that nothing is missing.

Why not the libraries that write such files? Both were tried. libBigWig (pyBigWig) spins
or aborts the process when the disk is full, stores the last record of each zoom level,
and some inner ones, with a sum of zero, and often a wrong maximum in the head. Bigtools
(pybigtools) panics on a full disk, keeps other errors to itself, and calls all ten
columns of a narrowPeak standard ones, which igv.js then decodes wrongly. Here a write
is a plain write and fails as one, and memory stays flat. Both libraries and others read
what comes out: ``tracks/formats/validate.py`` and the tests see to it.

Source of the format: Kent et al. 2010, Bioinformatics 26:2204, supplement.
"""

from __future__ import annotations

import shutil
import struct
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import numpy as np
from numpy.typing import NDArray

from tfimpute_tracks.errors import RegionError
from tfimpute_tracks.tracks.formats.bins import Batch
from tfimpute_tracks.tracks.formats.blocks import Blocks
from tfimpute_tracks.tracks.formats.zoom import (
    RECORDS_PER_BLOCK,
    ZoomLevel,
    ZoomLevels,
)

__all__ = ["BbiKind", "BbiWriter", "open_bbi"]

_VERSION = 4
_LONGEST = 2**32 - 1
_CHROM_TREE_MAGIC = 0x78CA8C91
_HEAD = struct.Struct("<IHHQQQHHQQIQ")
_ZOOM_HEAD = struct.Struct("<IIQQ")
_SUMMARY = struct.Struct("<Q4d")
_COUNT = struct.Struct("<Q")
# Each level has a quarter of the records of the one before, as in UCSC's files.
_ZOOM_FACTOR = 4


@dataclass(frozen=True)
class BbiKind:
    """What distinguishes one kind of file from another.

    Attributes
    ----------
    magic : int
        The number that the file begins and ends with.
    items_per_block : int
        The most items that a data block holds.
    field_count, defined_field_count : int
        Columns of a bigBed row, and how many of them are standard BED ones.
    auto_sql : str
        What the columns are, in the autoSql language; empty for a bigWig.
    fan_out : int
        The most children of a node of an index, and chromosomes of a leaf.
    """

    magic: int
    items_per_block: int
    field_count: int = 0
    defined_field_count: int = 0
    auto_sql: str = ""
    fan_out: int = 256


@contextmanager
def open_bbi(
    path: Path,
    kind: BbiKind,
    chrom_sizes: Mapping[str, int],
    first_reduction: int,
    max_zooms: int,
) -> Iterator[BbiWriter]:
    """Lend a writer, and complete the file when the block ends well.

    Parameters
    ----------
    path : Path
        The file to write. Zoom levels are kept in unnamed temporary files in its folder.
    kind : BbiKind
    chrom_sizes : mapping of str to int
        Chromosome -> bp. Their order numbers them from 0; data comes in it.
    first_reduction : int
        bp that a record of the finest zoom level sums up.
    max_zooms : int
        The most zoom levels; a level as coarse as the longest chromosome is left out.

    Yields
    ------
    BbiWriter

    Raises
    ------
    RegionError
        If a chromosome is empty, or too long for the format.
    OSError
        If a write fails.
    """
    for chrom, size in chrom_sizes.items():
        if not 0 < size <= _LONGEST:
            raise RegionError(
                f"chromosome {chrom} has {size} bp: bigWig and bigBed files allow 1 to "
                f"{_LONGEST}; fix the chromosome sizes"
            )
    reductions = [first_reduction * _ZOOM_FACTOR**i for i in range(max_zooms)]
    longest = max(chrom_sizes.values())
    with ExitStack() as stack:
        file = stack.enter_context(path.open("wb"))
        levels = []
        for reduction in (r for r in reductions if r < longest):
            spool = stack.enter_context(tempfile.TemporaryFile(dir=path.parent))
            levels.append(ZoomLevel(reduction, spool, kind.fan_out))
        writer = BbiWriter(file, kind, chrom_sizes, levels)
        yield writer
        writer.finish()


class BbiWriter:
    """A file in the making; :func:`open_bbi` lends it.

    Parameters
    ----------
    file : binary file
        Open for writing, empty.
    kind : BbiKind
    chrom_sizes : mapping of str to int
    levels : list of ZoomLevel
        From fine to coarse.
    """

    def __init__(
        self,
        file: IO[bytes],
        kind: BbiKind,
        chrom_sizes: Mapping[str, int],
        levels: list[ZoomLevel],
    ) -> None:
        self._file = file
        self._kind = kind
        self._zooms = ZoomLevels(levels)
        self._n_items = 0
        file.write(bytes(_HEAD.size + _ZOOM_HEAD.size * len(levels)))
        self._sql_at = file.tell()
        file.write(kind.auto_sql.encode() + b"\0" if kind.auto_sql else b"")
        self._summary_at = file.tell()
        file.write(bytes(_SUMMARY.size))
        self._chroms_at = file.tell()
        _write_chrom_tree(file, chrom_sizes, kind.fan_out)
        self._data_at = file.tell()
        file.write(bytes(_COUNT.size))
        self._blocks = Blocks(file, kind.fan_out)

    def add_blocks(
        self, places: NDArray[np.uint32], contents: list[bytes], n_items: int
    ) -> None:
        """Write blocks of data, behind all blocks before them.

        Parameters
        ----------
        places : uint32 array, shape (n_blocks, 3)
            Number of the chromosome, and what the block covers: 0-based, half-open, in
            bp.
        contents : list of bytes
            The items of each, as bigWig or bigBed wants them, not compressed.
        n_items : int
            Of all blocks.
        """
        self._n_items += n_items
        self._blocks.add(places[:, [0, 1, 0, 2]], contents)

    def add_signal(self, batch: Batch) -> None:
        """Count bins into the summary and the zoom levels.

        Parameters
        ----------
        batch : Batch
            Behind all bins before it.
        """
        self._zooms.add(batch.chroms, batch.bins)

    def finish(self) -> None:
        """Write the indexes, the zoom levels and, last, the header."""
        sums = self._zooms.finish()
        index_at = self._blocks.write_index(self._file, self._kind.items_per_block)
        zoom_heads = [self._write_level(level) for level in self._zooms.levels]
        self._file.write(struct.pack("<I", self._kind.magic))
        self._file.seek(0)
        self._file.write(self._head(index_at) + b"".join(zoom_heads))
        self._file.seek(self._summary_at)
        self._file.write(_summary(sums))
        self._file.seek(self._data_at)
        # The number before the data: rows of a bigBed, blocks of a bigWig.
        is_bed = self._kind.field_count > 0
        self._file.write(_COUNT.pack(self._n_items if is_bed else len(self._blocks)))

    def _write_level(self, level: ZoomLevel) -> bytes:
        """Copy a level's blocks into place, and return its line of the table."""
        data_at = self._file.tell()
        self._file.write(struct.pack("<I", level.n_records))
        shift = self._file.tell()
        level.spool.seek(0)
        shutil.copyfileobj(level.spool, self._file)
        index_at = level.blocks.write_index(self._file, RECORDS_PER_BLOCK, shift)
        return _ZOOM_HEAD.pack(level.width, 0, data_at, index_at)

    def _head(self, index_at: int) -> bytes:
        all_blocks = [self._blocks, *(level.blocks for level in self._zooms.levels)]
        return _HEAD.pack(
            self._kind.magic,
            _VERSION,
            len(self._zooms.levels),
            self._chroms_at,
            self._data_at,
            index_at,
            self._kind.field_count,
            self._kind.defined_field_count,
            self._sql_at if self._kind.auto_sql else 0,
            self._summary_at,
            max(blocks.largest for blocks in all_blocks),
            0,  # no extension
        )


def _summary(sums: NDArray[np.void]) -> bytes:
    bases = int(sums["bases"].sum(dtype=np.uint64))
    total = float(sums["total"].sum())
    # Readers take the difference of these for the variance. Of a constant track it
    # must be 0; rounding left less, and they made NaN of it or gave up.
    squares = max(float(sums["squares"].sum()), total * total / bases)
    return _SUMMARY.pack(bases, sums["low"].min(), sums["high"].max(), total, squares)


def _write_chrom_tree(
    file: IO[bytes], chrom_sizes: Mapping[str, int], per_leaf: int
) -> None:
    """Write the chromosomes as a B+ tree: leaves sorted by name, below one root."""
    key_size = max(len(chrom.encode()) for chrom in chrom_sizes)
    entries = np.empty(
        len(chrom_sizes),
        dtype=[("name", f"S{key_size}"), ("number", "<u4"), ("size", "<u4")],
    )
    entries["name"] = [chrom.encode() for chrom in chrom_sizes]
    entries["number"] = np.arange(len(chrom_sizes))
    entries["size"] = [*chrom_sizes.values()]
    entries = entries[np.argsort(entries["name"], kind="stable")]
    leaves = [entries[i : i + per_leaf] for i in range(0, len(entries), per_leaf)]
    node_size = max(per_leaf, len(leaves))
    file.write(
        struct.pack(
            "<IIIIQQ", _CHROM_TREE_MAGIC, node_size, key_size, 8, len(entries), 0
        )
    )
    if len(leaves) > 1:
        file.write(struct.pack("<BBH", 0, 0, len(leaves)))
        below = file.tell() + len(leaves) * (key_size + 8)
        for i, leaf in enumerate(leaves):
            child = below + i * (4 + per_leaf * (key_size + 8))
            name = leaf["name"][0].ljust(key_size, b"\0")
            file.write(name + struct.pack("<Q", child))
    for leaf in leaves:
        file.write(struct.pack("<BBH", 1, 0, len(leaf)) + leaf.tobytes())
