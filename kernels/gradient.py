"""The gradient of the filters, from the position of each maximum.

Only the position of the maximum of a pooling window has a gradient, so the gradient of
the filters is a weighted sum of one-hot segments of F bp: no transposed convolution is
needed.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tfimpute_tracks.kernels.jit import njit, prange

__all__ = ["filter_gradient"]

Floats = NDArray[np.float32]

_GROUP = 16  # filters of a task: one cache line of the incoming gradient


def filter_gradient(
    codes: NDArray[np.uint8],
    positions: NDArray[np.int32],
    grads: Floats,
    filter_length: int,
) -> Floats:
    """Sum the weighted one-hot segments under the maxima of each filter.

    Parameters
    ----------
    codes : uint8 array, shape (n,), values 0..4
        The concatenated sequences.
    positions : int32 array, shape (n_spans, K)
        Position of each maximum in `codes`, from
        :func:`tfimpute_tracks.kernels.lookup.span_maxima`.
    grads : float32 array, shape (n_spans, K)
        Gradient of the loss with respect to each maximum.
    filter_length : int
        F, in bp.

    Returns
    -------
    float32 array, shape (K, F, 4)

    Raises
    ------
    IndexError
        A filter at one of the positions would extend beyond the sequence.
    """
    if positions.size and (
        positions.min() < 0 or positions.max() + filter_length > codes.size
    ):
        raise IndexError(
            f"positions {positions.min()} to {positions.max()} with filters of "
            f"{filter_length} bp do not fit {codes.size} bases"
        )
    n_filters = grads.shape[1]
    out = np.zeros((n_filters, filter_length, 5), dtype=np.float32)
    _scatter(codes, positions, grads, out)
    return np.ascontiguousarray(out[:, :, :4])


@njit(parallel=True, nogil=True, cache=True)
def _scatter(codes, positions, grads, out):  # type: ignore[no-untyped-def]
    # Each task owns some filters, so no two threads add to one element, and the order
    # of the additions, hence the result, does not depend on the number of threads.
    n_spans, n_filters = grads.shape
    length = out.shape[1]
    for group in prange((n_filters + _GROUP - 1) // _GROUP):
        for span in range(n_spans):
            for k in range(group * _GROUP, min(n_filters, (group + 1) * _GROUP)):
                grad = grads[span, k]
                if grad != 0.0:
                    position = positions[span, k]
                    for i in range(length):
                        out[k, i, codes[position + i]] += grad
