"""What measured tracks add to log-odds, for any pairs at once.

The arithmetic of :mod:`tfimpute_tracks.models.evidence_network`, arranged so that its
cost goes with the peaks that are there. A track's weight is a product of what its TF
and what its cell line is to the pair, so the tables are small, no (pairs x tracks)
numbers exist, and tracks of a cell line are put together before any pair is looked at.
Pairs of a TF in 16 cell lines lie side by side in lanes: a *group*. At a tile without a
peak only the hidden units are left, a few instructions for a pair.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from tfimpute_tracks.kernels.lanes import (
    aligned_empty,
    broadcast,
    load,
    logarithm,
    maximum,
    multiply_add,
    store,
)
from tfimpute_tracks.kernels.pair_groups import GROUP_ROWS, ROW, PairRows, TrackRows

__all__ = [
    "AttentionWeights",
    "apply_attention",
]

Floats = NDArray[np.float32]

_TILES_AT_ONCE = 8  # whose log-odds stay in the cache while TFs take turns
_SCRATCH = ROW + 1  # rows: votes by head, log-odds; and behind them weights of tracks


class AttentionWeights(NamedTuple):
    """The weights that all pairs share.

    Attributes
    ----------
    by_logit : float32 array, shape (16,)
        Of the hidden units, by the log-odds.
    output : float32 array, shape (16,)
        From the hidden units.
    direct : float32 array, shape (16,)
        From log(1 + 100 A) of each head.
    by_attention : float32 array, shape (16, 16)
        From log(1 + 100 A) of each head to the hidden units.
    direct_logit : float
        From the log-odds.
    """

    by_logit: Floats
    output: Floats
    direct: Floats
    by_attention: Floats
    direct_logit: float


def apply_attention(
    logits: Floats,
    told: NDArray[np.bool_],
    cover: tuple[NDArray[np.int64], NDArray[np.uint16], Floats],
    tracks: TrackRows,
    pairs: PairRows,
    weights: AttentionWeights,
) -> None:
    """Make log-odds by letters and tracks of those by letters, in their place.

    Parameters
    ----------
    logits : float32 array, shape (n_tiles, n_pairs), contiguous
        By letters; they are changed.
    told : bool array, shape (n_tiles,)
        Tiles of which tracks say anything; the others keep their log-odds.
    cover : (indptr, track, share)
        Per tile the tracks with a peak there, and the part that it covers.
    tracks : TrackRows
    pairs : PairRows
    weights : VoteWeights
    """
    indptr, track, share = cover
    most = int(np.diff(indptr).max(initial=0))
    shared = np.concatenate([np.ravel(array) for array in weights])
    _attend(
        logits.reshape(-1),
        (told, indptr, track, share, *_slots(indptr, tracks.cell[track])),
        (tracks.tf, tracks.by_tf.reshape(-1), tracks.by_cell.reshape(-1)),
        tracks.by_tf.shape[1:2] + tracks.by_cell.shape[1:3],
        (*pairs.groups, pairs.rows.reshape(-1)),
        shared.astype(np.float32),
        aligned_empty((_SCRATCH + 2 * most, ROW), np.float32).reshape(-1),
        np.empty(2 * most, dtype=np.int64),
    )


@njit(nogil=True, cache=True)
def _slots(indptr, cell):  # type: ignore[no-untyped-def]
    """Give tracks of one cell line at one tile the same number, from 0 at each tile.

    Also the cell line of each number, where the tile's tracks begin, and how many.
    """
    slot, slot_cell = np.empty_like(cell), np.empty_like(cell)
    counts = np.zeros(indptr.size - 1, dtype=np.int32)
    for tile in range(counts.size):
        first, n = indptr[tile], 0
        for i in range(first, indptr[tile + 1]):
            place = 0
            while place < n and slot_cell[first + place] != cell[i]:
                place += 1
            if place == n:
                slot_cell[first + n] = cell[i]
                n += 1
            slot[i] = place
        counts[tile] = n
    return slot, slot_cell, counts


@njit(nogil=True, cache=True)
def _attend(  # type: ignore[no-untyped-def]
    logits, tiles, tracks, sizes, pairs, shared, scratch, places
):
    tf, n_tiles = pairs[0], tiles[0].size
    for start in range(0, n_tiles, _TILES_AT_ONCE):
        end = min(start + _TILES_AT_ONCE, n_tiles)
        group = 0
        while group < tf.size:
            last = group + 1
            while last < tf.size and tf[last] == tf[group]:
                last += 1
            _attend_tf(
                logits,
                (start, end, group, last),
                tiles,
                tracks,
                sizes,
                pairs,
                shared,
                scratch,
                places,
            )
            group = last


@njit(nogil=True, cache=True)
def _attend_tf(  # type: ignore[no-untyped-def]
    logits, where, tiles, tracks, sizes, pairs, shared, scratch, places
):
    """Judge the groups of one TF at some tiles."""
    start, end, group, last = where
    told, indptr, track, share, slot, slot_cell, counts = tiles
    track_tf, by_tf, by_cell = tracks
    n_track_tfs, n_blocks, n_cells = sizes
    tf, block, first, lane, whole, rows = pairs
    n_pairs, own_tf = first[tf.size], np.int64(tf[group])
    table, log_odds = n_blocks * n_cells, ROW * ROW
    for tile in range(start, end):
        if not told[tile]:
            continue
        begin, n = indptr[tile], int(counts[tile])
        for i in range(n):
            store(scratch, (_SCRATCH + i) * ROW, broadcast(np.float32(0)))
            places[i] = slot_cell[begin + i]
        for i in range(begin, indptr[tile + 1]):
            other = np.int64(track_tf[track[i]])
            at = int(slot[i])
            if other == own_tf:  # a row of its own: leaves its cell line out
                at = n
                store(scratch, (_SCRATCH + n) * ROW, broadcast(np.float32(0)))
                places[n] = table + slot_cell[begin + slot[i]]
                n += 1
            weight = load(by_tf, (own_tf * n_track_tfs + other) * ROW)
            _add(scratch, (_SCRATCH + at) * ROW, share[i], weight)
        for one in range(group, last):
            row, place = one * GROUP_ROWS * ROW, tile * n_pairs
            if n:
                _vote(scratch, places, n, by_cell, block[one] * n_cells, rows, row)
            if whole[one]:
                z = load(logits, place + first[one])
                # A row may end before its 16 lanes do: the next pairs are not its own.
                others = load(logits, place + first[one + 1])
                z = _judge(z, n > 0, scratch, rows, row, shared)
                store(logits, place + first[one], z)
                store(logits, place + first[one + 1], others)
            else:
                for pair in range(first[one], first[one + 1]):
                    scratch[log_odds + lane[pair]] = logits[place + pair]
                z = load(scratch, log_odds)
                z = _judge(z, n > 0, scratch, rows, row, shared)
                store(scratch, log_odds, z)
                for pair in range(first[one], first[one + 1]):
                    logits[place + pair] = scratch[log_odds + lane[pair]]


@njit(nogil=True, cache=True, forceinline=True)
def _add(scratch, place, share, weight):  # type: ignore[no-untyped-def]
    """Let a track count for as much as its peak covers."""
    total = multiply_add(broadcast(share), weight, load(scratch, place))
    store(scratch, place, total)


@njit(nogil=True, cache=True, forceinline=True)
def _vote(scratch, places, n, by_cell, block, rows, row):  # type: ignore[no-untyped-def]
    """Give log(1 + 100 A) of each head, for the pairs of a group."""
    one = broadcast(np.float32(1))
    for head in range(ROW):
        total = broadcast(np.float32(0))
        for i in range(n):
            weight = load(by_cell, ((block + places[i]) * ROW + head) * ROW)
            total = multiply_add(
                broadcast(scratch[(_SCRATCH + i) * ROW + head]), weight, total
            )
        scale = load(rows, row + (1 + ROW + head) * ROW)
        store(scratch, head * ROW, logarithm(multiply_add(total, scale, one)))


@njit(nogil=True, cache=True, forceinline=True)
def _judge(z, voted, scratch, rows, row, shared):  # type: ignore[no-untyped-def]
    """Give the log-odds of a group's pairs."""
    nothing = broadcast(np.float32(0))
    result = multiply_add(z, broadcast(shared[(3 + ROW) * ROW]), load(rows, row))
    if voted:
        for head in range(ROW):
            vote = load(scratch, head * ROW)
            result = multiply_add(vote, broadcast(shared[2 * ROW + head]), result)
    for unit in range(0, ROW, 4):
        at = row + (1 + unit) * ROW
        a = multiply_add(z, broadcast(shared[unit]), load(rows, at))
        b = multiply_add(z, broadcast(shared[unit + 1]), load(rows, at + ROW))
        c = multiply_add(z, broadcast(shared[unit + 2]), load(rows, at + 2 * ROW))
        d = multiply_add(z, broadcast(shared[unit + 3]), load(rows, at + 3 * ROW))
        if voted:
            for head in range(ROW):
                vote, at = load(scratch, head * ROW), (3 + head) * ROW + unit
                a = multiply_add(vote, broadcast(shared[at]), a)
                b = multiply_add(vote, broadcast(shared[at + 1]), b)
                c = multiply_add(vote, broadcast(shared[at + 2]), c)
                d = multiply_add(vote, broadcast(shared[at + 3]), d)
        at = ROW + unit
        result = multiply_add(maximum(a, nothing), broadcast(shared[at]), result)
        result = multiply_add(maximum(b, nothing), broadcast(shared[at + 1]), result)
        result = multiply_add(maximum(c, nothing), broadcast(shared[at + 2]), result)
        result = multiply_add(maximum(d, nothing), broadcast(shared[at + 3]), result)
    return result
