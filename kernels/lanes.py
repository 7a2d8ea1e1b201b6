"""Lanes: 64 bytes of numbers that a kernel handles as one value.

Written as loops over short rows, the look-up kernels run at a third of the machine's
speed: numba indexes and counts references where a load would do, and adds int16 as
int64. Here a row is one vector of LLVM's: a load, an add and a maximum are an
instruction each where the machine has AVX-512, two with AVX2, four with NEON.

Inside a kernel the functions compile to those instructions; outside, and without the
JIT, they are the plain numpy that stands in their bodies, which says what they do.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic, models, overload, register_model
from numpy.typing import NDArray

__all__ = [
    "LANE_BYTES",
    "add",
    "aligned_empty",
    "count_set",
    "first_set",
    "lane_count",
    "lanes_above",
    "load",
    "maximum",
    "multiply_add",
    "pick_above",
    "splat",
    "store",
]

LANE_BYTES = 64
"""Bytes of a row: a cache line, and the widest vector of today's CPUs."""

Lanes = Any  # an array outside a kernel, a vector inside


def aligned_empty(shape: tuple[int, ...], dtype: Any) -> NDArray[Any]:
    """Allocate an array whose first row begins on a cache line.

    A row that straddles two lines costs two reads: half the speed of a scan.

    Parameters
    ----------
    shape : tuple of int
    dtype : numpy dtype

    Returns
    -------
    array of `dtype`, shape `shape`, contiguous
        Not initialised.
    """
    size = int(np.prod(shape)) * np.dtype(dtype).itemsize
    raw = np.empty(size + LANE_BYTES, dtype=np.uint8)
    skip = -raw.ctypes.data % LANE_BYTES
    return raw[skip : skip + size].view(dtype).reshape(shape)


def lane_count(array: NDArray[Any]) -> int:
    """Give how many items of an array make lanes; a constant to the compiler.

    Parameters
    ----------
    array : float32, int32 or int16 array

    Returns
    -------
    int
    """
    return LANE_BYTES // int(array.itemsize)


def load(array: NDArray[Any], offset: int) -> Lanes:
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


def splat(value: Any) -> Lanes:
    """Put a number into every lane.

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


def maximum(a: Lanes, b: Lanes) -> Lanes:
    """Take the larger number of each lane.

    Parameters
    ----------
    a, b : lanes of one dtype, without NaN

    Returns
    -------
    lanes of that dtype
    """
    return np.maximum(a, b)


def multiply_add(a: Lanes, b: Lanes, c: Lanes) -> Lanes:
    """Give a * b + c lane by lane, in one rounding where the machine can.

    Parameters
    ----------
    a, b, c : lanes of float32

    Returns
    -------
    lanes of float32
    """
    return a * b + c


def lanes_above(a: Lanes, b: Lanes) -> int:
    """Tell in which lanes a number is larger than the other.

    Parameters
    ----------
    a, b : lanes of one dtype

    Returns
    -------
    int
        Bit i is set where a > b in lane i.
    """
    return sum(1 << i for i, above in enumerate(a > b) if above)


def pick_above(a: Lanes, b: Lanes, x: Lanes, y: Lanes) -> Lanes:
    """Take x where a > b, else y, lane by lane.

    Parameters
    ----------
    a, b : lanes of one dtype
    x, y : lanes of one dtype of the same size

    Returns
    -------
    lanes of the dtype of `x`
    """
    return np.where(a > b, x, y)


def first_set(bits: int) -> int:
    """Give the place of the lowest bit that is set.

    Parameters
    ----------
    bits : int
        Not zero.

    Returns
    -------
    int
    """
    return (bits & -bits).bit_length() - 1


def count_set(bits: int) -> int:
    """Count the bits that are set.

    Parameters
    ----------
    bits : int

    Returns
    -------
    int
    """
    return bits.bit_count()


# What follows tells numba how to compile the functions above.

_ELEMENTS = {
    types.int16: ir.IntType(16),
    types.int32: ir.IntType(32),
    types.float32: ir.FloatType(),
}


class _LanesType(types.Type):  # type: ignore[misc]
    def __init__(self, dtype: Any) -> None:
        self.dtype = dtype
        self.count = LANE_BYTES * 8 // dtype.bitwidth
        super().__init__(name=f"Lanes({dtype})")


@register_model(_LanesType)
class _LanesModel(models.PrimitiveModel):  # type: ignore[misc]
    def __init__(self, manager: Any, kind: _LanesType) -> None:
        vector = ir.VectorType(_ELEMENTS[kind.dtype], kind.count)
        super().__init__(manager, kind, vector)


def _is_float(signature: Any) -> bool:
    return signature.args[0].dtype is types.float32


def _pointer(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
    kind = signature.args[0]
    array = context.make_array(kind)(context, builder, arguments[0])
    place = builder.gep(array.data, [arguments[1]])
    lanes = ir.VectorType(_ELEMENTS[kind.dtype], LANE_BYTES * 8 // kind.dtype.bitwidth)
    return builder.bitcast(place, lanes.as_pointer())


@intrinsic  # type: ignore[misc]
def _load(typing, array, offset):  # type: ignore[no-untyped-def]
    def generate(context, builder, signature, arguments):  # type: ignore[no-untyped-def]
        place = _pointer(context, builder, signature, arguments)
        return builder.load(place, align=array.dtype.bitwidth // 8)

    return _LanesType(array.dtype)(array, types.int64), generate


@intrinsic  # type: ignore[misc]
def _store(typing, array, offset, lanes):  # type: ignore[no-untyped-def]
    def generate(context, builder, signature, arguments):  # type: ignore[no-untyped-def]
        place = _pointer(context, builder, signature, arguments)
        builder.store(arguments[2], place, align=array.dtype.bitwidth // 8)
        return context.get_dummy_value()

    return types.void(array, types.int64, lanes), generate


@intrinsic  # type: ignore[misc]
def _splat(typing, value):  # type: ignore[no-untyped-def]
    kind = _LanesType(value)

    def generate(context, builder, signature, arguments):  # type: ignore[no-untyped-def]
        vector = context.get_value_type(kind)
        one = builder.insert_element(
            ir.Constant(vector, ir.Undefined), arguments[0], cgutils.int32_t(0)
        )
        zeros = ir.Constant(ir.VectorType(cgutils.int32_t, kind.count), None)
        return builder.shuffle_vector(one, ir.Constant(vector, ir.Undefined), zeros)

    return kind(value), generate


@intrinsic  # type: ignore[misc]
def _add(typing, a, b):  # type: ignore[no-untyped-def]
    def generate(context, builder, signature, arguments):  # type: ignore[no-untyped-def]
        is_float = _is_float(signature)
        return builder.fadd(*arguments) if is_float else builder.add(*arguments)

    return a(a, b), generate


def _greater(builder: Any, signature: Any, a: Any, b: Any) -> Any:
    if _is_float(signature):
        return builder.fcmp_ordered(">", a, b)
    return builder.icmp_signed(">", a, b)


@intrinsic  # type: ignore[misc]
def _maximum(typing, a, b):  # type: ignore[no-untyped-def]
    def generate(context, builder, signature, arguments):  # type: ignore[no-untyped-def]
        return builder.select(_greater(builder, signature, *arguments), *arguments)

    return a(a, b), generate


@intrinsic  # type: ignore[misc]
def _multiply_add(typing, a, b, c):  # type: ignore[no-untyped-def]
    def generate(context, builder, signature, arguments):  # type: ignore[no-untyped-def]
        vector = arguments[0].type
        kind = ir.FunctionType(vector, [vector] * 3)
        name = f"llvm.fmuladd.v{a.count}f32"
        function = cgutils.get_or_insert_function(builder.module, kind, name)
        return builder.call(function, arguments)

    return a(a, b, c), generate


@intrinsic  # type: ignore[misc]
def _lanes_above(typing, a, b):  # type: ignore[no-untyped-def]
    def generate(context, builder, signature, arguments):  # type: ignore[no-untyped-def]
        above = _greater(builder, signature, *arguments)
        bits = builder.bitcast(above, ir.IntType(a.count))
        return builder.zext(bits, ir.IntType(64))

    return types.int64(a, b), generate


@intrinsic  # type: ignore[misc]
def _pick_above(typing, a, b, x, y):  # type: ignore[no-untyped-def]
    def generate(context, builder, signature, arguments):  # type: ignore[no-untyped-def]
        above = _greater(builder, signature, *arguments[:2])
        return builder.select(above, *arguments[2:])

    return x(a, b, x, y), generate


@intrinsic  # type: ignore[misc]
def _first_set(typing, bits):  # type: ignore[no-untyped-def]
    def generate(context, builder, signature, arguments):  # type: ignore[no-untyped-def]
        return builder.cttz(arguments[0], cgutils.true_bit)

    return types.int64(types.int64), generate


@intrinsic  # type: ignore[misc]
def _count_set(typing, bits):  # type: ignore[no-untyped-def]
    def generate(context, builder, signature, arguments):  # type: ignore[no-untyped-def]
        return builder.ctpop(arguments[0])

    return types.int64(types.int64), generate


_INLINE = {"jit_options": {"forceinline": True}}


@overload(lane_count, **_INLINE)
def _compile_lane_count(array):  # type: ignore[no-untyped-def]
    count = LANE_BYTES * 8 // array.dtype.bitwidth
    return lambda array: count


@overload(load, **_INLINE)
def _compile_load(array, offset):  # type: ignore[no-untyped-def]
    return lambda array, offset: _load(array, offset)


@overload(store, **_INLINE)
def _compile_store(array, offset, lanes):  # type: ignore[no-untyped-def]
    return lambda array, offset, lanes: _store(array, offset, lanes)


@overload(splat, **_INLINE)
def _compile_splat(value):  # type: ignore[no-untyped-def]
    return lambda value: _splat(value)


@overload(add, **_INLINE)
def _compile_add(a, b):  # type: ignore[no-untyped-def]
    return lambda a, b: _add(a, b)


@overload(maximum, **_INLINE)
def _compile_maximum(a, b):  # type: ignore[no-untyped-def]
    return lambda a, b: _maximum(a, b)


@overload(multiply_add, **_INLINE)
def _compile_multiply_add(a, b, c):  # type: ignore[no-untyped-def]
    return lambda a, b, c: _multiply_add(a, b, c)


@overload(lanes_above, **_INLINE)
def _compile_lanes_above(a, b):  # type: ignore[no-untyped-def]
    return lambda a, b: _lanes_above(a, b)


@overload(pick_above, **_INLINE)
def _compile_pick_above(a, b, x, y):  # type: ignore[no-untyped-def]
    return lambda a, b, x, y: _pick_above(a, b, x, y)


@overload(first_set, **_INLINE)
def _compile_first_set(bits):  # type: ignore[no-untyped-def]
    return lambda bits: _first_set(bits)


@overload(count_set, **_INLINE)
def _compile_count_set(bits):  # type: ignore[no-untyped-def]
    return lambda bits: _count_set(bits)
