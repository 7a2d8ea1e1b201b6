"""Products of the network's head for tiles that have most features in common.

Tiles that start a few bp apart have most of their features in common, and so have the
tiles of both alleles of a variant. Their sums over features are not computed anew:

    z[h](tile)  =  z[h](similar)  +  sum_k (U[h, k](tile) - U[h, k](similar)) g[k]

with U of :mod:`tfimpute_tracks.kernels.products`. Tiles without a difference have the
same bits. After some tiles of a row one is summed anew, so rounding does not add up.
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
    load,
    maximum,
    multiply_add,
    store,
)
from tfimpute_tracks.kernels.leading_units import BLOCK_PAIRS
from tfimpute_tracks.kernels.products import MixedRows, mix_units
from tfimpute_tracks.kernels.sparse import SparseRows

__all__ = ["SimilarTiles"]

Floats = NDArray[np.float32]
Ints = NDArray[np.int64]

_LANES = LANE_BYTES // 4
_MOST_STEPS = 64  # from a tile to the one that is summed anew


class SimilarTiles:
    """Tiles of which most follow from similar ones.

    Parameters
    ----------
    windows, weights, bias
        As for :func:`tfimpute_tracks.kernels.products.shared_logits`; finite.
    similar : int64 array, shape (n_tiles,)
        The tile before, in a row of overlapping tiles; -1 for the first of a row; a tile of
        a row for a changed copy of it.

    Raises
    ------
    ValueError
        A tile is a copy of a later one, or of a copy.
    """

    def __init__(
        self, windows: SparseRows, weights: Floats, bias: Floats, similar: Ints
    ) -> None:
        rows = mix_units(windows, weights, bias)
        self._steps = _plan_steps(similar)
        self._changes = _find_changes(rows, self._steps, weights.shape[2])

    def logits(self, gates: Floats) -> Floats:
        """Compute the logits of some pairs.

        Parameters
        ----------
        gates : float32 array, shape (n_panels, 4, K, 64)
            Of :class:`tfimpute_tracks.kernels.leading_units.GatePanels`.

        Returns
        -------
        float32 array, shape (n_tiles, n_panels * 256)
            Those of `shared_logits` within rounding. The bits depend on the row of the
            tile alone.
        """
        offsets, filters, values, bias = self._changes
        n_pairs = gates.shape[0] * gates.shape[1] * BLOCK_PAIRS
        out = aligned_empty((self._steps.tiles.size, n_pairs), np.float32)
        # Sums to begin anew with, those of the row, and those of a copy.
        sums = aligned_empty((3, 2, len(bias), BLOCK_PAIRS), np.float32)
        sums[0] = bias[:, None]
        _add_changes(*self._steps, offsets, filters, values, gates, sums, out)
        return out


class _Steps(NamedTuple):
    """Tiles in the order in which they are summed.

    Attributes
    ----------
    tiles : int64 array, shape (n_tiles,)
    origins : int64 array, shape (n_tiles,)
        The tile whose sums a step begins with, the last one that was kept; -1 for none.
    is_kept : bool array, shape (n_tiles,)
        The next tile of the row begins with the sums.
    """

    tiles: Ints
    origins: Ints
    is_kept: NDArray[np.bool_]


def _plan_steps(similar: Ints) -> _Steps:
    own = np.arange(similar.size)
    is_first = similar < 0
    in_row = is_first | (similar == own - 1)
    if (similar >= own).any() or not in_row[similar[~is_first]].all():
        raise ValueError("a tile can only be similar to an earlier one of a row")
    place = own - np.maximum.accumulate(np.where(is_first, own, 0))
    anew = in_row & (place % _MOST_STEPS == 0)
    # Copies follow at once: sums are those of one tile.
    order = np.argsort(np.where(in_row, own, similar), kind="stable")
    return _Steps(order, np.where(anew, -1, similar)[order], in_row[order])


def _find_changes(rows: MixedRows, steps: _Steps, n_filters: int) -> MixedRows:
    """Subtract U of the origins, step by step; two rows per step."""
    most = np.diff(rows.offsets).reshape(-1, 2).sum(axis=1)
    n_most = int(
        most[steps.tiles].sum() + most[steps.origins[steps.origins >= 0]].sum()
    )
    offsets = np.zeros_like(rows.offsets)
    filters = np.empty(n_most, dtype=np.int32)
    values = np.empty((n_most, rows.values.shape[1]), dtype=np.float32)
    slots = np.full(n_filters, -1, dtype=np.int64)
    _subtract(
        *(steps.tiles, steps.origins, rows.offsets, rows.filters, rows.values),
        *(slots, offsets, filters, values),
    )
    n = offsets[-1]
    return MixedRows(offsets, filters[:n], values[:n], rows.bias)


@njit(nogil=True, cache=True)
def _subtract(  # type: ignore[no-untyped-def]
    tiles, origins, offsets, filters, mixed, slots, new_offsets, changed, values
):
    # `slots` is the entry of each filter in the row; all -1 before and after each row.
    n_units, end = mixed.shape[1], 0
    for step in range(tiles.size):
        for strand in range(2):
            row, last = 2 * tiles[step] + strand, 2 * origins[step] + strand
            for entry in range(offsets[row], offsets[row + 1]):
                slots[filters[entry]] = entry
            if last >= 0:
                for entry in range(offsets[last], offsets[last + 1]):
                    k = filters[entry]
                    own, differs = slots[k], slots[k] < 0
                    for unit in range(n_units):
                        value = np.float32(0) if own < 0 else mixed[own, unit]
                        differs = differs or value != mixed[entry, unit]
                        values[end, unit] = value - mixed[entry, unit]
                    slots[k] = -1
                    if differs:
                        changed[end] = k
                        end += 1
            for entry in range(offsets[row], offsets[row + 1]):
                k = filters[entry]
                if slots[k] >= 0:
                    slots[k] = -1
                    changed[end] = k
                    values[end] = mixed[entry]
                    end += 1
            new_offsets[2 * step + strand + 1] = end


@njit(nogil=True, cache=True)
def _add_changes(  # type: ignore[no-untyped-def]
    tiles, origins, is_kept, offsets, filters, values, panels, sums, out
):
    flat, result, width = values.reshape(-1), out.reshape(-1), out.shape[1]
    n_units, kept, size = values.shape[1], sums.reshape(-1), sums[0].size
    for block in range(panels.shape[0] * panels.shape[1]):
        gates = panels[block // panels.shape[1], block % panels.shape[1]].reshape(-1)
        for step in range(tiles.size):
            source = 0 if origins[step] < 0 else size
            target = size if is_kept[step] else 2 * size
            at = tiles[step] * width + block * BLOCK_PAIRS
            for row in range(2 * step, 2 * step + 2):
                place = row % 2 * n_units * BLOCK_PAIRS
                for unit in range(0, n_units, 4):
                    a, b, c, d = _four_units(
                        *(flat, filters, offsets[row], offsets[row + 1]),
                        *(n_units, unit, gates, kept),
                        source + place + unit * BLOCK_PAIRS,
                        target + place + unit * BLOCK_PAIRS,
                    )
                    if row % 2 or unit:
                        a = maximum(a, load(result, at))
                        b = maximum(b, load(result, at + _LANES))
                        c = maximum(c, load(result, at + 2 * _LANES))
                        d = maximum(d, load(result, at + 3 * _LANES))
                    _store(result, at, a, b, c, d)


@njit(nogil=True, cache=True, forceinline=True)
def _four_units(  # type: ignore[no-untyped-def]
    flat, filters, begin, end, n_units, unit, gates, sums, source, target
):
    # Lanes are pairs, of four groups: a row of gates is loaded once for four units.
    a, b, c, d = _load(sums, source)
    e, f, g, h = _load(sums, source + BLOCK_PAIRS)
    i, j, k, m = _load(sums, source + 2 * BLOCK_PAIRS)
    n, o, p, q = _load(sums, source + 3 * BLOCK_PAIRS)
    one, two, three = np.uint64(1), np.uint64(2), np.uint64(3)
    for entry in range(np.uint64(begin), np.uint64(end)):
        at = np.int64(filters[entry]) * BLOCK_PAIRS
        u = entry * np.uint64(n_units) + np.uint64(unit)
        a, b, c, d = _add(broadcast(flat[u]), gates, at, a, b, c, d)
        e, f, g, h = _add(broadcast(flat[u + one]), gates, at, e, f, g, h)
        i, j, k, m = _add(broadcast(flat[u + two]), gates, at, i, j, k, m)
        n, o, p, q = _add(broadcast(flat[u + three]), gates, at, n, o, p, q)
    _store(sums, target, a, b, c, d)
    _store(sums, target + BLOCK_PAIRS, e, f, g, h)
    _store(sums, target + 2 * BLOCK_PAIRS, i, j, k, m)
    _store(sums, target + 3 * BLOCK_PAIRS, n, o, p, q)
    return (
        maximum(maximum(a, e), maximum(i, n)),
        maximum(maximum(b, f), maximum(j, o)),
        maximum(maximum(c, g), maximum(k, p)),
        maximum(maximum(d, h), maximum(m, q)),
    )


@njit(nogil=True, cache=True, forceinline=True)
def _load(array, at):  # type: ignore[no-untyped-def]
    return (
        load(array, at),
        load(array, at + _LANES),
        load(array, at + 2 * _LANES),
        load(array, at + 3 * _LANES),
    )


@njit(nogil=True, cache=True, forceinline=True)
def _store(array, at, a, b, c, d):  # type: ignore[no-untyped-def]
    store(array, at, a)
    store(array, at + _LANES, b)
    store(array, at + 2 * _LANES, c)
    store(array, at + 3 * _LANES, d)


@njit(nogil=True, cache=True, forceinline=True)
def _add(x, gates, at, a, b, c, d):  # type: ignore[no-untyped-def]
    return (
        multiply_add(x, load(gates, at), a),
        multiply_add(x, load(gates, at + _LANES), b),
        multiply_add(x, load(gates, at + 2 * _LANES), c),
        multiply_add(x, load(gates, at + 3 * _LANES), d),
    )
