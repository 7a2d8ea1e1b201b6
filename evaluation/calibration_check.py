"""Probabilities, and thresholds on them, checked on the labels of scored pairs."""

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

Calibrate = Callable[[Pair], tuple[float, float]]


@dataclass(frozen=True)
class CalibrationCheck:
    """How probabilities agree with labels.

    Attributes
    ----------
    thresholds : DataFrame
        From :func:`~tfimpute_tracks.evaluation.calibration.threshold_metrics`, by role of
        pairs and by TF.
    curves : dict of str to DataFrame
        From :func:`~tfimpute_tracks.evaluation.calibration.calibration_curve`, by role.
    errors : dict of str to dict
        By role the expected calibration error of `probability` and, to compare with, of
        the network's `score`.
    """

    thresholds: pd.DataFrame
    curves: dict[str, pd.DataFrame]
    errors: dict[str, dict[str, Any]]


def check_calibration(scored: ScoredPairs, calibrate: Calibrate) -> CalibrationCheck:
    """Compare scores and probabilities with labels.

    Parameters
    ----------
    scored : ScoredPairs
    calibrate : callable
        Returns the slope and offset that turn a pair's log-odds into those of being
        bound.

    Returns
    -------
    CalibrationCheck
    """
    logits = scored.scores["model"]
    by_role = _columns_by(scored.roles)
    by_tf = dict(sorted(_columns_by([pair.tf for pair in scored.pairs]).items()))
    slopes, offsets = np.array([calibrate(pair) for pair in scored.pairs]).T
    values = {"probability": expit(logits * slopes + offsets), "score": expit(logits)}
    curves, errors = {}, {}
    for role, columns in by_role.items():
        labels = scored.labels[:, columns]
        errors[role] = {
            name: round(calibration_error(some[:, columns].astype(float), labels), 5)
            for name, some in values.items()
        }
        curves[role] = calibration_curve(values["probability"][:, columns], labels)
    groups = {f"role {role}": columns for role, columns in by_role.items()} | by_tf
    thresholds = threshold_metrics(values["probability"], scored.labels, groups)
    return CalibrationCheck(thresholds, curves, errors)


def _columns_by(names: list[str] | tuple[str, ...]) -> dict[str, np.ndarray[Any, Any]]:
    return {
        name: np.flatnonzero(np.array(names) == name) for name in dict.fromkeys(names)
    }
