"""Run records: the facts about a result, and the file next to it that holds them.

A :class:`Record` is a dataclass that reads and writes itself as JSON. Fields that are
marked with ``CONTENT`` decide what the result contains; :attr:`Record.digest` covers
exactly these, so an option that is added as a field cannot be forgotten, and a renamed
file or another number of threads changes nothing. A :class:`Receipt` is the last file
that a run writes: the record, and the digest of every file written. A later run whose
record has the same digest, and that finds the files intact, has nothing to do. Neither a
file's existence nor its date proves that.
"""

from __future__ import annotations

import json
import platform
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any, Generic, Self, TypeVar, get_type_hints

from tfimpute_tracks import __version__
from tfimpute_tracks.errors import InputFileError
from tfimpute_tracks.storage.atomic import write_json
from tfimpute_tracks.storage.digest import digest_file, digest_json
from tfimpute_tracks.storage.json_types import json_converter

__all__ = ["CONTENT", "Output", "Receipt", "Record", "read_receipt", "write_receipt"]

CONTENT: Mapping[str, Any] = {"content": True}
"""Metadata of a dataclass field that decides what a result contains."""

_FORMAT = "tfimpute-tracks receipt"
_FORMAT_VERSION = 2
# Only what is loaded already: a receipt must not cost the import of torch.
_LIBRARIES = ("numpy", "numba", "torch")


@dataclass(frozen=True)
class Record:
    """Facts about a result: the base of all records.

    Fields hold JSON values, NamedTuples, and lists, tuples and dicts of them.
    """

    def to_json(self) -> dict[str, Any]:
        """Return all fields as JSON values.

        Returns
        -------
        dict of str to JSON values
        """
        return _plain(self.values_of(type(self)))

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Self:
        """Make a record of what :meth:`to_json` returned.

        Parameters
        ----------
        values : mapping of str to JSON values

        Returns
        -------
        Record

        Raises
        ------
        ValueError
            A field is missing, unknown or of another type; the message names it.
        """
        hints = get_type_hints(cls)
        unknown = set(values) - {field.name for field in fields(cls)}
        if unknown:
            raise ValueError(f"unknown field {min(unknown)!r}")
        known = {}
        for name, value in values.items():
            try:
                known[name] = json_converter(hints[name])(value)
            except (TypeError, ValueError) as error:
                raise ValueError(f"{name}: {error}") from error
        try:
            return cls(**known)
        except TypeError as error:
            raise ValueError(str(error)) from error

    def content(self) -> dict[str, Any]:
        """Return the fields that decide what the result contains.

        Returns
        -------
        dict of str to JSON values
        """
        return _plain(self._content())

    def _content(self) -> dict[str, Any]:
        marked = [f.name for f in fields(self) if f.metadata.get("content")]
        return {name: getattr(self, name) for name in marked}

    @cached_property
    def digest(self) -> str:
        """Digest of :meth:`content`: ``sha256:<hex>``."""
        return digest_json(self._content())

    def values_of(self, kind: type[Record]) -> dict[str, Any]:
        """Return the fields that this record has from one of its bases.

        Parameters
        ----------
        kind : type

        Returns
        -------
        dict of str to object
            To make another record with.
        """
        return {field.name: getattr(self, field.name) for field in fields(kind)}


Kind = TypeVar("Kind", bound=Record)


@dataclass(frozen=True)
class Output:
    """A file that a run wrote.

    Attributes
    ----------
    name : str
        Its path relative to the folder of the receipt.
    size : int
        Bytes.
    digest : str
        ``sha256:<hex>``
    """

    name: str
    size: int
    digest: str


@dataclass(frozen=True)
class Receipt(Generic[Kind]):
    """The record of a run, the files it wrote, and its speed.

    Attributes
    ----------
    record : Record
    outputs : tuple of Output
    megabases, seconds, megabases_per_second : float
        Sequence read in Mb, wall time in s, and their ratio.
    created : str
        UTC, ``YYYY-MM-DDThh:mm:ssZ``.
    versions : dict of str to str
        Of this package, Python, and the libraries that the run had loaded.
    """

    record: Kind
    outputs: tuple[Output, ...]
    megabases: float
    seconds: float
    megabases_per_second: float
    created: str
    versions: dict[str, str]

    def is_up_to_date(self, record: Record, folder: Path) -> bool:
        """Check whether a run would only repeat what is there.

        Parameters
        ----------
        record : Record
            Of the run about to start.
        folder : Path
            Of the receipt.

        Returns
        -------
        bool
            True if the records have the same digest, and every file listed is there
            with the size and the digest listed.
        """
        return self.record.digest == record.digest and all(
            _is_intact(folder / output.name, output) for output in self.outputs
        )


def write_receipt(
    path: Path,
    record: Kind,
    outputs: Sequence[Path],
    *,
    megabases: float,
    seconds: float,
) -> Receipt[Kind]:
    """Digest the files of a run and write its receipt.

    Parameters
    ----------
    path : Path
        The receipt to write, such as ``CTCF.K562.receipt.json``.
    record : Record
    outputs : sequence of Path
        The files written, all in the folder of `path` or below it.
    megabases, seconds : float
        Sequence read, in Mb, and wall time, in s.

    Returns
    -------
    Receipt

    Raises
    ------
    WriteError
        The disk is full.
    InputFileError
        An output is missing.
    """
    receipt = Receipt(
        record,
        tuple(_output(path.parent, output) for output in outputs),
        megabases,
        seconds,
        megabases / seconds if seconds > 0 else 0.0,
        datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        _versions(),
    )
    header = {"format": _FORMAT, "format_version": _FORMAT_VERSION}
    header["digest"] = record.digest
    values = {field.name: getattr(receipt, field.name) for field in fields(receipt)}
    values["outputs"] = [asdict(output) for output in receipt.outputs]
    write_json(path, header | values | {"record": record.to_json()})
    return receipt


def read_receipt(path: Path, kind: type[Kind]) -> Receipt[Kind]:
    """Read a receipt.

    Parameters
    ----------
    path : Path
    kind : type
        Of the record.

    Returns
    -------
    Receipt

    Raises
    ------
    InputFileError
        The file is missing, is not a receipt, or has an unknown version or record.
    """
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
        found = values.pop("format"), values.pop("format_version")
    except OSError as error:
        raise InputFileError(
            f"cannot read the receipt {path}: {error.strerror}; check the path"
        ) from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise _not_a_receipt(path, "not JSON of that format") from error
    if found != (_FORMAT, _FORMAT_VERSION):
        raise InputFileError(
            f"{path} is a {found[0]!r}, version {found[1]}; this release reads "
            f"{_FORMAT!r}, version {_FORMAT_VERSION}: remove it and run again"
        )
    try:
        del values["digest"]
        outputs = tuple(Output(**output) for output in values.pop("outputs"))
        record = kind.from_json(values.pop("record"))
        return Receipt(record, outputs, **values)
    except (KeyError, TypeError, ValueError) as error:
        raise _not_a_receipt(path, str(error)) from error


def _plain(values: dict[str, Any]) -> dict[str, Any]:
    """Make lists of tuples, as a file of JSON values has them."""
    plain: dict[str, Any] = json.loads(json.dumps(values))
    return plain


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


def _not_a_receipt(path: Path, reason: str) -> InputFileError:
    return InputFileError(
        f"{path} is not a receipt of tfimpute-tracks ({reason}): remove it and run "
        "again"
    )


def _versions() -> dict[str, str]:
    versions = {"tfimpute-tracks": __version__, "python": platform.python_version()}
    for name in _LIBRARIES:
        if name in sys.modules:
            versions[name] = str(sys.modules[name].__version__)
    return versions
