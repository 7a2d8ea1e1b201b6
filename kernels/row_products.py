"""Products of rows with vectors of many columns.

Rows are packed eight at a time without the columns in which all eight are zero: adding
these would not change a sum. All sums are in the order of the columns, so a row's result
does not depend on other rows.
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
    multiply_add,
    store,
)

__all__ = [
    "GROUPS_AT_ONCE",
    "ROWS_AT_ONCE",
    "PackedRows",
    "arrange_columns",
    "multiply",
    "multiply_packed",
    "pack_rows",
]

Floats = NDArray[np.float32]

_LANES = LANE_BYTES // 4

ROWS_AT_ONCE = 8
"""Rows that are multiplied together."""

GROUPS_AT_ONCE = 3
"""Groups of 16 columns that are multiplied together."""


class PackedRows(NamedTuple):
    """Blocks of eight rows, each with the columns that are not zero in all of them.

    Attributes
    ----------
    values : float32 array, shape (n_blocks, size, 8)
        By column, the first `counts` are set.
    columns : int32 array, shape (n_blocks, size)
    counts : int64 array, shape (n_blocks,)
    """

    values: Floats
    columns: NDArray[np.int32]
    counts: NDArray[np.int64]


def pack_rows(rows: Floats) -> PackedRows:
    """Pack rows for :func:`multiply`.

    Parameters
    ----------
    rows : float32 array, shape (n, size), contiguous

    Returns
    -------
    PackedRows
        Rows of zeros follow the last one.
    """
    n, size = rows.shape
    n_blocks = -(-n // ROWS_AT_ONCE)
    packed = PackedRows(
        aligned_empty((n_blocks, size, ROWS_AT_ONCE), np.float32),
        np.empty((n_blocks, size), dtype=np.int32),
        np.zeros(n_blocks, dtype=np.int64),
    )
    values, columns, counts = packed
    _pack(rows.reshape(-1), n, size, values.reshape(-1), columns, counts)
    return packed


def arrange_columns(columns: Floats) -> Floats:
    """Arrange vectors of columns for :func:`multiply`.

    Parameters
    ----------
    columns : float32 array, shape (n_columns, size)

    Returns
    -------
    float32 array, shape (n_groups, size, 16)
        The lanes of a row are 16 columns. Groups are a multiple of 3; zeros follow the
        last column.
    """
    n_columns, size = columns.shape
    n_groups = -(-n_columns // (GROUPS_AT_ONCE * _LANES)) * GROUPS_AT_ONCE
    padded = np.zeros((n_groups * _LANES, size), dtype=np.float32)
    padded[:n_columns] = columns
    arranged = aligned_empty((n_groups, size, _LANES), np.float32)
    arranged[...] = padded.reshape(n_groups, _LANES, size).transpose(0, 2, 1)
    return arranged


def multiply(rows: PackedRows, vectors: Floats, offsets: Floats) -> Floats:
    """Multiply rows with the vector of each column.

    Parameters
    ----------
    rows : PackedRows
    vectors : float32 array, shape (n_groups, size, 16)
        From :func:`arrange_columns`.
    offsets : float32 array, shape (n_groups, 16)
        Added to every row.

    Returns
    -------
    float32 array, shape (8 * n_blocks, 16 * n_groups), contiguous
    """
    shape = len(rows.counts) * ROWS_AT_ONCE, len(vectors) * _LANES
    out = aligned_empty(shape, np.float32)
    multiply_packed(
        rows.values.reshape(-1),
        rows.columns,
        rows.counts,
        vectors.reshape(-1),
        offsets.reshape(-1),
        out,
    )
    return out


@njit(nogil=True, cache=True)
def _pack(rows, n, size, values, columns, counts):  # type: ignore[no-untyped-def]
    # Indices are unsigned, so that none is tested for being negative.
    step = np.uint64(size)
    for block in range(counts.size):
        first = np.uint64(block * ROWS_AT_ONCE * size)
        at, count = first, 0
        end = min(n - block * ROWS_AT_ONCE, ROWS_AT_ONCE)
        for k in range(np.uint64(size)):
            is_zero = True
            if end == ROWS_AT_ONCE:
                for row in range(np.uint64(ROWS_AT_ONCE)):
                    value = rows[first + row * step + k]
                    values[at + row] = value
                    is_zero &= value == 0
            else:
                for row in range(np.uint64(ROWS_AT_ONCE)):
                    is_row = row < end
                    value = rows[first + row * step + k] if is_row else np.float32(0)
                    values[at + row] = value
                    is_zero &= value == 0
            if not is_zero:
                columns[block, count] = k
                at += np.uint64(ROWS_AT_ONCE)
                count += 1
        counts[block] = count


@njit(nogil=True, cache=True)
def multiply_packed(values, columns, counts, vectors, offsets, out):  # type: ignore[no-untyped-def]
    """Multiply as :func:`multiply`; arrays but `out` and `columns` are flat.

    Parameters
    ----------
    values, columns, counts
        Of :class:`PackedRows`.
    vectors, offsets
        As for :func:`multiply`.
    out : float32 array, shape (8 * n_blocks, 16 * n_groups), contiguous
    """
    # Three groups by eight rows: 24 sums in registers, and 11 loads for 24 products.
    result, width, size = out.reshape(-1), out.shape[1], columns.shape[1]
    where = columns.reshape(-1)
    for group in range(0, width // _LANES, GROUPS_AT_ONCE):
        for block in range(counts.size):
            _eight_by_three(
                values,
                where,
                block,
                counts[block],
                vectors,
                group,
                offsets,
                size,
                result,
                width,
            )


@njit(nogil=True, cache=True, forceinline=True)
def _eight_by_three(  # type: ignore[no-untyped-def]
    values, where, block, count, vectors, group, offsets, size, result, width
):
    """Multiply a block of rows with three groups of columns."""
    start, step = group * size * _LANES, size * _LANES
    x = load(offsets, group * _LANES)
    y = load(offsets, (group + 1) * _LANES)
    z = load(offsets, (group + 2) * _LANES)
    ax = bx = cx = dx = ex = fx = gx = hx = x
    ay = by = cy = dy = ey = fy = gy = hy = y
    az = bz = cz = dz = ez = fz = gz = hz = z
    for i in range(block * size, block * size + count):
        k, at = start + np.int64(where[i]) * _LANES, i * ROWS_AT_ONCE
        x = load(vectors, k)
        y = load(vectors, k + step)
        z = load(vectors, k + 2 * step)
        one = broadcast(values[at])
        ax = multiply_add(one, x, ax)
        ay = multiply_add(one, y, ay)
        az = multiply_add(one, z, az)
        one = broadcast(values[at + 1])
        bx = multiply_add(one, x, bx)
        by = multiply_add(one, y, by)
        bz = multiply_add(one, z, bz)
        one = broadcast(values[at + 2])
        cx = multiply_add(one, x, cx)
        cy = multiply_add(one, y, cy)
        cz = multiply_add(one, z, cz)
        one = broadcast(values[at + 3])
        dx = multiply_add(one, x, dx)
        dy = multiply_add(one, y, dy)
        dz = multiply_add(one, z, dz)
        one = broadcast(values[at + 4])
        ex = multiply_add(one, x, ex)
        ey = multiply_add(one, y, ey)
        ez = multiply_add(one, z, ez)
        one = broadcast(values[at + 5])
        fx = multiply_add(one, x, fx)
        fy = multiply_add(one, y, fy)
        fz = multiply_add(one, z, fz)
        one = broadcast(values[at + 6])
        gx = multiply_add(one, x, gx)
        gy = multiply_add(one, y, gy)
        gz = multiply_add(one, z, gz)
        one = broadcast(values[at + 7])
        hx = multiply_add(one, x, hx)
        hy = multiply_add(one, y, hy)
        hz = multiply_add(one, z, hz)
    at = block * ROWS_AT_ONCE * width + group * _LANES
    store(result, at, ax)
    store(result, at + _LANES, ay)
    store(result, at + 2 * _LANES, az)
    store(result, at + 1 * width, bx)
    store(result, at + 1 * width + _LANES, by)
    store(result, at + 1 * width + 2 * _LANES, bz)
    store(result, at + 2 * width, cx)
    store(result, at + 2 * width + _LANES, cy)
    store(result, at + 2 * width + 2 * _LANES, cz)
    store(result, at + 3 * width, dx)
    store(result, at + 3 * width + _LANES, dy)
    store(result, at + 3 * width + 2 * _LANES, dz)
    store(result, at + 4 * width, ex)
    store(result, at + 4 * width + _LANES, ey)
    store(result, at + 4 * width + 2 * _LANES, ez)
    store(result, at + 5 * width, fx)
    store(result, at + 5 * width + _LANES, fy)
    store(result, at + 5 * width + 2 * _LANES, fz)
    store(result, at + 6 * width, gx)
    store(result, at + 6 * width + _LANES, gy)
    store(result, at + 6 * width + 2 * _LANES, gz)
    store(result, at + 7 * width, hx)
    store(result, at + 7 * width + _LANES, hy)
    store(result, at + 7 * width + 2 * _LANES, hz)
