"""The trunk on a CPU: from sequence to motif features, the same for every pair.

Look-up tables, running maxima per segment, sparse rows. Engines for different pairs
share one trunk, and the tile cache stores its features.
"""

from __future__ import annotations

from threading import Lock, local

import numpy as np
from numpy.typing import NDArray

from tfimpute_tracks.kernels.encode import missing_tiles
from tfimpute_tracks.kernels.motif_tables import MotifTables, build_motif_tables
from tfimpute_tracks.kernels.motifs import SegmentMaxima, segment_maxima
from tfimpute_tracks.kernels.segments import SegmentGrid
from tfimpute_tracks.kernels.sparse import (
    SparseRows,
    compact,
    gather_windows,
    join_rows,
    spread_rows,
)
from tfimpute_tracks.kernels.tables import word_rows
from tfimpute_tracks.models.model import Model
from tfimpute_tracks.storage import digest_arrays, digest_json

__all__ = ["MotifTrunk"]

_BUFFER_BYTES = 1 << 24  # of segment maxima before they are compacted
_PROBE_TILES = 64
# One at a time in the whole process: numba's threads cannot serve two callers at once.
_BUILDING = Lock()
# Raise it when the kernels return other bits, so that no cache mixes old and new.
_FEATURE_VERSION = 1


class MotifTrunk:
    """The filters of a model over tiles of one grid; safe for threads.

    Parameters
    ----------
    model : Model
    grid : SegmentGrid
        How tiles lie.
    fast : bool
        int16 tables instead of float32 ones: probabilities differ by less than 0.002.
    """

    def __init__(self, model: Model, grid: SegmentGrid, fast: bool = False) -> None:
        weights = model.checkpoint.weights
        self._config = model.config
        self._grid = grid
        self._filters = weights["filters"], weights["bias"]
        self._motifs: MotifTables | None = None
        self._fast = fast
        self._own = local()
        self.digest = digest_json(
            {
                "weights": digest_arrays(weights["filters"], weights["bias"]),
                "network": [model.config.seq_len, model.config.pool],
                "stride": grid.stride,
                "precision": "fast" if fast else "exact",
                "features": _FEATURE_VERSION,
            }
        )
        """Digest of all that motif features depend on, apart from the sequence."""

    def features(self, codes: NDArray[np.uint8], n_tiles: int) -> SparseRows:
        """Compute the motif features of each segment of neighboring tiles.

        Parameters
        ----------
        codes : uint8 array, values 0..4
            From the first base of the first tile to the last base of the last one.
        n_tiles : int

        Returns
        -------
        SparseRows
            Two rows per segment, as :func:`tfimpute_tracks.kernels.sparse.compact`
            returns them; empty for segments that only unknown tiles consist of.
        """
        motifs = self._tables()
        starts, ends = self._grid.spans(n_tiles)
        is_needed = self._is_needed(codes, n_tiles)
        rows = word_rows(codes, motifs.n_words)
        buffer = self._buffer(motifs)
        step = len(buffer.dense)
        parts = []
        for needed in np.array_split(
            np.flatnonzero(is_needed), -(-np.count_nonzero(is_needed) // step) or 1
        ):
            maxima = segment_maxima(rows, motifs, starts[needed], ends[needed], buffer)
            parts.append(compact(maxima, motifs))
        return spread_rows(join_rows(parts), is_needed)

    def probe(self) -> SparseRows:
        """Compute the windows of random tiles, always the same: a sample of density.

        Returns
        -------
        SparseRows
            As :func:`tfimpute_tracks.kernels.sparse.gather_windows` returns them.
        """
        length = (_PROBE_TILES - 1) * self._grid.stride + self._config.seq_len
        codes = np.random.default_rng(0).integers(0, 4, length, dtype=np.uint8)
        features = self.features(codes, _PROBE_TILES)
        n_filters = self._config.n_filters
        return gather_windows(features, self._grid, _PROBE_TILES, n_filters)

    def _tables(self) -> MotifTables:
        """Build the tables when first needed: a warm cache needs none."""
        with _BUILDING:
            if self._motifs is None:
                self._motifs = build_motif_tables(*self._filters, self._fast)
            return self._motifs

    def _buffer(self, motifs: MotifTables) -> SegmentMaxima:
        """Return this thread's buffer for segment maxima."""
        buffer: SegmentMaxima | None = getattr(self._own, "buffer", None)
        if buffer is None:
            width = motifs.filters.size * motifs.tables.itemsize
            buffer = SegmentMaxima.allocate(motifs, max(1, _BUFFER_BYTES // width))
            self._own.buffer = buffer
        return buffer

    def _is_needed(self, codes: NDArray[np.uint8], n_tiles: int) -> NDArray[np.bool_]:
        """Find the segments of tiles that have a score."""
        grid, seq_len = self._grid, self._config.seq_len
        step = grid.borders.size
        known = ~missing_tiles(codes, grid.stride, seq_len, n_tiles)
        # +1 where a known tile's segments start, -1 after their end.
        change = np.zeros(grid.n_segments(known.size) + 1, dtype=np.int64)
        first = step * np.flatnonzero(known)
        np.add.at(change, first, 1)
        np.add.at(change, first + grid.segments_per_tile, -1)
        result: NDArray[np.bool_] = np.cumsum(change)[:-1] > 0
        return result
