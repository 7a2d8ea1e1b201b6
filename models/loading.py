"""Models by name or from a file, with or without evidence."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from tfimpute_tracks.errors import InputFileError, UsageError
from tfimpute_tracks.evidence import EvidenceStore, open_named
from tfimpute_tracks.models.checkpoint import read_checkpoint
from tfimpute_tracks.models.evidence import Evidence
from tfimpute_tracks.models.evidence_weights import (
    evidence_path,
    read_evidence_weights,
)
from tfimpute_tracks.models.model import Model
from tfimpute_tracks.models.pretrained import weights_path

__all__ = ["load_model"]


def load_model(
    model: str | Path = "default",
    evidence: str | Path | EvidenceStore | None = None,
) -> Model:
    """Load a model by name or from a file.

    Parameters
    ----------
    model : str or Path
        The name of a bundled model, or a `.safetensors` file.
    evidence : str, Path or EvidenceStore, optional
        Measured tracks that condition the scores: a file from `tfimpute-tracks evidence
        build`, or `encode-hg19` for those that come with the package.

    Returns
    -------
    Model

    Raises
    ------
    UnknownNameError
        Neither a bundled model nor a file.
    InputFileError
        The file cannot be read as weights, or as evidence.
    UsageError
        The model has no evidence weights.
    """
    path = weights_path(model)
    loaded = Model(path.stem, read_checkpoint(path))
    if evidence is None:
        return loaded
    if not evidence_path(path).exists():
        raise UsageError(
            f"{loaded.name} has no evidence weights ({evidence_path(path)} is missing); "
            "train them with `tfimpute-tracks evidence train`, or omit --evidence"
        )
    weights = read_evidence_weights(evidence_path(path))
    if weights.sequence_weights != loaded.checkpoint.digest:
        raise InputFileError(
            f"{evidence_path(path)} was trained for other weights "
            f"({weights.sequence_weights}) than {path} ({loaded.checkpoint.digest}); "
            "train it again with `tfimpute-tracks evidence train`"
        )
    if not isinstance(evidence, EvidenceStore):
        evidence = open_named(evidence)
    return replace(loaded, evidence=Evidence(weights, evidence))
