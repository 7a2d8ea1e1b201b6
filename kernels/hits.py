"""Base counts at the positions where filters are active: the motifs of filters."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tfimpute_tracks.kernels.encode import N_CODE
from tfimpute_tracks.kernels.jit import njit
from tfimpute_tracks.kernels.sparse import SparseRows

__all__ = ["count_bases"]


def count_bases(
    codes: NDArray[np.uint8], hits: SparseRows, counts: NDArray[np.int64]
) -> None:
    """Add the bases under each hit to the counts of its filter.

    Parameters
    ----------
    codes : uint8 array, shape (n_positions + F - 1,), values 0..4
    hits : SparseRows
        Row 2 p contains the filters that are active at position p, row 2 p + 1 those
        whose reverse complement is.
    counts : int64 array, shape (K, F, 4)
        Incremented in the direction of the filter; unknown bases are not counted.

    Raises
    ------
    IndexError
        The sequence does not have the length that the positions need.
    """
    n_positions = (hits.offsets.size - 1) // 2
    if codes.size != n_positions + counts.shape[1] - 1:
        raise IndexError(f"{codes.size} bases for {n_positions} positions")
    _count(codes, hits.offsets, hits.columns, counts)


@njit(nogil=True, cache=True)
def _count(codes, offsets, columns, counts):  # type: ignore[no-untyped-def]
    length = counts.shape[1]
    for row in range(offsets.size - 1):
        position, is_reverse = row // 2, row % 2
        for i in range(offsets[row], offsets[row + 1]):
            for j in range(length):
                if is_reverse:
                    code = codes[position + length - 1 - j]
                    if code != N_CODE:
                        counts[columns[i], j, 3 - code] += 1
                else:
                    code = codes[position + j]
                    if code != N_CODE:
                        counts[columns[i], j, code] += 1
