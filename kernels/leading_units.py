"""Products of the network's head without the units that cannot be the largest.

The logit of a pair is that of its largest unit, and similar pairs have the same one.
Gates are not negative. So with U[h, k] of :mod:`tfimpute_tracks.kernels.products` and
the range of each gate among 16 pairs, a unit h is below unit r for all of them where

    b_r - b_h  +  sum_k min over the range of g[k] (U[r, k] - U[h, k])  >  rounding

One bound serves both tiles of a strip, with the smaller of their differences. Units that
remain are summed as `shared_logits` does, so the results have the same bits. It is the
faster the more alike neighbors in the list of pairs are, as the cell lines of a TF.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tfimpute_tracks.kernels.jit import njit
from tfimpute_tracks.kernels.lanes import (
    LANE_BYTES,
    aligned_empty,
    broadcast,
    gt_mask,
    load,
    maximum,
    multiply_add,
    store,
)
from tfimpute_tracks.kernels.products import MixedRows, mix_units
from tfimpute_tracks.kernels.sparse import SparseRows

__all__ = [
    "BLOCK_PAIRS",
    "PANEL_PAIRS",
    "GatePanels",
    "gate_panels",
    "leading_logits",
]

Floats = NDArray[np.float32]

_LANES = LANE_BYTES // 4  # pairs of a group
_GROUPS = 4  # whose products are computed together: a block
BLOCK_PAIRS = _GROUPS * _LANES
"""Pairs whose gates lie next to each other."""
_BLOCKS = 4  # of a panel: its 16 groups are the lanes of bounds
PANEL_PAIRS = _BLOCKS * BLOCK_PAIRS
"""Pairs of a panel."""
_TILES = 2  # of a strip
_ALL = (1 << _GROUPS) - 1
# Twice what the sums of both units and of their bound can be off, for one term and
# relative to the sum of all absolute values. 8 terms more: differences and limits.
_ROUNDING = 2.0**-20
_LEAST_SUM = 1e-30  # of absolute values: the rounding of smaller ones is not relative


class GatePanels(NamedTuple):
    """Gates of many pairs, 256 by 256; the last pair fills up the last panel.

    Attributes
    ----------
    gates : float32 array, shape (n_panels, 4, K, 64)
        The lanes of a row are 64 pairs.
    ranges : float32 array, shape (n_panels, K, 2, 16)
        Least and largest gate of each group of 16 pairs.
    mean : float32 array, shape (K,)
        Over all pairs.
    """

    gates: Floats
    ranges: Floats
    mean: Floats


def gate_panels(gates: Floats) -> GatePanels:
    """Arrange gates for :func:`leading_logits`.

    Parameters
    ----------
    gates : float32 array, shape (n_pairs, K)
        0 or above; one pair or more.

    Returns
    -------
    GatePanels
    """
    n_pairs, n_filters = gates.shape
    n = -(-n_pairs // PANEL_PAIRS)
    padded = np.pad(gates, ((0, n * PANEL_PAIRS - n_pairs), (0, 0)), mode="edge")
    panels = aligned_empty((n, _BLOCKS, n_filters, BLOCK_PAIRS), np.float32)
    panels[...] = padded.reshape(n, _BLOCKS, BLOCK_PAIRS, -1).transpose(0, 1, 3, 2)
    groups = padded.reshape(n, _BLOCKS * _GROUPS, _LANES, n_filters)
    ranges = aligned_empty((n, n_filters, 2, _LANES), np.float32)
    ranges[:, :, 0] = groups.min(axis=2).transpose(0, 2, 1)
    ranges[:, :, 1] = groups.max(axis=2).transpose(0, 2, 1)
    return GatePanels(panels, ranges, gates.mean(axis=0))


def leading_logits(
    windows: SparseRows, weights: Floats, bias: Floats, panels: GatePanels, n_pairs: int
) -> Floats:
    """Compute logits as :func:`tfimpute_tracks.kernels.products.shared_logits` does.

    Parameters
    ----------
    windows, weights, bias
        As there; finite.
    panels : GatePanels
        From :func:`gate_panels`.
    n_pairs : int

    Returns
    -------
    float32 array, shape (n_tiles, n_pairs)
        The same bits.
    """
    rows = mix_units(windows, weights, bias)
    strips = _cut_strips(rows, len(bias), panels)
    n_tiles = (rows.offsets.size - 1) // 2
    out = aligned_empty((n_tiles, len(panels.gates) * PANEL_PAIRS), np.float32)
    _leading(*rows, len(bias), *strips, panels.gates, panels.ranges, out)
    return out[:, :n_pairs]


class _Strips(NamedTuple):
    """Strips of neighboring tiles: those of the forward strand and of the reverse one.

    Attributes
    ----------
    ends : int64 array, shape (n_strips + 1,)
        Strip s has the entries from ends[s] to ends[s + 1].
    filters : int32 array, shape (n_entries,)
    parts : float32 array, shape (n_entries, 2, H)
        The least difference between a unit r and each unit: above zero, below zero.
    limits : float32 array, shape (n_strips, H)
        A unit whose bound exceeds it is below unit r.
    """

    ends: NDArray[np.int64]
    filters: NDArray[np.int32]
    parts: Floats
    limits: Floats


def _cut_strips(rows: MixedRows, n_units: int, panels: GatePanels) -> _Strips:
    n_strips = 2 * -(-(rows.offsets.size // 2) // _TILES)
    n_entries, n_padded = rows.values.shape
    strips = _Strips(
        np.zeros(n_strips + 1, dtype=np.int64),
        np.empty(n_entries, dtype=np.int32),
        np.zeros((n_entries, 2, n_padded), dtype=np.float32),
        np.full((n_strips, n_padded), np.inf, dtype=np.float32),
    )
    largest = float(panels.ranges.max(initial=0))
    _compare(*rows, n_units, panels.mean, largest, *strips)
    return strips


@njit(nogil=True, cache=True)
def _compare(  # type: ignore[no-untyped-def]
    offsets, filters, mixed, bias, n_units, mean, largest, ends, own, parts, limits
):
    least = np.empty((mean.size, n_units), dtype=np.float32)
    sizes = np.zeros(mean.size, dtype=np.float64)
    counts = np.zeros(mean.size, dtype=np.int64)
    end = 0
    for strip in range(limits.shape[0]):
        first_row = strip // 2 * 2 * _TILES + strip % 2
        last_row = min(first_row + 2 * _TILES, offsets.size - 1)
        r = _typical_leader(
            offsets, filters, mixed, bias, n_units, mean, first_row, last_row
        )
        begin, n_rows = end, 0
        for row in range(first_row, last_row, 2):
            n_rows += 1
            for entry in range(offsets[row], offsets[row + 1]):
                k, units, size = filters[entry], mixed[entry], 0.0
                if not counts[k]:
                    own[end] = k
                    end += 1
                    least[k] = np.inf
                for unit in range(n_units):
                    size += abs(units[unit])
                    least[k, unit] = min(least[k, unit], units[r] - units[unit])
                counts[k] += 1
                sizes[k] += size
        total = _LEAST_SUM
        for unit in range(n_units):
            total += abs(bias[unit])
        for i in range(begin, end):
            k = own[i]
            total += sizes[k] * largest
            for unit in range(n_units):
                # Rows without the filter have a difference of zero.
                parts[i, 0, unit] = max(least[k, unit], 0) if counts[k] == n_rows else 0
                parts[i, 1, unit] = min(least[k, unit], 0)
            counts[k] = 0
            sizes[k] = 0
        rounding = total * (end - begin + 8) * _ROUNDING
        for unit in range(n_units):
            limits[strip, unit] = rounding - (np.float64(bias[r]) - bias[unit])
        ends[strip + 1] = end


@njit(nogil=True, cache=True)
def _typical_leader(  # type: ignore[no-untyped-def]
    offsets, filters, mixed, bias, n_units, mean, first_row, last_row
):
    """Return the largest unit of a pair with mean gates."""
    best, leader = -np.inf, 0
    for unit in range(n_units):
        total = 0.0
        for row in range(first_row, last_row, 2):
            total += bias[unit]
            for entry in range(offsets[row], offsets[row + 1]):
                total += mixed[entry, unit] * mean[filters[entry]]
        if total > best:
            best, leader = total, unit
    return leader


@njit(nogil=True, cache=True)
def _leading(  # type: ignore[no-untyped-def]
    offsets,
    filters,
    mixed,
    bias,
    n_units,
    ends,
    own,
    parts,
    limits,
    panels,
    ranges,
    out,
):
    below = np.zeros(limits.shape, dtype=np.uint16)
    units = np.empty(n_units + 1, dtype=np.int64)
    flat, result, width = mixed.reshape(-1), out.reshape(-1), out.shape[1]
    n_padded = mixed.shape[1]
    for panel in range(panels.shape[0]):
        _find_below(ends, own, parts, limits, ranges[panel].reshape(-1), below)
        for block in range(_BLOCKS):
            gates = panels[panel, block].reshape(-1)
            column = panel * PANEL_PAIRS + block * BLOCK_PAIRS
            for strip in range(limits.shape[0]):
                n = 0
                for unit in range(n_units):
                    if below[strip, unit] >> (_GROUPS * block) & _ALL != _ALL:
                        units[n] = unit
                        n += 1
                units[n] = units[n - 1]  # they are summed two by two
                first_row = strip // 2 * 2 * _TILES + strip % 2
                last_row = min(first_row + 2 * _TILES, offsets.size - 1)
                for row in range(first_row, last_row, 2):
                    begin, end = offsets[row], offsets[row + 1]
                    a, b, c, d = _two_units(
                        *(flat, filters, begin, end, bias, n_padded, gates),
                        *(units[0], units[1]),
                    )
                    for i in range(2, n, 2):
                        e, f, g, h = _two_units(
                            *(flat, filters, begin, end, bias, n_padded, gates),
                            *(units[i], units[i + 1]),
                        )
                        a, b, c, d = (
                            maximum(a, e),
                            maximum(b, f),
                            maximum(c, g),
                            maximum(d, h),
                        )
                    at = row // 2 * width + column
                    if row % 2:
                        a = maximum(a, load(result, at))
                        b = maximum(b, load(result, at + _LANES))
                        c = maximum(c, load(result, at + 2 * _LANES))
                        d = maximum(d, load(result, at + 3 * _LANES))
                    store(result, at, a)
                    store(result, at + _LANES, b)
                    store(result, at + 2 * _LANES, c)
                    store(result, at + 3 * _LANES, d)


@njit(nogil=True, cache=True)
def _find_below(ends, own, parts, limits, ranges, below):  # type: ignore[no-untyped-def]
    """Mark the groups for which a unit is below another one, a bit each."""
    flat, n_padded = parts.reshape(-1), parts.shape[2]
    for strip in range(limits.shape[0]):
        limit, masks = limits[strip], below[strip]
        for unit in range(0, n_padded, 8):
            a, b, c, d, e, f, g, h = _eight_bounds(
                flat, own, ends[strip], ends[strip + 1], ranges, n_padded, unit
            )
            masks[unit] = gt_mask(a, broadcast(limit[unit]))
            masks[unit + 1] = gt_mask(b, broadcast(limit[unit + 1]))
            masks[unit + 2] = gt_mask(c, broadcast(limit[unit + 2]))
            masks[unit + 3] = gt_mask(d, broadcast(limit[unit + 3]))
            masks[unit + 4] = gt_mask(e, broadcast(limit[unit + 4]))
            masks[unit + 5] = gt_mask(f, broadcast(limit[unit + 5]))
            masks[unit + 6] = gt_mask(g, broadcast(limit[unit + 6]))
            masks[unit + 7] = gt_mask(h, broadcast(limit[unit + 7]))


@njit(nogil=True, cache=True, forceinline=True)
def _eight_bounds(flat, filters, first, last, ranges, n_padded, unit):  # type: ignore[no-untyped-def]
    # Lanes are groups of pairs.
    a = b = c = d = e = f = g = h = broadcast(np.float32(0))
    one, two, three, four = np.uint64(1), np.uint64(2), np.uint64(3), np.uint64(4)
    for entry in range(np.uint64(first), np.uint64(last)):
        k = np.int64(filters[entry]) * 2 * _LANES
        low, high = load(ranges, k), load(ranges, k + _LANES)
        for side in range(np.uint64(2)):
            gate = low if side == 0 else high
            u = (two * entry + side) * np.uint64(n_padded) + np.uint64(unit)
            v = u + four
            a = multiply_add(broadcast(flat[u]), gate, a)
            b = multiply_add(broadcast(flat[u + one]), gate, b)
            c = multiply_add(broadcast(flat[u + two]), gate, c)
            d = multiply_add(broadcast(flat[u + three]), gate, d)
            e = multiply_add(broadcast(flat[v]), gate, e)
            f = multiply_add(broadcast(flat[v + one]), gate, f)
            g = multiply_add(broadcast(flat[v + two]), gate, g)
            h = multiply_add(broadcast(flat[v + three]), gate, h)
    return a, b, c, d, e, f, g, h


@njit(nogil=True, cache=True, forceinline=True)
def _two_units(flat, filters, first, last, bias, n_padded, gates, one, two):  # type: ignore[no-untyped-def]
    # Lanes are pairs: two units of four groups, whose gates are loaded once.
    a = b = c = d = broadcast(bias[one])
    e = f = g = h = broadcast(bias[two])
    width, one, two = np.uint64(n_padded), np.uint64(one), np.uint64(two)
    for entry in range(np.uint64(first), np.uint64(last)):
        k = np.int64(filters[entry]) * BLOCK_PAIRS
        x = broadcast(flat[entry * width + one])
        y = broadcast(flat[entry * width + two])
        gate = load(gates, k)
        a, e = multiply_add(x, gate, a), multiply_add(y, gate, e)
        gate = load(gates, k + _LANES)
        b, f = multiply_add(x, gate, b), multiply_add(y, gate, f)
        gate = load(gates, k + 2 * _LANES)
        c, g = multiply_add(x, gate, c), multiply_add(y, gate, g)
        gate = load(gates, k + 3 * _LANES)
        d, h = multiply_add(x, gate, d), multiply_add(y, gate, h)
    # Of equal values the later one, as in `shared_logits`: zeros may differ in sign.
    return maximum(a, e), maximum(b, f), maximum(c, g), maximum(d, h)
