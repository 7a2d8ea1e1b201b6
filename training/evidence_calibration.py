"""What scores by letters and tracks are worth, as the card beside the weights tells it.

The same promises as of scores by letters: thresholds that keep a false discovery rate,
probabilities, the AUROC to expect. A measured pair is scored without its own tracks, so
it teaches what to expect of pairs that have none; what is promised to those is found
with pairs whose measurements were kept from all that learned, where there are enough.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tfimpute_tracks.dataset import Dataset
from tfimpute_tracks.evaluation.fdr import MIN_PAIRS
from tfimpute_tracks.evaluation.fdr_calibration import (
    SiteScores,
    calibrate_imputed_pairs,
    calibrate_probabilities,
)
from tfimpute_tracks.evaluation.metrics import pair_aurocs
from tfimpute_tracks.evaluation.reliability import (
    COVERAGE,
    TrainedPairs,
    check_expectation,
    fit_expectation,
    pair_features,
)
from tfimpute_tracks.models.evidence import Evidence
from tfimpute_tracks.models.model import Model

__all__ = ["FEATURES", "Scored", "expectations", "promises"]

FEATURES = (
    "tf_auroc",
    "cell_auroc",
    "tf_data_sets",
    "cell_data_sets",
    "tf_similarity",
    "cell_similarity",
    "letters_expected",
)
"""What an expectation rests on; the last is that of scores by letters."""

Floats = NDArray[np.float32]
Doubles = NDArray[np.float64]
Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Scored:
    """A data set's pairs at sites, scored by letters and tracks, their own left out.

    Attributes
    ----------
    dataset : Dataset
    learned : bool array, shape (n_pairs,)
        Pairs that were learned from; tracks are those of these alone.
    valid, test : SiteScores
        At sites that trained nothing of what reads letters, and at sites that trained
        nothing at all; columns in the order of the data set's pairs.
    """

    dataset: Dataset
    learned: Mask
    valid: SiteScores
    test: SiteScores

    @cached_property
    def aurocs(self) -> tuple[Doubles, Doubles]:
        """AUROC of every pair at either sites; NaN where it has none."""
        return (
            pair_aurocs(self.valid.scores, self.valid.labels),
            pair_aurocs(self.test.scores, self.test.labels),
        )

    def kept(self, *roles: str) -> NDArray[np.int64]:
        """Give the columns of pairs of some roles that nothing learned from.

        Parameters
        ----------
        *roles : str

        Returns
        -------
        int64 array
        """
        wanted = np.isin(np.array(self.dataset.roles), roles)
        return np.flatnonzero(wanted & ~self.learned)


def promises(
    scored: Scored, lines: Floats, judge: Mapping[str, Any]
) -> dict[str, dict[str, Any]]:
    """Find what may be promised to pairs without data.

    Parameters
    ----------
    scored : Scored
    lines : float32 array, shape (n_pairs,)
        Log-odds of the pairs' own peak lines.
    judge : mapping
        A card of weights from which pairs were kept; may be empty.

    Returns
    -------
    dict
        `imputed`: thresholds of unmeasured pairs, from
        :func:`~tfimpute_tracks.evaluation.fdr_calibration.calibrate_imputed_pairs`, fitted on
        held-out pairs (of this run or of `judge`). Without either it is fitted on training
        pairs, scored without their own tracks; it is then too optimistic, because the
        sequence model was trained on them.
        `calibration`: from
        :func:`~tfimpute_tracks.evaluation.fdr_calibration.calibrate_probabilities`, fitted on
        training pairs and checked on held-out ones.
    """
    learned, kept = np.flatnonzero(scored.learned), scored.kept("valid2", "test3")
    checks = kept if len(kept) >= MIN_PAIRS else learned
    of_checks = scored.valid.subset(checks), scored.test.subset(checks)
    imputed = calibrate_imputed_pairs(*of_checks, lines[checks])[1]
    # Scores are of sites as they are, so they know how few are bound.
    even = np.full(len(learned), 0.5), np.full(len(checks), 0.5)
    calibration = calibrate_probabilities(
        scored.valid.subset(learned), of_checks[1], *even
    )
    if checks is learned and judge:
        told = judge.get("fdr", {}).get("imputed", imputed)
        imputed = {name: told[name] for name in told if name != "levels_reached"}
        calibration["error"] = judge.get("calibration", calibration)["error"]
    return {"imputed": imputed, "calibration": calibration}


def expectations(
    scored: Scored, model: Model, evidence: Evidence, judge: Mapping[str, Any]
) -> dict[str, Any]:
    """Say which AUROC to expect of every pair.

    Parameters
    ----------
    scored : Scored
    model : Model
        That reads letters.
    evidence : Evidence
    judge : mapping
        As for :func:`promises`.

    Returns
    -------
    dict
        As cards tell it; empty where too few pairs were learned from.
    """
    names = model.vocabulary
    tf, cell = np.array(names.pair_indices(scored.dataset.pairs)).T
    valid, test = scored.aurocs
    known = np.flatnonzero(scored.learned & ~np.isnan(valid))
    given = evidence.weights.weights
    features = pair_features(
        TrainedPairs(tf[known], cell[known], valid[known]),
        given["tf_embedding"].astype(np.float64),
        given["cell_embedding"].astype(np.float64),
        _by_letters(model),
    )
    try:
        fitted = fit_expectation(
            features[tf[known], cell[known]], valid[known], tf[known]
        )
    except ValueError:  # too few
        return {}
    check = dict(judge.get("expected", {}).get("check", {}))
    for role in ("test3", "valid2"):
        at = scored.kept(role)
        at = at[~np.isnan(test[at])]
        if len(at):
            interval = fitted.expect(features[tf[at], cell[at]])
            check[role] = check_expectation(*interval, test[at])
    expected = fitted.expect(features.reshape(-1, len(FEATURES)))[0]
    rows = (1000 * expected).round().astype(int).reshape(features.shape[:2])
    return {
        "margin": round(fitted.margin, 4),
        "coverage": COVERAGE,
        "n_pairs": fitted.n_pairs,
        "weights": dict(zip(FEATURES, fitted.weights.round(4).tolist(), strict=True)),
        "check": check,
        "auroc": {
            name: " ".join(map(str, row))
            for name, row in zip(names.tfs, rows.tolist(), strict=True)
        },
    }


def _by_letters(model: Model) -> Doubles:
    """Give what a card expects of scores by letters, (n_tfs, n_cells); 0 unknown."""
    rows = model.card.get("expected", {}).get("auroc", {})
    if not set(model.tfs) <= set(rows):
        return np.zeros((len(model.tfs), len(model.cells)))
    return np.array([rows[tf].split() for tf in model.tfs], dtype=np.float64) / 1000
