"""Bins along whole chromosomes: which hold a peak, and what a scan says of each.

A bin is positive where the center of a measured peak falls in it, as the challenges
that judge whole genomes have it; every other bin is negative, closed chromatin
included. A bin that is mostly N, or that no tile with a score stands for, is left out
and counted. Where scores come from is not known here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tfimpute_tracks.evaluation.metrics import (
    RECALL_LEVELS,
    pair_aurocs,
    pair_average_precisions,
    recall_at_fdr,
)
from tfimpute_tracks.vocabulary import Pair

__all__ = ["BinRun", "bin_labels", "bin_table", "known_bins", "raise_bins", "tile_plan"]

Floats = NDArray[np.float32]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class BinRun:
    """Which tiles stand for the bins of a width.

    Parameters
    ----------
    width : int
        bp of a bin; bins begin at multiples of it.
    first : int
        Where the first tile begins, 0-based.
    stride : int
        bp between the starts of tiles.
    tile : int
        bp of a tile.
    centered : bool
        A bin has the score of the one tile about its center; else the highest of the
        tiles that lie inside it.
    """

    width: int
    first: int
    stride: int
    tile: int
    centered: bool

    def bins_of(self, start: Ints) -> Ints:
        """Give the bin that each tile stands for.

        Parameters
        ----------
        start : int64 array, shape (n_tiles,)
            Where tiles begin, 0-based.

        Returns
        -------
        int64 array, shape (n_tiles,)
            -1 for a tile that stands for none.
        """
        if self.centered:
            return (start + self.tile // 2) // self.width
        bins = start // self.width
        inside = bins == (start + self.tile - 1) // self.width
        return np.where(inside, bins, -1)


def tile_plan(width: int, tile: int, pool: int) -> BinRun:
    """Choose the tiles that stand for bins.

    Parameters
    ----------
    width : int
        bp of a bin.
    tile : int
        bp of a tile: what the network reads.
    pool : int
        bp between tiles, where a bin has several.

    Returns
    -------
    BinRun
        Bins of less than two tiles have the tile about their center; wider ones the
        tiles inside them. The first tile may begin below 0: it stands for a bin at the
        chromosome's end that is left out.
    """
    if width < 2 * tile:
        first = width // 2 - tile // 2
        return BinRun(width, first, width, tile, centered=True)
    return BinRun(width, 0, pool, tile, centered=False)


def known_bins(codes: NDArray[np.uint8], width: int) -> NDArray[np.bool_]:
    """Say which bins are at least half A, C, G and T.

    Parameters
    ----------
    codes : uint8 array, shape (n,), values 0..4
        A whole chromosome.
    width : int
        bp of a bin.

    Returns
    -------
    bool array, shape (n // width,)
        A last bin that is not whole is none.
    """
    n_bins = len(codes) // width
    known = (codes[: n_bins * width] < 4).reshape(n_bins, width)
    result: NDArray[np.bool_] = 2 * known.sum(axis=1) >= width
    return result


def bin_labels(start: Ints, end: Ints, width: int, n_bins: int) -> NDArray[np.int8]:
    """Say which bins hold the center of a peak.

    Parameters
    ----------
    start, end : int64 arrays, shape (n_peaks,)
        Of the peaks of a pair on a chromosome: 0-based half-open, in bp.
    width, n_bins : int

    Returns
    -------
    int8 array, shape (n_bins,)
        1 or 0; a center behind the last bin is in none.
    """
    labels = np.zeros(n_bins, dtype=np.int8)
    places = (start + end) // 2 // width
    labels[places[places < n_bins]] = 1
    return labels


def raise_bins(best: Floats, run: BinRun, start: Ints, scores: Floats) -> None:
    """Raise the scores of bins to those of tiles that stand for them.

    Parameters
    ----------
    best : float32 array, shape (n_bins, n_pairs)
        Changed in place; NaN where no tile with a score was met yet.
    run : BinRun
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


def bin_table(
    scores: Floats,
    labels: NDArray[np.int8],
    pairs: Sequence[Pair],
    roles: Sequence[str],
) -> tuple[pd.DataFrame, dict[str, dict[str, Any]]]:
    """Give the figures of pairs over bins.

    Parameters
    ----------
    scores : float32 array, shape (n_bins, n_pairs)
    labels : int8 array, shape (n_bins, n_pairs)
        1 or 0.
    pairs : sequence of Pair
    roles : sequence of str

    Returns
    -------
    table : DataFrame
        A row per pair: tf, cell, role, n_positive, n_negative, prior, auroc,
        average_precision, a column of recall per level, and left_out, the reason why
        there are no figures.
    roles : dict of str to dict
        Per role: pairs, means, `left_out` with the names of the pairs in no mean.
    """
    n_positive = (labels == 1).sum(axis=0)
    recall = recall_at_fdr(scores, labels)
    named = [f"recall_at_fdr_{level * 100:g}" for level in RECALL_LEVELS]
    columns: Mapping[str, Any] = {
        "tf": [pair.tf for pair in pairs],
        "cell": [pair.cell for pair in pairs],
        "role": list(roles),
        "n_positive": n_positive,
        "n_negative": len(labels) - n_positive,
        "prior": n_positive / max(len(labels), 1),
        "auroc": pair_aurocs(scores, labels),
        "average_precision": pair_average_precisions(scores, labels),
        **dict(zip(named, recall.T, strict=True)),
        "left_out": np.select(
            [n_positive == 0, n_positive == len(labels)],
            ["no positive bin", "no negative bin"],
            "",
        ),
    }
    table = pd.DataFrame(columns)
    told = {}
    for role, some in table.groupby("role", sort=False):
        counted, out = some[some["left_out"] == ""], some[some["left_out"] != ""]
        means = {
            name: float(counted[name].mean()) if len(counted) else None
            for name in ("auroc", "average_precision", "prior", *named)
        }
        recalls = {
            f"{level:g}": means.pop(name)
            for level, name in zip(RECALL_LEVELS, named, strict=True)
        }
        told[str(role)] = {
            "pairs": len(counted),
            **means,
            "recall_at_fdr": recalls,
            "left_out": [f"{row.tf}:{row.cell}" for row in out.itertuples()],
        }
    return table, told
