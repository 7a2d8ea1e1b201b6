"""The one reader of text files and tables: plain, gzip or bgzip, whatever the name.

A byte order mark is removed, lines may end in LF, CRLF or CR, and every error names the
file and, where there is one, the line. Tables of results are written by
``dataframe_io``; the formats of intervals and genes are parsed in ``genome``.
"""

from __future__ import annotations

import codecs
import gzip
import logging
import re
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from functools import cache
from io import BufferedIOBase, BufferedReader, RawIOBase
from pathlib import Path
from typing import NamedTuple, cast

from tfimpute_tracks.errors import InputFileError, shown
from tfimpute_tracks.storage.input_paths import is_folder, is_input, open_input

__all__ = [
    "Row",
    "Table",
    "explain_number",
    "is_skipped",
    "note_once",
    "open_unpacked",
    "read_lines",
    "read_rows",
    "read_table",
]

# What is logged under this name is shown to the user: `api.notes`.
_NOTES = logging.getLogger("tfimpute_tracks.notes")

_GZIP = b"\x1f\x8b"
_UTF16 = "text in UTF-16; save it as UTF-8, or convert it with iconv -f UTF-16 -t UTF-8"
_UNREADABLE = {
    b"BZh": "compressed by bzip2; unpack it with bunzip2, or use gzip",
    b"\xfd7zXZ\x00": "compressed by xz; unpack it with unxz, or use gzip",
    b"PK\x03\x04": "a zip archive, or a spreadsheet; unpack it, or save it as text",
    b"\x28\xb5\x2f\xfd": "compressed by zstd; unpack it with unzstd, or use gzip",
    codecs.BOM_UTF16_LE: _UTF16,
    codecs.BOM_UTF16_BE: _UTF16,
}
_TOO_LARGE = re.compile(r"[+-]?0*[1-9][0-9]{18,}")  # beyond 64 bits, or almost
_GROUPED = re.compile(r"[+-]?\d{1,3}(?:[,'\u2019 \u00a0\u202f]\d{3})+(?:\.\d+)?")


def explain_number(text: str) -> str:
    """Say why a text is no usable number, where that is known.

    Parameters
    ----------
    text : str

    Returns
    -------
    str
        ``1,000 has thousand separators; write 1000``, or that it is too large; empty if
        nothing is known.
    """
    if _TOO_LARGE.fullmatch(text.strip()):
        return f"{shown(text.strip())} is too large; check the number"
    if _GROUPED.fullmatch(text.strip()):
        return (
            f"{text!r} has thousand separators; write {re.sub(r'[^0-9.+-]', '', text)}"
        )
    return ""


@contextmanager
def open_unpacked(path: Path, what: str) -> Iterator[BufferedIOBase]:
    """Open a file to read its uncompressed bytes.

    Parameters
    ----------
    path : Path
        Compression is detected from the first bytes.
    what : str
        What messages call it, such as "pairs table".

    Yields
    ------
    binary file

    Raises
    ------
    InputFileError
        The file cannot be opened, or is compressed or encoded in another way; or, from
        the block, it is truncated or damaged.
    """
    if is_folder(path):
        raise InputFileError(f"{path}: is a folder; use a {what}")
    try:
        file = BufferedReader(cast(RawIOBase, open_input(path)))
    except OSError as error:
        raise InputFileError(
            f"{path}: cannot read the {what} ({error.strerror}); check the path"
        ) from error
    with file:
        is_gzip = file.peek(2)[:2] == _GZIP
        try:
            with gzip.open(file) if is_gzip else nullcontext(file) as unpacked:
                _check_kind(path, what, unpacked.peek(6)[:6])
                yield unpacked
        except (EOFError, gzip.BadGzipFile, zlib.error) as error:
            raise InputFileError(
                f"{path}: the compressed {what} is cut short or damaged ({error}); "
                "download or compress it again"
            ) from error


def _check_kind(path: Path, what: str, begin: bytes) -> None:
    """Refuse content that is no text in UTF-8, by its first bytes."""
    for magic, kind in _UNREADABLE.items():
        if begin.startswith(magic):
            raise InputFileError(f"{path}: the {what} is {kind}")


def read_lines(
    path: Path, what: str, errors: str = "strict"
) -> Iterator[tuple[int, str]]:
    """Read a text file line by line.

    Parameters
    ----------
    path : Path
    what : str
        What messages call it.
    errors : str
        ``replace`` accepts bytes that are not UTF-8, such as comments in Latin-1.

    Yields
    ------
    number, line : int, str
        From 1; without the end of the line.

    Raises
    ------
    InputFileError
        As :func:`open_unpacked`; or the file is not UTF-8 text.
    """
    number = 0
    with open_unpacked(path, what) as file:
        for line in file:
            if number == 0 and line.startswith(codecs.BOM_UTF8):
                line = line.removeprefix(codecs.BOM_UTF8)
                note_once(f"{path} begins with a byte order mark, which is passed over")
            try:
                text = line.decode("utf-8", errors)
            except UnicodeDecodeError as error:
                raise InputFileError(
                    f"{path}:{number + 1}: not a text file ({error.reason} at byte "
                    f"{error.start} of the line); use a {what} in UTF-8"
                ) from error
            for part in text.rstrip("\r\n").split("\r"):
                number += 1
                if "\0" in part:
                    raise InputFileError(
                        f"{path}:{number}: not a text file (it has NUL bytes); use a "
                        f"{what} in UTF-8"
                    )
                yield number, part


@cache
def note_once(text: str) -> None:
    """Log a note on a file once, as it may be read several times.

    Parameters
    ----------
    text : str
    """
    _NOTES.info(text)


def read_rows(
    path: Path, what: str, skip: tuple[str, ...] = ("#",), errors: str = "strict"
) -> Iterator[tuple[int, list[str]]]:
    """Read the rows of a table without a header.

    Parameters
    ----------
    path : Path
    what : str
        What messages call it.
    skip : tuple of str
        Lines that begin with such a sign or word are skipped, and blank lines.
    errors : str
        As :func:`read_lines`.

    Yields
    ------
    number, fields : int, list of str
        Line number from 1; fields separated by tabs, or by blanks in a line without
        one. Blanks around a field are removed.

    Raises
    ------
    InputFileError
        As :func:`read_lines`.
    """
    for number, line in read_lines(path, what, errors):
        if line.strip() and not is_skipped(line.lstrip(), skip):
            yield (
                number,
                [field.strip() for field in line.split("\t" if "\t" in line else None)],
            )


def is_skipped(line: str, skip: tuple[str, ...]) -> bool:
    """Check for a comment, or a line that begins with a word: `track`, not `track1`.

    Parameters
    ----------
    line : str
        Without blanks before it.
    skip : tuple of str
        Signs, and words.

    Returns
    -------
    bool
    """
    if not line.startswith(skip):
        return False
    return not line[0].isalpha() or line.split(maxsplit=1)[0] in skip


class Row(NamedTuple):
    """A row of a table with a header.

    Attributes
    ----------
    number : int
        Line number, from 1.
    place : str
        ``path:line``, for messages.
    fields : dict of str
        By column name, without surrounding blanks.
    """

    number: int
    place: str
    fields: dict[str, str]

    def file(self, column: str) -> Path:
        """Get the file that a column names, relative to the table's folder.

        Parameters
        ----------
        column : str

        Returns
        -------
        Path

        Raises
        ------
        InputFileError
            There is no such file.
        """
        table, _, _ = self.place.rpartition(":")
        path = Path(table).parent / self.fields[column]
        if not is_input(path):
            what = f"{path} is a folder" if path.is_dir() else f"no such file {path}"
            raise InputFileError(
                f"{self.place}: {what}; the {column} column has files, relative to the "
                "table's folder"
            )
        return path


class Table(NamedTuple):
    """A table with a header.

    Attributes
    ----------
    header : tuple of str
        Column names in lower case.
    rows : tuple of Row
        Without blank lines.
    """

    header: tuple[str, ...]
    rows: tuple[Row, ...]


def read_table(
    path: Path, what: str, needed: Sequence[str], columns: Sequence[str] = ()
) -> Table:
    """Read a tab-separated table with a header.

    Parameters
    ----------
    path : Path
        Lines that begin with ``#`` are comments, except a header that does.
    what : str
        What messages call it, such as "pairs table".
    needed : sequence of str
        Columns that must be in the header and filled in.
    columns : sequence of str, optional
        Columns that messages ask for; by default `needed`.

    Returns
    -------
    Table

    Raises
    ------
    InputFileError
        The table is missing, is not text or lacks a column; a row is too short or has
        an empty field.
    """
    header: list[str] | None = None
    rows = []
    for number, line in read_lines(path, what):
        is_comment = line.lstrip().startswith("#")
        fields = [field.strip() for field in line.lstrip(" #").split("\t")]
        if is_comment and header is None:
            is_comment = not set(needed) <= {name.lower() for name in fields}
        if is_comment or not line.strip():
            continue
        if header is None:
            header = [name.lower() for name in fields]
            _check_header(path, number, what, header, needed, columns)
            continue
        if len(fields) < len(header):
            raise InputFileError(
                f"{path}:{number}: {len(fields)} fields where the header has "
                f"{len(header)}; separate them by single tabs"
            )
        row = Row(number, f"{path}:{number}", dict(zip(header, fields, strict=False)))
        for column in needed:
            if not row.fields[column]:
                raise InputFileError(f"{row.place}: the {column} is empty; fill it in")
        rows.append(row)
    if header is None:
        raise InputFileError(
            f"{path}: is empty; a {what} is tab-separated with the columns "
            f"{', '.join(columns or needed)}"
        )
    return Table(tuple(header), tuple(rows))


def _check_header(
    path: Path,
    number: int,
    what: str,
    header: list[str],
    needed: Sequence[str],
    columns: Sequence[str],
) -> None:
    missing = [name for name in needed if name not in header]
    if missing:
        raise InputFileError(
            f"{path}:{number}: no column {', '.join(missing)} in the header {header}; "
            f"a {what} is tab-separated with the columns {', '.join(columns or needed)}"
        )
