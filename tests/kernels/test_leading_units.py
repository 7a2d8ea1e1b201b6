"""Products without the units that cannot be the largest, against those with all."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tfimpute_tracks.kernels import leading_units
from tfimpute_tracks.kernels.leading_units import gate_panels, leading_logits
from tfimpute_tracks.kernels.products import lane_gates, mix_units, shared_logits
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


@pytest.mark.parametrize("scale", [1e-42, 1e-38, 1e-6, 1e6, 1e36])
@pytest.mark.parametrize("gates", ["alike", "extreme"])
def test_bits_are_the_same_at_any_scale(scale, gates):
    windows, weights, bias, gates = _case(1, 5, 2, 20, 8, 70, 0.5, gates)
    # Two units differ by what rounding changes.
    weights[:, 1] = weights[:, 0] * np.float32(1 + 1e-7)
    bias[1] = bias[0]
    scale = np.float32(scale)
    leading, every = _both(windows, weights * scale, bias * scale, gates)
    np.testing.assert_array_equal(_bits(leading), _bits(every))


def test_units_that_differ_by_less_than_rounding_are_both_summed(rng):
    n_different = 0
    for seed in range(20):
        windows, weights, bias, gates = _case(seed, 3, 1, 60, 2, 16, 1.0, "equal")
        change = 1e-7 * rng.normal(size=weights[:, 0].shape)
        weights[:, 1] = weights[:, 0] + change.astype(np.float32)
        bias[:] = bias[0]
        leading, every = _both(windows, weights, bias, gates)
        np.testing.assert_array_equal(_bits(leading), _bits(every))
        # The unit that is larger by definition is not always the one that is summed to
        # the larger number.
        z = _units(windows, weights, bias, gates)
        first, second = (
            shared_logits(windows, weights[:, [u]], bias[[u]], lane_gates(gates), 16)
            for u in (0, 1)
        )
        by_definition = z.reshape(3, 2, 2, 16).max(axis=1)
        n_different += (
            ((first > second) & (by_definition[:, 0] < by_definition[:, 1]))
            | ((first < second) & (by_definition[:, 0] > by_definition[:, 1]))
        ).sum()
    assert n_different > 0


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


def _below(windows, weights, bias, gates):
    """Groups of 16 pairs for which a unit is left out, (n_strips, H, n_groups)."""
    panels, n_units = gate_panels(gates), len(bias)
    rows = mix_units(windows, weights, bias)
    strips = leading_units._cut_strips(rows, n_units, panels)
    masks = []
    for ranges in panels.ranges:
        below = np.zeros(strips.limits.shape, dtype=np.uint16)
        leading_units._find_below(*strips, ranges.reshape(-1), below)
        masks.append(below[:, :n_units, None] >> np.arange(16) & 1 == 1)
    return np.concatenate(masks, axis=2)[:, :, : -(-len(gates) // 16)]


def _units(windows, weights, bias, gates):
    """Every unit by definition, in float64, (n_rows, H, n_pairs)."""
    m = windows.dense(weights.shape[0] * weights.shape[2]).astype(np.float64)
    m = m.reshape(len(m), weights.shape[0], -1)
    return np.einsum("rwk,whk,pk->rhp", m, weights, gates) + bias[:, None]


@pytest.mark.parametrize("gates", sorted(_GATES))
def test_units_that_are_left_out_are_below_another(gates):
    case = _case(5, 6, 2, 20, 9, 304, 0.5, gates)
    below, z = _below(*case), _units(*case)
    for strip, of_strip in enumerate(below):
        first = strip // 2 * 4 + strip % 2
        for row in (first, first + 2):
            is_below = (z[row] < z[row].max(axis=0)).reshape(9, -1, 16).all(axis=2)
            assert not (of_strip & ~is_below).any()


def test_equal_pairs_need_one_unit():
    # One tile is a strip of its own, so its bounds are its differences.
    case = _case(7, 1, 2, 20, 9, 300, 0.5, "equal")
    z = _units(*case)[:, :, ::16]
    assert (np.sort(z, axis=1)[:, -1] - np.sort(z, axis=1)[:, -2] > 1e-3).all()
    np.testing.assert_array_equal(_below(*case), z < z.max(axis=1, keepdims=True))


def test_pairs_that_differ_leave_out_fewer_units(rng):
    windows, weights, bias, _ = _case(5, 1, 2, 20, 8, 1, 0.5, "any")
    mean, own = 0.25 + 0.5 * rng.random(20), 0.25 * rng.uniform(-1, 1, (300, 20))
    fractions = []
    for spread in (0, 0.5, 1):
        gates = (mean + spread * own).astype(np.float32)
        fractions.append(_below(windows, weights, bias, gates).mean())
    assert 7 / 8 >= fractions[0] > fractions[1] > fractions[2] > 0
