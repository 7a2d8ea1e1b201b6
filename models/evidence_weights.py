"""Weights that read measured tracks: their sizes, names and file.

They belong to the weights that read letters, whose digest the header tells: how far the
letters are to be trusted differs from one network to another.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tfimpute_tracks.errors import InputFileError, UsageError
from tfimpute_tracks.models.weights_file import (
    WeightsFormat,
    read_weights_file,
    write_weights_file,
)
from tfimpute_tracks.vocabulary import Vocabulary

__all__ = [
    "SAME",
    "EvidenceConfig",
    "EvidenceWeights",
    "evidence_path",
    "read_evidence_weights",
    "write_evidence_weights",
]

SAME = 4.0
"""How much more a track of the same TF, or cell line, counts to begin with (log)."""

_FORMAT = WeightsFormat(
    "tfimpute-evidence-weights", "1", "tfimpute-tracks evidence train"
)
_SUFFIX = ".evidence.safetensors"
_MOST = 16  # heads, and hidden units: what fills a row of the kernel


@dataclass(frozen=True)
class EvidenceConfig:
    """Sizes of the network that reads tracks.

    Parameters
    ----------
    heads, hidden : int
        Heads of attention and hidden units, 1 to 16.
    depth : int
        Numbers of a query and of a key.
    embedding_size : int
    width : int
        bp of a tile's middle whose cover is asked for.

    Raises
    ------
    UsageError
        A size is out of range.
    """

    heads: int = 16
    hidden: int = 16
    depth: int = 8
    embedding_size: int = 32
    width: int = 150

    def __post_init__(self) -> None:
        sizes = asdict(self).values()
        if min(sizes) < 1 or max(self.heads, self.hidden) > _MOST:
            raise UsageError(
                f"{self} makes no sense; sizes are 1 or more, heads and hidden "
                f"{_MOST} at most"
            )


@dataclass(frozen=True)
class EvidenceWeights:
    """What a file of such weights and its card say.

    Attributes
    ----------
    config : EvidenceConfig
    vocabulary : Vocabulary
        Of the embeddings; that of the weights that read letters.
    sequence_weights : str
        Digest of those.
    weights : mapping of name to float32 array
        The parameters of
        :class:`~tfimpute_tracks.models.evidence_network.EvidenceNetwork`, and
        `thresholds`, per (TF, cell line) the score that calls a peak, and what makes
        of log-odds by letters those of being bound, where no track says anything:
        times `alone_slope`, plus `alone_offset` of the (TF, cell line).
    digest : str
        sha256 of the file.
    card : dict
    """

    config: EvidenceConfig
    vocabulary: Vocabulary
    sequence_weights: str
    weights: Mapping[str, NDArray[np.float32]]
    digest: str
    card: dict[str, Any]


def evidence_path(weights: Path) -> Path:
    """Say where the weights that read tracks stand: beside those that read letters.

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


def _shapes(
    config: EvidenceConfig, vocabulary: Vocabulary
) -> dict[str, tuple[int, ...]]:
    n_tfs, n_cells = len(vocabulary.tfs), len(vocabulary.cells)
    size, hidden, heads = config.embedding_size, config.hidden, config.heads
    width, inputs = heads * config.depth, 1 + heads
    return {
        "tf_embedding": (n_tfs, size),
        "cell_embedding": (n_cells, size),
        **dict.fromkeys(
            ("tf_query", "tf_key", "cell_query", "cell_key"), (size, width)
        ),
        "accessibility_key": (1, width),
        **dict.fromkeys(("same_tf", "same_cell", "doubt"), (heads,)),
        "input_weight": (inputs, hidden),
        "hidden_bias": (hidden,),
        **dict.fromkeys(("tf_bias", "cell_bias"), (size, hidden)),
        "known_bias": (5, hidden),
        "output_weight": (hidden,),
        "direct_weight": (inputs,),
        "output_bias": (1,),
        **dict.fromkeys(("tf_output", "cell_output"), (size,)),
        "thresholds": (n_tfs, n_cells),
        "alone_slope": (1,),
        "alone_offset": (n_tfs, n_cells),
    }


def write_evidence_weights(path: Path, found: EvidenceWeights) -> str:
    """Write weights and card, each complete or not at all.

    Parameters
    ----------
    path : Path
        From :func:`evidence_path`.
    found : EvidenceWeights
        Its digest does not count.

    Returns
    -------
    str
        The digest of the file.

    Raises
    ------
    OutputError, WriteError
        The place cannot be written to, or the disk is full.
    """
    header = {
        "network": json.dumps(asdict(found.config)),
        "tfs": json.dumps(found.vocabulary.tfs),
        "cells": json.dumps(found.vocabulary.cells),
        "sequence-weights": found.sequence_weights,
    }
    shapes = _shapes(found.config, found.vocabulary)
    arrays = {name: found.weights[name] for name in shapes}
    return write_weights_file(path, _FORMAT, header, arrays, found.card)


def read_evidence_weights(path: Path) -> EvidenceWeights:
    """Read weights and, where it is there, their card.

    Parameters
    ----------
    path : Path

    Returns
    -------
    EvidenceWeights

    Raises
    ------
    InputFileError
        The file is missing, truncated, corrupted, foreign, or of another version.
    """
    file = read_weights_file(path, _FORMAT)
    try:
        told = json.loads(file.header["network"])
        config = EvidenceConfig(
            **{f.name: int(told[f.name]) for f in fields(EvidenceConfig)}
        )
        vocabulary = Vocabulary(
            json.loads(file.header["tfs"]), json.loads(file.header["cells"])
        )
        sequence_weights = file.header["sequence-weights"]
    except (KeyError, TypeError, ValueError, UsageError) as error:
        raise InputFileError(
            f"weights {path} have a broken header ({error}); copy or train them again"
        ) from error
    weights = file.arrays(_shapes(config, vocabulary))
    return EvidenceWeights(
        config, vocabulary, sequence_weights, weights, file.digest, file.card
    )
