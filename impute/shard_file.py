"""The file of a shard: codes of tiles x pairs in HDF5, written atomically.

``docs/bulk-store.md`` describes the format. Chunks are 128 pairs x 2,048 tiles: a pair
over a chromosome and all pairs at a position both read a hundredth of a store. A file is
read back before it gets its name.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tfimpute_tracks.engines.tiles import cut_parts
from tfimpute_tracks.errors import InputFileError, ValidationError
from tfimpute_tracks.impute.plan import Plan, Shard
from tfimpute_tracks.impute.stored_peaks import PeakCounter
from tfimpute_tracks.kernels.codes import column_codes, difference, row_codes
from tfimpute_tracks.kernels.peaks import PeakCounts
from tfimpute_tracks.storage import atomic_file, digest_json
from tfimpute_tracks.storage.hdf5_columns import READ_ERRORS
from tfimpute_tracks.storage.zstd_chunks import ZstdChunks, create_zstd

__all__ = [
    "Column",
    "ShardFile",
    "is_complete",
    "shard_path",
    "write_shard",
]

Codes = NDArray[np.uint8]
Flags = NDArray[np.bool_]
Span = tuple[int, int]

_FORMAT = "tfimpute-tracks bulk shard"
_FORMAT_VERSION = 2


class Column(NamedTuple):
    """All pairs of a shard at the tiles of one column of chunks.

    Attributes
    ----------
    codes : uint8 array, shape (n_pairs, n_tiles)
    is_missing : bool array, shape (n_tiles,)
    """

    codes: Codes
    is_missing: Flags


def shard_path(folder: Path, shard: Shard) -> Path:
    """Return the path of a shard's file.

    Parameters
    ----------
    folder : Path
        Of the store.
    shard : Shard

    Returns
    -------
    Path
    """
    return folder / "shards" / shard.file_name


def write_shard(
    folder: Path, plan: Plan, shard: Shard, columns: Iterable[Column]
) -> int:
    """Write the file of a shard atomically.

    Parameters
    ----------
    folder : Path
        Of the store.
    plan : Plan
    shard : Shard
    columns : iterable of Column
        In order, each but the last of `plan.chunk.tiles` tiles; read as they come.

    Returns
    -------
    int
        Bytes of the file.

    Raises
    ------
    WriteError
        The disk is full, or the file cannot be written.
    ValidationError
        The file does not read back as written.
    """
    import h5py

    dest = shard_path(folder, shard)
    with atomic_file(dest) as temp:
        with h5py.File(temp, "w") as file:
            checksums = _fill(file, plan, shard, columns)
            file.attrs["format"] = _FORMAT
            file.attrs["format-version"] = _FORMAT_VERSION
            file.attrs["key"] = _key(plan, shard)
            file.attrs["about"] = json.dumps(_about(plan, shard))
        with h5py.File(temp, "r") as file:
            codes = ZstdChunks(file["codes"])
            for first, checksum in checksums.items():
                last = first + plan.chunk.tiles
                read = codes.read((0, shard.n_pairs), (first, last))
                if zlib.crc32(np.ascontiguousarray(read).data) != checksum:
                    raise ValidationError(
                        f"{dest} does not read back as written, from tile {first}; "
                        "the disk or the memory of this machine is at fault"
                    )
        return temp.stat().st_size


def _fill(
    file: Any, plan: Plan, shard: Shard, columns: Iterable[Column]
) -> dict[int, int]:
    """Write the data sets, and return the checksum of each column of chunks."""
    n_tiles = shard.block.n_tiles
    chunks = min(plan.chunk.pairs, shard.n_pairs), min(plan.chunk.tiles, n_tiles)
    codes = create_zstd(
        file, "codes", (shard.n_pairs, n_tiles), np.uint8, chunks, checksums=True
    )
    scale = plan.scale.of(shard.first_pair, shard.n_pairs)
    missing = np.zeros(n_tiles, dtype=np.bool_)
    peaks = PeakCounter(shard.block, scale.threshold_codes)
    checksums = {}
    first = 0
    parts = cut_parts(shard.block.ranges, plan.stride, plan.chunk.tiles)
    for column, part in zip(columns, parts, strict=True):
        last = first + column.is_missing.size
        missing[first:last] = column.is_missing
        peaks.add(column.codes, column.is_missing, part)
        stored = column.codes
        if not plan.is_sparse:
            difference(stored, plan.chunk.pairs)
        for row in range(0, shard.n_pairs, plan.chunk.pairs):
            codes.write_chunk((row, first), stored[row : row + plan.chunk.pairs])
        checksums[first] = zlib.crc32(stored.data)
        first = last
    counted = peaks.result()
    small: dict[str, NDArray[Any]] = {
        "missing": missing,
        "peaks": counted.n_peaks,
        "gaps": counted.gaps,
    }
    # Cached chunks are written in any order: so one data set at a time, and the same
    # shard gives the same file byte for byte.
    for name, array in small.items():
        dataset = file.create_dataset(
            name, data=array, fletcher32=True, chunks=array.shape
        )
        dataset.flush()
    return checksums


class ShardFile:
    """A shard's file, open for reading; also a context manager.

    Parameters
    ----------
    folder : Path
        Of the store.
    plan : Plan
    shard : Shard

    Raises
    ------
    InputFileError
        The file is missing, damaged, or belongs to another store.
    """

    def __init__(self, folder: Path, plan: Plan, shard: Shard) -> None:
        import h5py

        self.path = shard_path(folder, shard)
        self._plan, self._shard, self._chunk = plan, shard, plan.chunk
        names = ("format", "format-version", "key")
        try:
            # Without a lock: a file never changes under its name.
            self._file = h5py.File(self.path, "r", locking=False)
            found = [str(self._file.attrs.get(name)) for name in names]
        except FileNotFoundError as error:
            raise InputFileError(
                f"{self.path} does not exist yet; run the same `impute` command again"
            ) from error
        except READ_ERRORS as error:
            raise self._damaged("cannot be opened") from error
        if found != [_FORMAT, str(_FORMAT_VERSION), _key(plan, shard)]:
            self._file.close()
            raise self._damaged("belongs to another store or format")

    def __enter__(self) -> ShardFile:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._file.close()

    def some_rows(self, pairs: Sequence[int], begin: int, end: int) -> Codes:
        """Read some tiles of pairs of one row of chunks.

        Parameters
        ----------
        pairs : sequence of int
            Indexes in the plan.
        begin, end : int
            Of the shard's tiles, half-open.

        Returns
        -------
        uint8 array, shape (n_pairs, end - begin)
        """
        read = self._codes()
        rows = np.array(pairs) - self._shard.first_pair
        first, last = int(rows.min()), int(rows.max()) + 1
        if self._plan.is_sparse:
            some: Codes = read((first, last), (begin, end))[rows - first]
            return some
        first -= first % self._chunk.pairs
        before = begin % self._chunk.tiles
        parts = [
            read((first, last), (column, min(column + self._chunk.tiles, end)))
            for column in range(begin - before, end, self._chunk.tiles)
        ]
        if len(rows) == 1:
            decoded = [row_codes(part)[None] for part in parts]
        else:
            decoded = [column_codes(part, 0)[rows - first] for part in parts]
        return np.hstack(decoded)[:, before:]

    def rows(self, first: int, last: int) -> Iterator[Codes]:
        """Read the codes of neighboring pairs, some pairs at a time.

        Parameters
        ----------
        first, last : int
            Indexes in the plan, half-open, of this shard's pairs.

        Yields
        ------
        uint8 array, shape (n_pairs, n_tiles)
            Of pairs that follow each other.
        """
        at = first
        while at < last:
            row = at - self._shard.first_pair
            stop = min(at + self._chunk.pairs - row % self._chunk.pairs, last)
            yield self.some_rows(range(at, stop), 0, self._shard.block.n_tiles)
            at = stop

    def columns(self, first: int, last: int) -> Codes:
        """Read all pairs' codes of some tiles.

        Parameters
        ----------
        first, last : int
            Of the shard's tiles, half-open.

        Returns
        -------
        uint8 array, shape (n_pairs, last - first)
        """
        read = self._codes()
        out = np.empty((self._shard.n_pairs, last - first), dtype=np.uint8)
        for begin in range(first - first % self._chunk.tiles, last, self._chunk.tiles):
            start, stop = max(first, begin), min(last, begin + self._chunk.tiles)
            for pair in range(0, self._shard.n_pairs, self._chunk.pairs):
                some = read((pair, pair + self._chunk.pairs), (begin, stop))
                if self._plan.is_sparse:
                    some = some[:, start - begin :]
                else:
                    some = column_codes(some, start - begin)
                out[pair : pair + len(some), start - first : stop - first] = some
        return out

    def missing(self) -> Flags:
        """Read which tiles have no value.

        Returns
        -------
        bool array, shape (n_tiles,)
        """
        flags: Flags = self._read("missing")
        return flags

    def peaks(self) -> PeakCounts:
        """Read the number of peaks of each pair.

        Returns
        -------
        PeakCounts
        """
        return PeakCounts(self._read("peaks"), self._read("gaps"))

    def check(self) -> None:
        """Read everything, so that every checksum is verified.

        Raises
        ------
        InputFileError
            A chunk is damaged.
        """
        read = self._codes()
        for first in range(0, self._shard.block.n_tiles, self._chunk.tiles):
            read((0, self._shard.n_pairs), (first, first + self._chunk.tiles))
        self.missing()
        self.peaks()

    def _codes(self) -> Callable[[Span, Span], Codes]:
        """Open the codes; the result reads a part: rows and columns, half-open."""
        with self._reading():
            codes = ZstdChunks(self._file["codes"])
            if codes.shape != (self._shard.n_pairs, self._shard.block.n_tiles):
                raise OSError(f"the shape of the codes is {codes.shape}")

        def read(rows: Span, columns: Span) -> Codes:
            with self._reading():
                return codes.read(rows, columns)

        return read

    def _read(self, name: str) -> Any:
        with self._reading():
            return self._file[name][:]

    @contextmanager
    def _reading(self) -> Iterator[None]:
        try:
            yield
        except READ_ERRORS as error:
            raise self._damaged("is damaged, a checksum or a chunk is wrong") from error

    def _damaged(self, what: str) -> InputFileError:
        return InputFileError(
            f"{self.path} {what}; `impute --verify` with the options of the store "
            "computes it again"
        )


def is_complete(folder: Path, plan: Plan, shard: Shard, thorough: bool = False) -> bool:
    """Check whether a shard's file is there and belongs to the plan.

    Parameters
    ----------
    folder : Path
        Of the store.
    plan : Plan
    shard : Shard
    thorough : bool
        Read all of it. Otherwise only its header: a file under its final name was
        complete once.

    Returns
    -------
    bool
    """
    if not shard_path(folder, shard).exists():
        return False
    try:
        with ShardFile(folder, plan, shard) as file:
            file.missing()
            if thorough:
                file.check()
    except InputFileError:
        return False
    return True


def _key(plan: Plan, shard: Shard) -> str:
    return digest_json([plan.digest, shard.number])


def _about(plan: Plan, shard: Shard) -> dict[str, Any]:
    """Describe the file, for readers who find it alone."""
    return {
        "tiles": [list(tiles) for tiles in shard.block.ranges],
        "first_pair": shard.first_pair,
        "n_pairs": shard.n_pairs,
        "stride": plan.stride,
        "seq_len": plan.seq_len,
        "encoding": "codes" if plan.is_sparse else "differences",
        "weights": plan.weights,
        "sequence": shard.block.digest,
        "tool_version": plan.tool_version,
    }
