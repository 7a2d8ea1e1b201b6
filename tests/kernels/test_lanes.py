"""Lanes inside a kernel against the numpy in their bodies, which runs outside."""

import numpy as np
import pytest
import torch
from numba import njit

from tfimpute_tracks.kernels import lanes
from tfimpute_tracks.kernels.bfloat16 import high_half, low_half
from tfimpute_tracks.kernels.lanes import (
    LANE_BYTES,
    aligned_empty,
    broadcast,
    ctz,
    gt_mask,
    lane_count,
    load,
    maximum,
    multiply_add,
    popcount,
    select_gt,
    store,
)

DTYPES = [np.float32, np.int32, np.int16]


@njit
def _arithmetic(a, b, out):
    n = lane_count(a)
    for offset in range(0, a.size, n):
        x, y = load(a, offset), load(b, offset)
        store(out, offset, maximum(lanes.add(x, y), broadcast(a[0])))


@njit
def _above(a, b, x, y, out):
    bits = gt_mask(load(a, 0), load(b, 0))
    store(out, 0, select_gt(load(a, 0), load(b, 0), load(x, 0), load(y, 0)))
    places = 0
    left = bits
    while left:
        places = places * 100 + ctz(left)
        left &= left - 1
    return bits, popcount(bits), places


@njit
def _fma(a, b, c, out):
    store(out, 0, multiply_add(load(a, 0), load(b, 0), load(c, 0)))


def _numbers(rng, dtype, n):
    return rng.integers(-100, 100, n).astype(dtype)


@pytest.mark.parametrize("dtype", DTYPES)
def test_sums_and_maxima_are_those_of_numpy(rng, dtype):
    n = 5 * LANE_BYTES // np.dtype(dtype).itemsize
    a, b = _numbers(rng, dtype, n), _numbers(rng, dtype, n)
    out = np.empty_like(a)
    _arithmetic(a, b, out)
    np.testing.assert_array_equal(out, np.maximum(a + b, a[0]))


def test_int16_wraps_as_int16_and_not_as_something_wider():
    a = np.full(32, 30_000, np.int16)
    out = np.empty_like(a)
    _arithmetic(a, a, out)
    np.testing.assert_array_equal(out, 30_000)  # 60,000 is negative, so a[0] is larger


@pytest.mark.parametrize("dtype", DTYPES)
def test_comparisons_give_bits_and_choices(rng, dtype):
    n = LANE_BYTES // np.dtype(dtype).itemsize
    for _ in range(20):
        a, b, x, y = (_numbers(rng, dtype, n) for _ in range(4))
        a[rng.random(n) < 0.8] = -100  # few bits, so that their places fit an integer
        out = np.empty_like(x)
        bits, count, places = _above(a, b, x, y, out)
        above = np.flatnonzero(a > b)
        assert bits == sum(1 << int(i) for i in above)
        assert count == above.size
        expected = 0
        for i in above:
            expected = expected * 100 + int(i)
        assert above.size > 9 or places == expected
        np.testing.assert_array_equal(out, np.where(a > b, x, y))


def test_multiply_add_is_as_exact_as_float32(rng):
    a, b, c = rng.normal(size=(3, 16)).astype(np.float32)
    out = np.empty_like(a)
    _fma(a, b, c, out)
    np.testing.assert_allclose(out, a * b + c, rtol=1e-6)


@pytest.mark.parametrize("shape", [(3, 16), (1, 1), (1, 7, 32)])
def test_arrays_begin_on_a_cache_line(shape):
    for _ in range(5):
        array = aligned_empty(shape, np.int16)
        assert array.shape == shape
        assert array.ctypes.data % LANE_BYTES == 0
        assert array.flags.c_contiguous


@njit
def _logarithm(a, out):
    n = lane_count(a)
    for offset in range(0, a.size, n):
        store(out, offset, lanes.logarithm(load(a, offset)))


def test_logarithms_are_those_of_numpy(rng):
    edges = np.array([1, np.nextafter(np.float32(2), np.float32(1)), 2, 1e30])
    drawn = np.exp(rng.uniform(0, 40, 16 * 64 - len(edges)))
    a = np.concatenate([edges, drawn]).astype(np.float32)
    out = np.empty_like(a)
    _logarithm(a, out)
    np.testing.assert_allclose(out, np.log(a.astype(float)), rtol=3e-7, atol=2e-7)
    assert out[0] == 0


@njit
def _halves(words, out):
    n = lane_count(words)
    for offset in range(0, words.size, n):
        store(out, 2 * offset, low_half(load(words, offset)))
        store(out, 2 * offset + n, high_half(load(words, offset)))


def test_halves_of_words_are_bfloat16(rng):
    words = rng.integers(-(2**31), 2**31, 16 * 8).astype(np.int32)
    out = np.empty(2 * words.size, dtype=np.float32)
    _halves(words, out)
    halves = words.reshape(-1, 1, 16).view(np.uint32) >> np.uint32([[0], [16]])
    bits = (halves & 0xFFFF).astype(np.uint16).reshape(-1).view(np.int16)
    expected = torch.from_numpy(bits).view(torch.bfloat16).float().numpy()
    np.testing.assert_array_equal(out.view(np.int32), expected.view(np.int32))
    np.testing.assert_array_equal(low_half(words[:16]), out[:16])
    np.testing.assert_array_equal(high_half(words[:16]), out[16:32])


@njit
def _total(a):
    return lanes.add_up(load(a, 0))


def test_a_sum_of_lanes_is_that_of_numpy_bit_for_bit(rng):
    for _ in range(20):
        a = (rng.normal(size=16) * 10.0 ** rng.integers(-9, 9, 16)).astype(np.float32)
        assert _total(a) == lanes.add_up(a)
        scale = np.abs(a).max() * 1e-12
        np.testing.assert_allclose(_total(a), a.astype(float).sum(), rtol=0, atol=scale)
