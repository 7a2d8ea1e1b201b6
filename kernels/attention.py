"""What measured tracks add to log-odds, for any pairs at once.

The arithmetic of :mod:`tfimpute_tracks.models.evidence_network`, arranged so that its
cost goes with the peaks that are there. A track's weight is a product of what its TF
and what its cell line is to the pair, so the tables are small and no (pairs x tracks)
numbers exist; heads of attention lie side by side in lanes, and so do hidden units. At
a tile without a peak only the hidden units are left: a few instructions for a pair.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from tfimpute_tracks.kernels.lanes import (
    LANE_BYTES,
    add,
    aligned_empty,
    load,
    logarithm,
    maximum,
    multiply_add,
    splat,
    store,
    sum_of,
)

__all__ = ["ROW", "PairRows", "TrackRows", "VoteWeights", "attend"]

Floats = NDArray[np.float32]
Ints = NDArray[np.int32]

ROW = LANE_BYTES // 4
"""Heads, and hidden units, of a row; zeros fill it."""


class TrackRows(NamedTuple):
    """How much tracks count for pairs: weights are by_tf times by_cell.

    Attributes
    ----------
    tf, cell : int32 array, shape (n_tracks,)
        Rows of the tables for each track.
    by_tf : float32 array, shape (n_tfs, n_track_tfs, 16)
        From a pair's TF to a track's, head by head.
    by_cell : float32 array, shape (n_cells, n_cells, 16)
    """

    tf: Ints
    cell: Ints
    by_tf: Floats
    by_cell: Floats


class PairRows(NamedTuple):
    """What is known of the pairs beforehand.

    Attributes
    ----------
    tf, cell : int32 array, shape (n_pairs,)
        Rows of the tables; quick where pairs of a TF stand side by side.
    has_own : bool array, shape (n_pairs,)
        Whether a track is the pair's own, which must not count.
    scale : float32 array, shape (n_pairs, 16)
        100 over the sum of all weights, head by head.
    bias : float32 array, shape (n_pairs, 16)
        Of the hidden units.
    offset : float32 array, shape (n_pairs,)
        Added to the result.
    """

    tf: Ints
    cell: Ints
    has_own: NDArray[np.bool_]
    scale: Floats
    bias: Floats
    offset: Floats


class VoteWeights(NamedTuple):
    """The weights that all pairs share.

    Attributes
    ----------
    by_logit : float32 array, shape (16,)
        Of the hidden units, by the log-odds.
    output : float32 array, shape (16,)
        From the hidden units.
    direct : float32 array, shape (16,)
        From log(1 + 100 A) of each head.
    by_vote : float32 array, shape (16, 16)
        From log(1 + 100 A) of each head to the hidden units.
    direct_logit : float
        From the log-odds.
    """

    by_logit: Floats
    output: Floats
    direct: Floats
    by_vote: Floats
    direct_logit: float


def attend(
    logits: Floats,
    told: NDArray[np.bool_],
    cover: tuple[NDArray[np.int64], NDArray[np.uint16], Floats],
    tracks: TrackRows,
    pairs: PairRows,
    weights: VoteWeights,
) -> Floats:
    """Give log-odds by letters and tracks.

    Parameters
    ----------
    logits : float32 array, shape (n_tiles, n_pairs)
        By letters.
    told : bool array, shape (n_tiles,)
        Tiles of which tracks say anything; the others keep their log-odds.
    cover : (indptr, track, share)
        Per tile the tracks with a peak there, and the part that it covers.
    tracks : TrackRows
    pairs : PairRows
    weights : VoteWeights

    Returns
    -------
    float32 array, shape (n_tiles, n_pairs)
    """
    out = np.array(logits, dtype=np.float32, order="C")
    indptr, track, share = cover
    most = int(np.diff(indptr).max(initial=0))
    shared = np.concatenate([np.ravel(array) for array in weights[:-1]])
    _attend(
        out,
        (told, indptr, track, share),
        (tracks.tf, tracks.cell, tracks.by_tf, tracks.by_cell.reshape(-1)),
        len(tracks.by_cell),
        (*pairs[:3], pairs.scale.reshape(-1), pairs.bias.reshape(-1), pairs.offset),
        shared.astype(np.float32),
        np.float32(weights.direct_logit),
        aligned_empty((most, ROW), np.float32),
        np.empty((2, most), dtype=np.int64),
    )
    return out


@njit(nogil=True, cache=True)
def _attend(  # type: ignore[no-untyped-def]
    out, tiles, tracks, n_cells, pairs, shared, direct_logit, buffer, places
):
    told, indptr, track, share = tiles
    track_tf, track_cell, by_tf, by_cell = tracks
    tf, cell, has_own, scale, bias, offset = pairs
    votes, weighed = np.empty(ROW, dtype=np.float32), buffer.reshape(-1)
    cells, tfs = places[0], places[1]
    zero, one = splat(np.float32(0)), splat(np.float32(1))
    by_logit, output, direct = load(shared, 0), load(shared, ROW), load(shared, 2 * ROW)
    for tile in range(out.shape[0]):
        if not told[tile]:
            continue
        first = indptr[tile]
        n = indptr[tile + 1] - first
        for i in range(n):
            tfs[i] = track_tf[track[first + i]]
            cells[i] = track_cell[track[first + i]]
        of_tf = np.int32(-1)
        for pair in range(out.shape[1]):
            z, place = out[tile, pair], pair * ROW
            hidden = multiply_add(splat(z), by_logit, load(bias, place))
            result = zero
            if n:
                if tf[pair] != of_tf:
                    of_tf = tf[pair]
                    for i in range(n):
                        for head in range(ROW):
                            weight = by_tf[of_tf, tfs[i], head]
                            weighed[i * ROW + head] = share[first + i] * weight
                row = np.int64(cell[pair]) * n_cells
                total = zero
                if has_own[pair]:
                    for i in range(n):
                        if tfs[i] != of_tf or cells[i] != cell[pair]:
                            weight = load(by_cell, (row + cells[i]) * ROW)
                            total = multiply_add(load(weighed, i * ROW), weight, total)
                else:
                    for i in range(n):
                        weight = load(by_cell, (row + cells[i]) * ROW)
                        total = multiply_add(load(weighed, i * ROW), weight, total)
                # log(1 + 100 A) of each head
                vote = logarithm(multiply_add(total, load(scale, place), one))
                result = multiply_add(vote, direct, zero)
                store(votes, 0, vote)
                hidden = _enter(hidden, votes, shared)
            result = multiply_add(maximum(hidden, zero), output, result)
            out[tile, pair] = sum_of(result) + direct_logit * z + offset[pair]


@njit(nogil=True, cache=True, forceinline=True)
def _enter(hidden, votes, shared):  # type: ignore[no-untyped-def]
    """Add what the heads give to the hidden units; four sums at once."""
    a, b = hidden, splat(np.float32(0))
    c, d = b, b
    for head in range(0, ROW, 4):
        at = (3 + head) * ROW
        a = multiply_add(splat(votes[head]), load(shared, at), a)
        b = multiply_add(splat(votes[head + 1]), load(shared, at + ROW), b)
        c = multiply_add(splat(votes[head + 2]), load(shared, at + 2 * ROW), c)
        d = multiply_add(splat(votes[head + 3]), load(shared, at + 3 * ROW), d)
    return add(add(a, b), add(c, d))
