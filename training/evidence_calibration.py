"""Calibration of scores that are conditioned on evidence.

The sections of the card are those of sequence-only models. A pair's own tracks are
hidden from its scores, so a trained pair shows what to expect of pairs without tracks.
Thresholds of unmeasured pairs are found with held-out pairs, where there are enough.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tfimpute_tracks.evaluation.fdr import MIN_PAIRS
from tfimpute_tracks.evaluation.fdr_calibration import (
    calibrate_imputed_pairs,
    calibrate_probabilities,
)
from tfimpute_tracks.training.pair_scores import PairScores

__all__ = ["calibrate_evidence"]

Floats = NDArray[np.float32]


def calibrate_evidence(
    scores: PairScores, thresholds: Floats, reference: Mapping[str, Any]
) -> dict[str, dict[str, Any]]:
    """Calibrate probabilities, and the thresholds of unmeasured pairs.

    Parameters
    ----------
    scores : PairScores
    thresholds : float32 array, shape (n_pairs,)
        Peak-calling thresholds of the pairs, in log-odds.
    reference : mapping
        Card of evidence weights of a reference model that was trained without the
        held-out pairs; may be empty.

    Returns
    -------
    dict
        `imputed`: thresholds of unmeasured pairs, from
        :func:`~tfimpute_tracks.evaluation.fdr_calibration.calibrate_imputed_pairs`,
        fitted on held-out pairs of this model or of the reference. Without either it is
        fitted on trained pairs and is too optimistic, because the sequence model was
        trained on them.
        `calibration`: from
        :func:`~tfimpute_tracks.evaluation.fdr_calibration.calibrate_probabilities`,
        fitted on trained pairs and checked on held-out ones.
    """
    trained = np.flatnonzero(scores.is_trained)
    held_out = scores.held_out("valid2", "test3")
    checks = held_out if len(held_out) >= MIN_PAIRS else trained
    of_checks = scores.valid.subset(checks), scores.test.subset(checks)
    imputed = calibrate_imputed_pairs(*of_checks, thresholds[checks])[1]
    # The scores of sites already include how few of them are bound.
    even = np.full(len(trained), 0.5), np.full(len(checks), 0.5)
    calibration = calibrate_probabilities(
        scores.valid.subset(trained), of_checks[1], *even
    )
    if checks is trained and reference:
        imputed = dict(reference.get("fdr", {}).get("imputed", imputed))
        imputed.pop("levels_reached", None)
        calibration["error"] = reference.get("calibration", calibration)["error"]
    return {"imputed": imputed, "calibration": calibration}
