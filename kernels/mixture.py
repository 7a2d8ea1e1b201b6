"""The head's first product per sequence: U[h, k] = sum_w W2[w, h, k] M[w, k].

U does not depend on the pair, so training computes it once per sequence and strand for
all pairs. It is not a matrix product, because only windows are summed over, and
broadcasting would store an array of (n, windows, H, K) values; these kernels do not.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tfimpute_tracks.kernels.jit import njit, prange

__all__ = ["mix_windows", "mix_windows_gradient"]

Floats = NDArray[np.float32]

_GROUP = 64  # filters per task of the weights' gradient


def mix_windows(maxima: Floats, weights: Floats) -> Floats:
    """Sum over pooling windows, filter by filter and unit by unit.

    Parameters
    ----------
    maxima : float32 array, shape (n, n_windows, K)
        The paper's M before the gate.
    weights : float32 array, shape (n_windows, H, K)
        The paper's W2.

    Returns
    -------
    float32 array, shape (n, H, K)
    """
    out = np.empty((maxima.shape[0], *weights.shape[1:]), dtype=np.float32)
    _mix(maxima, weights, out)
    return out


def mix_windows_gradient(
    maxima: Floats, weights: Floats, grads: Floats
) -> tuple[Floats, Floats]:
    """Compute the gradients of :func:`mix_windows`.

    Parameters
    ----------
    maxima : float32 array, shape (n, n_windows, K)
    weights : float32 array, shape (n_windows, H, K)
    grads : float32 array, shape (n, H, K)
        Gradient of the loss with respect to the sums.

    Returns
    -------
    by_maxima : float32 array, shape (n, n_windows, K)
    by_weights : float32 array, shape (n_windows, H, K)
    """
    by_maxima = np.empty_like(maxima)
    _mix_back(weights, grads, by_maxima)
    by_weights = np.zeros_like(weights)
    _weights_back(maxima, grads, by_weights)
    return by_maxima, by_weights


@njit(parallel=True, nogil=True, cache=True)
def _mix(maxima, weights, out):  # type: ignore[no-untyped-def]
    n_windows, n_units, n_filters = weights.shape
    for i in prange(maxima.shape[0]):
        for h in range(n_units):
            sums = out[i, h]
            for w in range(n_windows):
                values = maxima[i, w]
                factors = weights[w, h]
                if w == 0:
                    for k in range(n_filters):
                        sums[k] = values[k] * factors[k]
                else:
                    for k in range(n_filters):
                        sums[k] += values[k] * factors[k]


@njit(parallel=True, nogil=True, cache=True)
def _mix_back(weights, grads, by_maxima):  # type: ignore[no-untyped-def]
    n_windows, n_units, n_filters = weights.shape
    for i in prange(grads.shape[0]):
        for w in range(n_windows):
            sums = by_maxima[i, w]
            for h in range(n_units):
                grad = grads[i, h]
                factors = weights[w, h]
                if h == 0:
                    for k in range(n_filters):
                        sums[k] = grad[k] * factors[k]
                else:
                    for k in range(n_filters):
                        sums[k] += grad[k] * factors[k]


@njit(parallel=True, nogil=True, cache=True)
def _weights_back(maxima, grads, by_weights):  # type: ignore[no-untyped-def]
    # Each task owns some filters: the order of summation is the same on any machine.
    n_windows, n_units, n_filters = by_weights.shape
    for group in prange((n_filters + _GROUP - 1) // _GROUP):
        first = group * _GROUP
        last = min(n_filters, first + _GROUP)
        for i in range(maxima.shape[0]):
            for h in range(n_units):
                grad = grads[i, h, first:last]
                for w in range(n_windows):
                    sums = by_weights[w, h, first:last]
                    values = maxima[i, w, first:last]
                    for k in range(last - first):
                        sums[k] += grad[k] * values[k]
