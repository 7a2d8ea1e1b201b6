"""The head's first product against loops, and its gradients against differences."""

import numpy as np
import pytest

import naive
from tfimpute_tracks.kernels.mixture import mix_windows, mix_windows_gradient


@pytest.mark.parametrize("shape", [(1, 1, 1, 1), (5, 3, 4, 70), (9, 2, 8, 64)])
def test_mixing_and_its_gradients(shape):
    n, n_windows, n_units, n_filters = shape
    rng = np.random.default_rng(0)
    maxima = rng.normal(size=(n, n_windows, n_filters)).astype(np.float32)
    weights = rng.normal(size=(n_windows, n_units, n_filters)).astype(np.float32)
    grads = rng.normal(size=(n, n_units, n_filters)).astype(np.float32)

    np.testing.assert_allclose(
        mix_windows(maxima, weights), naive.mix_windows(maxima, weights), atol=1e-5
    )
    by_maxima, by_weights = mix_windows_gradient(maxima, weights, grads)
    # The function is linear in either argument, so a unit step is the derivative.
    for gradient, argument in ((by_maxima, maxima), (by_weights, weights)):
        flat = rng.integers(0, argument.size, 5)
        for place in (np.unravel_index(i, argument.shape) for i in flat):
            moved = argument.copy()
            moved[place] += 1
            changed = (
                naive.mix_windows(moved, weights)
                if argument is maxima
                else naive.mix_windows(maxima, moved)
            )
            step = ((changed - naive.mix_windows(maxima, weights)) * grads).sum()
            assert gradient[place] == pytest.approx(step, abs=1e-3)
