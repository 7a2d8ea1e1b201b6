"""Models by name or from a file, with or without evidence."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from tfimpute_tracks.errors import InputFileError, UsageError
from tfimpute_tracks.evidence import (
    ACCESSIBILITY,
    SHIPPED,
    EvidenceStore,
    JoinedStore,
    no_tracks,
    open_evidence,
    open_named,
)
from tfimpute_tracks.models.checkpoint import read_checkpoint
from tfimpute_tracks.models.evidence import Evidence
from tfimpute_tracks.models.evidence_weights import (
    EvidenceWeights,
    evidence_path,
    read_evidence_weights,
)
from tfimpute_tracks.models.model import Model
from tfimpute_tracks.models.pretrained import weights_path
from tfimpute_tracks.vocabulary import Vocabulary

__all__ = [
    "has_evidence_weights",
    "known_tracks",
    "load_model",
    "load_modes",
    "own_tracks",
    "read_weights",
    "tracks_path",
]


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
        build`, `encode-hg19` for those that come with the package, or what
        :func:`tfimpute_tracks.evidence.evidence_for` finds for a genome. None: scores
        depend on sequence only.

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
    weights = _read_weights(loaded, path)
    if not isinstance(evidence, EvidenceStore):
        evidence = open_named(evidence)
    known = evidence
    if evidence.name == SHIPPED:
        known = known_tracks(evidence, weights.vocabulary)
    own = own_tracks(path)
    if own is not None and own.digest != known.digest:
        known = JoinedStore(known, own)
    return replace(loaded, evidence=Evidence(weights, known))


def load_modes(model: str | Path = "default") -> tuple[Model, ...]:
    """Load what a model's cards say: of scores from sequence, and of those with evidence.

    Parameters
    ----------
    model : str or Path
        As for :func:`load_model`.

    Returns
    -------
    tuple of Model
        Without evidence; and with evidence weights but no track, where it has such
        weights.

    Raises
    ------
    UnknownNameError, InputFileError
        As :func:`load_model`.
    """
    path = weights_path(model)
    loaded = Model(path.stem, read_checkpoint(path))
    if not evidence_path(path).exists():
        return (loaded,)
    evidence = Evidence(_read_weights(loaded, path), no_tracks())
    return loaded, replace(loaded, evidence=evidence)


def tracks_path(weights: Path) -> Path:
    """Return the path of the tracks that a model was extended with.

    Parameters
    ----------
    weights : Path
        `NAME.safetensors`.

    Returns
    -------
    Path
        `NAME.tracks.h5`.
    """
    return weights.with_name(f"{weights.stem}.tracks.h5")


def own_tracks(model: str | Path) -> EvidenceStore | None:
    """Open the tracks that a model was extended with.

    Parameters
    ----------
    model : str or Path
        As for :func:`load_model`.

    Returns
    -------
    EvidenceStore or None
        None where it was not extended.

    Raises
    ------
    UnknownNameError
        Neither a bundled model nor a file.
    InputFileError
        The file cannot be read.
    """
    path = tracks_path(weights_path(model))
    return open_evidence(path) if path.exists() else None


def has_evidence_weights(model: str | Path) -> bool:
    """Check that a model has weights that read evidence.

    Parameters
    ----------
    model : str or Path
        As for :func:`load_model`.

    Returns
    -------
    bool

    Raises
    ------
    UnknownNameError
        Neither a bundled model nor a file.
    """
    return evidence_path(weights_path(model)).exists()


def read_weights(model: str | Path) -> EvidenceWeights:
    """Read the weights of a model that read evidence.

    Parameters
    ----------
    model : str or Path
        As for :func:`load_model`.

    Returns
    -------
    EvidenceWeights

    Raises
    ------
    UnknownNameError, UsageError, InputFileError
        As :func:`load_model`.
    """
    path = weights_path(model)
    return _read_weights(Model(path.stem, read_checkpoint(path)), path)


def _read_weights(model: Model, path: Path) -> EvidenceWeights:
    """Read the evidence weights next to `path`, and check that they are the model's."""
    if not evidence_path(path).exists():
        raise UsageError(
            f"{model.name} has no evidence weights ({evidence_path(path)} is missing); "
            "train them with `tfimpute-tracks evidence train`, or use --evidence none"
        )
    weights = read_evidence_weights(evidence_path(path))
    if weights.sequence_weights != model.checkpoint.digest:
        raise InputFileError(
            f"{evidence_path(path)} was trained for other weights "
            f"({weights.sequence_weights}) than {path} ({model.checkpoint.digest}); "
            "train it again with `tfimpute-tracks evidence train`"
        )
    return weights


def known_tracks(store: EvidenceStore, vocabulary: Vocabulary) -> EvidenceStore:
    """Leave out tracks of TFs and cell lines that a model does not know.

    Those of the package may have some. A file of one's own is built for the model, and
    such names in it are an error.

    Parameters
    ----------
    store : EvidenceStore
    vocabulary : Vocabulary

    Returns
    -------
    EvidenceStore
    """
    tfs, cells = {*vocabulary.tfs, ACCESSIBILITY}, set(vocabulary.cells)
    pairs = [track.pair for track in store.tracks]
    return store.subset(np.array([p.tf in tfs and p.cell in cells for p in pairs]))
