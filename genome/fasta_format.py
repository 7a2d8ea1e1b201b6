"""What kind of file a FASTA is, and which line of it is wrong.

Three kinds can be read: plain text, bgzip (gzip in blocks, so any place can be reached)
and ordinary gzip. The libraries that index a FASTA stop at a fault or pass over it
without saying where it is; then the file is read here once more, line by line, for the
sentence its owner needs. Nothing here makes an index or a sequence.
"""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterable
from pathlib import Path
from typing import Literal

from tfimpute_tracks.errors import InputFileError

__all__ = ["Kind", "damaged_gzip", "detect_format", "first_error"]

Kind = Literal["plain", "bgzip", "gzip"]

_GZIP = b"\x1f\x8b"
# Flag FEXTRA, and the subfield BC that holds the size of a block.
_BGZIP_FLAG, _BGZIP_FIELD = 4, b"BC"
_PACKED_SUFFIXES = {".gz", ".bgz", ".bz2", ".zip"}
_FOREIGN = {
    b"BAM\1": "a BAM file of reads; give the FASTA they were aligned to",
    b"CRAM": "a CRAM file of reads; give the FASTA they were aligned to",
    b"@": "FASTQ or SAM, which hold reads; give the FASTA of the genome",
    b"##": "a VCF or a GFF; give the FASTA of the genome",
    b"BZh": "compressed with bzip2; unpack it with bunzip2",
    b"PK\3\4": "a zip archive; unpack it with unzip",
    b"\xfd7zXZ": "compressed with xz; unpack it with unxz",
    b"\x28\xb5\x2f\xfd": "compressed with zstd; unpack it with unzstd",
    b"\x1a\x41\x27\x43": "a .2bit file; turn it into FASTA with twoBitToFa",
    b"\x43\x27\x41\x1a": "a .2bit file; turn it into FASTA with twoBitToFa",
    b"\xef\xbb\xbf": "text with a byte order mark; save it without one",
}


def detect_format(path: Path) -> Kind:
    """Tell the kind of a FASTA by its first bytes, whatever its name.

    Parameters
    ----------
    path : Path

    Returns
    -------
    "plain", "bgzip" or "gzip"

    Raises
    ------
    InputFileError
        No such file, not a file, empty, or no FASTA.
    """
    if path.is_dir():
        raise InputFileError(f"{path}: is a folder; give the FASTA file inside of it")
    if path.exists() and not path.is_file():
        raise InputFileError(
            f"{path}: is a pipe or a device; a FASTA is read out of order, so save it"
            " as a file first"
        )
    try:
        with path.open("rb") as file:
            head = file.read(1 << 16)
    except OSError as error:
        raise InputFileError(
            f"{path}: cannot be read ({error.strerror}); check the path of the FASTA"
        ) from error
    kind: Kind = "plain"
    if head.startswith(_GZIP):
        is_bgzip = head[12:14] == _BGZIP_FIELD and head[3] & _BGZIP_FLAG
        kind = "bgzip" if is_bgzip else "gzip"
        try:
            with gzip.open(path) as unpacked:
                head = unpacked.read(1 << 16)
        except (EOFError, OSError, zlib.error) as error:
            raise damaged_gzip(path, error) from error
    _check_head(path, head)
    if kind == "plain" and path.suffix.lower() in _PACKED_SUFFIXES:
        raise InputFileError(
            f"{path}: is plain text in spite of its name; rename it to end in .fa"
        )
    return kind


def damaged_gzip(path: Path, error: Exception) -> InputFileError:
    """Word the error for a compressed file that does not unpack.

    Parameters
    ----------
    path : Path
    error : Exception
        What the unpacking raised.

    Returns
    -------
    InputFileError
        To be raised.
    """
    return InputFileError(
        f"{path}: is cut short or damaged ({error}); fetch or compress it again"
    )


def first_error(path: Path, kind: Kind) -> InputFileError | None:
    """Read a whole FASTA for the first thing an index cannot be made of.

    Parameters
    ----------
    path : Path
    kind : "plain", "bgzip" or "gzip"

    Returns
    -------
    InputFileError or None
        To be raised; it names the line. None if every line is as it should be.
    """
    try:
        if kind == "plain":
            with path.open("rb") as lines:
                fault = _fault_in(lines)
        else:
            with gzip.open(path) as lines:
                fault = _fault_in(lines)
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        return damaged_gzip(path, error)
    return InputFileError(f"{path}:{fault}") if fault else None


def _check_head(path: Path, head: bytes) -> None:
    lines = (line for line in head.splitlines() if line.strip())
    first = next((line for line in lines if not line.startswith(b";")), b"")
    if first.startswith(b">"):
        return
    if not first:
        raise InputFileError(f"{path}: is empty; give a FASTA with sequences in it")
    for magic, what in _FOREIGN.items():
        if head.startswith(magic):
            raise InputFileError(f"{path}: is not a FASTA but {what}")
    raise InputFileError(
        f"{path}: is not a FASTA: it begins with {first[:20]!r}, and a FASTA begins"
        " with > and a name; check the path"
    )


def _fault_in(lines: Iterable[bytes]) -> str | None:
    """Give "LINE: what; remedy" for the first fault."""
    first_line_of: dict[bytes, int] = {}
    name = b""
    width: tuple[int, int] | None = None  # letters, bytes
    n_uneven = n_blank = 0  # the number of such a line, good only as the last one
    for number, line in enumerate(lines, start=1):
        letters = line.rstrip(b"\r\n")
        if line.startswith(b">"):
            if name and width is None:
                return _empty(name, first_line_of[name])
            words = line[1:].split()
            fault = _name_fault(words, first_line_of)
            if fault:
                return f"{number}: {fault}"
            name, width, n_uneven, n_blank = words[0], None, 0, 0
            first_line_of[name] = number
        elif not letters.strip():
            n_blank = number
        elif not name:  # a comment, which the format once had
            continue
        elif n_blank:
            return f"{n_blank}: a blank line inside of {_shown(name)}; remove it"
        elif n_uneven or (width and len(letters) > width[0]):
            return (
                f"{n_uneven or number}: the lines of {_shown(name)} are not all equally"
                " long, or end in LF here and CRLF there; wrap them anew, e.g. with"
                " `seqkit seq -w 60`"
            )
        elif width is None:
            width = (len(letters), len(line))
        elif (len(letters), len(line)) != width:
            n_uneven = number
    if name and width is None:
        return _empty(name, first_line_of[name])
    return None


def _name_fault(words: list[bytes], first_line_of: dict[bytes, int]) -> str | None:
    if not words:
        return "a sequence without a name; write one after the >"
    try:
        b" ".join(words).decode()
    except UnicodeDecodeError:
        return f"the name {_shown(words[0])} or what follows is not UTF-8; retype it"
    if words[0] in first_line_of:
        return (
            f"{_shown(words[0])} is named a second time, first in line"
            f" {first_line_of[words[0]]}; rename or remove one of them"
        )
    return None


def _empty(name: bytes, number: int) -> str:
    return f"{number}: the sequence {_shown(name)} is empty; remove its name"


def _shown(name: bytes) -> str:
    return repr(name.decode("utf-8", "replace"))
