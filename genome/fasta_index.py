"""The index of a FASTA: where it lies, whether it fits, and making it.

An index (``.fai``; for bgzip also ``.gzi``) lies beside the FASTA, as samtools and
pyfaidx put it, or in the cache where that folder must not be written to. One that is
older than its FASTA or does not fit it is made anew: with a wrong index, wrong sequence
would be read and nothing would say so. Making is left to pyfaidx and samtools.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

import pyfaidx

from tfimpute_tracks.errors import InputFileError, WriteError
from tfimpute_tracks.genome.cache import cache_key
from tfimpute_tracks.genome.fasta_bytes import (
    BgzipBytes,
    Bytes,
    PlainBytes,
    silent_htslib,
)
from tfimpute_tracks.genome.fasta_format import Kind, first_error
from tfimpute_tracks.storage import atomic_file, check_writable_dir

__all__ = ["Record", "open_indexed"]

# Between two sequences there is a name; this much text there means a wrong index.
_MAX_GAP = 1 << 20


class Record(NamedTuple):
    """A line of a ``.fai``: how a sequence lies in the file.

    Parameters
    ----------
    length : int
        bp.
    offset : int
        Bytes before its first letter.
    line_bases, line_bytes : int
        Letters of a full line, and its bytes, the line's end among them.
    """

    length: int
    offset: int
    line_bases: int
    line_bytes: int

    @property
    def end(self) -> int:
        """Bytes up to and with its last letter."""
        n_full, n_last = divmod(self.length - 1, self.line_bases)
        return self.offset + n_full * self.line_bytes + n_last + 1


def open_indexed(
    path: Path, kind: Kind, cache_dir: Path, log: Callable[[str], None]
) -> tuple[dict[str, Record], Bytes]:
    """Open a FASTA with its index, which is made if need be.

    Parameters
    ----------
    path : Path
    kind : "plain" or "bgzip"
    cache_dir : Path
        Takes the index if the folder of `path` must not be written to.
    log : callable
        Takes a sentence whenever an index is made.

    Returns
    -------
    (dict of name to Record in the file's order, Bytes)

    Raises
    ------
    InputFileError
        The FASTA cannot be indexed; the message names its line.
    OutputError, WriteError
        There is no place for the index.
    """
    beside = path
    cached = cache_dir / "fasta" / f"{path.name}-{cache_key(path)}"
    why = "has no index yet"
    for base in (beside, cached):
        if all(file.is_file() for file in _files(kind, base)):
            opened = _open_by(path, kind, base)
            if opened is not None and not _is_older(path, kind, base):
                return opened
            fault = "does not fit it" if opened is None else "is older than it"
            why = f"has an index that {fault}"
    log(f"{path} {why}; indexing it now")
    base = _make_somewhere(path, kind, beside, cached)
    opened = _open_by(path, kind, base)
    if opened is None:
        raise first_error(path, kind) or InputFileError(
            f"{path}: does not fit the index just made of it; is it being written to?"
            " Run again when it is complete"
        )
    return opened


def _fai(base: Path) -> Path:
    return base.with_name(f"{base.name}.fai")


def _gzi(base: Path) -> Path:
    return base.with_name(f"{base.name}.gzi")


def _files(kind: Kind, base: Path) -> list[Path]:
    return [_fai(base)] if kind == "plain" else [_fai(base), _gzi(base)]


def _is_older(path: Path, kind: Kind, base: Path) -> bool:
    changed = path.stat().st_mtime_ns
    return any(file.stat().st_mtime_ns < changed for file in _files(kind, base))


def _open_by(
    path: Path, kind: Kind, base: Path
) -> tuple[dict[str, Record], Bytes] | None:
    """Open a FASTA by an index; None if the index is broken or of another file."""
    try:
        source = PlainBytes(path) if kind == "plain" else BgzipBytes(path, _gzi(base))
        index = _read_fai(_fai(base))
        return (index, source) if _fits(index, source) else None
    except (OSError, ValueError):
        return None


def _read_fai(path: Path) -> dict[str, Record]:
    index: dict[str, Record] = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        name, *numbers = line.split("\t")
        if name in index or len(numbers) != 4:
            raise ValueError(line)
        index[name] = Record(*map(int, numbers))
    return dict(sorted(index.items(), key=lambda item: item[1].offset))


def _fits(index: Mapping[str, Record], source: Bytes) -> bool:
    """Say whether names and letters lie where an index says, end to end.

    The layout within a sequence is checked when it is read.
    """
    position = 0
    for name, record in index.items():
        if record.length < 1 or not 1 <= record.line_bases <= record.line_bytes:
            return False
        n_between = record.offset - position
        if not 1 < n_between <= _MAX_GAP:
            return False
        between = source.read(position, n_between).tobytes()
        *others, header = between.splitlines() or [b""]
        if not between.endswith(b"\n") or header[1:].split()[:1] != [name.encode()]:
            return False
        if not header.startswith(b">") or not all(map(_is_no_sequence, others)):
            return False
        position = record.end
        if not source.read(position - 1, 1).tobytes().strip():
            return False
    rest = source.read(position, 1 << 16).tobytes()
    return bool(index) and not rest.strip()


def _is_no_sequence(line: bytes) -> bool:
    return line.startswith(b";") or not line.strip()


def _make_somewhere(path: Path, kind: Kind, beside: Path, cached: Path) -> Path:
    if _may_write_to(path.parent):
        try:
            _make(path, kind, beside)
        except WriteError:  # a full disk, a quota: the cache may be elsewhere
            pass
        else:
            return beside
    check_writable_dir(cached.parent)
    _make(path, kind, cached)
    return cached


def _may_write_to(folder: Path) -> bool:
    # The administrator may write anywhere, but a folder without a single write bit
    # was closed on purpose.
    return os.access(folder, os.W_OK) and bool(folder.stat().st_mode & 0o222)


def _make(path: Path, kind: Kind, base: Path) -> None:
    if kind == "plain":
        with atomic_file(_fai(base)) as temp:
            _make_plain(path, temp)
    else:
        with atomic_file(_gzi(base)) as gzi, atomic_file(_fai(base)) as fai:
            _make_bgzip(path, fai, gzi)


def _make_plain(path: Path, fai: Path) -> None:
    try:
        pyfaidx.Faidx(str(path), indexname=str(fai)).close()
    # It raises a RuntimeError where it did not foresee a combination of odd lines.
    except (pyfaidx.FastaIndexingError, RuntimeError, ValueError) as error:
        raise first_error(path, "plain") or _not_indexed(path, error) from error


def _make_bgzip(path: Path, fai: Path, gzi: Path) -> None:
    # Only bgzip needs it.
    from pysam import faidx
    from pysam.utils import SamtoolsError

    try:
        with silent_htslib():
            faidx(str(path), "--fai-idx", str(fai), "--gzi-idx", str(gzi))
    except SamtoolsError as error:
        raise first_error(path, "bgzip") or _not_indexed(path, error) from error


def _not_indexed(path: Path, error: Exception) -> InputFileError:
    reason = " ".join(str(error).split())
    return InputFileError(
        f"{path}: cannot be indexed ({reason}); `samtools faidx` may tell more"
    )
