"""Products of the network's head with sparse features.

Both kernels take sparse rows, two per tile, and compute the logit of each pair: the
maximum over its H units and both strands. :func:`per_pair_logits` multiplies with a
last layer per pair; :func:`shared_logits` first computes
U[h, k] = sum_w W2[w, h, k] M[w, k], which is shared by all pairs, and then the product
with the gates of each pair. Sums are in the order of a row's entries, so a tile's score
does not depend on other tiles.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tfimpute_tracks.kernels.jit import njit
from tfimpute_tracks.kernels.lanes import (
    LANE_BYTES,
    add,
    aligned_empty,
    broadcast,
    lane_count,
    load,
    maximum,
    multiply_add,
    store,
)
from tfimpute_tracks.kernels.sparse import SparseRows

__all__ = [
    "MixedRows",
    "lane_gates",
    "mix_units",
    "per_pair_layers",
    "per_pair_logits",
    "shared_logits",
    "sigmoid",
]

Floats = NDArray[np.float32]

_LANES = LANE_BYTES // 4
_ROWS = 512  # rows of `per_pair_logits` per buffer of sums
_UNITS = 8  # units that `shared_logits` sums at once: its accumulators


def sigmoid(x: Floats) -> Floats:
    """Compute 1 / (1 + exp(-x)).

    Importing scipy.special for its `expit` would take a tenth of a second.

    Parameters
    ----------
    x : float32 array, any shape

    Returns
    -------
    float32 array of that shape
    """
    # In place: fresh memory takes longer than the sums.
    one, found = np.float32(1), np.negative(x, out=np.empty_like(x))
    with np.errstate(over="ignore"):  # for very low values exp is inf, the result 0
        np.exp(found, out=found)
    found += one
    return np.divide(one, found, out=found)


def per_pair_layers(gates: Floats, weights: Floats) -> Floats:
    """Compute the last layer of each pair: W2 times its gates.

    Parameters
    ----------
    gates : float32 array, shape (n_pairs, K)
    weights : float32 array, shape (n_windows, H, K)
        The paper's W2.

    Returns
    -------
    float32 array, shape (n_groups, n_windows * K, 16)
        The n_pairs * H units, pair by pair, in groups of 16 padded with zeros.
    """
    own = gates[:, None, None] * weights.transpose(1, 0, 2)  # (n_pairs, H, windows, K)
    flat = own.reshape(own.shape[0] * own.shape[1], -1)
    n_groups = -(-len(flat) // _LANES)
    padded = np.zeros((n_groups * _LANES, flat.shape[1]), dtype=np.float32)
    padded[: len(flat)] = flat
    layers = aligned_empty((n_groups, flat.shape[1], _LANES), np.float32)
    layers[...] = padded.reshape(n_groups, _LANES, -1).transpose(0, 2, 1)
    return layers


def per_pair_logits(windows: SparseRows, layers: Floats, bias: Floats) -> Floats:
    """Compute logits with a last layer per pair.

    Parameters
    ----------
    windows : SparseRows
        From :func:`tfimpute_tracks.kernels.sparse.gather_windows`.
    layers : float32 array, shape (n_groups, n_windows * K, 16)
        From :func:`per_pair_layers`.
    bias : float32 array, shape (n_pairs, H)
        The paper's b2, repeated for each pair.

    Returns
    -------
    float32 array, shape (n_tiles, n_pairs)
    """
    n_tiles = (windows.offsets.size - 1) // 2
    out = np.empty((n_tiles, len(bias)), dtype=np.float32)
    sums = aligned_empty((_ROWS, len(layers) * _LANES), np.float32)
    _per_pair(*windows, layers, bias, sums, out)
    return out


def lane_gates(gates: Floats) -> Floats:
    """Arrange gates for :func:`shared_logits`: the lanes of a row are 16 pairs.

    Parameters
    ----------
    gates : float32 array, shape (n_pairs, K)

    Returns
    -------
    float32 array, shape (n_groups, K, 16)
        The last group is padded with zeros.
    """
    n_pairs, n_filters = gates.shape
    n_groups = -(-n_pairs // _LANES)
    padded = np.zeros((n_groups * _LANES, n_filters), dtype=np.float32)
    padded[:n_pairs] = gates
    lanes = aligned_empty((n_groups, n_filters, _LANES), np.float32)
    lanes[...] = padded.reshape(n_groups, _LANES, n_filters).transpose(0, 2, 1)
    return lanes


def shared_logits(
    windows: SparseRows, weights: Floats, bias: Floats, gates: Floats, n_pairs: int
) -> Floats:
    """Compute logits with the sum over windows shared by all pairs.

    Parameters
    ----------
    windows : SparseRows
        From :func:`tfimpute_tracks.kernels.sparse.gather_windows`.
    weights : float32 array, shape (n_windows, H, K)
        The paper's W2.
    bias : float32 array, shape (H,)
        The paper's b2.
    gates : float32 array, shape (n_groups, K, 16)
        From :func:`lane_gates`.
    n_pairs : int

    Returns
    -------
    float32 array, shape (n_tiles, n_pairs)
    """
    rows = mix_units(windows, weights, bias)
    n_tiles = (rows.offsets.size - 1) // 2
    out = aligned_empty((n_tiles, len(gates) * _LANES), np.float32)
    _shared(*rows, gates, out)
    return out[:, :n_pairs]


class MixedRows(NamedTuple):
    """U of sparse rows, from :func:`mix_units`.

    Attributes
    ----------
    offsets : int64 array, shape (n_rows + 1,)
        Row r has the entries from offsets[r] to offsets[r + 1].
    filters : int32 array, shape (n,)
        Of the first entries; unique in a row.
    values : float32 array, shape (n, H)
        H is a multiple of 8; the last units may be missing: zeros, with a bias of -inf.
    bias : float32 array, shape (H,)
    """

    offsets: NDArray[np.int64]
    filters: NDArray[np.int32]
    values: Floats
    bias: Floats


def mix_units(windows: SparseRows, weights: Floats, bias: Floats) -> MixedRows:
    """Compute U[h, k] = sum_w W2[w, h, k] M[w, k] of each row.

    Parameters
    ----------
    windows, weights, bias
        As for :func:`shared_logits`.

    Returns
    -------
    MixedRows
    """
    n_windows, n_units, n_filters = weights.shape
    n_padded = -(-n_units // _UNITS) * _UNITS
    # (n_windows * K, H): the units of a filter are contiguous
    columns = np.zeros((n_windows * n_filters, n_padded), dtype=np.float32)
    columns[:, :n_units] = weights.transpose(0, 2, 1).reshape(-1, n_units)
    padded_bias = np.full(n_padded, -np.inf, dtype=np.float32)
    padded_bias[:n_units] = bias
    n_entries = windows.columns.size
    mixed = np.zeros((n_entries, n_padded), dtype=np.float32)
    filters = np.empty(n_entries, dtype=np.int32)
    offsets = np.zeros_like(windows.offsets)
    slots = np.full(n_filters, -1, dtype=np.int64)
    _mix(*windows, columns, slots, offsets, filters, mixed)
    return MixedRows(offsets, filters, mixed, padded_bias)


@njit(nogil=True, cache=True)
def _per_pair(offsets, columns, values, layers, bias, sums, out):  # type: ignore[no-untyped-def]
    n_pairs, n_units = bias.shape
    n_rows = offsets.size - 1
    for first in range(0, n_rows, _ROWS):
        last = min(n_rows, first + _ROWS)
        for group in range(layers.shape[0]):
            _multiply(offsets, columns, values, layers[group], group, first, last, sums)
        for row in range(first, last):
            for pair in range(n_pairs):
                logit = np.float32(-np.inf)
                for unit in range(n_units):
                    z = sums[row - first, pair * n_units + unit] + bias[pair, unit]
                    logit = max(logit, z)
                if row % 2:
                    logit = max(logit, out[row // 2, pair])
                out[row // 2, pair] = logit


@njit(nogil=True, cache=True)
def _multiply(offsets, columns, values, layer, group, first, last, sums):  # type: ignore[no-untyped-def]
    # Four independent sums: an addition has a latency of four cycles.
    n_lanes = lane_count(layer)
    flat, result, width = layer.reshape(-1), sums.reshape(-1), sums.shape[1]
    for row in range(first, last):
        a = b = c = d = broadcast(np.float32(0))
        i, end = np.uint64(offsets[row]), np.uint64(offsets[row + 1])
        one, two, three = np.uint64(1), np.uint64(2), np.uint64(3)
        while i + three < end:
            a = _step(flat, columns, values, i, n_lanes, a)
            b = _step(flat, columns, values, i + one, n_lanes, b)
            c = _step(flat, columns, values, i + two, n_lanes, c)
            d = _step(flat, columns, values, i + three, n_lanes, d)
            i += np.uint64(4)
        while i < end:
            a = _step(flat, columns, values, i, n_lanes, a)
            i += one
        store(
            result, (row - first) * width + group * n_lanes, add(add(a, b), add(c, d))
        )


@njit(nogil=True, cache=True, forceinline=True)
def _step(flat, columns, values, i, n_lanes, total):  # type: ignore[no-untyped-def]
    lanes = load(flat, np.int64(columns[i]) * n_lanes)
    return multiply_add(broadcast(values[i]), lanes, total)


@njit(nogil=True, cache=True)
def _mix(  # type: ignore[no-untyped-def]
    offsets, columns, values, weights, slots, new_offsets, filters, mixed
):
    # `slots` is the row of each filter's sums; all -1 before and after each row.
    n_filters, n_units = slots.size, weights.shape[1]
    end = 0
    for row in range(offsets.size - 1):
        begin = end
        for entry in range(offsets[row], offsets[row + 1]):
            k = columns[entry] % n_filters
            if slots[k] < 0:
                slots[k] = end
                filters[end] = k
                end += 1
            units, factors = mixed[slots[k]], weights[columns[entry]]
            for unit in range(n_units):
                units[unit] += values[entry] * factors[unit]
        for entry in range(begin, end):
            slots[filters[entry]] = -1
        new_offsets[row + 1] = end


@njit(nogil=True, cache=True)
def _shared(offsets, filters, mixed, bias, gates, out):  # type: ignore[no-untyped-def]
    n_lanes = lane_count(gates)
    flat, result, width = mixed.reshape(-1), out.reshape(-1), out.shape[1]
    n_units = mixed.shape[1]
    for group in range(gates.shape[0]):
        gate = gates[group].reshape(-1)
        for row in range(offsets.size - 1):
            best = broadcast(np.float32(-np.inf))
            for unit in range(0, n_units, 8):
                z = _eight_units(
                    flat,
                    filters,
                    bias,
                    gate,
                    unit,
                    n_units,
                    offsets[row],
                    offsets[row + 1],
                )
                best = maximum(best, z)
            target = row // 2 * width + group * n_lanes
            if row % 2:
                best = maximum(best, load(result, target))
            store(result, target, best)


@njit(nogil=True, cache=True, forceinline=True)
def _eight_units(flat, filters, bias, gate, unit, n_units, first, last):  # type: ignore[no-untyped-def]
    # Lanes are pairs. A row of gates is loaded once for the sums of eight units.
    n_lanes = lane_count(gate)
    a, b = broadcast(bias[unit]), broadcast(bias[unit + 1])
    c, d = broadcast(bias[unit + 2]), broadcast(bias[unit + 3])
    e, f = broadcast(bias[unit + 4]), broadcast(bias[unit + 5])
    g, h = broadcast(bias[unit + 6]), broadcast(bias[unit + 7])
    for entry in range(np.uint64(first), np.uint64(last)):
        lanes = load(gate, np.int64(filters[entry]) * n_lanes)
        u = entry * np.uint64(n_units) + np.uint64(unit)
        a = multiply_add(broadcast(flat[u]), lanes, a)
        b = multiply_add(broadcast(flat[u + np.uint64(1)]), lanes, b)
        c = multiply_add(broadcast(flat[u + np.uint64(2)]), lanes, c)
        d = multiply_add(broadcast(flat[u + np.uint64(3)]), lanes, d)
        e = multiply_add(broadcast(flat[u + np.uint64(4)]), lanes, e)
        f = multiply_add(broadcast(flat[u + np.uint64(5)]), lanes, f)
        g = multiply_add(broadcast(flat[u + np.uint64(6)]), lanes, g)
        h = multiply_add(broadcast(flat[u + np.uint64(7)]), lanes, h)
    return maximum(
        maximum(maximum(a, b), maximum(c, d)), maximum(maximum(e, f), maximum(g, h))
    )
