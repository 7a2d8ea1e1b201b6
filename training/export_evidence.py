"""Export a network that reads measured tracks: its weights and their model card.

All that the card lists of a pair is computed with the pair's own tracks hidden, so it
also holds for pairs without tracks, as far as they have as many related ones.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tfimpute_tracks.dataset import Dataset
from tfimpute_tracks.evaluation.fdr import MIN_SITES
from tfimpute_tracks.models.evidence import Evidence
from tfimpute_tracks.models.evidence_weights import (
    EvidenceWeights,
    write_evidence_weights,
)
from tfimpute_tracks.models.model import Model
from tfimpute_tracks.training.all_pairs import (
    AllPairs,
    expected_count_thresholds,
    log_odds,
)
from tfimpute_tracks.training.evidence_calibration import calibrate_evidence
from tfimpute_tracks.training.evidence_expectation import (
    ExpectationInputs,
    expectation_sections,
)
from tfimpute_tracks.training.export_checkpoint import card_header
from tfimpute_tracks.training.pair_scores import (
    pair_sections,
    score_dataset,
    subsample,
)

__all__ = ["EvidenceRun", "export_evidence_run"]

Ints = NDArray[np.int64]

_MAX_THRESHOLD_SITES = 6000  # that peak-calling thresholds are computed on
_MAX_VALID_SITES = 20_000  # that calibration is computed on


@dataclass(frozen=True)
class EvidenceRun:
    """A trained network that reads tracks, and the sites to evaluate it on.

    Parameters
    ----------
    model : Model
        That reads sequence.
    evidence : Evidence
        The trained weights, whose thresholds are not known yet, and the tracks of the
        trained pairs.
    dataset : Dataset
    valid, test : int64 array
        Sites that the model was not trained on, and sites that nothing was trained on.
    expression : float64 array, shape (n_tfs, n_cells)
        log2(1 + RNA) of each TF in each cell line; NaN where unknown.
    reference : mapping
        Card of evidence weights of a model that was trained without the held-out pairs,
        for unmeasured pairs where this run has too few held-out ones.
    """

    model: Model
    evidence: Evidence
    dataset: Dataset
    valid: Ints
    test: Ints
    expression: NDArray[np.float64]
    reference: Mapping[str, Any] = field(default_factory=dict)


def export_evidence_run(
    path: Path,
    run: EvidenceRun,
    facts: Mapping[str, Any],
    advance: Callable[[int], None],
) -> dict[str, Any]:
    """Evaluate a network that reads tracks, and write it with its card.

    Parameters
    ----------
    path : Path
        From :func:`~tfimpute_tracks.models.evidence_weights.evidence_path`.
    run : EvidenceRun
    facts : mapping
        Further entries of the card; JSON values.
    advance : callable
        Called with the number of cell lines that are done; each is done twice.

    Returns
    -------
    dict
        The card.

    Raises
    ------
    OutputError, WriteError
        The path cannot be written to, or the disk is full.
    """
    dataset, weights = run.dataset, run.evidence.weights
    model = replace(run.model, evidence=run.evidence)
    trained = {track.pair for track in run.evidence.store.tracks}
    is_trained = np.array([pair in trained for pair in dataset.pairs])
    valid = subsample(run.valid, _MAX_VALID_SITES)
    scores = score_dataset(model, dataset, is_trained, valid, run.test)
    every = AllPairs(model, dataset, subsample(run.valid, _MAX_THRESHOLD_SITES))
    thresholds = every.thresholds(expected_count_thresholds, advance)
    tf, cell = np.array(model.vocabulary.pair_indices(dataset.pairs)).T
    own = log_odds(thresholds)
    calibrated = calibrate_evidence(scores, own[tf, cell], run.reference)
    shifts = calibrated["imputed"]["shifts"]
    min_sites = MIN_SITES * every.n_sites / len(valid)
    levels = every.levels_reached(own, shifts, min_sites, advance)
    sections = pair_sections(scores, model.vocabulary, {})
    imputed = calibrated["imputed"] | {"levels_reached": levels}
    card = {
        **card_header("tfimpute-evidence-card"),
        **facts,
        "evidence": run.evidence.store.digest,
        "data": {
            "sources": dataset.sources,
            "sites": {"held_out": len(run.valid), "test": len(run.test)},
        },
        **sections,
        "fdr": sections["fdr"] | {"imputed": imputed},
        "calibration": calibrated["calibration"],
        **expectation_sections(
            ExpectationInputs(
                run.model,
                run.evidence,
                dataset,
                run.valid,
                run.test,
                is_trained,
                run.expression,
            ),
            run.reference,
        ),
    }
    exported = EvidenceWeights(
        weights.config,
        weights.vocabulary,
        weights.sequence_weights,
        {**weights.weights, "thresholds": thresholds},
        "",
        card,
    )
    write_evidence_weights(path, exported)
    return card
