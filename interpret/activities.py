"""What was measured of elements: a table of names and numbers, held against them."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Collection
from pathlib import Path
from typing import NamedTuple

from tfimpute_tracks.errors import InputFileError
from tfimpute_tracks.interpret.elements import Elements, Skipped
from tfimpute_tracks.storage.table import Row, read_table

__all__ = ["Activities", "read_activities"]

_COLUMNS = ("name", "activity")
_NONE = frozenset({"", ".", "-", "na", "n/a", "nan", "none", "null"})


class Activities(NamedTuple):
    """Measured activities.

    Attributes
    ----------
    of : dict of str to float
        By the name of an element that can be scored.
    skipped : list of Skipped
        Elements without one, rows of the table without an element, and names that
        stand there more than once.
    """

    of: dict[str, float]
    skipped: list[Skipped]


def read_activities(path: Path, elements: Elements) -> Activities:
    """Read a table of activities.

    Parameters
    ----------
    path : Path
        Tab-separated, with the columns `name` and `activity`; others are passed over.
    elements : Elements

    Returns
    -------
    Activities

    Raises
    ------
    InputFileError
        The table is missing or lacks a column, an activity is no number, or none of
        the names is an element's.
    """
    table = read_table(path, "table of activities", ("name",), _COLUMNS)
    if "activity" not in table.header:
        raise InputFileError(
            f"{path}:1: no column activity in the header {list(table.header)}; a table "
            f"of activities is tab-separated with the columns {', '.join(_COLUMNS)}"
        )
    can_score = {element.name for element in elements.found}
    known = can_score | {row.name for row in elements.skipped}
    times = Counter(row.fields["name"] for row in table.rows)
    _check_names(path, times, known)
    of: dict[str, float] = {}
    skipped = []
    for row in table.rows:
        name = row.fields["name"]
        value = _number(row)
        if name not in known:
            skipped.append(Skipped(name, "activity", "no such element", row.place))
        elif times[name] > 1:
            told = f"{row.place}: take the mean beforehand"
            skipped.append(Skipped(name, "activity", "name repeats", told))
        elif name in can_score and value is not None:
            of[name] = value
    skipped += [
        Skipped(element.name, "activity", "no activity")
        for element in elements.found
        if element.name not in of and times[element.name] < 2
    ]
    return Activities(of, skipped)


def _check_names(path: Path, asked: Collection[str], known: Collection[str]) -> None:
    if not set(asked) & set(known):
        raise InputFileError(
            f"{path}: none of its {len(asked):,} names is an element's: it has "
            f"{next(iter(asked), 'no row')!r}, elements are called "
            f"{min(known, default='')!r}; names are those of the BED's fourth column, "
            "chrom:start-end without one, or those of the FASTA"
        )


def _number(row: Row) -> float | None:
    text = row.fields["activity"]
    if text.lower() in _NONE:
        return None
    try:
        value = float(text) if "_" not in text else math.nan  # Python reads 1_000
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise InputFileError(
            f"{row.place}: activity {text!r} is no number; write one, or NA where none "
            "was measured"
        )
    return value
