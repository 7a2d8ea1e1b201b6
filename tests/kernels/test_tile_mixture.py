"""The product of tiles that share windows, against each tile by itself."""

import numpy as np
import pytest

import naive
from tfimpute_tracks.kernels.tile_mixture import mix_tiles


@pytest.mark.parametrize(
    ("n_tiles", "n_windows", "n_units", "k"), [(1, 1, 1, 1), (9, 3, 4, 70)]
)
def test_tiles_are_mixed_as_if_alone(rng, n_tiles, n_windows, n_units, k):
    rows = rng.normal(size=(11, k)).astype(np.float32)
    weights = rng.normal(size=(n_windows, n_units, k)).astype(np.float32)
    places = rng.integers(0, 11, (n_tiles, n_windows))
    found = mix_tiles(rows, places, weights)
    np.testing.assert_allclose(
        found, naive.mix_windows(rows[places], weights), atol=1e-5
    )


@pytest.mark.parametrize("place", [-1, 4])
def test_places_are_rows(place):
    rows, weights = np.zeros((4, 2), np.float32), np.zeros((1, 1, 2), np.float32)
    with pytest.raises(IndexError, match="outside of 4 rows"):
        mix_tiles(rows, np.array([[place]]), weights)
