"""A weights file on disk: named arrays in safetensors, a header, and a JSON card.

What the arrays are and what the header says of them is the business of those who read
them: ``checkpoint.py`` the networks that read letters, ``evidence_weights.py`` those
that read measured tracks. Nothing here is ever pickled.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tfimpute_tracks.errors import InputFileError
from tfimpute_tracks.storage.atomic import atomic_file, write_json

__all__ = ["WeightsFile", "WeightsFormat", "read_weights_file", "write_weights_file"]

Arrays = Mapping[str, NDArray[np.float32]]


class WeightsFormat(NamedTuple):
    """What a kind of weights file is called.

    Attributes
    ----------
    name, version : str
        As they stand in the header.
    verb : str
        What writes such files.
    """

    name: str
    version: str
    verb: str


class WeightsFile(NamedTuple):
    """A weights file as it was read.

    Attributes
    ----------
    path : Path
    header : dict of str
    tensors : dict
        Name to what safetensors says of it; :meth:`arrays` makes arrays of it.
    digest : str
        sha256 of the file.
    card : dict
        The JSON beside it, empty where there is none.
    """

    path: Path
    header: dict[str, str]
    tensors: dict[str, Any]
    digest: str
    card: dict[str, Any]

    def arrays(
        self, shapes: Mapping[str, tuple[int, ...]]
    ) -> dict[str, NDArray[np.float32]]:
        """Give the arrays that should be there.

        Parameters
        ----------
        shapes : mapping of name to shape

        Returns
        -------
        dict of name to float32 array

        Raises
        ------
        InputFileError
            One is missing, of another shape or type, or not finite.
        """
        return {name: self._array(name, shape) for name, shape in shapes.items()}

    def _array(self, name: str, shape: tuple[int, ...]) -> NDArray[np.float32]:
        tensor = self.tensors.get(name)
        if tensor is None or tuple(tensor["shape"]) != shape:
            found = "missing" if tensor is None else f"of shape {tensor['shape']}"
            raise InputFileError(
                f"weights {self.path}: array {name!r} is {found}, expected {shape}; "
                "copy or train them again"
            )
        if tensor["dtype"] != "F32":
            raise InputFileError(
                f"weights {self.path}: array {name!r} is {tensor['dtype']}, expected "
                "F32; copy or train them again"
            )
        array = np.frombuffer(tensor["data"], dtype="<f4").reshape(shape)
        if not np.isfinite(array).all():
            raise InputFileError(
                f"weights {self.path}: array {name!r} holds values that are not "
                "finite; train again with a lower learning rate"
            )
        return array


def write_weights_file(
    path: Path,
    kind: WeightsFormat,
    header: Mapping[str, str],
    arrays: Arrays,
    card: Mapping[str, Any] | None,
) -> str:
    """Write weights and card, each complete or not at all.

    Parameters
    ----------
    path : Path
        Ends in `.safetensors`.
    kind : WeightsFormat
    header : mapping of str
    arrays : mapping of name to array
        They become float32.
    card : mapping, optional
        Written beside the weights with their digest added.

    Returns
    -------
    str
        The digest of the weights.

    Raises
    ------
    OutputError, WriteError
        The place cannot be written to, or the disk is full.
    """
    from safetensors.numpy import save

    whole = {"format": kind.name, "format-version": kind.version, **header}
    plain = {n: np.ascontiguousarray(a, dtype=np.float32) for n, a in arrays.items()}
    content = _canonical(save(plain, metadata=whole))
    with atomic_file(path) as temporary:
        temporary.write_bytes(content)
    digest = f"sha256:{hashlib.sha256(content).hexdigest()}"
    if card is not None:
        write_json(path.with_suffix(".json"), {**card, "weights": digest})
    return digest


def _canonical(content: bytes) -> bytes:
    """Sort the header, which safetensors orders by chance: one digest for one model."""
    end = 8 + int.from_bytes(content[:8], "little")
    header = json.dumps(json.loads(content[8:end]), sort_keys=True).encode()
    header += b" " * (-len(header) % 8)  # arrays begin at a multiple of eight
    return len(header).to_bytes(8, "little") + header + content[end:]


def read_weights_file(path: Path, kind: WeightsFormat) -> WeightsFile:
    """Read a weights file and, where it is there, its card.

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
    header = _header(path, content, kind)
    try:
        tensors = dict(deserialize(content))
    except SafetensorError as error:
        raise InputFileError(
            f"weights {path} are damaged ({error}); copy or train them again"
        ) from error
    digest = f"sha256:{hashlib.sha256(content).hexdigest()}"
    return WeightsFile(path, header, tensors, digest, _card(path, digest))


def _header(path: Path, content: bytes, kind: WeightsFormat) -> dict[str, str]:
    try:
        length = int.from_bytes(content[:8], "little")
        header: dict[str, str] = json.loads(content[8 : 8 + length])["__metadata__"]
    except (ValueError, KeyError, TypeError, OverflowError) as error:
        raise InputFileError(
            f"{path} is not a weights file of this program (no {kind.name} header); "
            f"give a .safetensors file that `{kind.verb}` wrote"
        ) from error
    if header.get("format") != kind.name:
        raise InputFileError(
            f"{path} holds {header.get('format', 'something')!r}, not {kind.name!r}; "
            f"give a .safetensors file that `{kind.verb}` wrote"
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
            f"model card {card_path} cannot be read ({error}); copy it again, or "
            "remove it to use the weights without it"
        ) from error
    if card.get("weights") != digest:
        raise InputFileError(
            f"model card {card_path} belongs to other weights ({card.get('weights')}, "
            f"the file is {digest}); copy both again, or remove the card"
        )
    return card
