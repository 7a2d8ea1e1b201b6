"""Checkpoints of a scan: scores on their way to files, in memory or on disk.

A scan of a few seconds never touches the disk here. A longer one saves what it has every
ten seconds to a hidden folder next to its results, so memory does not grow with the
genome, and an interrupted scan is resumed: the next one with the same weights, pairs and
options finds each block by its tiles and the digest of its sequence. A completed scan
removes the folder.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tfimpute_tracks.engines.packs import count_tiles
from tfimpute_tracks.engines.tiles import TileRange
from tfimpute_tracks.storage import read_arrays, write_arrays

__all__ = ["BlockKey", "ScanCheckpoint"]

Floats = NDArray[np.float32]
BlockKey = tuple[tuple[TileRange, ...], str]
"""The tiles of a block, and the digest of their sequence."""


class ScanCheckpoint:
    """Scores of blocks of tiles, by tiles and digest.

    Parameters
    ----------
    folder : Path
        Made when there is something to save. What an interrupted scan left there is
        used, if it belongs to the same scan.
    about : mapping of str to JSON values
        All that scores depend on, apart from the sequence.
    names : list of str
        Name of each column in a file: the scores of a pair, or what the signals of
        several are made of. A file may hold other columns as well, of pairs whose
        tracks an interrupted scan has finished.
    max_seconds : float
        Work that an interruption may cost.
    max_bytes : int
        Scores that wait in memory.
    """

    def __init__(
        self,
        folder: Path,
        about: Mapping[str, Any],
        names: list[str],
        max_seconds: float = 10,
        max_bytes: int = 1 << 26,
    ) -> None:
        self._folder, self._about, self._names = folder, dict(about), names
        self._max_seconds, self._max_bytes = max_seconds, max_bytes
        self._waiting: dict[BlockKey, Floats] = {}
        self._n_bytes = 0
        self._since = time.monotonic()
        self._stored: dict[BlockKey, tuple[Path, int]] = {}
        for path in sorted(folder.glob("*.h5")):
            self._load(path)

    def __contains__(self, key: object) -> bool:
        """Check whether a block's scores are there."""
        return key in self._waiting or key in self._stored

    def add(self, key: BlockKey, scores: Floats) -> None:
        """Keep the scores of a block.

        Parameters
        ----------
        key : (tuple of TileRange, str)
            The tiles, and the digest of their sequence.
        scores : float32 array, shape (n_tiles, n_columns)

        Raises
        ------
        WriteError
            The disk is full, or the folder cannot be written to.
        """
        before = self._waiting.get(key)
        self._n_bytes += scores.nbytes - (0 if before is None else before.nbytes)
        self._waiting[key] = scores
        seconds = time.monotonic() - self._since
        if self._n_bytes > self._max_bytes or seconds > self._max_seconds:
            self.flush()

    def flush(self) -> None:
        """Save what waits in memory to disk.

        Raises
        ------
        WriteError
            The disk is full, or the folder cannot be written to.
        """
        if not self._waiting:
            return
        self._folder.mkdir(parents=True, exist_ok=True)
        chrom, first, _ = next(iter(self._waiting))[0][0]
        path = self._folder / f"{chrom[:60].replace('/', '_')}.{first}.h5"
        keys = list(self._waiting)
        ranges = [tiles for own, _ in keys for tiles in own]
        numbers = np.repeat(np.arange(len(keys)), [len(own) for own, _ in keys])
        arrays = {
            "digests": np.array([digest.encode() for _, digest in keys]),
            "block": numbers,
            "chroms": np.array([tiles.chrom.encode() for tiles in ranges]),
            "tiles": np.array([tiles[1:] for tiles in ranges], dtype=np.int64),
        }
        for column, name in enumerate(self._names):
            parts = [scores[:, column] for scores in self._waiting.values()]
            arrays[name] = np.concatenate(parts)
        write_arrays(path, arrays, self._about)
        self._index(path, keys)
        self._waiting.clear()
        self._n_bytes = 0
        self._since = time.monotonic()

    def scores(self, keys: Iterable[BlockKey], column: int) -> Iterator[Floats]:
        """Return one column of blocks.

        Parameters
        ----------
        keys : iterable of (tuple of TileRange, str)
        column : int
            Index among the names.

        Yields
        ------
        float32 array, shape (n_tiles,)

        Raises
        ------
        KeyError
            A block was never added, or its file was removed meanwhile.
        """
        name = self._names[column]
        open_path, values = None, np.empty(0, dtype=np.float32)
        for key in keys:
            if key in self._waiting:
                yield self._waiting[key][:, column]
                continue
            path, first = self._stored[key]
            if path != open_path:
                arrays = read_arrays(path, self._about, (name,))
                if arrays is None:
                    raise KeyError(f"{path} was damaged or removed during the scan")
                open_path, values = path, arrays[name]
            yield values[first : first + count_tiles(key[0])]

    def remove(self) -> None:
        """Remove everything, on the disk and in memory."""
        shutil.rmtree(self._folder, ignore_errors=True)
        self._stored.clear()
        self._waiting.clear()

    def _load(self, path: Path) -> None:
        # All of it is read once: damage must be known before the scan.
        names = "digests", "block", "chroms", "tiles"
        arrays = read_arrays(path, self._about, (*names, *self._names))
        if arrays is None:
            path.unlink(missing_ok=True)
            return
        digests, blocks, chroms, tiles = (arrays[name].tolist() for name in names)
        ranges: list[list[TileRange]] = [[] for _ in digests]
        for block, chrom, numbers in zip(blocks, chroms, tiles, strict=True):
            ranges[block].append(TileRange(chrom.decode(), *numbers))
        keys = [
            (tuple(own), digest.decode())
            for own, digest in zip(ranges, digests, strict=True)
        ]
        self._index(path, keys)

    def _index(self, path: Path, keys: list[BlockKey]) -> None:
        done = 0
        for key in keys:
            self._stored[key] = (path, done)
            done += count_tiles(key[0])
