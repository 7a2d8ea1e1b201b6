"""Pairs and tracks arranged for the attention kernel: groups of lanes.

Pairs of one TF in a block of 16 cell lines are a *group* and share one row of lanes.
Constants of pairs, and weights of tracks for their cell lines, are arranged in the same
way.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tfimpute_tracks.kernels.lanes import LANE_BYTES, aligned_empty

__all__ = [
    "GROUP_ROWS",
    "ROW",
    "PairGroups",
    "PairRows",
    "TrackRows",
    "group_pairs",
    "pair_rows",
    "track_rows",
]

Floats = NDArray[np.float32]
Ints = NDArray[np.int32]

ROW = LANE_BYTES // 4
"""Lanes of a row, and the maximal number of heads and of hidden units."""

GROUP_ROWS = 1 + 2 * ROW
"""Rows of constants of a group."""


class TrackRows(NamedTuple):
    """Attention weights of tracks for pairs: by_tf times by_cell.

    Attributes
    ----------
    tf, cell : int32 array, shape (n_tracks,)
        Rows of the tables of each track.
    by_tf : float32 array, shape (n_tfs, n_track_tfs, 16)
        From a pair's TF to a track's TF, by head.
    by_cell : float32 array, shape (2, n_blocks, n_cells, 16, 16)
        From 16 pairs' cell lines to a track's cell line, by head. In the second table,
        used for tracks of the pair's TF, weights are zero for equal cell lines: a pair's
        own track is not evidence for it.
    """

    tf: Ints
    cell: Ints
    by_tf: Floats
    by_cell: Floats


class PairGroups(NamedTuple):
    """Groups of consecutive pairs of one TF, with cell lines in one block of 16.

    Attributes
    ----------
    tf, block : int32 array, shape (n_groups,)
    first : int64 array, shape (n_groups + 1,)
        Index of the first pair of each group.
    lane : int32 array, shape (n_pairs,)
        Of each pair in its group.
    whole : bool array, shape (n_groups,)
        Whether the group fills its first lanes without gaps and at least 16 pairs
        follow, so that all lanes can be loaded and stored at once.
    """

    tf: Ints
    block: Ints
    first: NDArray[np.int64]
    lane: Ints
    whole: NDArray[np.bool_]


class PairRows(NamedTuple):
    """Constants of pairs.

    Attributes
    ----------
    groups : PairGroups
    rows : float32 array, shape (n_groups, 33, 16)
        By lane: the offset of the result, the biases of 16 hidden units, and for each of
        16 heads 100 divided by the sum of all weights.
    """

    groups: PairGroups
    rows: Floats


def group_pairs(tf: NDArray[np.int64], cell: NDArray[np.int64]) -> PairGroups:
    """Form groups of consecutive pairs; efficient if pairs are sorted by TF and cell.

    Parameters
    ----------
    tf, cell : int64 array, shape (n_pairs,)

    Returns
    -------
    PairGroups
    """
    block, lane = cell // ROW, cell % ROW
    differ = (np.diff(tf) != 0) | (np.diff(block) != 0) | (np.diff(lane) <= 0)
    first = np.flatnonzero(np.concatenate([[True], differ, [True]]))
    if not len(tf):
        first = first[:1] * 0
    starts, ends = first[:-1], first[1:]
    whole = (lane[starts] == 0) & (lane[ends - 1] == ends - 1 - starts)
    whole &= ends + ROW <= len(tf)  # the lanes after the group are pairs, too
    return PairGroups(
        tf[starts].astype(np.int32),
        block[starts].astype(np.int32),
        first.astype(np.int64),
        lane.astype(np.int32),
        whole,
    )


def pair_rows(
    groups: PairGroups,
    offset: NDArray[np.floating],
    bias: NDArray[np.floating],
    scale: NDArray[np.floating],
) -> PairRows:
    """Arrange the constants of pairs.

    Parameters
    ----------
    groups : PairGroups
    offset : float array, shape (n_pairs,)
        Of the result.
    bias : float array, shape (n_pairs, n_hidden)
        Of the hidden units.
    scale : float array, shape (n_pairs, n_heads)
        100 divided by the sum of all weights.

    Returns
    -------
    PairRows
    """
    rows = aligned_empty((len(groups.tf), GROUP_ROWS, ROW), np.float32)
    rows[:] = 0
    group = np.repeat(np.arange(len(groups.tf)), np.diff(groups.first))
    rows[group, 0, groups.lane] = offset
    rows[group, 1 : 1 + bias.shape[1], groups.lane] = bias
    rows[group, 1 + ROW : 1 + ROW + scale.shape[1], groups.lane] = scale
    return PairRows(groups, rows)


def track_rows(
    tf: NDArray[np.int64],
    cell: NDArray[np.int64],
    by_tf: NDArray[np.floating],
    by_cell: NDArray[np.floating],
) -> TrackRows:
    """Arrange the weights of tracks.

    Parameters
    ----------
    tf, cell : int64 array, shape (n_tracks,)
        Rows of the tables of each track.
    by_tf : float array, shape (heads, n_tfs, n_track_tfs)
        From a pair's TF to a track's TF.
    by_cell : float array, shape (heads, n_cells, n_cells)
        From a pair's cell line to a track's cell line.

    Returns
    -------
    TrackRows
    """
    heads, n_cells, _ = by_cell.shape
    n_blocks = -(-n_cells // ROW)
    padded = np.zeros((ROW, n_blocks * ROW, n_cells))
    padded[:heads, :n_cells] = by_cell
    blocks = padded.reshape(ROW, n_blocks, ROW, n_cells).transpose(1, 3, 0, 2)
    tables = aligned_empty((2, *blocks.shape), np.float32)
    tables[:] = blocks
    cells = np.arange(n_cells)
    tables[1, cells // ROW, cells, :, cells % ROW] = 0
    tf_rows = np.zeros((*by_tf.shape[1:], ROW), dtype=np.float32)
    tf_rows[..., :heads] = np.moveaxis(by_tf, 0, -1)
    return TrackRows(tf.astype(np.int32), cell.astype(np.int32), tf_rows, tables)
