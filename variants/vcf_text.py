"""Make a VCF or BCF readable for htslib, or say what is wrong with its text.

htslib reads files only, plain or in the blocks of bgzip, and calls everything else
unreadable. Plain gzip, pipes, a byte order mark and lines that end in CR are copied into
a temporary file that it can read. The content decides, whatever the name.
"""

from __future__ import annotations

import codecs
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from io import BufferedIOBase
from itertools import islice
from pathlib import Path

from tfimpute_tracks.errors import InputFileError, counted
from tfimpute_tracks.storage.input_paths import open_input
from tfimpute_tracks.storage.table import (
    explain_number,
    note_once,
    open_unpacked,
)

__all__ = ["explain_record", "is_vcf", "not_utf8", "readable_vcf"]

_BCF = b"BCF\2"
_BEGIN = b"##fileformat=VCF"
_HEAD = 1 << 16  # bytes that are looked at
_CHUNK = 1 << 20
_N_COLUMNS = 8  # of a record without samples


def is_vcf(path: Path) -> bool:
    """Check whether the content of a file is VCF or BCF.

    Parameters
    ----------
    path : Path

    Returns
    -------
    bool

    Raises
    ------
    InputFileError
        The file cannot be opened, or is compressed or encoded in another way.
    """
    with open_unpacked(path, "file of variants") as file:
        begin = file.read(len(codecs.BOM_UTF8 + _BEGIN))
    begin = begin.removeprefix(codecs.BOM_UTF8)
    return begin.startswith((_BCF, _BEGIN))


@contextmanager
def readable_vcf(path: Path, label: str) -> Iterator[Path]:
    """Find a file with the content of a VCF or BCF that htslib can read.

    Parameters
    ----------
    path : Path
    label : str
        Name of the source in messages.

    Yields
    ------
    Path
        The file itself, or a temporary copy.

    Raises
    ------
    InputFileError
        The file cannot be opened, or its text is not that of a VCF.
    """
    with open_input(path) as packed:
        magic = packed.read(14)
    is_packed = magic.startswith(b"\x1f\x8b")
    in_blocks = is_packed and magic[12:14] == b"BC"
    with open_unpacked(path, "VCF") as file:
        head = file.read(_HEAD)
    has_mark = head.startswith(codecs.BOM_UTF8)
    has_cr = b"\r" in head and b"\n" not in head and not head.startswith(_BCF)
    if not head.startswith(_BCF):
        _check_text(label, head.removeprefix(codecs.BOM_UTF8))
    if path.is_file() and not (has_mark or has_cr) and (in_blocks or not is_packed):
        yield path
        return
    if has_mark:
        note_once(f"{label} begins with a byte order mark, which is passed over")
    if has_cr:
        note_once(f"{label} has lines that end in CR, which are read as LF")
    with tempfile.NamedTemporaryFile(suffix=".vcf") as copy:
        with open_unpacked(path, "VCF") as file:
            if has_mark:
                file.read(len(codecs.BOM_UTF8))
            if has_cr:
                for chunk in _chunks(file):
                    copy.write(chunk.replace(b"\r", b"\n"))
            else:
                shutil.copyfileobj(file, copy, _CHUNK)
        copy.flush()
        yield Path(copy.name)


def explain_record(path: Path, label: str, number: int) -> str | None:
    """Say what is wrong with a record that htslib does not read.

    Parameters
    ----------
    path : Path
    label : str
        Name of the source in messages.
    number : int
        Of the record in the file, from 1.

    Returns
    -------
    str or None
        None where its columns and its position are in order.
    """
    with open_unpacked(path, "VCF") as file:
        lines = (
            (i, line) for i, line in enumerate(file, 1) if not line.startswith(b"#")
        )
        i, line = next(islice(lines, number - 1, None), (0, b""))
    fields = line.decode("utf-8", "replace").rstrip("\r\n").split("\t")
    if not i or not line.endswith(b"\n"):
        return None
    if len(fields) < _N_COLUMNS:
        found = counted(len(fields), "column")
        return f"{label}:{i}: has {found}, and a VCF has {_N_COLUMNS} or more"
    if fields[0] != fields[0].strip():
        return f"{label}:{i}: blanks around the chromosome {fields[0]!r}; remove them"
    if not fields[1].isdecimal():
        found = explain_number(fields[1]) or f"{fields[1]!r} is not a whole number"
        return f"{label}:{i}: the position {found}"
    return None


def not_utf8(label: str, number: int) -> InputFileError:
    """Make the error about a record with other text than UTF-8.

    Parameters
    ----------
    label : str
        Name of the source in messages.
    number : int
        Of the record in the file, from 1; 0 for the header.

    Returns
    -------
    InputFileError
    """
    where = f"variant {number}" if number else "the header"
    return InputFileError(
        f"{label}: {where} has text that is not UTF-8; convert the file, for example with "
        "iconv -f LATIN1 -t UTF-8"
    )


def _chunks(file: BufferedIOBase) -> Iterator[bytes]:
    while chunk := file.read(_CHUNK):
        yield chunk


def _check_text(label: str, head: bytes) -> None:
    """Say what is wrong with the text of a VCF, where that is known."""
    if not head:
        raise InputFileError(f"{label}: the file is empty; use a VCF or BCF")
    if b"\0" in head[:4]:
        raise InputFileError(
            f"{label}: the VCF is text in UTF-16; save it as UTF-8, or convert it with "
            "iconv -f UTF-16 -t UTF-8"
        )
    lines = head.splitlines()
    is_cut = len(head) >= _HEAD - len(codecs.BOM_UTF8)
    if is_cut and len(lines) > 1:
        lines.pop()  # its end is missing
    names = [line for line in lines if line.lower().startswith(b"#chrom")]
    first = lines[lines.index(names[0]) + 1] if names and lines[-1:] != names else b""
    for line in (*names, first):
        if line.strip() and b"\t" not in line:
            raise InputFileError(
                f"{label}: separated by blanks, and a VCF is separated by tabs; convert "
                "it with sed -E '/^##/!s/ +/\\t/g'"
            )
    if not lines[0].startswith(_BEGIN):
        begin = lines[0][:40].decode("utf-8", "replace")
        raise InputFileError(
            f"{label}: begins with {begin!r}, and a VCF begins with the line "
            "##fileformat=VCFv4.2; add it, or use a table with the columns chrom, pos, "
            "ref, alt"
        )
    columns = names[0].split(b"\t") if names else []
    if 0 < len(columns) < _N_COLUMNS:
        raise InputFileError(
            f"{label}: has {len(columns)} columns, and a VCF has {_N_COLUMNS} or more; add "
            "QUAL, FILTER and INFO with a dot in each row, or use a table with the "
            "columns chrom, pos, ref, alt"
        )
    if not names and not is_cut:
        raise InputFileError(
            f"{label}: no line #CHROM POS ID REF ALT ... with the names of the columns; "
            "add it, separated by tabs"
        )
