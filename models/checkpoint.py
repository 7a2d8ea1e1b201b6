"""Weights on disk: a safetensors file that explains itself, and its JSON card.

The header of the weights file holds what is needed to use them: format and version, the
sizes, the vocabulary and the genome they were trained on. The card beside it, same name
with `.json`, holds what is known about them: figures, data, how to make them again. A
missing card costs information, not function. Nothing here is ever pickled.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tfimpute_tracks.errors import InputFileError, UsageError
from tfimpute_tracks.models.config import NetworkConfig
from tfimpute_tracks.models.weights_file import (
    WeightsFormat,
    read_weights_file,
    write_weights_file,
)
from tfimpute_tracks.vocabulary import Vocabulary

__all__ = ["Checkpoint", "read_checkpoint", "weight_shapes", "write_checkpoint"]

Arrays = Mapping[str, NDArray[np.float32]]
Shapes = dict[str, tuple[int, ...]]

_FORMAT = WeightsFormat("tfimpute-weights", "1", "tfimpute-tracks train")


@dataclass(frozen=True)
class Checkpoint:
    """What a weights file and its card say.

    Attributes
    ----------
    config : NetworkConfig
    vocabulary : Vocabulary
    weights : mapping of name to float32 array
        See :func:`weight_shapes`.
    genome : dict
        `build` (str) and `chrom_sizes` (name to bp) of the training data.
    digest : str
        sha256 of the weights file.
    card : dict
        The JSON card, empty where there is none.
    """

    config: NetworkConfig
    vocabulary: Vocabulary
    weights: Arrays
    genome: dict[str, Any]
    digest: str
    card: dict[str, Any]


def weight_shapes(
    config: NetworkConfig, vocabulary: Vocabulary
) -> dict[str, tuple[int, ...]]:
    """Give the name and shape of every array in a weights file.

    Parameters
    ----------
    config : NetworkConfig
    vocabulary : Vocabulary

    Returns
    -------
    dict of name to shape
        The names are those of the parameters of the network that
        :func:`tfimpute_tracks.models.registry.build_network` makes; `thresholds` alone
        is no parameter: per (TF, cell line), the score that calls a peak unless told
        otherwise.
    """
    n_tfs, n_cells = len(vocabulary.tfs), len(vocabulary.cells)
    family = _recurrent_shapes if config.recurrent_units else _gated_shapes
    return {
        "filters": (config.n_filters, config.filter_length, 4),
        "bias": (config.n_filters,),
        **family(config, n_tfs, n_cells),
        **(
            {
                "surroundings.weight": (config.reach + 1,),
                "surroundings.bias": (1,),
            }
            if config.reach
            else {}
        ),
        "thresholds": (n_tfs, n_cells),
    }


def _gated_shapes(config: NetworkConfig, n_tfs: int, n_cells: int) -> Shapes:
    k, h, e = config.n_features, config.n_units, config.embedding_size
    shapes: Shapes = {
        "tf_embedding": (n_tfs, e),
        "cell_embedding": (n_cells, e),
        "gate_weight": (2 * e, k),
        "gate_bias": (k,),
        "unit_weight": (config.n_unit_windows, h, k),
        "unit_bias": (h,),
    }
    if config.blocks:
        layers = {"enter": config.n_filters}
        norms = ["norm"]
        for i in range(config.blocks):
            layers |= {f"blocks.{i}.around": 2 * k, f"blocks.{i}.mix": k}
            norms.append(f"blocks.{i}.norm")
        for name, n_inputs in layers.items():
            shapes[f"{name}.weight"] = (k, n_inputs)
            shapes[f"{name}.bias"] = (k,)
        for name in norms:
            shapes[f"{name}.weight"] = shapes[f"{name}.bias"] = (k,)
    return shapes


def _recurrent_shapes(config: NetworkConfig, n_tfs: int, n_cells: int) -> Shapes:
    k, units = config.n_filters, config.recurrent_units
    # PyTorch keeps the three gates of a unit in one array each.
    return {
        "cell_embedding": (n_cells, k),
        "reader.weight_ih_l0": (3 * units, k),
        "reader.weight_hh_l0": (3 * units, units),
        "reader.bias_ih_l0": (3 * units,),
        "reader.bias_hh_l0": (3 * units,),
        "tf_weight": (n_tfs, units),
        "tf_bias": (n_tfs,),
    }


def write_checkpoint(
    path: Path,
    config: NetworkConfig,
    vocabulary: Vocabulary,
    weights: Arrays,
    genome: Mapping[str, Any],
    card: Mapping[str, Any] | None = None,
) -> None:
    """Write weights and card, each complete or not at all.

    Parameters
    ----------
    path : Path
        Ends in `.safetensors`.
    config, vocabulary, weights, genome
        As in :class:`Checkpoint`; weights become float32.
    card : mapping, optional
        Written beside the weights with their digest added.

    Raises
    ------
    OutputError, WriteError
        The place cannot be written to, or the disk is full.
    """
    shapes = weight_shapes(config, vocabulary)
    header = {
        "network": json.dumps(config.to_dict()),
        "tfs": json.dumps(vocabulary.tfs),
        "cells": json.dumps(vocabulary.cells),
        "genome": json.dumps(dict(genome)),
    }
    arrays = {name: weights[name] for name in shapes}
    write_weights_file(path, _FORMAT, header, arrays, card)


def read_checkpoint(path: Path) -> Checkpoint:
    """Read weights and, where it is there, their card.

    Parameters
    ----------
    path : Path

    Returns
    -------
    Checkpoint

    Raises
    ------
    InputFileError
        The file is missing, truncated, corrupted, foreign, or of another version.
    """
    found = read_weights_file(path, _FORMAT)
    header = found.header
    try:
        config = NetworkConfig.from_dict(json.loads(header["network"]))
        vocabulary = Vocabulary(json.loads(header["tfs"]), json.loads(header["cells"]))
        genome = json.loads(header["genome"])
    except (KeyError, ValueError, UsageError) as error:
        raise InputFileError(
            f"weights {path} have a broken header ({error}); copy or train them again"
        ) from error
    weights = found.arrays(weight_shapes(config, vocabulary))
    return Checkpoint(config, vocabulary, weights, genome, found.digest, found.card)
