"""Coverage of several windows around the middle of a tile: what models read."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from tfimpute_tracks.evidence.store import EvidenceStore
from tfimpute_tracks.kernels.coverage import Coverage, join_windows

__all__ = ["window_coverage"]


def window_coverage(
    store: EvidenceStore,
    chrom: str,
    centers: NDArray[np.int64],
    widths: Sequence[int],
) -> Coverage:
    """Compute the coverage of windows around the same centers by the peaks of tracks.

    Parameters
    ----------
    store : EvidenceStore
    chrom : str
        With or without ``chr``.
    centers : int64 array, shape (n,), ascending
        0-based, in bp.
    widths : sequence of int
        In bp, ascending.

    Returns
    -------
    Coverage
        Entries of the tracks with a peak in the widest window; their fractions have the
        shape (m, n_widths).

    Raises
    ------
    InputFileError
        The file of the evidence is gone or damaged.
    """
    each = [store.coverage(chrom, centers - width // 2, width) for width in widths]
    return join_windows(each)
