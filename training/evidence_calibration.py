"""Calibration and expected AUROC of scores that are conditioned on evidence.

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
from tfimpute_tracks.evaluation.reliability import (
    TrainedPairs,
    check_expectation,
    fit_expectation,
    pair_features,
)
from tfimpute_tracks.models.evidence import Evidence
from tfimpute_tracks.models.model import Model
from tfimpute_tracks.training.expected_auroc import expected_section
from tfimpute_tracks.training.pair_scores import PairScores

__all__ = ["FEATURES", "calibrate_evidence", "expected_aurocs"]

FEATURES = (
    "tf_auroc",
    "cell_auroc",
    "tf_data_sets",
    "cell_data_sets",
    "tf_similarity",
    "cell_similarity",
    "sequence_expected",
)
"""Features of an expected AUROC; the last is the AUROC expected from sequence only."""

Floats = NDArray[np.float32]
Doubles = NDArray[np.float64]


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


def expected_aurocs(
    scores: PairScores, model: Model, evidence: Evidence, reference: Mapping[str, Any]
) -> dict[str, Any]:
    """Compute the AUROC to expect of every pair.

    Parameters
    ----------
    scores : PairScores
    model : Model
        That reads sequence.
    evidence : Evidence
    reference : mapping
        As for :func:`calibrate_evidence`.

    Returns
    -------
    dict
        Section `expected` of a card; empty where too few pairs were trained on.
    """
    tf, cell = np.array(model.vocabulary.pair_indices(scores.dataset.pairs)).T
    valid, test = scores.aurocs
    known = np.flatnonzero(scores.is_trained & ~np.isnan(valid))
    weights = evidence.weights.weights
    features = pair_features(
        TrainedPairs(tf[known], cell[known], valid[known]),
        weights["tf_embedding"].astype(np.float64),
        weights["cell_embedding"].astype(np.float64),
        _sequence_expected(model),
    )
    try:
        fitted = fit_expectation(
            features[tf[known], cell[known]], valid[known], tf[known]
        )
    except ValueError:  # too few
        return {}
    check = dict(reference.get("expected", {}).get("check", {}))
    for role in ("test3", "valid2"):
        at = scores.held_out(role)
        at = at[~np.isnan(test[at])]
        if len(at):
            interval = fitted.expect(features[tf[at], cell[at]])
            check[role] = check_expectation(*interval, test[at])
    return expected_section(fitted, features, FEATURES, model.tfs, check)


def _sequence_expected(model: Model) -> Doubles:
    """Read the expected AUROC from a card, (n_tfs, n_cells); 0 where it has none."""
    rows = model.card.get("expected", {}).get("auroc", {})
    if not set(model.tfs) <= set(rows):
        return np.zeros((len(model.tfs), len(model.cells)))
    return np.array([rows[tf].split() for tf in model.tfs], dtype=np.float64) / 1000
