"""What scores promise of judged pairs, and what came of it.

Tables of what each score is worth as a threshold, and calibrated probabilities held
against labels. Where a calibration comes from is the model's business.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import expit

from tfimpute_tracks.evaluation.calibration import (
    calibration_error,
    reliability_curve,
    score_table,
)
from tfimpute_tracks.evaluation.scored_pairs import ScoredPairs
from tfimpute_tracks.vocabulary import Pair

__all__ = ["CalibrationCheck", "check_calibration"]

Calibrate = Callable[[Pair], tuple[float, float] | None]


@dataclass(frozen=True)
class CalibrationCheck:
    """Promises of scores, held against labels.

    Attributes
    ----------
    scores : DataFrame
        As :func:`~tfimpute_tracks.evaluation.calibration.score_table` gives it, by role
        of pairs and by TF.
    curves : dict of str to DataFrame
        As :func:`~tfimpute_tracks.evaluation.calibration.reliability_curve` gives them,
        of calibrated probabilities by role; empty without a calibration.
    errors : dict of str to dict
        By role the expected calibration error of scores as they are (`score`) and
        `calibrated`; the latter None without a calibration.
    """

    scores: pd.DataFrame
    curves: dict[str, pd.DataFrame]
    errors: dict[str, dict[str, Any]]


def check_calibration(judged: ScoredPairs, calibrate: Calibrate) -> CalibrationCheck:
    """Say what scores are worth, and hold calibrated probabilities against labels.

    Parameters
    ----------
    judged : JudgedPairs
    calibrate : callable
        Gives slope and offset that turn a pair's log-odds into those of being bound, or
        None.

    Returns
    -------
    Promises
    """
    logits = judged.scores["model"]
    roles = np.array(judged.roles)
    by_role = {
        str(role): np.flatnonzero(roles == role) for role in dict.fromkeys(roles)
    }
    tfs = np.array([pair.tf for pair in judged.pairs])
    by_tf = {str(tf): np.flatnonzero(tfs == tf) for tf in np.unique(tfs)}
    scores = expit(logits)
    groups = {f"role {role}": at for role, at in by_role.items()} | by_tf
    lines = [calibrate(pair) for pair in judged.pairs]
    curves, errors = {}, {}
    for role, at in by_role.items():
        labels = judged.labels[:, at]
        told: dict[str, Any] = {
            "score": _rounded(calibration_error(scores[:, at].astype(float), labels)),
            "calibrated": None,
        }
        slopes = [lines[i] for i in at]
        if all(line is not None for line in slopes):
            line = np.array(slopes, dtype=np.float64)
            promised = expit(logits[:, at] * line[:, 0] + line[:, 1])
            told["calibrated"] = _rounded(calibration_error(promised, labels))
            curves[role] = reliability_curve(promised, labels)
        errors[role] = told
    return CalibrationCheck(score_table(scores, judged.labels, groups), curves, errors)


def _rounded(value: float) -> float:
    return round(value, 5)
