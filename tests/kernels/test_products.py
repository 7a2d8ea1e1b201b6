"""The head's two products against the definition, written out."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tfimpute_tracks.kernels.products import (
    lane_gates,
    per_pair_layers,
    per_pair_logits,
    shared_logits,
    sigmoid,
)
from tfimpute_tracks.kernels.sparse import SparseRows


def _sparse(dense):
    counts = np.count_nonzero(dense, axis=1)
    columns = [np.flatnonzero(row).astype(np.int32) for row in dense]
    return SparseRows(
        np.concatenate([[0], np.cumsum(counts)]),
        np.concatenate([np.empty(0, np.int32), *columns]),
        np.concatenate(
            [
                np.empty(0, np.float32),
                *(r[c] for r, c in zip(dense, columns, strict=True)),
            ]
        ),
    )


def _case(seed, n_tiles, n_windows, n_filters, n_units, n_pairs, density):
    rng = np.random.default_rng(seed)
    m = rng.random((2 * n_tiles, n_windows, n_filters)).astype(np.float32)
    m[rng.random(m.shape) > density] = 0
    weights = rng.normal(size=(n_windows, n_units, n_filters)).astype(np.float32)
    bias = rng.normal(size=n_units).astype(np.float32)
    gates = rng.random((n_pairs, n_filters)).astype(np.float32)
    z = np.einsum("rwk,whk,pk->rph", m, weights, gates) + bias
    expected = z.max(axis=2).reshape(n_tiles, 2, n_pairs).max(axis=1)
    return (
        _sparse(m.reshape(2 * n_tiles, n_windows * n_filters)),
        weights,
        bias,
        gates,
        expected,
    )


@settings(max_examples=25)
@given(
    st.integers(0, 10**6),
    st.integers(0, 5),
    st.integers(1, 3),
    st.integers(1, 40),
    st.integers(1, 19),
    st.integers(1, 35),
    st.sampled_from([0.0, 0.1, 1.0]),
)
def test_both_ways_give_the_definition_s_logits(
    seed, n_tiles, n_windows, n_filters, n_units, n_pairs, density
):
    windows, weights, bias, gates, expected = _case(
        seed, n_tiles, n_windows, n_filters, n_units, n_pairs, density
    )
    folded = per_pair_logits(
        windows, per_pair_layers(gates, weights), np.tile(bias, (n_pairs, 1))
    )
    shared = shared_logits(windows, weights, bias, lane_gates(gates), n_pairs)
    np.testing.assert_allclose(folded, expected, atol=1e-4)
    np.testing.assert_allclose(shared, expected, atol=1e-4)


@pytest.mark.parametrize("first", [0, 1, 300, 699])
def test_a_tile_s_score_does_not_know_its_neighbors(first):
    windows, weights, bias, gates, _ = _case(3, 700, 2, 30, 8, 20, 0.2)
    layers, biases = per_pair_layers(gates, weights), np.tile(bias, (20, 1))
    begin, end = windows.offsets[2 * first], windows.offsets[2 * first + 2]
    alone = SparseRows(
        windows.offsets[2 * first : 2 * first + 3] - begin,
        windows.columns[begin:end],
        windows.values[begin:end],
    )
    np.testing.assert_array_equal(
        per_pair_logits(alone, layers, biases)[0],
        per_pair_logits(windows, layers, biases)[first],
    )
    lanes = lane_gates(gates)
    np.testing.assert_array_equal(
        shared_logits(alone, weights, bias, lanes, 20)[0],
        shared_logits(windows, weights, bias, lanes, 20)[first],
    )


@pytest.mark.parametrize("shape", [(), (3,), (40, 7)])
def test_the_sigmoid_is_that_of_the_definition_bit_for_bit(rng, shape):
    x = np.asarray(100 * rng.normal(size=shape), np.float32)
    given_x = x.copy()
    with np.errstate(over="ignore"):
        expected = np.float32(1) / (np.float32(1) + np.exp(-x))
    found = sigmoid(x)
    assert found.dtype == np.float32
    np.testing.assert_array_equal(found, expected)
    np.testing.assert_array_equal(x, given_x)
