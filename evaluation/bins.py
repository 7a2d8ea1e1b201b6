"""Bins along whole chromosomes: their labels from peaks, their scores from tiles.

A bin is bound where the center of a measured peak falls in it, as in challenges on whole
genomes; every other bin is unbound, closed chromatin included. A bin that is mostly N,
or that has no tile with a score, is excluded and counted.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

__all__ = [
    "BinMetrics",
    "BinTiles",
    "bin_labels",
    "bin_tiles",
    "known_bins",
    "update_bins",
]

Floats = NDArray[np.float32]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class BinMetrics:
    """Metrics over the bins of one width.

    Parameters
    ----------
    width : int
        In bp.
    pairs : DataFrame
        From :func:`~tfimpute_tracks.evaluation.metrics.pair_metrics`.
    roles : dict of str to dict
        From :func:`~tfimpute_tracks.evaluation.metrics.role_means`.
    about : dict
        How the bins were made, and how many were excluded, by reason; JSON values.
    """

    width: int
    pairs: pd.DataFrame
    roles: dict[str, dict[str, Any]]
    about: dict[str, Any] = field(default_factory=dict)

    @property
    def title(self) -> str:
        """How many bins there are, and how many were excluded, by reason."""
        about = self.about
        excluded = ", ".join(f"{n:,} {why}" for why, n in about["excluded"].items())
        return (
            f"{about['bins']:,} bins of {self.width:,} bp along "
            f"{', '.join(about['chroms'])}; excluded: {excluded}"
        )


@dataclass(frozen=True)
class BinTiles:
    """The tiles whose scores are those of the bins of a width.

    Parameters
    ----------
    width : int
        bp of a bin; bins start at multiples of it.
    first : int
        Start of the first tile, 0-based.
    stride : int
        bp between the starts of tiles.
    tile : int
        bp of a tile.
    centered : bool
        A bin has the score of the one tile centered on it; otherwise the highest score
        of the tiles that lie inside it.
    """

    width: int
    first: int
    stride: int
    tile: int
    centered: bool

    def bins_of(self, start: Ints) -> Ints:
        """Find the bin that each tile scores.

        Parameters
        ----------
        start : int64 array, shape (n_tiles,)
            Starts of tiles, 0-based.

        Returns
        -------
        int64 array, shape (n_tiles,)
            -1 for a tile that scores none.
        """
        if self.centered:
            return (start + self.tile // 2) // self.width
        bins = start // self.width
        inside = bins == (start + self.tile - 1) // self.width
        return np.where(inside, bins, -1)


def bin_tiles(width: int, tile: int, pool: int) -> BinTiles:
    """Choose the tiles that score bins.

    Parameters
    ----------
    width : int
        bp of a bin.
    tile : int
        bp of a tile: what the network reads.
    pool : int
        bp between tile starts, where a bin has several tiles.

    Returns
    -------
    BinTiles
        A bin narrower than two tiles has the tile centered on it; a wider one has the
        tiles inside it. The first tile may start below 0, outside the chromosome; its
        bin is then excluded.
    """
    if width < 2 * tile:
        first = width // 2 - tile // 2
        return BinTiles(width, first, width, tile, centered=True)
    return BinTiles(width, 0, pool, tile, centered=False)


def known_bins(codes: NDArray[np.uint8], width: int) -> NDArray[np.bool_]:
    """Test which bins are at least half A, C, G and T.

    Parameters
    ----------
    codes : uint8 array, shape (n,), values 0..4
        A whole chromosome.
    width : int
        bp of a bin.

    Returns
    -------
    bool array, shape (n // width,)
        An incomplete bin at the end is not counted.
    """
    n_bins = len(codes) // width
    known = (codes[: n_bins * width] < 4).reshape(n_bins, width)
    result: NDArray[np.bool_] = 2 * known.sum(axis=1) >= width
    return result


def bin_labels(start: Ints, end: Ints, width: int, n_bins: int) -> NDArray[np.int8]:
    """Test which bins contain the center of a peak.

    Parameters
    ----------
    start, end : int64 arrays, shape (n_peaks,)
        Of the peaks of a pair on a chromosome: 0-based half-open, in bp.
    width, n_bins : int

    Returns
    -------
    int8 array, shape (n_bins,)
        1 or 0; a center beyond the last bin is in none.
    """
    labels = np.zeros(n_bins, dtype=np.int8)
    bins = (start + end) // 2 // width
    labels[bins[bins < n_bins]] = 1
    return labels


def update_bins(best: Floats, run: BinTiles, start: Ints, scores: Floats) -> None:
    """Raise the scores of bins to those of further tiles.

    Parameters
    ----------
    best : float32 array, shape (n_bins, n_pairs)
        Changed in place; NaN for a bin that has no tile with a score yet.
    run : BinTiles
    start : int64 array, shape (n_tiles,)
        Ascending.
    scores : float32 array, shape (n_tiles, n_pairs)
        NaN where a tile has none.
    """
    bins = run.bins_of(start)
    used = (bins >= 0) & (bins < len(best))
    bins, scores = bins[used], scores[used]
    if len(bins):
        present, firsts = np.unique(bins, return_index=True)
        highest = np.fmax.reduceat(scores, firsts, axis=0)
        best[present] = np.fmax(best[present], highest)
