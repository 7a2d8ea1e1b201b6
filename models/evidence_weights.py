"""Evidence weights: the sizes, arrays and file of a network that reads measured tracks.

They belong to the sequence weights whose digest is in their header: how far sequence can
be trusted differs between networks.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tfimpute_tracks.errors import InputFileError, UsageError
from tfimpute_tracks.models.weights_file import (
    WeightsFormat,
    read_weights_file,
    round_to_bytes,
    write_weights_file,
)
from tfimpute_tracks.storage.digest import digest_arrays
from tfimpute_tracks.vocabulary import Vocabulary

__all__ = [
    "IN_BYTES",
    "SAME_LOGIT",
    "SUMMARY_INPUTS",
    "WINDOWS",
    "EvidenceConfig",
    "EvidenceWeights",
    "evidence_path",
    "read_evidence_weights",
    "write_evidence_weights",
]

SAME_LOGIT = 4.0
"""Initial attention logit of a track of the same TF, or cell line."""

WINDOWS = (1, 3, 7)
"""Widths of the windows around a tile's middle, as multiples of the narrowest."""

SUMMARY_INPUTS = len(WINDOWS) + 1
"""What the summary reads of a track: coverage of each window, and that it is there."""

IN_BYTES = tuple(
    f"summary.{of}_{name}"
    for of in ("track", "pair")
    for name in ("by_tf", "by_cell", "by_both", "gate")
)
"""Arrays that a file holds in bytes: most of it, and none has rows of names."""

_FORMAT = WeightsFormat(
    "tfimpute-evidence-weights", "2", "tfimpute-tracks evidence train"
)
_SUFFIX = ".evidence.safetensors"
_SUMMARY = "summary."  # begins the names of the arrays of the summary
_MAX_ROW = 16  # heads, and hidden units: a row of the kernel
_SUMMARY_ROW = 32


@dataclass(frozen=True)
class EvidenceConfig:
    """Sizes of the network that reads tracks.

    Parameters
    ----------
    heads, hidden : int
        Attention heads and hidden units, 1 to 16.
    head_size : int
        Dimensions of a query and of a key.
    embedding_size : int
        Of the attention.
    window : int
        Middle of a tile, in bp, whose coverage by peaks is read; further windows are
        :data:`WINDOWS` times as wide.
    summary : int
        Numbers that describe all tracks at a tile; a multiple of 32.
    summary_embedding : int
        Size of the embeddings of the summary.

    Raises
    ------
    UsageError
        A size is out of range.
    """

    heads: int = 16
    hidden: int = 16
    head_size: int = 8
    embedding_size: int = 32
    window: int = 150
    summary: int = 1024
    summary_embedding: int = 48

    def __post_init__(self) -> None:
        sizes = asdict(self).values()
        too_many = max(self.heads, self.hidden) > _MAX_ROW
        if min(sizes) < 1 or too_many or self.summary % _SUMMARY_ROW:
            raise UsageError(
                f"{self} is out of range; use sizes of 1 or more, at most {_MAX_ROW} "
                f"heads and hidden units, and a summary of a multiple of {_SUMMARY_ROW}"
            )

    @property
    def windows(self) -> tuple[int, ...]:
        """Widths of the windows whose coverage is read, in bp, narrowest first."""
        return tuple(self.window * times for times in WINDOWS)

    def array_shapes(self, n_tfs: int, n_cells: int) -> dict[str, tuple[int, ...]]:
        """Return the shapes of all arrays in a file; see :class:`EvidenceWeights`.

        Parameters
        ----------
        n_tfs, n_cells : int

        Returns
        -------
        dict of name to shape
        """
        size, hidden, heads = self.embedding_size, self.hidden, self.heads
        width, inputs = heads * self.head_size, 2 + heads
        summary, vector = self.summary, self.summary_embedding
        by_track = SUMMARY_INPUTS * summary
        return {
            "summary.track_tf": (n_tfs + 1, vector),
            "summary.track_cell": (n_cells, vector),
            **dict.fromkeys(
                (
                    "summary.track_by_tf",
                    "summary.track_by_cell",
                    "summary.track_by_both",
                    "summary.track_gate",
                ),
                (vector, by_track),
            ),
            "summary.summary_bias": (summary,),
            "summary.pair_tf": (n_tfs, vector),
            "summary.pair_cell": (n_cells, vector),
            "summary.pair_by_tf": (vector, summary + 1),
            "summary.pair_by_cell": (vector, summary + 1),
            "summary.pair_by_both": (vector, summary),
            "summary.pair_gate": (vector, summary),
            "summary.pair_bias": (summary + 1,),
            "tf_embedding": (n_tfs, size),
            "cell_embedding": (n_cells, size),
            **dict.fromkeys(
                ("tf_query", "tf_key", "cell_query", "cell_key"), (size, width)
            ),
            "accessibility_key": (1, width),
            **dict.fromkeys(("same_tf", "same_cell", "null_logit"), (heads,)),
            "input_weight": (inputs, hidden),
            "hidden_bias": (hidden,),
            **dict.fromkeys(("tf_bias", "cell_bias"), (size, hidden)),
            "available_bias": (5, hidden),
            "output_weight": (hidden,),
            "direct_weight": (inputs,),
            "output_bias": (1,),
            **dict.fromkeys(("tf_output", "cell_output"), (size,)),
            "thresholds": (n_tfs, n_cells),
            "sequence_slope": (1,),
            "sequence_offset": (n_tfs, n_cells),
        }


@dataclass(frozen=True, eq=False)
class EvidenceWeights:
    """The contents of a file of evidence weights and its card.

    Attributes
    ----------
    config : EvidenceConfig
    vocabulary : Vocabulary
        That of the sequence weights.
    sequence_weights : str
        Digest of the sequence weights.
    weights : mapping of name to float32 array
        The parameters of
        :class:`~tfimpute_tracks.models.evidence_network.EvidenceNetwork`, of which those
        in :data:`IN_BYTES` are rounded when written; `thresholds`,
        shape (n_tfs, n_cells), each pair's default peak-calling threshold; and the
        calibration of log-odds where no track has data: times `sequence_slope`, plus
        the pair's `sequence_offset`.
    digest : str
        sha256 of the file.
    card : dict
    n_base : (int, int), optional
        TFs and cell lines that the weights were trained with; further ones were added.
        Scores of pairs of the first depend on no track of the others.
    """

    config: EvidenceConfig
    vocabulary: Vocabulary
    sequence_weights: str
    weights: Mapping[str, NDArray[np.float32]]
    digest: str
    card: dict[str, Any]
    n_base: tuple[int, int] | None = None

    def base(self) -> EvidenceWeights:
        """Return the weights without the names that were added.

        Returns
        -------
        EvidenceWeights
            Of which every array is as it was trained.
        """
        if self.n_base is None:
            return self
        n_tfs, n_cells = self.n_base
        known = self.vocabulary
        vocabulary = Vocabulary(known.tfs[:n_tfs], known.cells[:n_cells])
        weights = dict(self.weights)
        old = self.config.array_shapes(len(known.tfs), len(known.cells))
        for name, shape in self.config.array_shapes(n_tfs, n_cells).items():
            if shape != old[name]:
                weights[name] = weights[name][tuple(map(slice, shape))]
        # Its last row is of accessibility.
        rows = self.weights["summary.track_tf"]
        weights["summary.track_tf"] = np.concatenate([rows[:n_tfs], rows[-1:]])
        return replace(self, vocabulary=vocabulary, weights=weights, n_base=None)


def evidence_path(weights: Path) -> Path:
    """Return the path of the evidence weights of a model.

    Parameters
    ----------
    weights : Path
        `NAME.safetensors`.

    Returns
    -------
    Path
        `NAME.evidence.safetensors`.
    """
    return weights.with_name(weights.stem + _SUFFIX)


def write_evidence_weights(
    path: Path, found: EvidenceWeights, summary_in: str | None = None
) -> str:
    """Write weights and card, each atomically.

    Parameters
    ----------
    path : Path
        From :func:`evidence_path`.
    found : EvidenceWeights
        Its digest is ignored.
    summary_in : str, optional
        Name of a file of evidence weights in the same folder that has the same summary
        of tracks, which is most of a file: it is not written again.

    Returns
    -------
    str
        The digest of the file.

    Raises
    ------
    OutputError, WriteError
        The path is not writable, or the disk is full.
    """
    header = {
        "network": json.dumps(asdict(found.config)),
        "tfs": json.dumps(found.vocabulary.tfs),
        "cells": json.dumps(found.vocabulary.cells),
        "sequence-weights": found.sequence_weights,
    }
    if found.n_base is not None:
        header["n-base"] = json.dumps(found.n_base)
    weights = dict(found.weights)
    weights |= {name: round_to_bytes(weights[name]) for name in IN_BYTES}
    if summary_in is not None:
        header |= {"summary-in": summary_in, "summary": _summary_digest(weights)}
        weights = {k: v for k, v in weights.items() if not k.startswith(_SUMMARY)}
    return write_weights_file(path, _FORMAT, header, weights, found.card, IN_BYTES)


def read_evidence_weights(path: Path) -> EvidenceWeights:
    """Read weights and, if there is one, their card.

    Parameters
    ----------
    path : Path

    Returns
    -------
    EvidenceWeights

    Raises
    ------
    InputFileError
        The file is missing, damaged, of another kind or of another version.
    """
    file = read_weights_file(path, _FORMAT)
    header = file.header
    try:
        config = EvidenceConfig(**json.loads(header["network"]))
        vocabulary = Vocabulary(json.loads(header["tfs"]), json.loads(header["cells"]))
        sequence_weights = header["sequence-weights"]
        n_base = _read_base(header, vocabulary)
    except (KeyError, TypeError, ValueError, UsageError) as error:
        raise InputFileError(
            f"weights {path} have a damaged header ({error}); copy or train them again"
        ) from error
    shapes = config.array_shapes(len(vocabulary.tfs), len(vocabulary.cells))
    weights: Mapping[str, NDArray[np.float32]]
    if "summary-in" in header:
        own = {k: v for k, v in shapes.items() if not k.startswith(_SUMMARY)}
        weights = file.arrays(own) | _read_summary(path, header, shapes)
    else:
        weights = file.arrays(shapes)
    return EvidenceWeights(
        config, vocabulary, sequence_weights, weights, file.digest, file.card, n_base
    )


def _read_summary(
    path: Path, header: Mapping[str, str], shapes: Mapping[str, tuple[int, ...]]
) -> dict[str, NDArray[np.float32]]:
    """Read the summary of tracks from another file."""
    other = path.with_name(Path(header["summary-in"]).name)
    if not other.exists():
        raise InputFileError(
            f"weights {path} need the summary of tracks in {other.name}, which is not "
            "next to them; copy both"
        )
    arrays = read_weights_file(other, _FORMAT).arrays({})
    found = {k: v for k, v in arrays.items() if k.startswith(_SUMMARY)}
    of_shape = all(found[k].shape == shapes[k] for k in found if k in shapes)
    if not of_shape or _summary_digest(found) != header.get("summary"):
        raise InputFileError(
            f"weights {path} need another summary of tracks than that of {other}; copy "
            "both again"
        )
    return found


def _summary_digest(arrays: Mapping[str, NDArray[np.float32]]) -> str:
    names = sorted(name for name in arrays if name.startswith(_SUMMARY))
    return digest_arrays(*(np.ascontiguousarray(arrays[name]) for name in names))


def _read_base(
    header: Mapping[str, str], vocabulary: Vocabulary
) -> tuple[int, int] | None:
    if "n-base" not in header:
        return None
    n_tfs, n_cells = map(int, json.loads(header["n-base"]))
    if not (0 < n_tfs <= len(vocabulary.tfs) and 0 < n_cells <= len(vocabulary.cells)):
        raise ValueError(f"n-base {n_tfs}, {n_cells}")
    return n_tfs, n_cells
