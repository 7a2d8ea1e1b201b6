"""Pairs and tracks arranged for the kernel of attention: groups of lanes.

Pairs of one TF in cell lines of a block of 16 make a *group*, and lie side by side in
lanes; what is known of them, and how much tracks count for their cell lines, is
arranged likewise.
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
"""Lanes of a row, and the most heads and hidden units; zeros fill what is left."""

GROUP_ROWS = 1 + 2 * ROW
"""Rows of what is known of a group."""


class TrackRows(NamedTuple):
    """How much tracks count for pairs: weights are by_tf times by_cell.

    Attributes
    ----------
    tf, cell : int32 array, shape (n_tracks,)
        Rows of the tables for each track.
    by_tf : float32 array, shape (n_tfs, n_track_tfs, 16)
        From a pair's TF to a track's, head by head.
    by_cell : float32 array, shape (2, n_blocks, n_cells, 16, 16)
        To a track's cell line from 16 pairs' at a time, by head. The second time zero
        where they are the same: so a track of the TF itself is seen, which is the own
        one of the pair in its cell line and must not count there.
    """

    tf: Ints
    cell: Ints
    by_tf: Floats
    by_cell: Floats


class PairGroups(NamedTuple):
    """Pairs in groups: neighbors of one TF whose cell lines share a block of 16.

    Attributes
    ----------
    tf, block : int32 array, shape (n_groups,)
    first : int64 array, shape (n_groups + 1,)
        Where the pairs of each begin.
    lane : int32 array, shape (n_pairs,)
        Of each pair in its group.
    whole : bool array, shape (n_groups,)
        Whether the pairs fill the first lanes, and as many pairs follow as there are
        lanes: they are read and written at once.
    """

    tf: Ints
    block: Ints
    first: NDArray[np.int64]
    lane: Ints
    whole: NDArray[np.bool_]


class PairRows(NamedTuple):
    """What is known of the pairs beforehand.

    Attributes
    ----------
    groups : PairGroups
    rows : float32 array, shape (n_groups, 33, 16)
        By lane, what is added to the result, what to each of 16 hidden units, and for
        each of 16 heads 100 over the sum of all weights.
    """

    groups: PairGroups
    rows: Floats


def group_pairs(tf: NDArray[np.int64], cell: NDArray[np.int64]) -> PairGroups:
    """Put neighboring pairs into groups; quick where those of a TF stand together.

    Parameters
    ----------
    tf, cell : int64 array, shape (n_pairs,)

    Returns
    -------
    PairGroups
    """
    block, lane = cell // ROW, cell % ROW
    apart = (np.diff(tf) != 0) | (np.diff(block) != 0) | (np.diff(lane) <= 0)
    first = np.flatnonzero(np.concatenate([[True], apart, [True]]))
    if not len(tf):
        first = first[:1] * 0
    starts, ends = first[:-1], first[1:]
    whole = (lane[starts] == 0) & (lane[ends - 1] == ends - 1 - starts)
    whole &= ends + ROW <= len(tf)  # or what is beyond its lanes is no pair
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
    """Arrange what is known of pairs.

    Parameters
    ----------
    groups : PairGroups
    offset : float array, shape (n_pairs,)
        Added to the result.
    bias : float array, shape (n_pairs, n_hidden)
        Of the hidden units.
    scale : float array, shape (n_pairs, n_heads)
        100 over the sum of all weights.

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
    """Arrange how much tracks count.

    Parameters
    ----------
    tf, cell : int64 array, shape (n_tracks,)
        Rows of the tables for each track.
    by_tf : float array, shape (heads, n_tfs, n_track_tfs)
    by_cell : float array, shape (heads, n_cells, n_cells)
        From a pair's cell line to a track's.

    Returns
    -------
    TrackRows
    """
    heads, n_cells, _ = by_cell.shape
    n_blocks = -(-n_cells // ROW)
    wide = np.zeros((ROW, n_blocks * ROW, n_cells))
    wide[:heads, :n_cells] = by_cell
    blocks = wide.reshape(ROW, n_blocks, ROW, n_cells).transpose(1, 3, 0, 2)
    both = aligned_empty((2, *blocks.shape), np.float32)
    both[:] = blocks
    cells = np.arange(n_cells)
    both[1, cells // ROW, cells, :, cells % ROW] = 0
    narrow = np.zeros((*by_tf.shape[1:], ROW), dtype=np.float32)
    narrow[..., :heads] = np.moveaxis(by_tf, 0, -1)
    return TrackRows(tf.astype(np.int32), cell.astype(np.int32), narrow, both)
