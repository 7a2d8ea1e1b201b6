"""Tiles of separate segments of sequence, scored together and each by itself.

Callers with many short segments, the alleles of variants, have few tiles in each. Here
they go through the network at once. A tile's score does not depend on the others.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from tfimpute_tracks.engines.cpu_engine import pick_head
from tfimpute_tracks.engines.head import GatedHead
from tfimpute_tracks.engines.tile_grid import join_segments
from tfimpute_tracks.engines.trunk import MotifTrunk
from tfimpute_tracks.errors import check_packages
from tfimpute_tracks.kernels.encode import N_CODE
from tfimpute_tracks.kernels.segments import SegmentGrid
from tfimpute_tracks.kernels.sparse import SparseRows, gather_windows, join_rows
from tfimpute_tracks.models.model import Model
from tfimpute_tracks.vocabulary import Pair

__all__ = ["SegmentEngine", "open_segment_engine"]

Codes = NDArray[np.uint8]
Floats = NDArray[np.float32]
Ints = NDArray[np.int64]


class SegmentEngine(Protocol):
    """A model set up to score tiles of separate segments; safe for threads."""

    def logits(self, segments: list[Codes], counts: list[int]) -> Floats:
        """Score neighboring tiles of each segment.

        Parameters
        ----------
        segments : list of uint8 array, values 0..4
            From the first base of the first tile to the last base of the last one.
        counts : list of int
            Tiles of each segment.

        Returns
        -------
        float32 array, shape (sum of `counts`, n_pairs)
            Log-odds; not defined where more than half of a tile is unknown.
        """

    def parts(
        self,
        segments: list[Codes],
        counts: list[int],
        origins: Sequence[int | None],
    ) -> Iterator[tuple[slice, Floats]]:
        """Score tiles of which many are alike, some pairs at a time.

        Parameters
        ----------
        segments, counts
            As for :meth:`logits`.
        origins : sequence of int or None
            Of a segment that is a changed copy of a part of the last one without an
            origin: the tile of that one where it begins.

        Yields
        ------
        pairs : slice
        logits : float32 array, shape (sum of `counts`, n_pairs of the slice)
            Those of :meth:`logits` within rounding.
        """


def open_segment_engine(
    model: Model, pairs: list[Pair], grid: SegmentGrid
) -> SegmentEngine:
    """Set a model up, by the fastest method for its network.

    Parameters
    ----------
    model : Model
    pairs : list of Pair
    grid : SegmentGrid
        How tiles of one segment lie.

    Returns
    -------
    SegmentEngine
    """
    if model.config.supports_rows:
        check_packages(f"model {model.name}", "torch")
        # PyTorch takes a second to import: only where it is needed.
        from tfimpute_tracks.engines.residual_rows import ResidualRows

        return ResidualRows(model, pairs, grid.stride)
    return _JoinedSegments(model, pairs, grid)


class _JoinedSegments:
    """Segments laid end to end, through trunk and head."""

    def __init__(self, model: Model, pairs: list[Pair], grid: SegmentGrid) -> None:
        self._grid, self._config = grid, model.config
        self._trunk = MotifTrunk(model, grid)
        self._head = pick_head(model, pairs, self._trunk)

    def logits(self, segments: list[Codes], counts: list[int]) -> Floats:
        return self._head.logits(self._windows(segments, counts))

    def parts(
        self, segments: list[Codes], counts: list[int], origins: Sequence[int | None]
    ) -> Iterator[tuple[slice, Floats]]:
        head = self._head
        if not (isinstance(head, GatedHead) and head.has_many_pairs):
            yield slice(None), self.logits(segments, counts)
            return
        # So that tiles which cross from one segment into the next are mostly N: features
        # of a segment do not depend on its neighbors.
        gap = np.full(self._config.seq_len // 2 + 1, N_CODE, dtype=np.uint8)
        apart = [np.concatenate([segment, gap]) for segment in segments]
        windows = self._windows(apart, counts)
        yield from head.parts(windows, _similar_tiles(counts, origins))

    def _windows(self, segments: list[Codes], counts: list[int]) -> SparseRows:
        # Tiles that cross from one segment into the next are left out.
        codes, firsts = join_segments(segments, self._grid.stride)
        n_tiles = (len(codes) - self._config.seq_len) // self._grid.stride + 1
        features = self._trunk.features(codes, n_tiles)
        windows = gather_windows(features, self._grid, n_tiles, self._config.n_filters)
        chosen = [
            windows.rows(2 * first, 2 * (first + n))
            for first, n in zip(firsts, counts, strict=True)
            if n
        ]
        return join_rows(chosen)


def _similar_tiles(counts: Sequence[int], origins: Sequence[int | None]) -> Ints:
    """Find the tile before each one, or the one that it is a changed copy of."""
    parts, first, n_row, row = [], 0, 0, 0
    for n, origin in zip(counts, origins, strict=True):
        if origin is None:
            row, n_row = first, n
            part = np.arange(first - 1, first + n - 1)
            part[:1] = -1
        else:
            part = row + np.minimum(origin + np.arange(n), n_row - 1)
        parts.append(part)
        first += n
    return np.concatenate(parts)
