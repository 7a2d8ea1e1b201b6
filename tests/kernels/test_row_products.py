"""Products of rows with vectors of columns against NumPy."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from tfimpute_tracks.kernels.row_products import arrange_columns, multiply, pack_rows


def _draw(rng, n_rows, n_columns, size):
    rows = rng.normal(size=(n_rows, size)).astype(np.float32)
    rows[rng.random(rows.shape) < 0.5] = 0
    rows[:, rng.random(size) < 0.3] = 0
    return rows, rng.normal(size=(n_columns, size)).astype(np.float32)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 20), st.integers(1, 70), st.integers(1, 40), st.integers(0, 999))
def test_products_agree_with_numpy(n_rows, n_columns, size, seed):
    rng = np.random.default_rng(seed)
    rows, columns = _draw(rng, n_rows, n_columns, size)
    vectors = arrange_columns(columns)
    offsets = rng.normal(size=(len(vectors), 16)).astype(np.float32)
    found = multiply(pack_rows(rows), vectors, offsets)[:n_rows, :n_columns]
    expected = rows.astype(float) @ columns.T + offsets.reshape(-1)[:n_columns]
    np.testing.assert_allclose(found, expected, atol=2e-5)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 15), st.integers(1, 9), st.integers(0, 999))
def test_a_row_does_not_depend_on_other_rows(first, n, seed):
    rows, columns = _draw(np.random.default_rng(seed), 24, 50, 30)
    vectors = arrange_columns(columns)
    nothing = np.zeros((len(vectors), 16), np.float32)
    every = multiply(pack_rows(rows), vectors, nothing)
    some = multiply(pack_rows(rows[first : first + n]), vectors, nothing)
    np.testing.assert_array_equal(some[:n], every[first : first + n])


def test_columns_of_zeros_are_left_out(rng):
    rows = np.zeros((11, 30), np.float32)
    rows[2, 7] = rows[5, 29] = rows[9, 0] = 1
    packed = pack_rows(rows)
    assert packed.counts.tolist() == [2, 1]
    assert packed.columns[0, :2].tolist() == [7, 29]
