"""Receipts: what went into an output, what came out, and how fast.

A receipt is the last file a run writes: JSON next to the outputs, with the digests of
the inputs (weights, sequence, parameters) and of every file written. A later run with
the same digests of inputs, and with all files unchanged, has nothing to do. The mere
existence of a file, or its date, is not sufficient.
"""

from __future__ import annotations

import json
import platform
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from tfimpute_tracks import __version__
from tfimpute_tracks.errors import InputFileError
from tfimpute_tracks.storage.atomic import write_json
from tfimpute_tracks.storage.digest import digest_file

__all__ = ["Output", "Receipt", "matches", "read_receipt", "write_receipt"]

_FORMAT = "tfimpute-tracks receipt"
_FORMAT_VERSION = 1
# Only what is loaded already: a receipt must not cost the import of torch.
_LIBRARIES = ("numpy", "numba", "torch")


@dataclass(frozen=True)
class Output:
    """A file that a run wrote.

    Attributes
    ----------
    name : str
        Its path, as seen from the folder of the receipt.
    size : int
        Bytes.
    digest : str
        ``sha256:<hex>``
    """

    name: str
    size: int
    digest: str


@dataclass(frozen=True)
class Receipt:
    """What went in, what came out, and how fast.

    Attributes
    ----------
    inputs : dict of str to str
        Digest of each input: all that the outputs depend on.
    parameters : dict of str to object
        The parameters in clear, for people; their digest is one of `inputs`.
    outputs : tuple of Output
    megabases, seconds, megabases_per_second : float
        Sequence read in Mb, wall time in s, and their ratio.
    created : str
        UTC, ``YYYY-MM-DDThh:mm:ssZ``.
    tool_version : str
    versions : dict of str to str
        Python, and those of numpy, numba and torch that the run had loaded.
    """

    inputs: dict[str, str]
    parameters: dict[str, object]
    outputs: tuple[Output, ...]
    megabases: float
    seconds: float
    megabases_per_second: float
    created: str
    tool_version: str
    versions: dict[str, str]


def write_receipt(
    path: Path,
    inputs: Mapping[str, str],
    outputs: Sequence[Path],
    *,
    megabases: float,
    seconds: float,
    parameters: Mapping[str, object] | None = None,
) -> Receipt:
    """Digest the outputs and write the receipt of a run.

    Parameters
    ----------
    path : Path
        The receipt to write, such as ``CTCF.K562.receipt.json``.
    inputs : mapping of str to str
        Digest of each input, such as ``weights``, ``sequence`` and ``parameters``.
    outputs : sequence of Path
        The files written, all in the folder of `path` or below it.
    megabases, seconds : float
        Sequence read, in Mb, and wall time, in s.
    parameters : mapping of str to object, optional
        The parameters in clear.

    Returns
    -------
    Receipt

    Raises
    ------
    WriteError
        If the disk is full.
    InputFileError
        If an output is not there.
    """
    receipt = Receipt(
        inputs=dict(inputs),
        parameters=dict(parameters or {}),
        outputs=tuple(_output(path.parent, output) for output in outputs),
        megabases=megabases,
        seconds=seconds,
        megabases_per_second=megabases / seconds if seconds > 0 else 0.0,
        created=datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        tool_version=__version__,
        versions=_versions(),
    )
    head = {"format": _FORMAT, "format_version": _FORMAT_VERSION}
    write_json(path, head | asdict(receipt))
    return receipt


def read_receipt(path: Path) -> Receipt:
    """Read a receipt.

    Parameters
    ----------
    path : Path

    Returns
    -------
    Receipt

    Raises
    ------
    InputFileError
        If the file is missing, no receipt, or of a version this package does not know.
    """
    try:
        fields = json.loads(path.read_text(encoding="utf-8"))
        found = fields.pop("format"), fields.pop("format_version")
    except OSError as error:
        raise InputFileError(
            f"cannot read the receipt {path}: {error.strerror}; check the path"
        ) from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise _no_receipt(path) from error
    if found != (_FORMAT, _FORMAT_VERSION):
        raise InputFileError(
            f"{path} is a {found[0]!r}, version {found[1]}; this release reads "
            f"{_FORMAT!r}, version {_FORMAT_VERSION}: remove it and run again"
        )
    try:
        outputs = tuple(Output(**output) for output in fields.pop("outputs"))
        return Receipt(outputs=outputs, **fields)
    except (KeyError, TypeError) as error:
        raise _no_receipt(path) from error


def matches(receipt: Receipt, inputs: Mapping[str, str], out_dir: Path) -> bool:
    """Check whether a run with these inputs would only repeat an earlier one.

    Parameters
    ----------
    receipt : Receipt
    inputs : mapping of str to str
        Digests of the inputs of the run about to start.
    out_dir : Path
        The folder of the receipt.

    Returns
    -------
    bool
        True if the digests of the inputs are those of the receipt, and every file in it
        exists with the recorded size and digest.
    """
    return receipt.inputs == dict(inputs) and all(
        _is_intact(out_dir / output.name, output) for output in receipt.outputs
    )


def _output(folder: Path, path: Path) -> Output:
    name = path.relative_to(folder).as_posix()
    digest = digest_file(path)
    return Output(name=name, size=path.stat().st_size, digest=digest)


def _is_intact(path: Path, output: Output) -> bool:
    # The size first: a truncated file of 800 MB need not be read.
    return (
        path.is_file()
        and path.stat().st_size == output.size
        and digest_file(path) == output.digest
    )


def _no_receipt(path: Path) -> InputFileError:
    return InputFileError(
        f"{path} is not a receipt of tfimpute-tracks: remove it and run again"
    )


def _versions() -> dict[str, str]:
    versions = {"python": platform.python_version()}
    for name in _LIBRARIES:
        if name in sys.modules:
            versions[name] = str(sys.modules[name].__version__)
    return versions
