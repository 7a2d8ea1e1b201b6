"""Weights files: a self-describing safetensors file and its JSON card.

The header of the weights file holds what is needed to use them: format and version,
network, vocabulary and the genome of the training data. The card next to it, of the same
name with `.json`, holds what is known about them: metrics, data, how to reproduce them.
Weights without a card work.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tfimpute_tracks.errors import InputFileError, UsageError
from tfimpute_tracks.models.config import NetworkConfig
from tfimpute_tracks.models.registry import config_from_dict
from tfimpute_tracks.models.weights_file import (
    WeightsFormat,
    read_weights_file,
    write_weights_file,
)
from tfimpute_tracks.vocabulary import Vocabulary

__all__ = ["Checkpoint", "read_checkpoint", "write_checkpoint"]

Arrays = Mapping[str, NDArray[np.float32]]

_FORMAT = WeightsFormat("tfimpute-weights", "1", "tfimpute-tracks train")


@dataclass(frozen=True)
class Checkpoint:
    """The contents of a weights file and its card; equal if their digests are.

    Attributes
    ----------
    config : NetworkConfig
    vocabulary : Vocabulary
    weights : mapping of name to float32 array
        The parameters of the network, by their PyTorch names, and `thresholds`, shape
        (n_tfs, n_cells): each pair's default peak-calling threshold, a probability.
    genome : dict
        `build` (str) and `chrom_sizes` (name to bp) of the training data.
    digest : str
        sha256 of the weights file.
    card : dict
        The JSON card, empty if there is none.
    """

    config: NetworkConfig = field(compare=False)
    vocabulary: Vocabulary = field(compare=False)
    weights: Arrays = field(compare=False, repr=False)
    genome: dict[str, Any] = field(compare=False, repr=False)
    digest: str
    card: dict[str, Any] = field(compare=False, repr=False)

    def embedding(self, kind: str) -> NDArray[np.float32]:
        """Return the embedding of the TFs or of the cell lines.

        Parameters
        ----------
        kind : {"tf", "cell"}

        Returns
        -------
        float32 array, shape (n_tfs or n_cells, dimensions)

        Raises
        ------
        UsageError
            The network has none.
        """
        name = f"{kind}_embedding"
        if name not in self.weights:
            raise UsageError(
                f"a {self.config.family} network has no {name}; use another model"
            )
        return self.weights[name]


def write_checkpoint(
    path: Path,
    config: NetworkConfig,
    vocabulary: Vocabulary,
    weights: Arrays,
    genome: Mapping[str, Any],
    card: Mapping[str, Any] | None = None,
) -> None:
    """Write weights and card, each atomically.

    Parameters
    ----------
    path : Path
        Ends in `.safetensors`.
    config, vocabulary, weights, genome
        As in :class:`Checkpoint`; weights are converted to float32.
    card : mapping, optional
        Written next to the weights, with their digest added.

    Raises
    ------
    OutputError, WriteError
        The path is not writable, or the disk is full.
    """
    header = {
        "network": json.dumps(config.to_dict()),
        "tfs": json.dumps(vocabulary.tfs),
        "cells": json.dumps(vocabulary.cells),
        "genome": json.dumps(dict(genome)),
    }
    write_weights_file(path, _FORMAT, header, weights, card)


def read_checkpoint(path: Path) -> Checkpoint:
    """Read weights and, if there is one, their card.

    Parameters
    ----------
    path : Path

    Returns
    -------
    Checkpoint

    Raises
    ------
    InputFileError
        The file is missing, damaged, of another kind or of another version.
    """
    file = read_weights_file(path, _FORMAT)
    header = file.header
    try:
        config = config_from_dict(json.loads(header["network"]))
        vocabulary = Vocabulary(json.loads(header["tfs"]), json.loads(header["cells"]))
        genome = json.loads(header["genome"])
    except (KeyError, ValueError, TypeError, UsageError) as error:
        raise InputFileError(
            f"weights {path} have a damaged header ({error}); copy or train them again"
        ) from error
    n_tfs, n_cells = len(vocabulary.tfs), len(vocabulary.cells)
    shapes = config.array_shapes(n_tfs, n_cells) | {"thresholds": (n_tfs, n_cells)}
    weights = file.arrays(shapes)
    return Checkpoint(config, vocabulary, weights, genome, file.digest, file.card)
