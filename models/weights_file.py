"""A weights file on disk: named float32 arrays in safetensors, a header, a JSON card.

Large matrices may be stored in bytes, with a scale for each column in a second array.
``checkpoint.py`` defines the arrays and header of networks that read sequence,
``evidence_weights.py`` those of networks that read measured tracks. Nothing is pickled.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tfimpute_tracks.errors import InputFileError
from tfimpute_tracks.storage.atomic import atomic_file, write_json
from tfimpute_tracks.storage.input_paths import is_folder, why_no_file

__all__ = [
    "WeightsFile",
    "WeightsFormat",
    "read_weights_file",
    "round_to_bytes",
    "write_weights_file",
]

Floats = NDArray[np.float32]

_SCALE = ".scale"  # ends the name of the scales of an array that is stored in bytes
_LEVELS = 127  # on either side of 0


class WeightsFormat(NamedTuple):
    """A kind of weights file.

    Attributes
    ----------
    name, version : str
        As in the header.
    verb : str
        The command that writes such files.
    """

    name: str
    version: str
    verb: str


class WeightsFile(NamedTuple):
    """A weights file that was read.

    Attributes
    ----------
    path : Path
    header : dict of str
    tensors : dict
        What safetensors says of each array; :meth:`arrays` converts them.
    digest : str
        sha256 of the file.
    card : dict
        The JSON card, empty if there is none.
    """

    path: Path
    header: dict[str, str]
    tensors: dict[str, Any]
    digest: str
    card: dict[str, Any]

    def arrays(self, shapes: Mapping[str, tuple[int, ...]]) -> dict[str, Floats]:
        """Return all arrays of the file.

        Parameters
        ----------
        shapes : mapping of name to shape
            Of arrays that must be there.

        Returns
        -------
        dict of name to float32 array

        Raises
        ------
        InputFileError
            One is missing, of another shape or type, or not finite.
        """
        scales = {n + _SCALE for n, t in self.tensors.items() if t["dtype"] == "I8"}
        return {
            name: self._array(name, shapes.get(name))
            for name in dict.fromkeys((*shapes, *self.tensors))
            if name not in scales
        }

    def _array(self, name: str, shape: tuple[int, ...] | None) -> Floats:
        tensor = self.tensors.get(name)
        if tensor is None:
            raise self._error(name, f"is missing, expected {shape}")
        found = tuple(tensor["shape"])
        if shape is not None and found != shape:
            raise self._error(name, f"has shape {found}, expected {shape}")
        if tensor["dtype"] == "I8":
            levels = np.frombuffer(tensor["data"], dtype=np.int8).reshape(found)
            return levels * self._array(name + _SCALE, found[-1:])
        if tensor["dtype"] != "F32":
            raise self._error(name, f"is {tensor['dtype']}, expected F32")
        array = np.frombuffer(tensor["data"], dtype="<f4").reshape(found)
        if not np.isfinite(array).all():
            raise InputFileError(
                f"weights {self.path}: array {name!r} has values that are not finite; "
                "train again with a lower learning rate"
            )
        return array

    def _error(self, name: str, what: str) -> InputFileError:
        return InputFileError(
            f"weights {self.path}: array {name!r} {what}; copy or train them again"
        )


def write_weights_file(
    path: Path,
    kind: WeightsFormat,
    header: Mapping[str, str],
    arrays: Mapping[str, Floats],
    card: Mapping[str, Any] | None,
    in_bytes: Collection[str] = (),
) -> str:
    """Write weights and card, each atomically.

    Parameters
    ----------
    path : Path
        Ends in `.safetensors`.
    kind : WeightsFormat
    header : mapping of str
    arrays : mapping of name to array
        Converted to float32.
    card : mapping, optional
        Written next to the weights, with their digest added.
    in_bytes : collection of str, optional
        Matrices to store as :func:`round_to_bytes` rounds them.

    Returns
    -------
    str
        The digest of the weights.

    Raises
    ------
    OutputError, WriteError
        The path is not writable, or the disk is full.
    """
    from safetensors.numpy import save

    metadata = {"format": kind.name, "format-version": kind.version, **header}
    stored: dict[str, NDArray[Any]] = {}
    for name, array in arrays.items():
        stored[name] = np.ascontiguousarray(array, dtype=np.float32)
        if name in in_bytes:
            stored[name], stored[name + _SCALE] = _in_bytes(stored[name])
    content = _canonical(save(stored, metadata=metadata))
    with atomic_file(path) as temporary:
        temporary.write_bytes(content)
    digest = _digest(content)
    if card is not None:
        write_json(path.with_suffix(".json"), {**card, "weights": digest})
    return digest


def round_to_bytes(array: Floats) -> Floats:
    """Round each column of a matrix to 255 levels, which a file holds in bytes.

    Parameters
    ----------
    array : float32 array, shape (n, n_columns), finite

    Returns
    -------
    float32 array, shape (n, n_columns)
        Rounded again it is the same.
    """
    levels, scale = _in_bytes(array)
    return levels * scale


def _in_bytes(array: Floats) -> tuple[NDArray[np.int8], Floats]:
    """Find the level of each number, and the size of a level of each column."""
    largest = np.abs(array).max(axis=0, initial=0).astype(np.float64)
    # Of twelve bits, rounded up: the largest level times it is exact, and found again.
    fraction, exponent = np.frexp(np.maximum(largest, 1e-30) / _LEVELS)
    scale = np.ldexp(np.ceil(fraction * 4096) / 4096, exponent).astype(np.float32)
    return np.rint(array / scale).astype(np.int8), scale


def _digest(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def _canonical(content: bytes) -> bytes:
    """Sort the header, whose order in safetensors is random: one digest per model."""
    end = 8 + int.from_bytes(content[:8], "little")
    header = json.dumps(json.loads(content[8:end]), sort_keys=True).encode()
    header += b" " * (-len(header) % 8)  # arrays start at a multiple of eight
    return len(header).to_bytes(8, "little") + header + content[end:]


def read_weights_file(path: Path, kind: WeightsFormat) -> WeightsFile:
    """Read a weights file and, if there is one, its card.

    Parameters
    ----------
    path : Path
    kind : WeightsFormat

    Returns
    -------
    WeightsFile

    Raises
    ------
    InputFileError
        The file is missing, damaged, of another kind or of another version.
    """
    from safetensors import SafetensorError, deserialize

    try:
        content = path.read_bytes()
    except OSError as error:
        reason = why_no_file(path) if is_folder(path) else error.strerror
        raise InputFileError(
            f"cannot read weights {path}: {reason}; use a .safetensors file or "
            "the name of a bundled model (`tfimpute-tracks info models`)"
        ) from error
    header = _header(path, content, kind)
    try:
        tensors = dict(deserialize(content))
    except SafetensorError as error:
        raise InputFileError(
            f"weights {path} are damaged ({error}); copy or train them again"
        ) from error
    digest = _digest(content)
    return WeightsFile(path, header, tensors, digest, _card(path, digest))


def _header(path: Path, content: bytes, kind: WeightsFormat) -> dict[str, str]:
    try:
        length = int.from_bytes(content[:8], "little")
        header: dict[str, str] = json.loads(content[8 : 8 + length])["__metadata__"]
    except (ValueError, KeyError, TypeError, OverflowError) as error:
        raise InputFileError(
            f"{path} is not a weights file of this program (no {kind.name} header); "
            f"use a .safetensors file that `{kind.verb}` wrote"
        ) from error
    if header.get("format") != kind.name:
        raise InputFileError(
            f"{path} is of format {header.get('format')!r}, not {kind.name!r}; use a "
            f".safetensors file that `{kind.verb}` wrote"
        )
    if header.get("format-version") != kind.version:
        raise InputFileError(
            f"weights {path} have format version {header.get('format-version')!r}, "
            f"this program reads {kind.version}; use the version that wrote them"
        )
    return header


def _card(path: Path, digest: str) -> dict[str, Any]:
    card_path = path.with_suffix(".json")
    if not card_path.exists():
        return {}
    try:
        card: dict[str, Any] = json.loads(card_path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputFileError(
            f"cannot read model card {card_path} ({error}); copy it again, or remove it "
            "to use the weights without it"
        ) from error
    if card.get("weights") != digest:
        raise InputFileError(
            f"model card {card_path} is of other weights ({card.get('weights')}, the "
            f"file has {digest}); copy both again, or remove the card"
        )
    return card
