"""Log-odds of the summary for every TF in every cell line, from few products.

The vector of a pair, v(t, c) of :mod:`tfimpute_tracks.models.evidence_network`, is a sum
over the dimensions i of the TF's embedding: G_ti R_ic, where R_ic depends on the cell line
alone. So e is the sum of G_ti <s, R_ic>, with 49 vectors per cell line instead of one per
pair of 165 TFs. Half of the summary is 0 before it is normalized, and these products are
left out; the mean comes in afterwards. Sums are in another order than for single pairs,
so the last digits differ.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tfimpute_tracks.kernels.jit import njit
from tfimpute_tracks.kernels.lanes import (
    LANE_BYTES,
    add,
    add_up,
    aligned_empty,
    broadcast,
    load,
    multiply_add,
    store,
)
from tfimpute_tracks.kernels.row_products import (
    GROUPS_AT_ONCE,
    ROWS_AT_ONCE,
    PackedRows,
    arrange_columns,
    multiply,
    multiply_packed,
    pack_rows,
)
from tfimpute_tracks.kernels.summary import moments

__all__ = ["GridVectors", "arrange_grid", "grid_log_odds"]

Floats = NDArray[np.float32]

_LANES = LANE_BYTES // 4


class GridVectors(NamedTuple):
    """Vectors whose products make up the vector of each pair of a TF and a cell line.

    Attributes
    ----------
    factors : PackedRows
        G of eight TFs at a time.
    vectors : float32 array, shape (n_blocks * n_factors, summary, 16)
        R; the lanes of a row are 16 cell lines.
    totals, offsets : float32 array, shape (n_blocks * n_factors * 16,)
        The sum of each R, and its part of v_0.
    n_blocks : int
        Of 16 cell lines, a multiple of 3.
    """

    factors: PackedRows
    vectors: Floats
    totals: Floats
    offsets: Floats
    n_blocks: int


def arrange_grid(factors: Floats, vectors: NDArray[np.floating]) -> GridVectors:
    """Arrange vectors for :func:`grid_log_odds`.

    Parameters
    ----------
    factors : float32 array, shape (n_tfs, n_factors)
        G.
    vectors : float array, shape (n_factors, n_cells, summary + 1)
        R, and its part of v_0 in the last column.

    Returns
    -------
    GridVectors
    """
    n_factors, n_cells, width = vectors.shape
    at_once = GROUPS_AT_ONCE * _LANES
    n_blocks = -(-n_cells // at_once) * GROUPS_AT_ONCE
    padded = np.zeros((n_factors, n_blocks * _LANES, width), dtype=np.float32)
    padded[:, :n_cells] = vectors
    lanes = padded.reshape(n_factors, n_blocks, _LANES, width).transpose(1, 0, 2, 3)
    flat = lanes.reshape(-1, width)
    totals, offsets = (aligned_empty(flat.shape[:1], np.float32) for _ in range(2))
    totals[...] = flat[:, :-1].sum(axis=1, dtype=np.float64)
    offsets[...] = flat[:, -1]
    arranged = arrange_columns(flat[:, :-1])
    return GridVectors(pack_rows(factors), arranged, totals, offsets, n_blocks)


def grid_log_odds(sums: Floats, grid: GridVectors) -> Floats:
    """Compute e of all pairs, as if none had a track of its own.

    Parameters
    ----------
    sums : float32 array, shape (n, summary)
        From :func:`tfimpute_tracks.kernels.summary.summarize`.
    grid : GridVectors

    Returns
    -------
    float32 array, shape (n, at least n_tfs, 16 * n_blocks), contiguous
        TFs and cell lines past the last one mean nothing.
    """
    n, n_factors = len(sums), len(grid.vectors) // grid.n_blocks
    rows = np.maximum(sums, 0)
    scales = np.empty((n, 2), dtype=np.float32)
    _moments(rows.reshape(-1), sums.shape[1], scales)
    nothing = np.zeros((len(grid.vectors), _LANES), dtype=np.float32)
    products = multiply(pack_rows(rows), grid.vectors, nothing)
    n_tfs = len(grid.factors.counts) * ROWS_AT_ONCE
    out = aligned_empty((n, n_tfs, grid.n_blocks * _LANES), np.float32)
    _expand(
        products,
        scales,
        grid.totals,
        grid.offsets,
        (grid.factors.values.reshape(-1), *grid.factors[1:]),
        nothing[: grid.n_blocks].reshape(-1),
        n_factors,
        out,
    )
    return out


@njit(nogil=True, cache=True)
def _moments(rows, size, scales):  # type: ignore[no-untyped-def]
    """Find what normalizes rows that are not negative: their factor, and what to add."""
    for row in range(len(scales)):
        total = squares = broadcast(np.float32(0))
        for k in range(row * size, (row + 1) * size, _LANES):
            value = load(rows, k)
            total, squares = add(total, value), multiply_add(value, value, squares)
        mean, scale = moments(add_up(total), add_up(squares), size)
        scales[row, 0], scales[row, 1] = scale, -mean * scale


@njit(nogil=True, cache=True)
def _expand(products, scales, totals, offsets, factors, nothing, n_factors, out):  # type: ignore[no-untyped-def]
    """Normalize the products of each row, and combine them by the factors of each TF."""
    values, columns, counts = factors
    for row in range(len(out)):
        own = products[row]
        scale, shift = broadcast(scales[row, 0]), broadcast(scales[row, 1])
        for k in range(0, own.size, _LANES):
            other = multiply_add(shift, load(totals, k), load(offsets, k))
            store(own, k, multiply_add(load(own, k), scale, other))
        multiply_packed(values, columns, counts, own, nothing, out[row])
