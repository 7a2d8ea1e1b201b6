"""The evidence network: log-odds of many pairs from sequence and measured tracks.

Computes :mod:`tfimpute_tracks.models.evidence_network` at a cost proportional to the
number of peaks. The attention weight of a track is the product of a weight of its TF and
one of its cell line, so tables are small, no (pairs x tracks) array is needed, and
tracks of one cell line are summed before any pair. Pairs of a TF in a block of 16 cell
lines share a row of lanes: a *group*. At a tile without a peak only the hidden units are
computed, a few instructions per pair.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.lib.stride_tricks import as_strided
from numpy.typing import NDArray

from tfimpute_tracks.kernels.jit import njit
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
    "SummaryRows",
    "apply_attention",
]

Floats = NDArray[np.float32]

_TILES_AT_ONCE = 8  # their log-odds stay in the cache for all TFs
# Rows: attention by head, log-odds of sequence and of the summary; then weights of
# cell lines.
_SCRATCH = ROW + 2


class AttentionWeights(NamedTuple):
    """The weights shared by all pairs; A is the attention output of a head.

    Attributes
    ----------
    by_logit, by_summary : float32 array, shape (16,)
        From the log-odds of sequence, and of the summary, to the hidden units.
    output : float32 array, shape (16,)
        From the hidden units to the result.
    direct : float32 array, shape (16,)
        From log(1 + 100 A) of each head to the result.
    by_attention : float32 array, shape (16, 16)
        From log(1 + 100 A) of each head to the hidden units.
    direct_logit, direct_summary : float
        From the log-odds of sequence, and of the summary, to the result.
    """

    by_logit: Floats
    by_summary: Floats
    output: Floats
    direct: Floats
    by_attention: Floats
    direct_logit: float
    direct_summary: float


class SummaryRows(NamedTuple):
    """Log-odds of the summary.

    Attributes
    ----------
    row : int64 array, shape (n_tiles,)
        Of each tile in `log_odds`.
    log_odds : float32 array, shape (n_rows, n_columns), contiguous
    first : int64 array, shape (n_groups,)
        Column of the first lane of each group of pairs; -1: the columns are the pairs.
    """

    row: NDArray[np.int64]
    log_odds: Floats
    first: NDArray[np.int64]


def apply_attention(
    logits: Floats,
    has_data: NDArray[np.bool_],
    coverage: tuple[NDArray[np.int64], NDArray[np.uint16], Floats],
    summary: SummaryRows,
    tracks: TrackRows,
    pairs: PairRows,
    weights: AttentionWeights,
) -> None:
    """Replace log-odds from sequence by those from sequence and tracks, in place.

    Parameters
    ----------
    logits : float32 array, shape (n_tiles, n_pairs), with contiguous rows
        From sequence; they are changed.
    has_data : bool array, shape (n_tiles,)
        Tiles with data of tracks; the log-odds of others do not change.
    coverage : (indptr, track, fraction)
        For each tile, the tracks with a peak and the fraction under peaks; see
        :class:`tfimpute_tracks.kernels.coverage.Coverage`.
    summary : SummaryRows
    tracks : TrackRows
    pairs : PairRows
    weights : AttentionWeights
    """
    indptr, track, fraction = coverage
    max_tracks = int(np.diff(indptr).max(initial=0))
    shared = np.concatenate([np.ravel(array) for array in weights])
    width = logits.strides[0] // logits.itemsize  # the rows may be parts of longer ones
    _attention(
        as_strided(logits, (max(len(logits) - 1, 0) * width + logits.shape[1],), (4,)),
        width,
        (
            has_data,
            indptr,
            track,
            fraction,
            *_slots(indptr, tracks.cell[track]),
            summary.row * summary.log_odds.shape[1],
            summary.log_odds.reshape(-1),
            summary.first,
        ),
        (tracks.tf, tracks.by_tf.reshape(-1), tracks.by_cell.reshape(-1)),
        tracks.by_tf.shape[1:2] + tracks.by_cell.shape[1:3],
        (*pairs.groups, pairs.rows.reshape(-1)),
        shared.astype(np.float32),
        aligned_empty((_SCRATCH + 2 * max_tracks, ROW), np.float32).reshape(-1),
        np.empty(2 * max_tracks, dtype=np.int64),
    )


@njit(nogil=True, cache=True)
def _slots(indptr, cell):  # type: ignore[no-untyped-def]
    """Assign numbers from 0 to the cell lines with tracks at each tile.

    The results are the number of each track (its slot), the cell line of each slot (from
    the first track of the tile on), and the number of slots of each tile.
    """
    slot, slot_cell = np.empty_like(cell), np.empty_like(cell)
    counts = np.zeros(indptr.size - 1, dtype=np.int32)
    for tile in range(counts.size):
        first, n = indptr[tile], 0
        for i in range(first, indptr[tile + 1]):
            own = 0
            while own < n and slot_cell[first + own] != cell[i]:
                own += 1
            if own == n:
                slot_cell[first + n] = cell[i]
                n += 1
            slot[i] = own
        counts[tile] = n
    return slot, slot_cell, counts


@njit(nogil=True, cache=True)
def _attention(  # type: ignore[no-untyped-def]
    logits, width, tiles, tracks, sizes, pairs, shared, scratch, cell_rows
):
    tf, n_tiles = pairs[0], tiles[0].size
    for start in range(0, n_tiles, _TILES_AT_ONCE):
        end = min(start + _TILES_AT_ONCE, n_tiles)
        group = 0
        while group < tf.size:
            last = group + 1
            while last < tf.size and tf[last] == tf[group]:
                last += 1
            _tf_attention(
                logits,
                (start, end, group, last, width),
                tiles,
                tracks,
                sizes,
                pairs,
                shared,
                scratch,
                cell_rows,
            )
            group = last


@njit(nogil=True, cache=True)
def _tf_attention(  # type: ignore[no-untyped-def]
    logits, where, tiles, tracks, sizes, pairs, shared, scratch, cell_rows
):
    """Compute the groups of one TF at some tiles."""
    start, end, group, last, width = where
    has_data, indptr, track, fraction, slot, slot_cell, counts, e_start, e, e_first = (
        tiles
    )
    track_tf, by_tf, by_cell = tracks
    n_track_tfs, n_blocks, n_cells = sizes
    tf, block, first, lane, whole, rows = pairs
    own_tf = np.int64(tf[group])
    table, log_odds = n_blocks * n_cells, ROW * ROW
    for tile in range(start, end):
        if not has_data[tile]:
            continue
        begin, n = indptr[tile], int(counts[tile])
        for i in range(n):
            store(scratch, (_SCRATCH + i) * ROW, broadcast(np.float32(0)))
            cell_rows[i] = slot_cell[begin + i]
        for i in range(begin, indptr[tile + 1]):
            other = np.int64(track_tf[track[i]])
            at = int(slot[i])
            if other == own_tf:  # a slot of its own, without the pair of its cell line
                at = n
                store(scratch, (_SCRATCH + n) * ROW, broadcast(np.float32(0)))
                cell_rows[n] = table + slot_cell[begin + slot[i]]
                n += 1
            weight = load(by_tf, (own_tf * n_track_tfs + other) * ROW)
            _add(scratch, (_SCRATCH + at) * ROW, fraction[i], weight)
        for one in range(group, last):
            row, start_pair = one * GROUP_ROWS * ROW, tile * width
            if n:
                _heads(scratch, cell_rows, n, by_cell, block[one] * n_cells, rows, row)
            if whole[one]:
                z = load(logits, start_pair + first[one])
                known = load(e, e_start[tile] + e_first[one])
                # A group may have fewer pairs than lanes: restore the pairs after it.
                others = load(logits, start_pair + first[one + 1])
                z = _log_odds(z, known, n > 0, scratch, rows, row, shared)
                store(logits, start_pair + first[one], z)
                store(logits, start_pair + first[one + 1], others)
            else:
                # What is left in other lanes may be tiny, and slow to compute with.
                store(scratch, log_odds, broadcast(np.float32(0)))
                store(scratch, log_odds + ROW, broadcast(np.float32(0)))
                for pair in range(first[one], first[one + 1]):
                    scratch[log_odds + lane[pair]] = logits[start_pair + pair]
                    if e_first[one] < 0:
                        scratch[log_odds + ROW + lane[pair]] = e[e_start[tile] + pair]
                z, known = load(scratch, log_odds), load(scratch, log_odds + ROW)
                if e_first[one] >= 0:
                    known = load(e, e_start[tile] + e_first[one])
                z = _log_odds(z, known, n > 0, scratch, rows, row, shared)
                store(scratch, log_odds, z)
                for pair in range(first[one], first[one + 1]):
                    logits[start_pair + pair] = scratch[log_odds + lane[pair]]


@njit(nogil=True, cache=True, forceinline=True)
def _add(scratch, offset, fraction, weight):  # type: ignore[no-untyped-def]
    """Add the weight of a track times the fraction of the tile under its peak."""
    total = multiply_add(broadcast(fraction), weight, load(scratch, offset))
    store(scratch, offset, total)


@njit(nogil=True, cache=True, forceinline=True)
def _heads(scratch, cell_rows, n, by_cell, block, rows, row):  # type: ignore[no-untyped-def]
    """Compute log(1 + 100 A) of each head, for the pairs of a group."""
    one = broadcast(np.float32(1))
    for head in range(0, ROW, 8):  # eight sums at a time do not wait for each other
        a = b = c = d = e = f = g = h = broadcast(np.float32(0))
        for i in range(n):
            at = ((block + cell_rows[i]) * ROW + head) * ROW
            # Not negative, which numba need not test then.
            own = np.uint64((_SCRATCH + i) * ROW + head)
            value = broadcast(scratch[own])
            a = multiply_add(value, load(by_cell, at), a)
            value = broadcast(scratch[own + np.uint64(1)])
            b = multiply_add(value, load(by_cell, at + 1 * ROW), b)
            value = broadcast(scratch[own + np.uint64(2)])
            c = multiply_add(value, load(by_cell, at + 2 * ROW), c)
            value = broadcast(scratch[own + np.uint64(3)])
            d = multiply_add(value, load(by_cell, at + 3 * ROW), d)
            value = broadcast(scratch[own + np.uint64(4)])
            e = multiply_add(value, load(by_cell, at + 4 * ROW), e)
            value = broadcast(scratch[own + np.uint64(5)])
            f = multiply_add(value, load(by_cell, at + 5 * ROW), f)
            value = broadcast(scratch[own + np.uint64(6)])
            g = multiply_add(value, load(by_cell, at + 6 * ROW), g)
            value = broadcast(scratch[own + np.uint64(7)])
            h = multiply_add(value, load(by_cell, at + 7 * ROW), h)
        at = row + (1 + ROW + head) * ROW
        a = multiply_add(a, load(rows, at + 0 * ROW), one)
        b = multiply_add(b, load(rows, at + 1 * ROW), one)
        c = multiply_add(c, load(rows, at + 2 * ROW), one)
        d = multiply_add(d, load(rows, at + 3 * ROW), one)
        e = multiply_add(e, load(rows, at + 4 * ROW), one)
        f = multiply_add(f, load(rows, at + 5 * ROW), one)
        g = multiply_add(g, load(rows, at + 6 * ROW), one)
        h = multiply_add(h, load(rows, at + 7 * ROW), one)
        store(scratch, (head + 0) * ROW, logarithm(a))
        store(scratch, (head + 1) * ROW, logarithm(b))
        store(scratch, (head + 2) * ROW, logarithm(c))
        store(scratch, (head + 3) * ROW, logarithm(d))
        store(scratch, (head + 4) * ROW, logarithm(e))
        store(scratch, (head + 5) * ROW, logarithm(f))
        store(scratch, (head + 6) * ROW, logarithm(g))
        store(scratch, (head + 7) * ROW, logarithm(h))


@njit(nogil=True, cache=True, forceinline=True)
def _log_odds(z, e, has_peaks, scratch, rows, row, shared):  # type: ignore[no-untyped-def]
    """Compute the log-odds of the pairs of a group."""
    zero = broadcast(np.float32(0))
    direct = (4 + ROW) * ROW
    result = multiply_add(z, broadcast(shared[direct]), load(rows, row))
    result = multiply_add(e, broadcast(shared[direct + 1]), result)
    if has_peaks:
        for head in range(ROW):
            value = load(scratch, head * ROW)
            result = multiply_add(value, broadcast(shared[3 * ROW + head]), result)
    for unit in range(0, ROW, 4):
        at = row + (1 + unit) * ROW
        a = multiply_add(z, broadcast(shared[unit]), load(rows, at))
        b = multiply_add(z, broadcast(shared[unit + 1]), load(rows, at + ROW))
        c = multiply_add(z, broadcast(shared[unit + 2]), load(rows, at + 2 * ROW))
        d = multiply_add(z, broadcast(shared[unit + 3]), load(rows, at + 3 * ROW))
        a = multiply_add(e, broadcast(shared[ROW + unit]), a)
        b = multiply_add(e, broadcast(shared[ROW + unit + 1]), b)
        c = multiply_add(e, broadcast(shared[ROW + unit + 2]), c)
        d = multiply_add(e, broadcast(shared[ROW + unit + 3]), d)
        if has_peaks:
            for head in range(ROW):
                value, at = load(scratch, head * ROW), (4 + head) * ROW + unit
                a = multiply_add(value, broadcast(shared[at]), a)
                b = multiply_add(value, broadcast(shared[at + 1]), b)
                c = multiply_add(value, broadcast(shared[at + 2]), c)
                d = multiply_add(value, broadcast(shared[at + 3]), d)
        at = 2 * ROW + unit
        result = multiply_add(maximum(a, zero), broadcast(shared[at]), result)
        result = multiply_add(maximum(b, zero), broadcast(shared[at + 1]), result)
        result = multiply_add(maximum(c, zero), broadcast(shared[at + 2]), result)
        result = multiply_add(maximum(d, zero), broadcast(shared[at + 3]), result)
    return result
