"""Scores of a scan on their way to files: in memory first, on disk in the long run.

A scan of a few seconds never touches the disk here. A longer one puts what it has every
ten seconds into a folder beside its results; so memory does not grow with the genome,
and a scan that was interrupted goes on where it stopped: the next one of the same
weights, pairs and parameters finds each block by its place and the digest of its
letters. A completed scan removes the folder.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tfimpute_tracks.engines.tiles import TileRange
from tfimpute_tracks.storage import read_arrays, write_arrays

__all__ = ["ScanCheckpoint"]

Floats = NDArray[np.float32]
Key = tuple[TileRange, str]

_SECONDS = 10  # of work that an interruption may cost
_BYTES = 1 << 26  # of scores that wait in memory


class ScanCheckpoint:
    """Scores of blocks of tiles, by place and digest.

    Parameters
    ----------
    folder : Path
        Made when there is something to put into it; what an interrupted scan left
        there is taken up.
    about : mapping of str to JSON values
        All that scores depend on, apart from the letters.
    names : list of str
        What each column is called in a file: the scores of a pair, or what several
        are drawn from. A file may hold those of more pairs: of some that an
        interrupted scan has written in full.
    """

    def __init__(
        self, folder: Path, about: Mapping[str, Any], names: list[str]
    ) -> None:
        self._folder = folder
        self._about = dict(about)
        self._names = names
        self._fresh: dict[Key, Floats] = {}
        self._since = time.monotonic()
        self._stored: dict[Key, tuple[Path, int]] = {}
        for path in sorted(folder.glob("*.h5")):
            self._take_up(path)

    def __contains__(self, key: object) -> bool:
        """Tell whether a block's scores are there."""
        return key in self._fresh or key in self._stored

    def add(self, key: Key, scores: Floats) -> None:
        """Keep the scores of a block.

        Parameters
        ----------
        key : (TileRange, str)
            The tiles, and the digest of their letters.
        scores : float32 array, shape (n_tiles, n_columns)

        Raises
        ------
        WriteError
            The disk is full, or the folder cannot be written to.
        """
        self._fresh[key] = scores
        waiting = sum(array.nbytes for array in self._fresh.values())
        if waiting > _BYTES or time.monotonic() - self._since > _SECONDS:
            self.flush()

    def flush(self) -> None:
        """Put what waits in memory on disk.

        Raises
        ------
        WriteError
            The disk is full, or the folder cannot be written to.
        """
        if not self._fresh:
            return
        self._folder.mkdir(parents=True, exist_ok=True)
        chrom, first, _ = next(iter(self._fresh))[0]
        path = self._folder / f"{chrom[:60].replace('/', '_')}.{first}.h5"
        keys = list(self._fresh)
        blocks = np.array([f"{t.chrom}\t{digest}".encode() for t, digest in keys])
        numbers = np.array([[t.first, t.n_tiles] for t, _ in keys], dtype=np.int64)
        arrays = {"blocks": blocks, "numbers": numbers}
        for column, name in enumerate(self._names):
            parts = [scores[:, column] for scores in self._fresh.values()]
            arrays[name] = np.concatenate(parts)
        write_arrays(path, arrays, self._about)
        self._index(path, keys)
        self._fresh.clear()
        self._since = time.monotonic()

    def scores(self, keys: Iterable[Key], column: int) -> Iterator[Floats]:
        """Give one column of blocks.

        Parameters
        ----------
        keys : iterable of (TileRange, str)
        column : int
            Its place among the names.

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
            if key in self._fresh:
                yield self._fresh[key][:, column]
                continue
            path, first = self._stored[key]
            if path != open_path:
                arrays = read_arrays(path, self._about, (name,))
                if arrays is None:
                    raise KeyError(f"{path} was damaged or removed during the scan")
                open_path, values = path, arrays[name]
            yield values[first : first + key[0].n_tiles]

    def remove(self) -> None:
        """Remove everything from the disk."""
        shutil.rmtree(self._folder, ignore_errors=True)

    def _take_up(self, path: Path) -> None:
        # All of it is read once: what is damaged must be known before the scan.
        arrays = read_arrays(path, self._about, ("blocks", "numbers", *self._names))
        if arrays is None:
            path.unlink(missing_ok=True)
            return
        keys = []
        for block, (first, n_tiles) in zip(
            arrays["blocks"].tolist(), arrays["numbers"].tolist(), strict=True
        ):
            chrom, _, digest = block.decode().partition("\t")
            keys.append((TileRange(chrom, first, n_tiles), digest))
        self._index(path, keys)

    def _index(self, path: Path, keys: list[Key]) -> None:
        done = 0
        for key in keys:
            self._stored[key] = (path, done)
            done += key[0].n_tiles
