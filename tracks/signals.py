"""The signals of a track: names, formulas, and how each is drawn.

The probability is the fraction of open-chromatin sites with the same score that are
bound. Its log-odds show differences between sites that are all unlikely, or all likely;
its specificity, probability minus the mean over the cell lines of the same TF, shows what
is special about one cell line. The score is the network's own output: training made
bound and unbound sites equally frequent, so it is no such fraction. Peaks are called on
the probability whatever is drawn. Formulas preserve NaN, which means a tile without a
score.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from tfimpute_tracks.errors import UsageError
from tfimpute_tracks.kernels.products import sigmoid
from tfimpute_tracks.models.calibration import PairCalibration
from tfimpute_tracks.vocabulary import Pair

__all__ = [
    "MAX_LOG_ODDS",
    "SIGNALS",
    "SignalKind",
    "SignalName",
    "logits_to_signal",
    "mean_probability",
    "shared_axis",
]

Floats = NDArray[np.float32]

SignalName = Literal["probability", "score", "log-odds", "specificity"]
"""What a track can hold, as users write it."""

MAX_LOG_ODDS = 20.0
"""Log-odds are cut at -20 and 20, which is 2e-9 from a probability of 0 or 1."""


@dataclass(frozen=True)
class SignalKind:
    """How one of the signals is named and drawn.

    Attributes
    ----------
    name : str
        As users write it.
    label : str
        For an axis or a legend.
    limits : tuple of float
        The lower and the upper end of its widest axis; log-odds beyond are rare, and
        cut.
    decimals : int
        Values of a bigWig and a bedGraph are rounded to so many: off by 0.04 % of an
        axis at most, a 25th of a pixel where it is 100 pixels high.
    """

    name: SignalName
    label: str
    limits: tuple[float, float]
    decimals: int

    @property
    def column(self) -> str:
        """What a table calls it: the name with `_`."""
        return self.name.replace("-", "_")

    def stem(self, pair: Pair) -> str:
        """Name the files of a pair, up to their ending.

        Parameters
        ----------
        pair : Pair

        Returns
        -------
        str
            ``TF.CELL`` for the probability, ``TF.CELL.log-odds`` and so on for others,
            so that all of them live in one folder.
        """
        stem = f"{pair.tf}.{pair.cell}"
        return stem if self.name == "probability" else f"{stem}.{self.name}"

    def axis(self, highest: float) -> tuple[float, float]:
        """Choose an axis that tracks share, so that their values can be compared.

        Parameters
        ----------
        highest : float
            Of the values that should be within it.

        Returns
        -------
        low, high : float
            Up to the next of :data:`_AXIS_ENDS`: many pairs reach a tenth only. That of
            the score and of log-odds is always the same.
        """
        low, high = self.limits
        if self.name in {"probability", "specificity"}:
            high = next((end for end in _AXIS_ENDS if end >= highest), high)
        return (-high if low == -1 else low), high


_AXIS_ENDS = (0.02, 0.05, 0.1, 0.2, 0.5)
_ABOVE_THRESHOLD = 4.0  # what most peaks are below, in times of their threshold
_KINDS = (
    SignalKind("probability", "Probability", (0.0, 1.0), 5),
    SignalKind("score", "Score", (0.0, 1.0), 4),
    SignalKind("log-odds", "Log-odds", (-12.0, 4.0), 2),
    SignalKind("specificity", "Specificity", (-1.0, 1.0), 5),
)
SIGNALS: dict[str, SignalKind] = {kind.name: kind for kind in _KINDS}
"""Every signal by its name; the probability first."""


def shared_axis(signal: str, thresholds: Iterable[float]) -> tuple[float, float]:
    """Choose the axis of tracks whose values are not at hand.

    Parameters
    ----------
    signal : str
        Of :data:`SIGNALS`.
    thresholds : iterable of float
        Peak-calling thresholds of the tracks.

    Returns
    -------
    low, high : float
        Of the probability and the specificity up to four times the highest threshold at
        least, which most peaks are below.
    """
    highest = _ABOVE_THRESHOLD * max(thresholds, default=1.0)
    return SIGNALS[signal].axis(min(highest, 1.0))


def logits_to_signal(
    signal: str,
    logits: Floats,
    tf_mean: Floats | None = None,
    calibration: PairCalibration | None = None,
) -> Floats:
    """Convert the log-odds of probabilities to the values of a track.

    Parameters
    ----------
    signal : str
        Of :data:`SIGNALS`.
    logits : float32 array, any shape
        Infinite ones as well. Probabilities would not do: near 1 they have lost their
        digits, and 1 itself stands for all log-odds above 16.6.
    tf_mean : float32 array of that shape, optional
        For the specificity: the mean probability of the same tiles over the cell lines
        of the TF.
    calibration : PairCalibration, optional
        For the score: what made the log-odds of its own, from
        :meth:`tfimpute_tracks.models.model.Model.calibration`.

    Returns
    -------
    float32 array of that shape
        Finite, but NaN of NaN.

    Raises
    ------
    UsageError
        There is no such signal, or what it needs is missing.
    """
    if signal == "probability":
        return sigmoid(logits)
    if signal == "log-odds":
        return np.clip(logits, np.float32(-MAX_LOG_ODDS), np.float32(MAX_LOG_ODDS))
    if signal == "specificity" and tf_mean is not None:
        return sigmoid(logits) - tf_mean
    if signal == "score" and calibration is not None:
        slope, offset = map(np.float32, calibration)
        return sigmoid((logits - offset) / slope)
    raise UsageError(
        f"no signal {signal!r} of these log-odds; there are {', '.join(SIGNALS)}, the "
        "second with a calibration, the last with a mean over cell lines"
    )


def mean_probability(logits: Floats) -> Floats:
    """Average the probabilities of each tile over its columns: cell lines of one TF.

    Parameters
    ----------
    logits : float32 array, shape (n_tiles, n_cells)

    Returns
    -------
    float32 array, shape (n_tiles,)
        Summed column by column, in double precision: a tile's mean does not depend on
        the tiles around it, bit for bit.
    """
    total = np.zeros(len(logits), dtype=np.float64)
    for column in sigmoid(logits).T:
        total += column
    means: Floats = (total / logits.shape[1]).astype(np.float32)
    return means
