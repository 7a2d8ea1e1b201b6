"""A model with further TFs and cell lines: rows added to its arrays, all else as it was.

A name is described by one vector: its embeddings in the network that reads sequence and
in the one that reads tracks, one after the other. How the vector of a new name is found
is up to :mod:`tfimpute_tracks.training.extend_fit`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from tfimpute_tracks.models.checkpoint import Checkpoint
from tfimpute_tracks.models.evidence_weights import EvidenceWeights
from tfimpute_tracks.vocabulary import Vocabulary

__all__ = [
    "EVIDENCE_EMBEDDINGS",
    "Kind",
    "ModelWeights",
    "NewNames",
    "embedding_parts",
    "name_vectors",
]

Doubles = NDArray[np.float64]
Floats = NDArray[np.float32]

Kind = Literal["tf", "cell"]

_SEQUENCE = {"tf": ("tf_embedding",), "cell": ("cell_embedding",)}
EVIDENCE_EMBEDDINGS: dict[Kind, tuple[str, ...]] = {
    "tf": ("tf_embedding", "summary.track_tf", "summary.pair_tf"),
    "cell": ("cell_embedding", "summary.track_cell", "summary.pair_cell"),
}
"""Arrays of the network that reads tracks with a row for each TF or cell line."""
_WITH_ACCESSIBILITY = "summary.track_tf"  # its last row is of accessibility
_BY_PAIR = ("thresholds", "sequence_offset")


@dataclass(frozen=True)
class NewNames:
    """TFs and cell lines to add to a model, and their vectors.

    Attributes
    ----------
    tfs, cells : tuple of str
    tf_vectors, cell_vectors : float64 array, shape (n_new, size)
        As :func:`name_vectors` returns them for known names.
    """

    tfs: tuple[str, ...]
    cells: tuple[str, ...]
    tf_vectors: Doubles
    cell_vectors: Doubles


@dataclass(frozen=True, eq=False)
class ModelWeights:
    """The weights of a model: those that read sequence, and those that read tracks.

    Attributes
    ----------
    sequence : Checkpoint
    evidence : EvidenceWeights or None
    """

    sequence: Checkpoint
    evidence: EvidenceWeights | None

    @property
    def vocabulary(self) -> Vocabulary:
        """TFs and cell lines."""
        return self.sequence.vocabulary

    def extend(self, names: NewNames) -> ModelWeights:
        """Add names, after those that are known.

        Parameters
        ----------
        names : NewNames

        Returns
        -------
        ModelWeights
            Thresholds of new pairs are 0.5 and their offsets 0; cards and digests are
            those of the old weights.

        Raises
        ------
        UsageError
            A name is known already, or cannot be part of a file name.
        """
        known = self.vocabulary
        vocabulary = Vocabulary((*known.tfs, *names.tfs), (*known.cells, *names.cells))
        parts = embedding_parts(self)
        sequence = replace(
            self.sequence,
            vocabulary=vocabulary,
            weights=_extended(self.sequence.weights, names, parts, "sequence"),
        )
        if self.evidence is None:
            return ModelWeights(sequence, None)
        evidence = replace(
            self.evidence,
            vocabulary=vocabulary,
            weights=_extended(self.evidence.weights, names, parts, "evidence"),
            n_base=(len(known.tfs), len(known.cells)),
        )
        return ModelWeights(sequence, evidence)


def embedding_parts(weights: ModelWeights) -> dict[Kind, list[tuple[str, str, slice]]]:
    """List the embeddings that the vector of a name is made of.

    Parameters
    ----------
    weights : ModelWeights

    Returns
    -------
    dict of kind to list of (weights, array, slice)
        `weights` is "sequence" or "evidence"; the slice is the embedding's place in the
        vector.

    Raises
    ------
    UsageError
        The network has no embeddings.
    """
    found: dict[Kind, list[tuple[str, str, slice]]] = {}
    kinds: tuple[Kind, ...] = "tf", "cell"
    for kind in kinds:
        places = [("sequence", name) for name in _SEQUENCE[kind]]
        if weights.evidence is not None:
            places += [("evidence", name) for name in EVIDENCE_EMBEDDINGS[kind]]
        first, found[kind] = 0, []
        for owner, name in places:
            size = weights.sequence.embedding(kind).shape[1]
            if owner == "evidence" and weights.evidence is not None:
                size = weights.evidence.weights[name].shape[1]
            found[kind].append((owner, name, slice(first, first + size)))
            first += size
    return found


def name_vectors(weights: ModelWeights, kind: Kind) -> Doubles:
    """Join the embeddings of each known name.

    Parameters
    ----------
    weights : ModelWeights
    kind : {"tf", "cell"}

    Returns
    -------
    float64 array, shape (n_names, size)

    Raises
    ------
    UsageError
        The network has no embeddings.
    """
    vocabulary = weights.vocabulary
    n_names = len(vocabulary.tfs if kind == "tf" else vocabulary.cells)
    columns = [
        _arrays(weights, owner)[name][:n_names]
        for owner, name, _ in embedding_parts(weights)[kind]
    ]
    return np.concatenate(columns, axis=1).astype(np.float64)


def _arrays(weights: ModelWeights, owner: str) -> Mapping[str, Floats]:
    if owner == "sequence" or weights.evidence is None:
        return weights.sequence.weights
    return weights.evidence.weights


def _extended(
    arrays: Mapping[str, Floats],
    names: NewNames,
    parts: Mapping[Kind, list[tuple[str, str, slice]]],
    owner: str,
) -> dict[str, Floats]:
    """Add rows to the arrays of one kind of weights."""
    found: dict[str, Floats] = dict(arrays)
    vectors: dict[Kind, Doubles] = {"tf": names.tf_vectors, "cell": names.cell_vectors}
    for kind, places in parts.items():
        for place, name, where in places:
            if place == owner:
                rows = vectors[kind][:, where].astype(np.float32)
                n_last = int(name == _WITH_ACCESSIBILITY)
                known, last = np.split(arrays[name], [len(arrays[name]) - n_last])
                found[name] = np.concatenate([known, rows, last])
    for name in _BY_PAIR:
        if name in arrays:
            more = (0, len(names.tfs)), (0, len(names.cells))
            value = 0.5 if name == "thresholds" else 0.0
            found[name] = np.pad(arrays[name], more, constant_values=value)
    return found
