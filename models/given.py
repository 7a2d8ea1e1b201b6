"""Evidence given to a model: tracks, weights that read them, and what scores are worth.

A model with evidence is a model: it has its own lines that call peaks and its own
card of what to expect of pairs, and everything that takes a model takes it.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from tfimpute_tracks.errors import InputFileError, UsageError
from tfimpute_tracks.evidence import EvidenceStore, bundled_evidence, open_evidence
from tfimpute_tracks.models.evidence import Evidence
from tfimpute_tracks.models.evidence_weights import (
    EvidenceWeights,
    evidence_path,
    read_evidence_weights,
)
from tfimpute_tracks.models.model import Model

__all__ = ["BUNDLED", "give_evidence", "with_weights"]

BUNDLED = "bundled"
"""Names the tracks of the stretch that ships."""

# What a card tells of scores; all else is of the network that reads letters.
_OF_SCORES = ("pairs", "fdr", "calibration", "expected", "figures")


def give_evidence(
    model: Model, path: Path, evidence: str | Path | EvidenceStore
) -> Model:
    """Let a model go by measured tracks as well.

    Parameters
    ----------
    model : Model
        That goes by letters.
    path : Path
        Of its weights: those that read tracks lie beside them.
    evidence : str, Path or EvidenceStore
        A file, or :data:`BUNDLED`.

    Returns
    -------
    Model

    Raises
    ------
    UsageError
        There are no weights that read tracks, or they belong to other weights.
    InputFileError
        A file cannot be read, or names what the model does not know.
    """
    beside = evidence_path(path)
    if not beside.exists():
        raise UsageError(
            f"{model.name} has no weights that read tracks ({beside.name} beside "
            f"{path.name}); train them with `tfimpute-tracks evidence train`, or go "
            "without --evidence"
        )
    weights = read_evidence_weights(beside)
    if weights.sequence_weights != model.checkpoint.digest:
        raise InputFileError(
            f"{beside} belongs to other weights ({weights.sequence_weights}) than "
            f"{path} ({model.checkpoint.digest}); train it again with "
            "`tfimpute-tracks evidence train`"
        )
    return with_weights(model, weights, _opened(evidence))


def with_weights(model: Model, weights: EvidenceWeights, store: EvidenceStore) -> Model:
    """Put a model, what reads tracks and tracks together.

    Parameters
    ----------
    model : Model
    weights : EvidenceWeights
        Of this model.
    store : EvidenceStore

    Returns
    -------
    Model

    Raises
    ------
    InputFileError
        The store names what the model does not know.
    """
    card = {k: v for k, v in model.card.items() if k not in _OF_SCORES}
    card |= {name: weights.card[name] for name in _OF_SCORES if name in weights.card}
    arrays = {**model.checkpoint.weights, "thresholds": weights.weights["thresholds"]}
    checkpoint = replace(model.checkpoint, weights=arrays, card=card)
    return replace(model, checkpoint=checkpoint, evidence=Evidence(weights, store))


def _opened(evidence: str | Path | EvidenceStore) -> EvidenceStore:
    if isinstance(evidence, EvidenceStore):
        return evidence
    return bundled_evidence() if evidence == BUNDLED else open_evidence(Path(evidence))
