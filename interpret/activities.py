"""Read measured activities of elements: a table of names and numbers."""

from __future__ import annotations

import math
from collections import Counter
from pathlib import Path
from typing import NamedTuple

from tfimpute_tracks.errors import InputFileError
from tfimpute_tracks.interpret.elements import Elements, Skipped
from tfimpute_tracks.storage.table import Row, explain_number, read_table

__all__ = ["Activities", "read_activities"]

_COLUMNS = ("name", "activity")
_MISSING = frozenset({"", ".", "-", "na", "n/a", "nan", "none", "null"})


class Activities(NamedTuple):
    """Measured activities.

    Attributes
    ----------
    of : dict of str to float
        By the name of an element that can be scored.
    skipped : list of Skipped
        Elements without an activity, rows without an element, and duplicate names.
    """

    of: dict[str, float]
    skipped: list[Skipped]


def read_activities(path: Path, elements: Elements) -> Activities:
    """Read a table of activities.

    Parameters
    ----------
    path : Path
        Tab-separated, with the columns `name` and `activity`; others are ignored.
    elements : Elements

    Returns
    -------
    Activities

    Raises
    ------
    InputFileError
        The file is missing, a column is missing, an activity is not a number, or no name
        is that of an element.
    """
    table = read_table(path, "table of activities", ("name",), _COLUMNS)
    if "activity" not in table.header:  # it may be empty in a row
        raise InputFileError(
            f"{path}:1: no column activity in the header {list(table.header)}; a table "
            f"of activities is tab-separated with the columns {', '.join(_COLUMNS)}"
        )
    can_score = {element.name for element in elements.found}
    known = can_score | {row.name for row in elements.skipped}
    times = Counter(row.fields["name"] for row in table.rows)
    if not set(times) & known:
        raise InputFileError(
            f"{path}: no name in it is that of an element: it has "
            f"{next(iter(times), 'no row')!r}, elements have names like "
            f"{min(known, default='')!r}; use the fourth column of the BED, "
            "chrom:start-end without one, or the names of the FASTA"
        )
    of: dict[str, float] = {}
    skipped = []
    for row in table.rows:
        name, value = row.fields["name"], _parse(row)
        if name not in known:
            skipped.append(Skipped(name, "activity", "no such element", row.place))
        elif times[name] > 1:
            detail = f"{row.place}: average the values beforehand"
            skipped.append(Skipped(name, "activity", "duplicate name", detail))
        elif name in can_score and value is not None:
            of[name] = value
    skipped += [
        Skipped(element.name, "activity", "no activity")
        for element in elements.found
        if element.name not in of and times[element.name] < 2
    ]
    return Activities(of, skipped)


def _parse(row: Row) -> float | None:
    text = row.fields["activity"]
    if text.lower() in _MISSING:
        return None
    try:
        value = float(text) if "_" not in text else math.nan  # Python accepts 1_000
    except ValueError:
        value = math.nan
    if not math.isfinite(value) and explain_number(text):
        raise InputFileError(f"{row.place}: the activity {explain_number(text)}")
    if not math.isfinite(value):
        raise InputFileError(
            f"{row.place}: activity {text!r} is not a number; write a number, or NA if "
            "none was measured"
        )
    return value
