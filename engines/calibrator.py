"""Log-odds of scores to log-odds of probabilities, for the pairs of a scorer."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from tfimpute_tracks.models.calibration import UNCALIBRATED, PairCalibration

__all__ = ["Calibrator"]

Floats = NDArray[np.float32]

_AT_ONCE = 1 << 16  # log-odds: they stay in the cache of a core


class Calibrator:
    """The calibrations of some pairs.

    Parameters
    ----------
    calibrations : iterable of PairCalibration
    """

    def __init__(self, calibrations: Iterable[PairCalibration]) -> None:
        fits = list(calibrations)
        self._is_needed = any(fit != UNCALIBRATED for fit in fits)
        self._slopes, self._offsets = np.array(fits, dtype=np.float32).T.copy()

    def apply(self, logits: Floats, pairs: slice = slice(None)) -> None:
        """Turn log-odds of scores into those of probabilities, in place.

        Parameters
        ----------
        logits : float32 array, shape (n, n_pairs)
        pairs : slice
            Which pairs these are; by default all.
        """
        if not self._is_needed:
            return
        slopes, offsets = self._slopes[pairs], self._offsets[pairs]
        n_rows = max(1, _AT_ONCE // len(slopes))
        for first in range(0, len(logits), n_rows):
            some = logits[first : first + n_rows]
            some *= slopes
            some += offsets
