"""The tile cache: motif features on disk, for the next pair.

Motif features do not depend on the pair, so a second pair over the same sequence needs
no convolution. A block of tiles is one file. Its key is the digest of everything its
features depend on: filters and biases, geometry, precision and sequence. Files never
change, so any number of processes may read and write at once; a truncated or damaged
file counts as missing. Features are stored as computed (sparse float32), so scores are
equal with and without cache, bit for bit. When the cache exceeds its limit, the files
used least recently are removed. A run stores no more than fits: were it to remove its
own first blocks, the next run over the same genome would find none.
"""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from threading import Lock
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tfimpute_tracks.engines.trunk import MotifTrunk
from tfimpute_tracks.errors import RunError
from tfimpute_tracks.kernels.sparse import SparseRows
from tfimpute_tracks.storage import digest_json, read_arrays, write_arrays

__all__ = ["CacheState", "FeatureCache"]

_LOG = logging.getLogger(__name__)
_ARRAYS = ("counts", "columns", "values")
_EVICT_TO = 0.9  # of the limit: so that not every new file evicts one
_FILE_HEAD = 14_500  # bytes of a file around its arrays, about
_ABANDONED = 3600  # seconds after which a temporary file has no writer any more


class CacheState(NamedTuple):
    """The size of a cache.

    Attributes
    ----------
    files, size : int
        Number of blocks, and their size in bytes.
    """

    files: int
    size: int


class FeatureCache:
    """Motif features of blocks of tiles, in a folder.

    Parameters
    ----------
    folder : Path
        Created when the first block is stored.
    limit : int
        Bytes; above it the blocks used least recently are removed.

    Attributes
    ----------
    hits, misses : int
        Blocks found and blocks computed.
    """

    def __init__(self, folder: Path, limit: int) -> None:
        self.folder = folder
        self.limit = limit
        self.hits = 0
        self.misses = 0
        self._size: int | None = None  # not known before the first block is stored
        self._own: dict[Path, int] = {}  # bytes of what this run has read and stored
        self._lock = Lock()
        self._failed = False  # a cache that fails once is written no more

    def features(
        self,
        trunk: MotifTrunk,
        codes: NDArray[np.uint8],
        n_tiles: int,
        digest: str,
    ) -> SparseRows:
        """Load the motif features of neighboring tiles, or compute and store them.

        Parameters
        ----------
        trunk : MotifTrunk
        codes : uint8 array
        n_tiles : int
        digest : str
            Of `codes`.

        Returns
        -------
        SparseRows
            Bit for bit what `trunk.features(codes, n_tiles)` returns.
        """
        about = {"trunk": trunk.digest, "codes": digest, "n_tiles": n_tiles}
        key = digest_json(about).removeprefix("sha256:")
        path = self.folder / key[:2] / f"{key}.h5"
        arrays = read_arrays(path, about, _ARRAYS)
        if arrays is not None:
            with suppress(OSError), self._lock:
                self._own[path] = path.stat().st_size
                os.utime(path)  # used now: how eviction knows; not in a read-only cache
            self._count(hit=True)
            offsets = np.concatenate([[0], np.cumsum(arrays["counts"], dtype=np.int64)])
            return SparseRows(offsets, arrays["columns"], arrays["values"])
        features = trunk.features(codes, n_tiles)
        self._count(hit=False)
        self._store(path, features, about)
        return features

    def state(self) -> CacheState:
        """Measure the cache.

        Returns
        -------
        CacheState
        """
        sizes = [size for _, size, _ in self._entries()]
        return CacheState(len(sizes), sum(sizes))

    def prune(self, limit: int | None = None) -> CacheState:
        """Remove the blocks used least recently, and leftovers of killed writers.

        Parameters
        ----------
        limit : int, optional
            Bytes to keep; by default the limit of the cache.

        Returns
        -------
        CacheState
            The removed files.
        """
        entries = sorted(self._entries())
        total = sum(size for _, size, _ in entries)
        files = removed = 0
        for _, size, path in entries:
            if total - removed <= (self.limit if limit is None else limit):
                break
            with suppress(FileNotFoundError):  # another process was faster
                path.unlink()
            files, removed = files + 1, removed + size
        self._size = total - removed
        self._remove_abandoned(everything=limit == 0)
        return CacheState(files, removed)

    def _store(
        self, path: Path, features: SparseRows, about: dict[str, object]
    ) -> None:
        if self._failed:
            return
        arrays = {
            "counts": np.diff(features.offsets).astype(np.int32),
            "columns": features.columns,
            "values": features.values,
        }
        size = _FILE_HEAD + sum(array.nbytes for array in arrays.values())
        with self._lock:
            if sum(self._own.values()) + size > _EVICT_TO * self.limit:
                return
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            write_arrays(path, arrays, about)
            self._limit_size(path)
        except (OSError, RunError) as error:
            self._warn(error)

    def _limit_size(self, path: Path) -> None:
        """Count a new block, and remove old ones where all exceed the limit."""
        with self._lock:
            size = self._own[path] = path.stat().st_size
            if self._size is None:
                self._size = self.state().size
            else:
                self._size += size
            if self._size > self.limit:
                self.prune(int(_EVICT_TO * self.limit))

    def _warn(self, error: Exception) -> None:
        """Say once that the cache cannot be written; scans do not need it."""
        with self._lock:
            if not self._failed:
                self._failed = True
                _LOG.warning(
                    "tile cache %s is not written, the run continues without it: %s; "
                    "--cache-dir names another folder",
                    self.folder,
                    error,
                )

    def _entries(self) -> Iterator[tuple[float, int, Path]]:
        """Yield the time of last use, size and path of every block."""
        for path in self.folder.glob("??/*.h5"):
            with suppress(FileNotFoundError):
                stat = path.stat()
                yield stat.st_mtime, stat.st_size, path

    def _remove_abandoned(self, everything: bool) -> None:
        for path in self.folder.glob("??/.*.tmp"):
            with suppress(FileNotFoundError):
                if everything or time.time() - path.stat().st_mtime > _ABANDONED:
                    path.unlink()

    def _count(self, hit: bool) -> None:
        with self._lock:
            self.hits += hit
            self.misses += not hit
