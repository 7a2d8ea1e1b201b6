"""Weights on disk: a safetensors file that explains itself, and its JSON card.

The header of the weights file holds what is needed to use them: format and version, the
sizes, the vocabulary and the genome they were trained on. The card beside it, same name
with `.json`, holds what is known about them: figures, data, how to make them again. A
missing card costs information, not function. Nothing here is ever pickled.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tfimpute_tracks.errors import InputFileError, UsageError
from tfimpute_tracks.models.config import NetworkConfig
from tfimpute_tracks.storage.atomic import atomic_file, write_json
from tfimpute_tracks.vocabulary import Vocabulary

__all__ = ["Checkpoint", "read_checkpoint", "weight_shapes", "write_checkpoint"]

Arrays = Mapping[str, NDArray[np.float32]]
Shapes = dict[str, tuple[int, ...]]

FORMAT = "tfimpute-weights"
FORMAT_VERSION = "1"


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
        :func:`tfimpute_tracks.models.families.build_network` makes; `thresholds` alone
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
    from safetensors.numpy import save

    shapes = weight_shapes(config, vocabulary)
    arrays = {
        name: np.ascontiguousarray(weights[name], dtype=np.float32) for name in shapes
    }
    header = {
        "format": FORMAT,
        "format-version": FORMAT_VERSION,
        "network": json.dumps(config.to_dict()),
        "tfs": json.dumps(vocabulary.tfs),
        "cells": json.dumps(vocabulary.cells),
        "genome": json.dumps(dict(genome)),
    }
    content = _canonical(save(arrays, metadata=header))
    with atomic_file(path) as temporary:
        temporary.write_bytes(content)
    if card is not None:
        write_json(
            path.with_suffix(".json"),
            {**card, "weights": f"sha256:{hashlib.sha256(content).hexdigest()}"},
        )


def _canonical(content: bytes) -> bytes:
    """Sort the header, which safetensors orders by chance: one digest for one model."""
    end = 8 + int.from_bytes(content[:8], "little")
    header = json.dumps(json.loads(content[8:end]), sort_keys=True).encode()
    header += b" " * (-len(header) % 8)  # arrays begin at a multiple of eight
    return len(header).to_bytes(8, "little") + header + content[end:]


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
    from safetensors import SafetensorError, deserialize

    try:
        content = path.read_bytes()
    except OSError as error:
        raise InputFileError(
            f"cannot read weights {path}: {error.strerror}; give a .safetensors file "
            "or the name of a shipped model (`tfimpute-tracks info models`)"
        ) from error
    header = _header(path, content)
    try:
        tensors = deserialize(content)
    except SafetensorError as error:
        raise InputFileError(
            f"weights {path} are damaged ({error}); copy or train them again"
        ) from error
    try:
        config = NetworkConfig.from_dict(json.loads(header["network"]))
        vocabulary = Vocabulary(json.loads(header["tfs"]), json.loads(header["cells"]))
        genome = json.loads(header["genome"])
    except (KeyError, ValueError, UsageError) as error:
        raise InputFileError(
            f"weights {path} have a broken header ({error}); copy or train them again"
        ) from error
    weights = _arrays(path, dict(tensors), weight_shapes(config, vocabulary))
    digest = f"sha256:{hashlib.sha256(content).hexdigest()}"
    return Checkpoint(config, vocabulary, weights, genome, digest, _card(path, digest))


def _header(path: Path, content: bytes) -> dict[str, str]:
    try:
        length = int.from_bytes(content[:8], "little")
        header: dict[str, str] = json.loads(content[8 : 8 + length])["__metadata__"]
    except (ValueError, KeyError, TypeError, OverflowError) as error:
        raise InputFileError(
            f"{path} is not a weights file of this program (no {FORMAT} header); "
            "give a .safetensors file that `tfimpute-tracks train` wrote"
        ) from error
    if header.get("format") != FORMAT:
        raise InputFileError(
            f"{path} holds {header.get('format', 'something')!r}, not {FORMAT!r}; "
            "give a .safetensors file that `tfimpute-tracks train` wrote"
        )
    if header.get("format-version") != FORMAT_VERSION:
        raise InputFileError(
            f"weights {path} have format version {header.get('format-version')!r}, "
            f"this program reads {FORMAT_VERSION}; use the version that wrote them"
        )
    return header


def _arrays(
    path: Path, tensors: dict[str, Any], shapes: dict[str, tuple[int, ...]]
) -> dict[str, NDArray[np.float32]]:
    arrays = {}
    for name, shape in shapes.items():
        tensor = tensors.get(name)
        if tensor is None or tuple(tensor["shape"]) != shape:
            found = "missing" if tensor is None else f"of shape {tensor['shape']}"
            raise InputFileError(
                f"weights {path}: array {name!r} is {found}, expected {shape}; "
                "copy or train them again"
            )
        if tensor["dtype"] != "F32":
            raise InputFileError(
                f"weights {path}: array {name!r} is {tensor['dtype']}, expected F32; "
                "copy or train them again"
            )
        array = np.frombuffer(tensor["data"], dtype="<f4").reshape(shape)
        if not np.isfinite(array).all():
            raise InputFileError(
                f"weights {path}: array {name!r} holds values that are not finite; "
                "train again with a lower learning rate"
            )
        arrays[name] = array
    return arrays


def _card(path: Path, digest: str) -> dict[str, Any]:
    card_path = path.with_suffix(".json")
    if not card_path.exists():
        return {}
    try:
        card: dict[str, Any] = json.loads(card_path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputFileError(
            f"model card {card_path} cannot be read ({error}); copy it again, or "
            "remove it to use the weights without it"
        ) from error
    if card.get("weights") != digest:
        raise InputFileError(
            f"model card {card_path} belongs to other weights ({card.get('weights')}, "
            f"the file is {digest}); copy both again, or remove the card"
        )
    return card
