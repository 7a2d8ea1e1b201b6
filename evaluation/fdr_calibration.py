"""Thresholds and probabilities for model cards.

For a trained pair: the lowest score that keeps a false discovery rate (FDR) among the
labeled validation sites, and the FDR found on the test sites. For unmeasured pairs: how
far above its own peak-calling threshold a pair must score, estimated with held-out
pairs. For both: the probability of being bound that a score corresponds to.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from tfimpute_tracks.evaluation.calibration import (
    Calibration,
    calibration_error,
    fit_calibration,
)
from tfimpute_tracks.evaluation.fdr import (
    MIN_SITES,
    count_calls,
    fdr_shifts,
    fdr_thresholds,
    summarize,
)

__all__ = [
    "FDR_LEVELS",
    "SiteScores",
    "calibrate_imputed_pairs",
    "calibrate_probabilities",
    "calibrate_trained_pairs",
]

FDR_LEVELS = (0.05, 0.1, 0.25, 0.5)
"""FDRs that cards give thresholds for."""

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class SiteScores:
    """Scores and labels of pairs at sites.

    Attributes
    ----------
    scores : float32 array, shape (n_sites, n_pairs)
        Log-odds.
    labels : int8 array, shape (n_sites, n_pairs)
        1 bound, 0 unbound, -1 ignored.
    """

    scores: Floats
    labels: NDArray[np.int8]

    def subset(self, columns: NDArray[np.int64]) -> SiteScores:
        """Select some of the pairs.

        Parameters
        ----------
        columns : int64 array

        Returns
        -------
        SiteScores
        """
        return SiteScores(self.scores[:, columns], self.labels[:, columns])


def calibrate_trained_pairs(
    valid: SiteScores, test: SiteScores
) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """Find FDR thresholds of trained pairs, and check them.

    Parameters
    ----------
    valid, test : SiteScores
        Of the same pairs; thresholds are chosen on the first and checked on the second.

    Returns
    -------
    pairs : list of dict
        Per pair `fdr_thresholds` (probability) and `fdr_recall` (fraction of the bound
        validation sites), each by level, None where no score keeps it.
    check : dict
        By level: over how many pairs, and mean, median and percentiles of the FDR found
        on the test sites.
    """
    # Of probabilities, not log-odds: near 1 several log-odds are one probability.
    scores = expit(valid.scores)
    thresholds = fdr_thresholds(scores, valid.labels, FDR_LEVELS)
    _, n_called_bound = count_calls(scores, valid.labels, thresholds)
    n_bound = np.maximum((valid.labels == 1).sum(axis=0), 1)
    recalls = np.where(np.isnan(thresholds), np.nan, n_called_bound / n_bound[:, None])
    pairs = [
        {
            "fdr_thresholds": _by_level([_rounded_down(score) for score in of_pair]),
            "fdr_recall": _by_level(recall.round(4).tolist()),
        }
        for of_pair, recall in zip(thresholds, recalls, strict=True)
    ]
    return pairs, _check(SiteScores(expit(test.scores), test.labels), thresholds)


def calibrate_imputed_pairs(
    valid: SiteScores, test: SiteScores, thresholds: Floats
) -> tuple[Floats, dict[str, Any]]:
    """Find how far above their peak-calling thresholds pairs without labels must score.

    Parameters
    ----------
    valid, test : SiteScores
        Of held-out pairs, by the model that they were held out from.
    thresholds : float32 array, shape (n_pairs,)
        Peak-calling thresholds of the pairs, in log-odds.

    Returns
    -------
    raised : float32 array, shape (n_pairs, n_levels)
        Log-odds thresholds of these pairs; NaN where no shift keeps the level, or fewer
        than :data:`~tfimpute_tracks.evaluation.fdr.MIN_SITES` validation sites of the
        pair reach it.
    summary : dict
        `shifts`: log-odds above a pair's peak-calling threshold, by level, None where no
        shift keeps it; `pairs`: how many were held out; `pairs_reaching`: how many of them
        have sites that score so high; `test`: the FDR found on their test sites.
    """
    shifts = fdr_shifts(valid.scores - thresholds, valid.labels, FDR_LEVELS)
    added = np.array([np.nan if s is None else s for s in shifts], dtype=np.float32)
    raised = thresholds[:, None] + added
    n_called, _ = count_calls(valid.scores, valid.labels, raised)
    raised[n_called < MIN_SITES] = np.nan
    return raised, {
        "shifts": _by_level(shifts),
        "pairs": len(thresholds),
        "pairs_reaching": _by_level(np.isfinite(raised).sum(axis=0).tolist()),
        "test": _check(test, raised),
    }


def calibrate_probabilities(
    valid: SiteScores,
    test: SiteScores,
    valid_priors: NDArray[np.float64],
    test_priors: NDArray[np.float64],
) -> dict[str, Any]:
    """Fit the function from scores to probabilities of being bound, and check it.

    Parameters
    ----------
    valid, test : SiteScores
        Of pairs held out from the model: some to fit with, others to check on.
    valid_priors, test_priors : float64 array, shape (n_pairs,)
        Expected fraction of bound sites of each of these pairs.

    Returns
    -------
    dict
        `slope` and `intercept`; `pairs`, how many they were fitted with; `error`, the
        expected calibration error on the test sites of unchanged scores (`score`), of
        scores with the prior corrected only (`prior`), and `calibrated`.
    """
    fitted = fit_calibration(valid.scores, valid.labels, valid_priors)
    probabilities = {
        "score": expit(test.scores.astype(np.float64)),
        "prior": Calibration(1.0, 0.0).probabilities(test.scores, test_priors),
        "calibrated": fitted.probabilities(test.scores, test_priors),
    }
    return {
        "slope": round(fitted.slope, 4),
        "intercept": round(fitted.intercept, 4),
        "pairs": valid.scores.shape[1],
        "error": {
            name: round(calibration_error(values, test.labels), 5)
            for name, values in probabilities.items()
        },
    }


def _check(sites: SiteScores, thresholds: Floats) -> dict[str, Any]:
    """Summarize the FDR of thresholds by level, over pairs that call a site."""
    n_called, n_bound = count_calls(sites.scores, sites.labels, thresholds)
    with np.errstate(invalid="ignore"):
        rates = 1 - n_bound / n_called
    return {str(level): summarize(rates[:, i]) for i, level in enumerate(FDR_LEVELS)}


def _by_level(values: Sequence[float | None]) -> dict[str, float | None]:
    return {
        str(level): None if value is None or np.isnan(value) else value
        for level, value in zip(FDR_LEVELS, values, strict=True)
    }


def _rounded_down(threshold: np.float32) -> float:
    """Round a probability, and its complement, to five digits.

    One that is rounded up misses the site it was read from.
    """
    value = float(threshold)
    if not 0 < value < 1:
        return value
    scale = 10.0 ** (4 - math.floor(math.log10(min(value, 1 - value))))
    return math.floor(value * scale) / scale
