"""The gradient of the filters, from where each maximum was found.

Only the position of the maximum of a pooling window sends a gradient back, so the
filters' gradient is a sum of one-hot stretches of F letters, each weighted by one
number: no transposed convolution is needed.
"""

from __future__ import annotations

import numpy as np
from numba import njit, prange
from numpy.typing import NDArray

__all__ = ["filter_gradient"]

Floats = NDArray[np.float32]

_GROUP = 16  # filters a task owns: one cache line of the incoming gradient


def filter_gradient(
    codes: NDArray[np.uint8],
    places: NDArray[np.int32],
    grads: Floats,
    filter_length: int,
) -> Floats:
    """Sum the one-hot stretches under each filter's maxima, weighted.

    Parameters
    ----------
    codes : uint8 array, shape (n,), values 0..4
        The sequences one after the other.
    places : int32 array, shape (n_spans, K)
        Where each maximum lies in `codes`, from
        :func:`tfimpute_tracks.kernels.lookup.span_maxima_and_places`.
    grads : float32 array, shape (n_spans, K)
        The loss's gradient by each maximum.
    filter_length : int
        F, in letters.

    Returns
    -------
    float32 array, shape (K, F, 4)

    Raises
    ------
    IndexError
        A place lies so near the end that a filter would reach past it.
    """
    if places.size and (places.min() < 0 or places.max() + filter_length > codes.size):
        raise IndexError(
            f"places {places.min()} to {places.max()} with filters of {filter_length} "
            f"letters do not fit {codes.size} letters"
        )
    n_filters = grads.shape[1]
    out = np.zeros((n_filters, filter_length, 5), dtype=np.float32)
    _scatter(codes, places, grads, out)
    return np.ascontiguousarray(out[:, :, :4])


@njit(parallel=True, nogil=True, cache=True)
def _scatter(codes, places, grads, out):  # type: ignore[no-untyped-def]
    # A task owns its filters, so no two threads add to one place, and the order of
    # the additions, hence the result, does not depend on the number of threads.
    n_spans, n_filters = grads.shape
    length = out.shape[1]
    for group in prange((n_filters + _GROUP - 1) // _GROUP):
        for span in range(n_spans):
            for k in range(group * _GROUP, min(n_filters, (group + 1) * _GROUP)):
                grad = grads[span, k]
                if grad != 0.0:
                    place = places[span, k]
                    for i in range(length):
                        out[k, i, codes[place + i]] += grad
