"""The one reader of text files and tables: plain, gzip or bgzip, whatever the name.

A byte order mark is removed, lines may end in LF, CRLF or CR, and every error names the
file and, where there is one, the line. Tables of results are written by
``dataframe_io``; the formats of intervals and genes are parsed in ``genome``.
"""

from __future__ import annotations

import codecs
import gzip
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from io import BufferedIOBase
from pathlib import Path
from typing import NamedTuple

from tfimpute_tracks.errors import InputFileError

__all__ = ["Row", "Table", "open_unpacked", "read_lines", "read_rows", "read_table"]


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
        The file cannot be opened; or, from the block, it is truncated or damaged.
    """
    try:
        file = path.open("rb")
    except OSError as error:
        raise InputFileError(
            f"{path}: cannot read the {what} ({error.strerror}); check the path"
        ) from error
    with file:
        is_gzip = file.peek(2)[:2] == b"\x1f\x8b"
        try:
            with gzip.open(file) if is_gzip else nullcontext(file) as unpacked:
                yield unpacked
        except (EOFError, gzip.BadGzipFile, zlib.error) as error:
            raise InputFileError(
                f"{path}: the compressed {what} is cut short or damaged ({error}); "
                "download or compress it again"
            ) from error


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
            if number == 0:
                line = line.removeprefix(codecs.BOM_UTF8)
            try:
                text = line.decode("utf-8", errors)
            except UnicodeDecodeError as error:
                raise InputFileError(
                    f"{path}:{number + 1}: not a text file ({error.reason} at byte "
                    f"{error.start} of the line); use a {what} in UTF-8"
                ) from error
            for part in text.rstrip("\r\n").split("\r"):
                number += 1
                yield number, part


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
        Lines that begin so are skipped, and blank lines.
    errors : str
        As :func:`read_lines`.

    Yields
    ------
    number, fields : int, list of str
        Line number from 1; fields separated by tabs, or by blanks in a line without one.

    Raises
    ------
    InputFileError
        As :func:`read_lines`.
    """
    for number, line in read_lines(path, what, errors):
        if line.strip() and not line.startswith(skip):
            yield number, line.split("\t") if "\t" in line else line.split()


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
        if not path.is_file():
            raise InputFileError(
                f"{self.place}: no such file {path}; the {column} column is relative to "
                "the table's folder"
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
        Lines that begin with ``#`` are comments.
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
        if line.startswith("#") or (header is not None and not line.strip()):
            continue
        fields = [field.strip() for field in line.split("\t")]
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
        _check_header(path, 1, what, [], needed, columns)
    return Table(tuple(header or ()), tuple(rows))


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
