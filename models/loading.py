"""Models by name or from a file, with measured tracks to go by or without.

A model with evidence is a model: it has its own lines that call peaks and its own
card of what to expect of pairs, and everything that takes a model takes it.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from tfimpute_tracks.errors import InputFileError, UsageError
from tfimpute_tracks.evidence import EvidenceStore, bundled_evidence, open_evidence
from tfimpute_tracks.models.checkpoint import read_checkpoint
from tfimpute_tracks.models.evidence import Evidence
from tfimpute_tracks.models.evidence_weights import (
    EvidenceWeights,
    evidence_path,
    read_evidence_weights,
)
from tfimpute_tracks.models.model import Model
from tfimpute_tracks.models.pretrained import weights_path

__all__ = ["BUNDLED", "load_model", "with_weights"]

BUNDLED = "bundled"
"""Names the tracks of the stretch that ships."""

# What a card tells of scores; all else is of the network that reads letters.
_OF_SCORES = ("pairs", "fdr", "calibration", "expected", "metrics")


def load_model(
    model: str | Path = "default",
    evidence: str | Path | EvidenceStore | None = None,
) -> Model:
    """Load a model by name or from a file.

    Parameters
    ----------
    model : str or Path
        The name of a shipped model, or a `.safetensors` file.
    evidence : str, Path or EvidenceStore, optional
        Measured tracks to go by: a file that `tfimpute-tracks evidence build` made, or
        `bundled` for those of the stretch that ships.

    Returns
    -------
    Model

    Raises
    ------
    UnknownNameError
        Neither a shipped name nor a file.
    InputFileError
        The file is not readable as weights, or not as evidence.
    UsageError
        Evidence is given to weights that have none to read it beside them.
    """
    path = weights_path(model)
    loaded = Model(path.stem, read_checkpoint(path))
    if evidence is None:
        return loaded
    return _give_evidence(loaded, path, evidence)


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


def _give_evidence(
    model: Model, path: Path, evidence: str | Path | EvidenceStore
) -> Model:
    """Let a model go by tracks: the weights that read them lie beside its own."""
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


def _opened(evidence: str | Path | EvidenceStore) -> EvidenceStore:
    if isinstance(evidence, EvidenceStore):
        return evidence
    return bundled_evidence() if evidence == BUNDLED else open_evidence(Path(evidence))
