"""Products without the units that cannot be the largest, against those with all."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tfimpute_tracks.kernels.leading_units import (
    count_units,
    gate_panels,
    leading_logits,
)
from tfimpute_tracks.kernels.products import lane_gates, shared_logits
from tfimpute_tracks.kernels.sparse import SparseRows

_GATES = {
    # Pairs next to each other are alike: one unit leads.
    "alike": lambda rng, shape: np.clip(
        rng.random((1, shape[1])) + 0.02 * rng.normal(size=shape), 0, 1
    ),
    "any": lambda rng, shape: rng.random(shape),
    "equal": lambda rng, shape: np.full(shape, rng.random()),
    "extreme": lambda rng, shape: rng.integers(0, 2, shape),
}


def _case(seed, n_tiles, n_windows, n_filters, n_units, n_pairs, density, gates):
    rng = np.random.default_rng(seed)
    m = rng.random((2 * n_tiles, n_windows * n_filters)).astype(np.float32)
    # Neighboring tiles have most of their features in common; some have none.
    for row in range(2, len(m)):
        same = rng.random(m.shape[1]) < 0.8
        m[row, same] = m[row - 2, same]
    m[rng.random(m.shape) > density] = 0
    m[rng.random(len(m)) < 0.2] = 0
    row, column = np.nonzero(m)
    offsets = np.searchsorted(row, np.arange(len(m) + 1))
    windows = SparseRows(offsets, column.astype(np.int32), m[row, column])
    weights = rng.normal(size=(n_windows, n_units, n_filters)).astype(np.float32)
    bias = (3 * rng.normal(size=n_units)).astype(np.float32)
    if seed % 3 == 0:  # equal units, and zeros of both signs
        weights[:, rng.random(n_units) < 0.6] = 0
        bias = rng.choice(np.array([0.0, -0.0, -1.0], np.float32), n_units)
    gates = _GATES[gates](rng, (n_pairs, n_filters)).astype(np.float32)
    return windows, weights, bias, gates


def _both(windows, weights, bias, gates):
    n_pairs = len(gates)
    leading = leading_logits(windows, weights, bias, gate_panels(gates), n_pairs)
    every = shared_logits(windows, weights, bias, lane_gates(gates), n_pairs)
    return leading, every


def _bits(x):
    return np.ascontiguousarray(x).view(np.uint32)


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    n_tiles=st.integers(0, 5),
    n_windows=st.integers(1, 3),
    n_filters=st.integers(1, 20),
    n_units=st.integers(1, 19),
    n_pairs=st.integers(1, 270),
    density=st.sampled_from([0.0, 0.1, 1.0]),
    gates=st.sampled_from(sorted(_GATES)),
)
def test_bits_are_those_of_all_units(**sizes):
    leading, every = _both(*_case(**sizes))
    assert leading.shape == every.shape
    np.testing.assert_array_equal(_bits(leading), _bits(every))


@pytest.mark.parametrize("scale", [1e-30, 1e-6, 1e6, 1e30])
@pytest.mark.parametrize("gates", ["alike", "extreme"])
def test_bits_are_the_same_at_any_scale(scale, gates):
    windows, weights, bias, gates = _case(1, 5, 2, 20, 8, 70, 0.5, gates)
    # Two units differ by what rounding changes.
    weights[:, 1] = weights[:, 0] * np.float32(1 + 1e-7)
    bias[1] = bias[0]
    leading, every = _both(windows, weights * np.float32(scale), bias, gates)
    np.testing.assert_array_equal(_bits(leading), _bits(every))


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("unit", [0, 3])
def test_a_weight_that_is_not_finite_changes_no_other_tile(value, unit):
    windows, weights, bias, gates = _case(2, 6, 2, 20, 5, 70, 0.1, "alike")
    weights[0, unit, 4] = value
    rows = windows.entry_rows[windows.columns == 4]
    others = np.setdiff1d(np.arange(6), rows // 2)
    assert 0 < others.size < 6
    with np.errstate(invalid="ignore"):
        leading, every = _both(windows, weights, bias, gates)
    np.testing.assert_array_equal(_bits(leading[others]), _bits(every[others]))


def test_a_tile_s_score_does_not_depend_on_others():
    windows, weights, bias, gates = _case(4, 7, 2, 20, 8, 40, 0.2, "alike")
    panels = gate_panels(gates)
    whole = leading_logits(windows, weights, bias, panels, 40)
    for first, last in ((0, 1), (1, 4), (6, 7), (3, 3)):
        some = windows.rows(2 * first, 2 * last)
        part = leading_logits(some, weights, bias, panels, 40)
        np.testing.assert_array_equal(_bits(part), _bits(whole[first:last]))


def _count_by_definition(windows, weights, bias, gates):
    """Units of which some pair of a block may have the largest, in float64.

    With equal gates in a block, bounds are exact.
    """
    m = windows.dense(weights.shape[0] * weights.shape[2]).astype(np.float64)
    m = m.reshape(len(m), weights.shape[0], -1)
    u = np.einsum("rwk,whk->rhk", m, weights.astype(np.float64))
    blocks = np.arange(0, -(-len(gates) // 256) * 256, 64).clip(max=len(gates) - 1)
    z = u @ gates[blocks].T.astype(np.float64) + bias[:, None]  # (rows, H, blocks)
    return (z >= z.max(axis=1, keepdims=True) - 1e-3).sum(axis=1)


@pytest.mark.parametrize("n_pairs", [1, 64, 256, 300])
def test_the_count_is_that_of_units_which_may_lead(n_pairs):
    # One tile is a strip of its own, so its bounds are its differences.
    windows, weights, bias, _ = _case(7, 1, 2, 20, 9, 1, 0.5, "any")
    gates = np.repeat(np.random.default_rng(1).random((1, 20)), n_pairs, axis=0)
    gates = gates.astype(np.float32)
    counts = _count_by_definition(windows, weights, bias, gates)
    assert count_units(windows, weights, bias, gate_panels(gates)) == counts.mean()
    assert counts.mean() < 3


def test_pairs_that_differ_leave_out_fewer_units(rng):
    windows, weights, bias, _ = _case(5, 1, 2, 20, 8, 1, 0.5, "any")
    mean, own = 0.25 + 0.5 * rng.random(20), 0.25 * rng.uniform(-1, 1, (300, 20))
    counts = []
    for spread in (0, 0.5, 1):
        panels = gate_panels((mean + spread * own).astype(np.float32))
        counts.append(count_units(windows, weights, bias, panels))
    assert 1 <= counts[0] < counts[1] < counts[2] <= 8
