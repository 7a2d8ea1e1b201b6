"""From a network that reads tracks to its weights with their card.

All that the card tells of a pair was found with the pair's own tracks hidden. So what
holds of measured pairs holds of pairs that were never measured, as far as there is as
much to go by.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from tfimpute_tracks import __version__
from tfimpute_tracks.dataset import REPLICATE, Dataset
from tfimpute_tracks.evaluation import evaluate_model
from tfimpute_tracks.evaluation.by_evidence import evidence_score, letters_score
from tfimpute_tracks.models.evidence import Evidence
from tfimpute_tracks.models.evidence_weights import (
    EvidenceWeights,
    write_evidence_weights,
)
from tfimpute_tracks.models.model import Model

__all__ = ["expected_calls", "publish_evidence"]

Floats = NDArray[np.float32]
Ints = NDArray[np.int64]

_SITES = 3000  # that lines which call peaks are read from
_CELLS_AT_ONCE = 10


def expected_calls(logits: Floats) -> Floats:
    """Give the score that as many sites exceed as are expected to be bound.

    Parameters
    ----------
    logits : float32 array, shape (n_sites, n_pairs)

    Returns
    -------
    float32 array, shape (n_pairs,)
        Probabilities; at least one site reaches each.
    """
    probabilities = np.sort(expit(logits.astype(np.float64)), axis=0)[::-1]
    n_bound = np.clip(probabilities.sum(axis=0).round(), 1, len(logits))
    rows = n_bound.astype(np.int64) - 1
    lines: Floats = probabilities[rows, np.arange(logits.shape[1])].astype(np.float32)
    return lines


def publish_evidence(
    path: Path,
    model: Model,
    evidence: Evidence,
    dataset: Dataset,
    sites: Mapping[str, Ints],
    facts: Mapping[str, Any],
    advance: Callable[[int], None],
) -> dict[str, Any]:
    """Judge a network that reads tracks, and write it.

    Parameters
    ----------
    path : Path
        From :func:`~tfimpute_tracks.models.evidence_weights.evidence_path`.
    model : Model
        That reads letters.
    evidence : Evidence
        The trained weights, whose thresholds are not known yet, and the tracks of the
        pairs that it learned from.
    dataset : Dataset
    sites : mapping of str to int64 array
        `unseen`, sites that trained nothing of the model, and `test`, those that
        trained nothing at all.
    facts : mapping
        What else the card should say; JSON values.
    advance : callable
        Told how many more cell lines have their thresholds.

    Returns
    -------
    dict
        The card.

    Raises
    ------
    OutputError, WriteError
        The place cannot be written to, or the disk is full.
    """
    found = evidence.weights
    thresholds = _thresholds(model, evidence, dataset, sites["unseen"], advance)
    learned = {track.pair for track in evidence.store.tracks}
    is_learned = np.array([pair in learned for pair in dataset.pairs])
    test = sites["test"]
    letters = letters_score(model, dataset, test)
    judged = evaluate_model(
        model.network(),
        dataset,
        model.vocabulary,
        test,
        np.arange(len(dataset.pairs)),
        np.flatnonzero(is_learned),
        evidence_score(letters, evidence, dataset, test),
    )
    card = {
        "format": "tfimpute-evidence-card",
        "format-version": 1,
        "created": datetime.now(UTC).strftime("%Y-%m-%d"),
        "tool_version": __version__,
        **facts,
        "evidence": evidence.store.digest,
        "data": {
            "sources": dataset.sources,
            "sites": {name: len(rows) for name, rows in sites.items()},
        },
        "figures": judged.by_role(),
        "pairs": [
            {
                "tf": row.tf,
                "cell": row.cell,
                "role": row.role,
                "trained": bool(is_learned[i]),
                "test_auroc": _rounded(row.auroc),
                "test_average_precision": _rounded(row.average_precision),
            }
            for i, row in enumerate(judged.pairs.itertuples())
            if row.role != REPLICATE
        ],
    }
    arrays = {**found.weights, "thresholds": thresholds}
    whole = EvidenceWeights(
        found.config, found.vocabulary, found.sequence_weights, arrays, "", card
    )
    write_evidence_weights(path, whole)
    return card


def _thresholds(
    model: Model,
    evidence: Evidence,
    dataset: Dataset,
    rows: Ints,
    advance: Callable[[int], None],
) -> Floats:
    """Find the line of every pair there is, float32 (n_tfs, n_cells)."""
    rows = rows[:: max(1, -(-len(rows) // _SITES))]
    letters = letters_score(model, dataset, rows)
    score = evidence_score(letters, evidence, dataset, rows)
    n_tfs, n_cells = len(model.tfs), len(model.cells)
    lines = np.empty((n_tfs, n_cells), dtype=np.float32)
    for first in range(0, n_cells, _CELLS_AT_ONCE):
        cells = range(first, min(n_cells, first + _CELLS_AT_ONCE))
        logits = score([(tf, cell) for tf in range(n_tfs) for cell in cells])
        lines[:, cells] = expected_calls(logits).reshape(n_tfs, len(cells))
        advance(len(cells))
    return lines


def _rounded(value: float) -> float | None:
    return None if np.isnan(value) else round(float(value), 4)
