"""Our side of the benchmarks, in one place.

Each class is set up once and called many times; sequence goes through in blocks, each
on a thread of its own, as in a scan.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

import numba
import numpy as np
from numpy.typing import NDArray
from timing import thread_count

from tfimpute_tracks.engines.scorer import Scorer
from tfimpute_tracks.engines.tile_grid import TileGrid
from tfimpute_tracks.engines.tiles import TileRange
from tfimpute_tracks.kernels.encode import N_CODE
from tfimpute_tracks.kernels.motif_tables import build_motif_tables
from tfimpute_tracks.kernels.motifs import segment_maxima
from tfimpute_tracks.kernels.products import sigmoid
from tfimpute_tracks.kernels.segments import segment_grid
from tfimpute_tracks.kernels.tables import word_rows
from tfimpute_tracks.models import Model
from tfimpute_tracks.vocabulary import Pair

__all__ = ["Scan", "WindowMaxima"]

Codes = NDArray[np.uint8]
Floats = NDArray[np.float32]
Result = TypeVar("Result")

_SCAN_BLOCK = 4096  # tiles


def _one_thread_each() -> None:
    numba.set_num_threads(1)


def _in_blocks(
    work: Callable[[Codes, TileRange], Result],
    codes: Codes,
    n_tiles: int,
    grid: TileGrid,
    per_block: int,
) -> list[Result]:
    """Call `work` on blocks of neighboring tiles, in threads; results in order."""

    def one(first: int) -> Result:
        n = min(per_block, n_tiles - first)
        tiles = TileRange("", first * grid.stride, n)
        return work(codes[grid.code_slice(first, n)], tiles)

    firsts = range(0, n_tiles, per_block)
    with ThreadPoolExecutor(thread_count(), initializer=_one_thread_each) as pool:
        return list(pool.map(one, firsts))


class WindowMaxima:
    """Pooling windows of every tile and both strands, by table look-ups.

    Parameters
    ----------
    filters : float32 array, shape (K, F, 4)
        Nothing is taken off: their biases are zero.
    seq_len, pool, stride : int
        In bp.
    fast : bool
        int16 tables.
    """

    def __init__(
        self, filters: Floats, seq_len: int, pool: int, stride: int, fast: bool
    ) -> None:
        base = segment_grid(seq_len, filters.shape[1], pool, stride)
        self._grid = TileGrid(seq_len, base, context=0, spread=1, step=1)
        bias = np.zeros(len(filters), dtype=np.float32)
        # Nothing to screen where filters are drawn at random: each fires everywhere.
        self._motifs = build_motif_tables(filters, bias, fast, screen=False)

    def __call__(self, codes: Codes, n_tiles: int) -> list[tuple[Any, Any]]:
        """Find the maxima.

        Parameters
        ----------
        codes : uint8 array, shape ((n_tiles - 1) * stride + seq_len,)
        n_tiles : int

        Returns
        -------
        list of (forward, reverse) arrays, shape (n, n_windows, n_lanes)
            Block by block, windows as the network sees each strand, as the kernel
            gives them; :meth:`in_order` says which is which.
        """
        # A block a thread: the longer it is, the less the next filters' tables cost.
        per_block = -(-n_tiles // thread_count())
        return _in_blocks(self._block, codes, n_tiles, self._grid, per_block)

    def in_order(self, blocks: list[tuple[Any, Any]]) -> Floats:
        """Put the lanes into the filters' order, and undo their scale.

        Parameters
        ----------
        blocks : list
            From :meth:`__call__`.

        Returns
        -------
        float32 array, shape (n_tiles, 2, n_windows, K)
        """
        filters = self._motifs.filters[self._motifs.strands == 0].reshape(-1)
        factors = self._motifs.factors[self._motifs.strands == 0].reshape(-1)
        places = np.argsort(filters)[np.count_nonzero(filters < 0) :]
        strands = [np.concatenate(some) for some in zip(*blocks, strict=True)]
        return np.stack([(s * factors)[..., places] for s in strands], axis=1)

    def _block(self, codes: Codes, tiles: TileRange) -> tuple[Any, Any]:
        grid, motifs, n_tiles = self._grid.base, self._motifs, tiles.n_tiles
        rows = word_rows(codes, motifs.n_words)
        maxima = segment_maxima(rows, motifs, *grid.spans(n_tiles)).dense
        half = maxima.shape[1] // 2  # forward filters, then their reverse complements
        return (
            _windows(maxima[:, :half], grid.forward, grid.borders.size, n_tiles),
            _windows(maxima[:, half:], grid.reverse, grid.borders.size, n_tiles),
        )


def _windows(maxima: Any, ranges: Any, step: int, n_tiles: int) -> Any:
    """Take the maximum of each run of segments that makes a tile's window."""
    out = np.empty((n_tiles, len(ranges), maxima.shape[1]), dtype=maxima.dtype)
    for window, (first, last) in enumerate(ranges):
        runs = [maxima[i::step][:n_tiles] for i in range(first, last)]
        out[:, window] = runs[0]
        for run in runs[1:]:
            np.maximum(out[:, window], run, out=out[:, window])
    return out


class Scan:
    """Codes in memory to probabilities in memory.

    Parameters
    ----------
    model : Model
    pairs : list of "TF:CELL" or Pair
    fast : bool
    """

    def __init__(
        self, model: Model, pairs: Iterable[str | Pair], fast: bool = False
    ) -> None:
        self._scorer = Scorer(model, pairs, fast=fast)
        self.stride = self._scorer.stride

    def __call__(self, codes: Codes) -> Floats:
        """Score every tile.

        Parameters
        ----------
        codes : uint8 array
            Flanks past its ends are N, as they are past those of a chromosome.

        Returns
        -------
        float32 array, shape (n_tiles, n_pairs)
            Probabilities.
        """
        grid = self._scorer.grid
        n_tiles = (codes.size - grid.seq_len) // grid.stride + 1
        flanked = np.pad(codes, grid.flank, constant_values=N_CODE)
        blocks = _in_blocks(self._block, flanked, n_tiles, grid, _SCAN_BLOCK)
        return np.concatenate(blocks)

    def _block(self, codes: Codes, tiles: TileRange) -> Floats:
        return sigmoid(self._scorer.score(codes, tiles))
