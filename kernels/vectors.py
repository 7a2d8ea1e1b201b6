"""LLVM vectors for numba: their type, and the instruction of each function of ``lanes``.

numba calls these functions while it compiles: each returns the types and a function that
generates the instruction. Only ``lanes`` and ``bfloat16`` use them.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic, models, register_model

__all__ = [
    "LANE_BYTES",
    "LanesType",
    "add_lanes",
    "add_saturating_lanes",
    "add_up_lanes",
    "broadcast_lanes",
    "ctz_bits",
    "gt_lanes",
    "high_half_lanes",
    "load_lanes",
    "logarithm_lanes",
    "low_half_lanes",
    "maximum_lanes",
    "multiply_add_lanes",
    "popcount_bits",
    "prefetch_lanes",
    "select_lanes",
    "store_lanes",
]

LANE_BYTES = 64
"""Bytes of a row: a cache line, and the widest vector of current CPUs."""

# Chebyshev approximation of log(1 + t) / t for t from 0 to 1; maximal error 1e-7.
_LOG1P = (
    1.0,
    -0.4999990463256836,
    0.33330005407333374,
    -0.24954558908939362,
    0.19678117334842682,
    -0.15311862528324127,
    0.10614264756441116,
    -0.057064201682806015,
    0.019907161593437195,
    -0.003256378462538123,
)

_ELEMENTS = {
    types.int16: ir.IntType(16),
    types.int32: ir.IntType(32),
    types.float32: ir.FloatType(),
}


class LanesType(types.Type):
    """The type of lanes in numba's compiler.

    Parameters
    ----------
    dtype : numba type
        int16, int32 or float32.
    """

    def __init__(self, dtype: Any) -> None:
        self.dtype = dtype
        self.count = LANE_BYTES * 8 // dtype.bitwidth
        super().__init__(name=f"Lanes({dtype})")


@register_model(LanesType)
class _LanesModel(models.PrimitiveModel):
    def __init__(self, manager: Any, kind: LanesType) -> None:
        vector = ir.VectorType(_ELEMENTS[kind.dtype], kind.count)
        super().__init__(manager, kind, vector)  # type: ignore[no-untyped-call]


def _is_float(signature: Any) -> bool:
    return signature.args[0].dtype is types.float32


def _pointer(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
    kind = signature.args[0]
    array = context.make_array(kind)(context, builder, arguments[0])
    place = builder.gep(array.data, [arguments[1]])
    lanes = ir.VectorType(_ELEMENTS[kind.dtype], LANE_BYTES * 8 // kind.dtype.bitwidth)
    return builder.bitcast(place, lanes.as_pointer())


def _load(typing, array, offset):  # type: ignore[no-untyped-def]
    def generate(context, builder, signature, arguments):  # type: ignore[no-untyped-def]
        place = _pointer(context, builder, signature, arguments)
        return builder.load(place, align=array.dtype.bitwidth // 8)

    return LanesType(array.dtype)(array, types.int64), generate


def _prefetch(typing, array, offset):  # type: ignore[no-untyped-def]
    def generate(context, builder, signature, arguments):  # type: ignore[no-untyped-def]
        place = _pointer(context, builder, signature, arguments)
        byte = builder.bitcast(place, ir.IntType(8).as_pointer())
        number = ir.IntType(32)
        kind = ir.FunctionType(ir.VoidType(), [byte.type, number, number, number])
        insert: Any = cgutils.get_or_insert_function
        function = insert(builder.module, kind, "llvm.prefetch.p0")
        # Read access, second cache level, data.
        builder.call(function, [byte, number(0), number(2), number(1)])
        return context.get_dummy_value()

    return types.void(array, types.int64), generate


def _store(typing, array, offset, lanes):  # type: ignore[no-untyped-def]
    def generate(context, builder, signature, arguments):  # type: ignore[no-untyped-def]
        place = _pointer(context, builder, signature, arguments)
        builder.store(arguments[2], place, align=array.dtype.bitwidth // 8)
        return context.get_dummy_value()

    return types.void(array, types.int64, lanes), generate


def _broadcast(typing, value):  # type: ignore[no-untyped-def]
    kind = LanesType(value)

    def generate(context, builder, signature, arguments):  # type: ignore[no-untyped-def]
        vector = context.get_value_type(kind)
        one = builder.insert_element(
            ir.Constant(vector, ir.Undefined), arguments[0], cgutils.int32_t(0)
        )
        zeros = ir.Constant(ir.VectorType(cgutils.int32_t, kind.count), None)
        return builder.shuffle_vector(one, ir.Constant(vector, ir.Undefined), zeros)

    return kind(value), generate


def _add(typing, a, b):  # type: ignore[no-untyped-def]
    def generate(context, builder, signature, arguments):  # type: ignore[no-untyped-def]
        is_float = _is_float(signature)
        return builder.fadd(*arguments) if is_float else builder.add(*arguments)

    return a(a, b), generate


def _greater(builder: Any, signature: Any, a: Any, b: Any) -> Any:
    if _is_float(signature):
        return builder.fcmp_ordered(">", a, b)
    return builder.icmp_signed(">", a, b)


def _add_saturating(typing, a, b):  # type: ignore[no-untyped-def]
    def generate(context, builder, signature, arguments):  # type: ignore[no-untyped-def]
        if _is_float(signature):
            return builder.fadd(*arguments)
        vector = arguments[0].type
        kind = ir.FunctionType(vector, [vector] * 2)
        name = f"llvm.sadd.sat.v{a.count}i{a.dtype.bitwidth}"
        insert: Any = cgutils.get_or_insert_function
        return builder.call(insert(builder.module, kind, name), arguments)

    return a(a, b), generate


def _maximum(typing, a, b):  # type: ignore[no-untyped-def]
    def generate(context, builder, signature, arguments):  # type: ignore[no-untyped-def]
        return builder.select(_greater(builder, signature, *arguments), *arguments)

    return a(a, b), generate


def _multiply_add(typing, a, b, c):  # type: ignore[no-untyped-def]
    def generate(context, builder, signature, arguments):  # type: ignore[no-untyped-def]
        vector = arguments[0].type
        kind = ir.FunctionType(vector, [vector] * 3)
        name = f"llvm.fmuladd.v{a.count}f32"
        insert: Any = cgutils.get_or_insert_function
        function = insert(builder.module, kind, name)
        return builder.call(function, arguments)

    return a(a, b, c), generate


def _logarithm(typing, a):  # type: ignore[no-untyped-def]
    def generate(context, builder, signature, arguments):  # type: ignore[no-untyped-def]
        reals = arguments[0].type
        whole = ir.VectorType(ir.IntType(32), a.count)

        def real(value: float) -> Any:
            return ir.Constant(reals, [float(np.float32(value))] * a.count)

        def integer(value: int) -> Any:
            return ir.Constant(whole, [value] * a.count)

        # x = 2^e (1 + t): exponent and mantissa bits.
        bits = builder.bitcast(arguments[0], whole)
        exponent = builder.sub(builder.lshr(bits, integer(23)), integer(127))
        ones = builder.or_(builder.and_(bits, integer(0x7FFFFF)), integer(0x3F800000))
        t = builder.fsub(builder.bitcast(ones, reals), real(1.0))
        name = f"llvm.fmuladd.v{a.count}f32"
        insert: Any = cgutils.get_or_insert_function
        fma = insert(builder.module, ir.FunctionType(reals, [reals] * 3), name)
        ratio = real(_LOG1P[-1])
        for coefficient in _LOG1P[-2::-1]:
            ratio = builder.call(fma, [ratio, t, real(coefficient)])
        e = builder.sitofp(exponent, reals)
        part = builder.fmul(e, real(math.log(2)))
        return builder.call(fma, [ratio, t, part])

    return a(a), generate


def _add_up(typing, a):  # type: ignore[no-untyped-def]
    def generate(context, builder, signature, arguments):  # type: ignore[no-untyped-def]
        n = a.count
        whole = ir.VectorType(ir.DoubleType(), n)
        total = builder.fpext(arguments[0], whole)
        while n > 4:  # neighbors, then pairs of neighbors
            evens, odds = (
                ir.Constant(ir.VectorType(ir.IntType(32), n // 2), list(range(i, n, 2)))
                for i in range(2)
            )
            total = builder.fadd(
                builder.shuffle_vector(total, total, evens),
                builder.shuffle_vector(total, total, odds),
            )
            n //= 2
        found = ir.Constant(ir.DoubleType(), 0.0)
        for i in range(n):
            at = ir.Constant(ir.IntType(32), i)
            found = builder.fadd(found, builder.extract_element(total, at))
        return found

    return types.float64(a), generate


def _low_half(typing, a):  # type: ignore[no-untyped-def]
    kind = LanesType(types.float32)

    def generate(context, builder, signature, arguments):  # type: ignore[no-untyped-def]
        shift = ir.Constant(arguments[0].type, [16] * a.count)
        bits = builder.shl(arguments[0], shift)
        return builder.bitcast(bits, context.get_value_type(kind))

    return kind(a), generate


def _high_half(typing, a):  # type: ignore[no-untyped-def]
    kind = LanesType(types.float32)

    def generate(context, builder, signature, arguments):  # type: ignore[no-untyped-def]
        mask = ir.Constant(arguments[0].type, [0xFFFF0000] * a.count)
        bits = builder.and_(arguments[0], mask)
        return builder.bitcast(bits, context.get_value_type(kind))

    return kind(a), generate


def _gt(typing, a, b):  # type: ignore[no-untyped-def]
    def generate(context, builder, signature, arguments):  # type: ignore[no-untyped-def]
        above = _greater(builder, signature, *arguments)
        bits = builder.bitcast(above, ir.IntType(a.count))
        return builder.zext(bits, ir.IntType(64))

    return types.int64(a, b), generate


def _select(typing, a, b, x, y):  # type: ignore[no-untyped-def]
    def generate(context, builder, signature, arguments):  # type: ignore[no-untyped-def]
        above = _greater(builder, signature, *arguments[:2])
        return builder.select(above, *arguments[2:])

    return x(a, b, x, y), generate


def _ctz(typing, bits):  # type: ignore[no-untyped-def]
    def generate(context, builder, signature, arguments):  # type: ignore[no-untyped-def]
        return builder.cttz(arguments[0], cgutils.true_bit)

    return types.int64(types.int64), generate


def _popcount(typing, bits):  # type: ignore[no-untyped-def]
    def generate(context, builder, signature, arguments):  # type: ignore[no-untyped-def]
        return builder.ctpop(arguments[0])

    return types.int64(types.int64), generate


# numba has no type annotations for intrinsics.
load_lanes: Any = intrinsic(_load)
store_lanes: Any = intrinsic(_store)
prefetch_lanes: Any = intrinsic(_prefetch)
broadcast_lanes: Any = intrinsic(_broadcast)
add_lanes: Any = intrinsic(_add)
add_saturating_lanes: Any = intrinsic(_add_saturating)
maximum_lanes: Any = intrinsic(_maximum)
multiply_add_lanes: Any = intrinsic(_multiply_add)
logarithm_lanes: Any = intrinsic(_logarithm)
add_up_lanes: Any = intrinsic(_add_up)
low_half_lanes: Any = intrinsic(_low_half)
high_half_lanes: Any = intrinsic(_high_half)
gt_lanes: Any = intrinsic(_gt)
select_lanes: Any = intrinsic(_select)
ctz_bits: Any = intrinsic(_ctz)
popcount_bits: Any = intrinsic(_popcount)
