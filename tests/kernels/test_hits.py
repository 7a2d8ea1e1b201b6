"""Letters under hits, against counting them one by one."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tfimpute_tracks.kernels.encode import reverse_complement
from tfimpute_tracks.kernels.hits import count_bases
from tfimpute_tracks.kernels.sparse import SparseRows


@given(st.integers(0, 2**32 - 1), st.integers(1, 12), st.integers(1, 9))
def test_as_counted_one_by_one(seed, n_positions, length):
    rng = np.random.default_rng(seed)
    n_filters = 3
    codes = rng.integers(0, 5, n_positions + length - 1).astype(np.uint8)
    fired = rng.random((2 * n_positions, n_filters)) < 0.4
    rows, columns = np.nonzero(fired)
    offsets = np.concatenate([[0], np.cumsum(fired.sum(axis=1))])
    hits = SparseRows(offsets, columns.astype(np.uint16), np.ones(len(rows), "f4"))
    counts = np.zeros((n_filters, length, 4), dtype=np.int64)
    count_bases(codes, hits, counts)
    count_bases(codes, hits, counts)  # added to what is there
    expected = np.zeros_like(counts)
    for row, k in zip(rows, columns, strict=True):
        under = codes[row // 2 : row // 2 + length]
        if row % 2:
            under = reverse_complement(under)
        for j, code in enumerate(under):
            if code < 4:
                expected[k, j, code] += 2
    np.testing.assert_array_equal(counts, expected)


def test_bases_must_fit_the_positions():
    hits = SparseRows(np.zeros(5, np.int64), np.zeros(0, np.uint16), np.zeros(0, "f4"))
    with pytest.raises(IndexError, match="9 bases for 2 positions"):
        count_bases(np.zeros(9, np.uint8), hits, np.zeros((1, 4, 4), np.int64))
