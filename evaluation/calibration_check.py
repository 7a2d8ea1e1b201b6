"""Scores as thresholds and as probabilities, checked on the labels of scored pairs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import expit

from tfimpute_tracks.evaluation.calibration import (
    calibration_curve,
    calibration_error,
    threshold_metrics,
)
from tfimpute_tracks.evaluation.scored_pairs import ScoredPairs
from tfimpute_tracks.vocabulary import Pair

__all__ = ["CalibrationCheck", "check_calibration"]

Calibrate = Callable[[Pair], tuple[float, float] | None]


@dataclass(frozen=True)
class CalibrationCheck:
    """How scores agree with labels.

    Attributes
    ----------
    thresholds : DataFrame
        From :func:`~tfimpute_tracks.evaluation.calibration.threshold_metrics`, by role of
        pairs and by TF.
    curves : dict of str to DataFrame
        From :func:`~tfimpute_tracks.evaluation.calibration.calibration_curve`, of
        calibrated probabilities by role; empty without a calibration.
    errors : dict of str to dict
        By role the expected calibration error of unchanged scores (`score`) and of
        `calibrated` ones; the latter None without a calibration.
    """

    thresholds: pd.DataFrame
    curves: dict[str, pd.DataFrame]
    errors: dict[str, dict[str, Any]]


def check_calibration(scored: ScoredPairs, calibrate: Calibrate) -> CalibrationCheck:
    """Compare scores and calibrated probabilities with labels.

    Parameters
    ----------
    scored : ScoredPairs
    calibrate : callable
        Returns the slope and offset that turn a pair's log-odds into the log-odds of
        being bound, or None without a calibration.

    Returns
    -------
    CalibrationCheck
    """
    logits = scored.scores["model"]
    scores = expit(logits)
    by_role = _columns_by(scored.roles)
    by_tf = dict(sorted(_columns_by([pair.tf for pair in scored.pairs]).items()))
    parameters = [calibrate(pair) for pair in scored.pairs]
    curves, errors = {}, {}
    for role, columns in by_role.items():
        labels = scored.labels[:, columns]
        error = calibration_error(scores[:, columns].astype(float), labels)
        errors[role] = {"score": round(error, 5), "calibrated": None}
        fitted = [parameters[i] for i in columns]
        if all(pair is not None for pair in fitted):
            line = np.array(fitted, dtype=np.float64)
            probabilities = expit(logits[:, columns] * line[:, 0] + line[:, 1])
            error = calibration_error(probabilities, labels)
            errors[role]["calibrated"] = round(error, 5)
            curves[role] = calibration_curve(probabilities, labels)
    groups = {f"role {role}": columns for role, columns in by_role.items()} | by_tf
    thresholds = threshold_metrics(scores, scored.labels, groups)
    return CalibrationCheck(thresholds, curves, errors)


def _columns_by(names: list[str] | tuple[str, ...]) -> dict[str, np.ndarray[Any, Any]]:
    return {
        name: np.flatnonzero(np.array(names) == name) for name in dict.fromkeys(names)
    }
