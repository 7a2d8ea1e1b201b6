"""The calibration of a pair: from scores to probabilities of being bound, and back.

A score is the sigmoid of what the network computes. Training gave bound and unbound
sites the same weight, so it is not the fraction of bound sites; the probability is. Both
have the same order, so a threshold on one is a threshold on the other.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, NamedTuple

from tfimpute_tracks.vocabulary import Pair

__all__ = ["UNCALIBRATED", "PairCalibration", "card_calibration", "fdr_scores"]

_MIN_PRIOR = 1e-6


class PairCalibration(NamedTuple):
    """The log-odds of the probability are ``slope`` x those of the score + ``offset``.

    Attributes
    ----------
    slope : float
        Above 0.
    offset : float
        It includes how few of the sites the TF binds, where scores do not.
    """

    slope: float
    offset: float

    def probability(self, score: float) -> float:
        """Convert a score to a probability.

        Parameters
        ----------
        score : float
            0 to 1.

        Returns
        -------
        float
        """
        if self == UNCALIBRATED or not 0 < score < 1:
            return score
        return _expit(self.slope * _logit(score) + self.offset)


UNCALIBRATED = PairCalibration(1.0, 0.0)
"""Leaves scores as they are."""


def card_calibration(
    card: Mapping[str, Any], pair: Pair, entry: Mapping[str, Any]
) -> PairCalibration:
    """Read the calibration of a pair from a model card.

    Parameters
    ----------
    card : mapping
        Of weights that read sequence.
    pair : Pair
    entry : mapping
        The card's entry of the pair; empty if it has none.

    Returns
    -------
    PairCalibration
        Its offset includes the fraction of training sites that the pair binds, or of
        those that its TF binds in other cell lines. :data:`UNCALIBRATED` where the card
        has no calibration.
    """
    fit = card.get("calibration", {})
    prior = fit.get("priors", {}).get(pair.tf)
    if "slope" not in fit or prior is None:
        return UNCALIBRATED
    n_sites = card.get("data", {}).get("sites", {}).get("train", 0)
    if entry.get("trained") and entry.get("training_sites") and n_sites:
        prior = entry["training_sites"] / n_sites
    prior = min(max(prior, _MIN_PRIOR), 1 - _MIN_PRIOR)
    return PairCalibration(float(fit["slope"]), float(fit["intercept"]) + _logit(prior))


def fdr_scores(
    card: Mapping[str, Any],
    tf: str,
    cell: int,
    entry: Mapping[str, Any],
    threshold: float,
) -> dict[float, float | None]:
    """Read the thresholds of a pair that control the FDR, as scores.

    Parameters
    ----------
    card : mapping
    tf : str
    cell : int
        Row of the cell line.
    entry : mapping
        The card's entry of the pair; empty if it has none.
    threshold : float
        The pair's peak-calling threshold, as a score.

    Returns
    -------
    dict of float to float or None
        By false discovery rate; None where no score achieves it or the card does not
        say.
    """
    measured = entry.get("fdr_thresholds")
    if measured is not None:
        return {float(level): value for level, value in measured.items()}
    fdr = card.get("fdr", {})
    imputed = fdr.get("imputed") or {}
    # A digit per cell line: how many of the rates are reached, the highest first.
    digits = imputed.get("levels_reached", {}).get(tf)
    levels = sorted(map(float, fdr.get("sites", {})))
    reached = levels[-int(digits[cell]) :] if digits and digits[cell] != "0" else []
    return {
        level: _raised(threshold, imputed["shifts"][str(level)])
        if level in reached
        else None
        for level in levels
    }


def _raised(score: float, shift: float) -> float:
    """Add `shift` to the log-odds of a score."""
    odds = score / max(1 - score, 1e-9) * math.exp(shift)
    return odds / (1 + odds)


def _logit(probability: float) -> float:
    return math.log(probability / (1 - probability))


def _expit(log_odds: float) -> float:
    if log_odds < 0:
        odds = math.exp(log_odds)
        return odds / (1 + odds)
    return 1 / (1 + math.exp(-log_odds))
