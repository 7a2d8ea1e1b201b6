"""Lanes: SIMD vectors of 64 bytes for numba kernels.

With loops over short rows, the look-up kernels reach a third of the CPU's speed: numba
adds index checks and reference counting to each load, and adds int16 as int64. Here a
row is one LLVM vector: a load, an addition and a maximum are one instruction each with
AVX-512, two with AVX2, four with NEON.

Inside a kernel the functions compile to these instructions. Outside, and without the
JIT, they are plain numpy, which also defines what they compute.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
from numba.extending import overload
from numpy.typing import NDArray

from tfimpute_tracks.kernels.vectors import (
    LANE_BYTES,
    add_lanes,
    add_saturating_lanes,
    add_up_lanes,
    broadcast_lanes,
    ctz_bits,
    gt_lanes,
    load_lanes,
    logarithm_lanes,
    maximum_lanes,
    multiply_add_lanes,
    popcount_bits,
    prefetch_lanes,
    select_lanes,
    store_lanes,
)

__all__ = [
    "LANE_BYTES",
    "Lanes",
    "add",
    "add_saturating",
    "add_up",
    "aligned_empty",
    "broadcast",
    "ctz",
    "gt_mask",
    "inlined",
    "lane_count",
    "load",
    "logarithm",
    "maximum",
    "multiply_add",
    "popcount",
    "prefetch",
    "select_gt",
    "store",
]

Lanes = Any  # an array outside a kernel, a vector inside


def aligned_empty(shape: tuple[int, ...], dtype: Any) -> NDArray[Any]:
    """Allocate an array that is aligned to cache lines.

    A row across two cache lines takes two reads, which halves the speed of a scan.

    Parameters
    ----------
    shape : tuple of int
    dtype : numpy dtype

    Returns
    -------
    array of `dtype`, shape `shape`, contiguous
        Not initialized.
    """
    size = int(np.prod(shape)) * np.dtype(dtype).itemsize
    raw = np.empty(size + LANE_BYTES, dtype=np.uint8)
    skip = -raw.ctypes.data % LANE_BYTES
    array: NDArray[Any] = raw[skip : skip + size].view(dtype).reshape(shape)
    return array


def lane_count(array: NDArray[Any]) -> int:
    """Count the items of an array per lanes; a constant for the compiler.

    Parameters
    ----------
    array : float32, int32 or int16 array

    Returns
    -------
    int
    """
    return LANE_BYTES // int(array.itemsize)


def load(array: NDArray[Any], offset: Any) -> Lanes:
    """Read the 64 bytes that begin at an item of a flat array.

    Parameters
    ----------
    array : float32, int32 or int16 array, shape (n,), contiguous
    offset : int
        Not checked against n.

    Returns
    -------
    lanes of the array's dtype
    """
    return array[offset : offset + LANE_BYTES // array.itemsize].copy()


def prefetch(array: NDArray[Any], offset: int) -> None:
    """Start to fetch lanes into the second-level cache.

    Parameters
    ----------
    array : float32, int32 or int16 array, shape (n,), contiguous
    offset : int
        May be outside of the array.
    """


def store(array: NDArray[Any], offset: int, lanes: Lanes) -> None:
    """Write lanes to a flat array.

    Parameters
    ----------
    array : float32, int32 or int16 array, shape (n,), contiguous
    offset : int
        Not checked against n.
    lanes : lanes of the same dtype
    """
    array[offset : offset + lanes.size] = lanes


def broadcast(value: Any) -> Lanes:
    """Copy a value to every lane.

    Parameters
    ----------
    value : float32, int32 or int16

    Returns
    -------
    lanes of that dtype
    """
    return np.full(LANE_BYTES // value.itemsize, value)


def add(a: Lanes, b: Lanes) -> Lanes:
    """Add lane by lane.

    Parameters
    ----------
    a, b : lanes of one dtype

    Returns
    -------
    lanes of that dtype
    """
    return a + b


def add_saturating(a: Lanes, b: Lanes) -> Lanes:
    """Add lane by lane; integers are clipped to the limits of their type.

    Parameters
    ----------
    a, b : lanes of one dtype

    Returns
    -------
    lanes of that dtype
    """
    if a.dtype.kind == "f":
        return a + b
    limits = np.iinfo(a.dtype)
    return np.clip(a.astype(np.int64) + b, limits.min, limits.max).astype(a.dtype)


def maximum(a: Lanes, b: Lanes) -> Lanes:
    """Compute the maximum of each lane.

    Parameters
    ----------
    a, b : lanes of one dtype, without NaN

    Returns
    -------
    lanes of that dtype
    """
    return np.maximum(a, b)


def multiply_add(a: Lanes, b: Lanes, c: Lanes) -> Lanes:
    """Compute a * b + c lane by lane, with one rounding if the CPU supports it.

    Parameters
    ----------
    a, b, c : lanes of float32

    Returns
    -------
    lanes of float32
    """
    return a * b + c


def logarithm(a: Lanes) -> Lanes:
    """Compute the natural logarithm of each lane.

    Parameters
    ----------
    a : lanes of float32, at least 1, finite

    Returns
    -------
    lanes of float32
        With an error of at most 2e-7 or one unit in the last place.
    """
    return np.log(a)


def add_up(a: Lanes) -> float:
    """Sum 16 lanes, in pairs.

    Parameters
    ----------
    a : lanes of float32

    Returns
    -------
    float64
    """
    fours = a.astype(np.float64).reshape(4, 2, 2).sum(axis=2).sum(axis=1)
    return float(((fours[0] + fours[1]) + fours[2]) + fours[3])


def gt_mask(a: Lanes, b: Lanes) -> int:
    """Compare lanes: a bit mask of a > b.

    Parameters
    ----------
    a, b : lanes of one dtype

    Returns
    -------
    int
        Bit i is set where a > b in lane i.
    """
    return sum(1 << i for i, above in enumerate(a > b) if above)


def select_gt(a: Lanes, b: Lanes, x: Lanes, y: Lanes) -> Lanes:
    """Select x where a > b, else y, lane by lane.

    Parameters
    ----------
    a, b : lanes of one dtype
    x, y : lanes of one dtype of the same size

    Returns
    -------
    lanes of the dtype of `x`
    """
    return np.where(a > b, x, y)


def ctz(bits: int) -> int:
    """Count trailing zeros: the index of the lowest set bit.

    Parameters
    ----------
    bits : int
        Not zero.

    Returns
    -------
    int
    """
    return (bits & -bits).bit_length() - 1


def popcount(bits: int) -> int:
    """Count the set bits.

    Parameters
    ----------
    bits : int

    Returns
    -------
    int
    """
    return bits.bit_count()


# How numba compiles the functions above: each call is inlined as an instruction.
inlined: Any = partial(overload, jit_options={"forceinline": True})


@inlined(lane_count)
def _compile_lane_count(array):  # type: ignore[no-untyped-def]
    count = LANE_BYTES * 8 // array.dtype.bitwidth
    return lambda array: count


@inlined(load)
def _compile_load(array, offset):  # type: ignore[no-untyped-def]
    return lambda array, offset: load_lanes(array, offset)


@inlined(prefetch)
def _compile_prefetch(array, offset):  # type: ignore[no-untyped-def]
    return lambda array, offset: prefetch_lanes(array, offset)


@inlined(store)
def _compile_store(array, offset, lanes):  # type: ignore[no-untyped-def]
    return lambda array, offset, lanes: store_lanes(array, offset, lanes)


@inlined(broadcast)
def _compile_broadcast(value):  # type: ignore[no-untyped-def]
    return lambda value: broadcast_lanes(value)


@inlined(add)
def _compile_add(a, b):  # type: ignore[no-untyped-def]
    return lambda a, b: add_lanes(a, b)


@inlined(add_saturating)
def _compile_add_saturating(a, b):  # type: ignore[no-untyped-def]
    return lambda a, b: add_saturating_lanes(a, b)


@inlined(maximum)
def _compile_maximum(a, b):  # type: ignore[no-untyped-def]
    return lambda a, b: maximum_lanes(a, b)


@inlined(multiply_add)
def _compile_multiply_add(a, b, c):  # type: ignore[no-untyped-def]
    return lambda a, b, c: multiply_add_lanes(a, b, c)


@inlined(logarithm)
def _compile_logarithm(a):  # type: ignore[no-untyped-def]
    return lambda a: logarithm_lanes(a)


@inlined(add_up)
def _compile_add_up(a):  # type: ignore[no-untyped-def]
    return lambda a: add_up_lanes(a)


@inlined(gt_mask)
def _compile_gt_mask(a, b):  # type: ignore[no-untyped-def]
    return lambda a, b: gt_lanes(a, b)


@inlined(select_gt)
def _compile_select_gt(a, b, x, y):  # type: ignore[no-untyped-def]
    return lambda a, b, x, y: select_lanes(a, b, x, y)


@inlined(ctz)
def _compile_ctz(bits):  # type: ignore[no-untyped-def]
    return lambda bits: ctz_bits(bits)


@inlined(popcount)
def _compile_popcount(bits):  # type: ignore[no-untyped-def]
    return lambda bits: popcount_bits(bits)
