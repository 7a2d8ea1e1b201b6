"""What a FASTA needs before it is read: its index, and its first error.

An index (``.fai``; for bgzip also ``.gzi``) lies next to the FASTA, where samtools and
pyfaidx put it, or in the cache if that folder cannot be written to. One that is older
than its FASTA or does not fit is made again: with a wrong index, wrong sequence would be
read unnoticed. pyfaidx indexes plain files, pysam bgzip files; where they fail, the file
is read once more for the line to name.

Bytes are read with ``pread`` and bgzip blocks are unpacked with zlib, not through a
memory map or htslib: threads and forked processes may read at once through one handle,
a file that is truncated meanwhile is an error and not a crash, and htslib takes longer.
"""

from __future__ import annotations

import gzip
import os
import weakref
import zlib
from collections.abc import Callable, Iterable
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tfimpute_tracks.errors import (
    InputFileError,
    OutputError,
    WriteError,
    counted,
    listed,
)
from tfimpute_tracks.genome.cache import cache_key, unpack
from tfimpute_tracks.genome.fasta_format import detect_format
from tfimpute_tracks.storage import atomic_file, check_writable_dir
from tfimpute_tracks.storage.table import open_unpacked

__all__ = ["Index", "Reader", "first_error", "open_indexed"]

Index = dict[str, tuple[int, int, int, int]]
"""By name: length in bp, offset of the first base, bases and bytes of a full line."""
Reader = Callable[[int, int], bytes]
"""From an offset and a number of bytes to the unpacked bytes; fewer at the end."""

_AHEAD = 1 << 16  # bytes read at once, for many small sequences
_MAX_GAP = 1 << 20  # between two sequences lies a name, not more


def open_indexed(
    path: Path, cache_dir: Path, log: Callable[[str], None]
) -> tuple[Index, Reader]:
    """Open a FASTA with its index, which is made if necessary.

    Parameters
    ----------
    path : Path
        Plain or bgzip; gzip is unpacked into the cache.
    cache_dir : Path
        Receives the index, too, if the folder of `path` cannot be written to.
    log : callable
        Receives a message when an index is made or a file is unpacked.

    Returns
    -------
    Index, Reader

    Raises
    ------
    InputFileError
        The FASTA cannot be indexed; the message names its line.
    OutputError, WriteError
        The index or the unpacked text cannot be written anywhere.
    """
    kind = detect_format(path)
    text = unpack(path, cache_dir, log) if kind == "gzip" else path
    cached = cache_dir / "fasta" / f"{text.name}-{cache_key(text)}"
    endings = [".fai", ".gzi"] if kind == "bgzip" else [".fai"]
    places = [[Path(f"{base}{end}") for end in endings] for base in (text, cached)]
    reason = "has no index yet"
    for files in places:
        if all(file.is_file() for file in files):
            opened = _open(text, *files)
            changed = text.stat().st_mtime_ns
            if opened and all(file.stat().st_mtime_ns >= changed for file in files):
                return _without_empty(path, opened, log)
            reason = "is older than it" if opened else "does not fit it"
            reason = f"has an index that {reason}"
    log(f"{text} {reason}; indexing it now")
    try:
        opened = _open(text, *_make_index(text, places))
        if opened:
            return _without_empty(path, opened, log)
        reason = "does not fit the index just made of it; run again when it is complete"
    except (RuntimeError, ValueError) as error:
        reason = f"cannot be indexed ({' '.join(str(error).split())})"
        reason += "; `samtools faidx` may explain why"
    if kind == "gzip":
        text.unlink()  # of no use, and the user knows the file by another name
    raise first_error(path, reason)


def _without_empty(
    path: Path, opened: tuple[Index, Reader, list[str]], log: Callable[[str], None]
) -> tuple[Index, Reader]:
    """Say which sequences are passed over, as samtools does: those without bases."""
    index, read, empty = opened
    if empty:
        what = counted(len(empty), "sequence")
        log(f"{path}: {what} without bases left out: {listed(empty)}")
    return index, read


def _open(
    path: Path, fai: Path, gzi: Path | None = None
) -> tuple[Index, Reader, list[str]] | None:
    """Open a FASTA with an index; None if that is broken or of another file.

    Names and sequences must lie where the index says, from end to end; lines are
    checked when they are read. Names of sequences without bases, which an index may have
    or not, are the third result.
    """
    try:
        text = _Text(path, gzi)
        rows = [line.split("\t") for line in fai.read_text("utf-8").splitlines()]
        rows = [row for row in rows if len(row) != 5 or row[1] != "0"]
        index = {name: (int(n), int(at), int(w), int(b)) for name, n, at, w, b in rows}
        index = dict(sorted(index.items(), key=lambda item: item[1][1]))
        position, between = 0, list[bytes]()
        for name, (length, offset, width, line_bytes) in index.items():
            if length < 1 or not 1 <= width <= line_bytes:
                return None
            if not position + 1 < offset <= position + _MAX_GAP:
                return None
            before = text.read(position, offset - position)
            *others, header = before.splitlines()
            if not header.startswith(b">") or header[1:].split()[:1] != [name.encode()]:
                return None
            between += others
            n_lines, rest = divmod(length - 1, width)
            position = offset + n_lines * line_bytes + rest + 1
            if before[-1:] != b"\n" or not text.read(position - 1, 1).strip():
                return None
        between += text.read(position, _MAX_GAP).splitlines()
        lines = [line for line in between if line.strip() and line[:1] != b";"]
        empty = [line[1:].decode().split()[0] for line in lines if line[:1] == b">"]
        is_sound = len(empty) == len(lines) and 0 < len(index) == len(rows)
        return (
            (index, text.read, empty) if is_sound and not index.keys() & empty else None
        )
    except (OSError, ValueError, IndexError):
        return None


class _Text:
    """The unpacked bytes of a plain file, or of a bgzip file by its ``.gzi``."""

    def __init__(self, path: Path, gzi: Path | None) -> None:
        self._blocks: NDArray[np.int64] | None = None  # offsets: packed, unpacked
        self._handle = os.open(path, os.O_RDONLY)
        weakref.finalize(self, os.close, self._handle)
        if gzi is not None:
            # A count, and the offsets of all blocks but the first, as uint64.
            table = np.fromfile(gzi, dtype="<u8").astype(np.int64)
            if not len(table) or len(table) != 2 * int(table[0]) + 1:
                raise ValueError(f"{gzi}: not a .gzi")
            end = os.fstat(self._handle).st_size, np.iinfo(np.int64).max
            self._blocks = np.vstack([[0, 0], table[1:].reshape(-1, 2), end]).T
        # What was read last, for many small sequences; a tuple is replaced as one.
        self._recent = 0, b""

    def read(self, offset: int, n_bytes: int) -> bytes:
        start, text = self._load(offset, n_bytes)
        return text[offset - start : offset - start + n_bytes]

    def _load(self, offset: int, n_bytes: int) -> tuple[int, bytes]:
        """Return some text with these bytes in it, and where it starts."""
        start, text = self._recent
        if start <= offset <= offset + n_bytes <= start + len(text):
            pass
        elif self._blocks is None and n_bytes > _AHEAD:
            start, text = offset, os.pread(self._handle, n_bytes, offset)
        elif self._blocks is None:
            start, text = self._recent = offset, os.pread(self._handle, _AHEAD, offset)
        else:
            packed, unpacked = self._blocks
            first = int(np.searchsorted(unpacked, offset, side="right")) - 1
            last = int(np.searchsorted(unpacked, offset + n_bytes))
            start, size = int(unpacked[first]), int(packed[last] - packed[first])
            try:
                text = gzip.decompress(os.pread(self._handle, size, packed[first]))
            except (EOFError, zlib.error) as error:
                raise OSError(f"a block is damaged: {error}") from error
            self._recent = start, text
        return start, text


def _make_index(path: Path, places: list[list[Path]]) -> list[Path]:
    """Write the files of an index in the first place that can be written to."""
    # Root may write anywhere, but a folder without any write bit was closed on purpose.
    is_open = os.access(path.parent, os.W_OK) and path.parent.stat().st_mode & 0o222
    if is_open:
        with suppress(OutputError, WriteError):  # a quota: the cache may be elsewhere
            return _write_index(path, places[0])
    return _write_index(path, places[1])


def _write_index(path: Path, files: list[Path]) -> list[Path]:
    check_writable_dir(files[0].parent)
    with ExitStack() as stack:
        fai, *gzi = (str(stack.enter_context(atomic_file(file))) for file in files)
        if not gzi:
            import pyfaidx  # an index that is there needs neither

            try:
                pyfaidx.Faidx(str(path), indexname=fai).close()
                if _open(path, Path(fai)) is None:  # it takes blanks for bases
                    _index_lines(path, fai)
            # It raises a RuntimeError for some combinations of invalid lines.
            except (pyfaidx.FastaIndexingError, RuntimeError) as error:
                if not _index_lines(path, fai):  # it fails at some empty sequences
                    raise RuntimeError(str(error)) from error
            return files
        import pysam  # only bgzip needs it
        from pysam.utils import SamtoolsError

        verbosity = pysam.set_verbosity(0)  # htslib would print what is raised here
        try:
            # As bytes, which the types do not have: a name need not be text.
            typed: tuple[Any, ...] = (path, "--fai-idx", fai, "--gzi-idx", gzi[0])
            pysam.faidx(*(os.fsencode(word) for word in typed))  # type: ignore[arg-type]
        except SamtoolsError as error:
            if not _index_lines(path, fai):  # an empty sequence at the end
                raise RuntimeError(str(error)) from error
            _index_blocks(path, gzi[0])
        finally:
            pysam.set_verbosity(verbosity)
    return files


def _index_lines(path: Path, fai: str) -> bool:
    """Index a FASTA line by line; report whether it has no error."""
    index: Index = {}
    with open_unpacked(path, "FASTA") as lines:
        if _error_in(lines, index):
            return False
    rows = ("\t".join(map(str, (name, *row))) + "\n" for name, row in index.items())
    Path(fai).write_text("".join(rows), "utf-8")
    return True


def _index_blocks(path: Path, gzi: str) -> None:
    """Write where the blocks of a bgzip file begin, packed and unpacked."""
    rows = []
    packed = unpacked = 0
    with path.open("rb") as file:
        # The last two bytes of a header: bytes of the block, less one.
        while len(header := file.read(18)) == 18:
            rows.append((packed, unpacked))
            packed += int.from_bytes(header[16:], "little") + 1
            file.seek(packed - 4)
            unpacked += int.from_bytes(file.read(4), "little")
    table = np.array([len(rows) - 1, *np.ravel(rows[1:])], dtype="<u8")
    table.tofile(gzi)


def first_error(path: Path, reason: str) -> InputFileError:
    """Read a FASTA up to the first line that cannot be indexed, and name it.

    Parameters
    ----------
    path : Path
        Plain, bgzip or gzip.
    reason : str
        What to say where no line is at fault.

    Returns
    -------
    InputFileError
    """
    try:
        with open_unpacked(path, "FASTA") as lines:
            error = _error_in(lines, {})
    except InputFileError as damaged:
        return damaged
    return InputFileError(f"{path}:{error or ' ' + reason}")


def _error_in(lines: Iterable[bytes], index: Index) -> str:
    """Describe the first error as "LINE: what; remedy"; empty if there is none.

    The index is filled up to there. One sequence at least must have bases.
    """
    first_lines: dict[str, int] = {}  # of each name
    end = 0  # of the line, in bytes
    name, width = "", (0, 0)  # bases and bytes per line
    odd = ""  # an odd line, fine as the last
    for number, line in enumerate(lines, start=1):
        start, end = end, end + len(line)
        bases = line.rstrip()
        size = len(bases), len(line)
        uneven = (
            f"{number}: the lines of {name!r} are not all equally long, or end in LF "
            "here and CRLF there; wrap them again, as with `seqkit seq -w 60`"
        )
        if line.startswith(b">"):
            try:
                words = line[1:].decode().split()
            except UnicodeDecodeError:
                return f"{number}: the name {bases[1:]!r} is not UTF-8; rename it"
            if not words:
                return f"{number}: a sequence without a name; write one after the >"
            name, width, odd = words[0], (0, 0), ""
            if name in first_lines:
                return (
                    f"{number}: {name!r} is named a second time, first in line "
                    f"{first_lines[name]}; rename or remove one of them"
                )
            first_lines[name] = number
        elif not name:  # a comment, which old FASTA files have
            continue
        elif b";" in bases:
            return f"{number}: a comment (;) among the bases of {name!r}; remove it"
        elif b">" in bases:
            return (
                f"{number}: a name (>) among the bases of {name!r}: the line before it "
                "has no end; begin a new line there"
            )
        elif len(bases.split()) > 1:
            return f"{number}: blanks among the bases of {name!r}; remove them"
        elif not bases.strip():
            odd = odd or f"{number}: a blank line inside of {name!r}; remove it"
        elif odd or 0 < width[0] < size[0]:
            return odd or uneven
        elif not width[0]:
            width = size
            index[name] = (size[0], start, *size)
        else:
            length, *lie = index[name]
            index[name] = (length + size[0], lie[0], lie[1], lie[2])
            odd = "" if size == width else uneven
    if name and not index:
        return f"{first_lines[name]}: the sequence {name!r} is empty; remove its name"
    return ""
