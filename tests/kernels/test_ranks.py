"""Shares of smaller values against counting."""

import numpy as np
import pytest

from tfimpute_tracks.kernels.ranks import percentile_rank


@pytest.mark.parametrize("n", [0, 1, 2, 7, 64])
def test_shares_are_those_of_counting(rng, n):
    # Few different values, so that many are equal.
    rows = np.sort(rng.integers(0, 9, (40, n)).astype(np.float32), axis=1)
    values = rng.integers(-1, 10, 40).astype(np.float32)
    values[3] = np.nan
    found = percentile_rank(rows, values)
    for row, value, share in zip(rows, values, found, strict=True):
        if n == 0 or np.isnan(value):
            assert np.isnan(share)
            continue
        counted = ((row < value).sum() + 0.5 * (row == value).sum()) / n
        assert share == pytest.approx(counted, abs=1e-6)


def test_a_value_is_needed_for_each_row():
    with pytest.raises(ValueError, match="values of shape"):
        percentile_rank(np.zeros((3, 2), np.float32), np.zeros(2, np.float32))
