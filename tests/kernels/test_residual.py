"""What residual blocks do between products, against NumPy."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tfimpute_tracks.kernels.residual import add_neighbors, project_windows
from tfimpute_tracks.kernels.sparse import SparseRows


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 9), st.integers(1, 24), st.integers(0, 1000))
def test_windows_are_multiplied_by_the_better_strand(n_windows, n_filters, seed):
    rng = np.random.default_rng(seed)
    dense = rng.random((2 * n_windows, n_filters)).astype(np.float32)
    dense[rng.random(dense.shape) < 0.6] = 0
    offsets = np.concatenate([[0], np.cumsum((dense > 0).sum(axis=1))])
    columns = np.nonzero(dense)[1].astype(np.int32)
    windows = SparseRows(offsets.astype(np.int64), columns, dense[dense > 0])
    weights = rng.normal(size=(n_filters, 8)).astype(np.float32)
    bias = rng.normal(size=8).astype(np.float32)
    found = project_windows(windows, weights, bias)
    expected = np.maximum(dense[0::2], dense[1::2]) @ weights + bias
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_a_window_adds_its_own_product_and_those_of_its_neighbors(rng):
    products = rng.normal(size=(6, 16)).astype(np.float32)
    own, left, right = (rng.integers(0, 6, 10) for _ in range(3))
    found = add_neighbors(products, own, left, right)
    expected = products[own, :8] + products[left, 8:] + products[right, 8:]
    np.testing.assert_allclose(found, expected, atol=1e-6)
    with pytest.raises(IndexError, match="outside of 6 rows"):
        add_neighbors(products, own, left, right + 6)
