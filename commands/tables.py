"""Tables on stdout: on a terminal they fit its width, and no value is ever cut.

A table that is too wide loses the columns that may be left out, one after the other. One
of few rows is turned instead. What is still too wide is written a value per line.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from typing import Any

from tfimpute_tracks.commands.console import log, print_result

__all__ = ["show_table"]

_NUMBER = re.compile(r"-|[+-]?[0-9][0-9,.]*%?")
_GAP = 2  # blanks between columns
_FEW_ROWS = 6  # become columns

Cells = list[list[str]]


def show_table(
    title: str, columns: list[str], rows: list[list[Any]], optional: Sequence[str] = ()
) -> None:
    """Write a table to stdout.

    Parameters
    ----------
    title : str
    columns : list of str
    rows : list of lists
        Columns of numbers are right-aligned; floats get four decimals.
    optional : sequence of str
        Columns to leave out, the first one first, where a terminal is too narrow.
    """
    from rich.console import Console

    cells = [[_cell(value) for value in row] for row in rows]
    is_number = [all(_is_number(row[i]) for row in rows) for i in range(len(columns))]
    kept = list(range(len(columns)))
    if sys.stdout.isatty():
        width = Console().width
        if _width(columns, cells, kept) > width and len(cells) <= _FEW_ROWS:
            fits = _turned_width(columns, cells) <= width
            (_write_turned if fits else _write_rows)(title, columns, cells)
            return
        places = (columns.index(name) for name in optional)
        while _width(columns, cells, kept) > width and (place := next(places, -1)) >= 0:
            kept.remove(place)
        if _width(columns, cells, kept) > width:
            _write_rows(title, columns, cells)
            return
    _write(title, columns, cells, kept, is_number)
    left_out = [name for i, name in enumerate(columns) if i not in kept]
    if left_out:
        log(f"not shown for lack of width: {', '.join(left_out)}; widen the terminal")


def _column_width(name: str, cells: Cells, column: int) -> int:
    """Measure the longest cell, or word of the name."""
    words = [*name.split(), *(row[column] for row in cells)]
    return max(map(len, words), default=0)


def _width(columns: list[str], cells: Cells, kept: list[int]) -> int:
    widths = [_column_width(columns[i], cells, i) for i in kept]
    return sum(widths) + _GAP * (len(widths) - 1)


def _turned_width(columns: list[str], cells: Cells) -> int:
    widths = [max(map(len, column)) for column in (columns, *cells)]
    return sum(widths) + _GAP * (len(widths) - 1)


def _write(
    title: str,
    columns: list[str],
    cells: Cells,
    kept: list[int],
    is_number: list[bool],
) -> None:
    """Write a row per line, below the names of the columns."""
    from rich.console import Console
    from rich.table import Table

    console = Console(highlight=False)
    if not sys.stdout.isatty():  # a pipe has no width
        console.width = sum(map(len, columns)) + _width(columns, cells, kept)
    natural = sum(max(map(len, (columns[i], *(row[i] for row in cells)))) for i in kept)
    wraps_names = natural + _GAP * (len(kept) - 1) > console.width
    table = Table(title=title, title_justify="left", box=None, pad_edge=False)
    for i in kept:
        table.add_column(
            columns[i],
            justify="right" if is_number[i] and cells else "left",
            width=_column_width(columns[i], cells, i) if wraps_names else None,
        )
    for row in cells:
        table.add_row(*(row[i] for i in kept))
    if sys.stdout.isatty():
        console.print(table)
        return
    with console.capture() as written:
        console.print(table)
    for line in written.get().splitlines():
        print_result(line.rstrip())


def _write_turned(title: str, columns: list[str], cells: Cells) -> None:
    """Write a column per line."""
    if title:
        print_result(title)
    widths = [max(map(len, column)) for column in (columns, *cells)]
    for line in zip(columns, *cells, strict=True):
        padded = [word.ljust(width) for word, width in zip(line, widths, strict=True)]
        print_result((" " * _GAP).join(padded).rstrip())


def _write_rows(title: str, columns: list[str], cells: Cells) -> None:
    """Write each cell on a line of its own."""
    if title:
        print_result(title)
    width = max(map(len, columns))
    for row in cells:
        for name, cell in zip(columns, row, strict=True):
            print_result(f"{name:<{width + _GAP}}{cell}".rstrip())
        print_result("")


def _is_number(value: Any) -> bool:
    """Report whether a cell of a table is a number, maybe rounded or unknown."""
    if isinstance(value, str):
        return _NUMBER.fullmatch(value) is not None
    return isinstance(value, int | float)


def _cell(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    return f"{value:.4f}" if isinstance(value, float) else str(value)
