"""Tab-separated tables with a header that users write: read whole, errors by line."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from tfimpute_tracks.errors import InputFileError

__all__ = ["Row", "Table", "read_table"]


class Row(NamedTuple):
    """A row, and where it stands.

    Attributes
    ----------
    number : int
        Its line, from 1.
    place : str
        `path:line`, for messages.
    fields : dict of str
        By column, without blanks around them.
    """

    number: int
    place: str
    fields: dict[str, str]

    def file(self, column: str) -> Path:
        """Give the file that a column names, relative to the table's folder.

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
                f"{self.place}: peak file {path} does not exist; "
                f"the {column} column is relative to the table's folder"
            )
        return path


class Table(NamedTuple):
    """A table as it was read.

    Attributes
    ----------
    header : tuple of str
    rows : tuple of Row
        Empty lines are left out.
    """

    header: tuple[str, ...]
    rows: tuple[Row, ...]


def read_table(
    path: Path, what: str, needed: Sequence[str], columns: Sequence[str]
) -> Table:
    """Read a table.

    Parameters
    ----------
    path : Path
    what : str
        What messages call it, as in "a pairs table".
    needed : sequence of str
        Columns that must be there, and filled in.
    columns : sequence of str
        Those that messages ask for.

    Returns
    -------
    Table

    Raises
    ------
    InputFileError
        The table is missing, is no text or lacks a column; a row is too short or has an
        empty field.
    """
    lines = _read_lines(path, what)
    header = lines[0].split("\t") if lines else []
    missing = [name for name in needed if name not in header]
    if missing:
        raise InputFileError(
            f"{path}:1: no column {', '.join(missing)} in the header {header}; "
            f"a {what} is tab-separated with the columns {', '.join(columns)}"
        )
    rows = [
        _parse_row(number, line, header, f"{path}:{number}", needed)
        for number, line in enumerate(lines[1:], start=2)
        if line.strip()
    ]
    return Table(tuple(header), tuple(rows))


def _read_lines(path: Path, what: str) -> list[str]:
    try:
        return path.read_text(encoding="utf-8-sig").splitlines()
    except UnicodeDecodeError as error:
        raise InputFileError(
            f"{path}: not a text file ({error.reason} at byte {error.start}); "
            f"give the {what} itself, uncompressed"
        ) from error
    except OSError as error:
        raise InputFileError(
            f"{path}: cannot read the {what} ({error.strerror}); check the path"
        ) from error


def _parse_row(
    number: int, line: str, header: list[str], place: str, needed: Sequence[str]
) -> Row:
    fields = line.split("\t")
    if len(fields) < len(header):
        raise InputFileError(
            f"{place}: {len(fields)} fields where the header has {len(header)}; "
            f"separate them by single tabs"
        )
    named = {name: text.strip() for name, text in zip(header, fields, strict=False)}
    for column in needed:
        if not named[column]:
            raise InputFileError(f"{place}: the {column} is empty; fill it in")
    return Row(number, place, named)
