"""The pairs table: which TF was measured in which cell line, and the file of its peaks.

A tab-separated text with a header line. Roles divide the pairs into those to train on
(`base`) and those held out (`valid2`, `test3`). A pair that was measured repeatedly has
a row per replicate: the first is the pair, the others (`test2`) show how well a model
of the pair agrees with another measurement of it. Peaks are not read here.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, NoReturn

from tfimpute_tracks.errors import InputFileError, UsageError
from tfimpute_tracks.storage.table import Row, read_table
from tfimpute_tracks.vocabulary import Pair, Vocabulary, check_name

__all__ = [
    "REPLICATE",
    "ROLES",
    "PairsTable",
    "format_pairs_table",
    "read_pairs_table",
]

ROLES = ("base", "valid2", "test3", "test2")
"""Roles of pairs: trained on; held out to choose the model; held out to test it; a
replicate of a trained pair, to test it."""
REPLICATE = ROLES[-1]
"""The role of replicates."""

_NEEDED = ("tf", "cell", "bed")
_REPLICATE = "replicate"
# Labels store their pair in 16 bits.
_MAX_PAIRS = 2**16


@dataclass(frozen=True)
class PairsTable:
    """The rows of a pairs table, in its order, as parallel tuples.

    Parameters
    ----------
    pairs : tuple of Pair
        Each once, or once per replicate.
    roles : tuple of str
        One of :data:`ROLES` per row.
    beds : tuple of Path
        The peaks of each row: existing files.
    replicates : tuple of str, optional
        Name of each row's replicate; None without such a column.
    """

    pairs: tuple[Pair, ...]
    roles: tuple[str, ...]
    beds: tuple[Path, ...]
    replicates: tuple[str, ...] | None = None

    @property
    def replicate_names(self) -> tuple[str, ...]:
        """Name of each row's replicate, empty where it has none."""
        return self.replicates or ("",) * len(self.pairs)

    @property
    def vocabulary(self) -> Vocabulary:
        """Every TF and every cell line of the table, whatever the role, sorted."""
        return Vocabulary(
            sorted({pair.tf for pair in self.pairs}),
            sorted({pair.cell for pair in self.pairs}),
        )

    def name(self, row: int) -> str:
        """Return the name of a row: the pair, and its replicate where it has one.

        Parameters
        ----------
        row : int

        Returns
        -------
        str
            `TF:CELL` or `TF:CELL/replicate`.
        """
        replicate = self.replicate_names[row]
        return f"{self.pairs[row]}" + (f"/{replicate}" if replicate else "")


def format_pairs_table(table: PairsTable, folder: Path) -> str:
    """Format a pairs table as text.

    Parameters
    ----------
    table : PairsTable
    folder : Path
        The folder of the file: peak files are written relative to it.

    Returns
    -------
    str
        Columns tf, cell, role, replicate where there are some, and bed.
    """
    header = ["tf", "cell", "role", _REPLICATE, "bed"]
    rows = [
        [*pair, role, replicate, os.path.relpath(bed, folder)]
        for pair, role, replicate, bed in zip(
            table.pairs, table.roles, table.replicate_names, table.beds, strict=True
        )
    ]
    if table.replicates is None:
        rows = [[*row[:3], row[4]] for row in rows]
        header.remove(_REPLICATE)
    return "".join("\t".join(row) + "\n" for row in [header, *rows])


class _Row(NamedTuple):
    """One row as it was read."""

    pair: Pair
    role: str
    bed: Path
    replicate: str


def read_pairs_table(path: str | Path, with_roles: bool = True) -> PairsTable:
    """Read a pairs table.

    Parameters
    ----------
    path : path
        Tab-separated, with a header. Columns `tf`, `cell` and `bed` (the peaks, BED3 or
        more, relative to the table's folder), and `role` (one of :data:`ROLES`; without
        the column every pair is `base`). With a column `replicate` a pair may have
        several rows that differ in it: the first is the pair, the others have the role
        `test2`. Other columns and empty lines are ignored.
    with_roles : bool
        Use the roles of the table; if not, the first row of every pair is `base`.

    Returns
    -------
    PairsTable

    Raises
    ------
    InputFileError
        The table is missing, not a text, lacks a column or has no rows; a row is too
        short, has an empty name or one that no file can have, an unknown role or a
        missing peak file, or is a duplicate; a replicate has another role, or its pair
        is not `base`. The message names the line.
    """
    path = Path(path)
    columns = ("tf", "cell", "role", "bed") if with_roles else ("tf", "cell", "bed")
    table = read_table(path, "pairs table", _NEEDED, columns)
    with_roles = with_roles and "role" in table.header
    lines_of: dict[tuple[Pair, str], int] = {}
    firsts: dict[Pair, _Row] = {}
    rows: list[_Row] = []
    for read in table.rows:
        row = _parse_row(read)
        key = row.pair, row.replicate
        if key in lines_of:
            _refuse_repeat(row, read.place, lines_of[key])
        lines_of[key] = read.number
        first = firsts.get(row.pair)
        row = row._replace(role=_choose_role(row, first, read.place, with_roles))
        firsts.setdefault(row.pair, row)
        rows.append(row)
    if not 0 < len(rows) <= _MAX_PAIRS:
        raise InputFileError(f"{path}: {len(rows)} pairs; use 1 to {_MAX_PAIRS}")
    pairs, roles, beds, replicates = zip(*rows, strict=True)
    return PairsTable(
        pairs, roles, beds, replicates if _REPLICATE in table.header else None
    )


def _refuse_repeat(row: _Row, place: str, line: int) -> NoReturn:
    named = f"{row.pair}" + (f", replicate {row.replicate}," if row.replicate else "")
    raise InputFileError(
        f"{place}: pair {named} is a duplicate of line {line}; keep one of the two, "
        f"merge their peaks into one file, or give both a name in a column {_REPLICATE}"
    )


def _choose_role(row: _Row, first: _Row | None, place: str, with_roles: bool) -> str:
    """Return the role of a row: a further row of a pair is a replicate."""
    if not with_roles:
        return "base" if first is None else REPLICATE
    if row.role not in (*ROLES, ""):
        raise InputFileError(
            f"{place}: role {row.role!r} is not one of {', '.join(ROLES)}; "
            f"use base for a pair to train on"
        )
    if first is None and row.role in ("", REPLICATE):
        raise InputFileError(
            f"{place}: role {row.role!r} of the first row of {row.pair}; use {REPLICATE} "
            f"for further rows of a base pair only"
        )
    if first is None:
        return row.role
    if row.role not in ("", REPLICATE) or first.role != "base":
        raise InputFileError(
            f"{place}: a replicate of {row.pair}, which is {first.role}, with role "
            f"{row.role!r}; only base pairs may have replicates, of role {REPLICATE}: "
            f"`tfimpute-tracks split` writes such a table"
        )
    return REPLICATE


def _parse_row(read: Row) -> _Row:
    fields = read.fields
    pair = Pair(fields["tf"], fields["cell"])
    try:
        check_name(pair.tf, "TF")
        check_name(pair.cell, "cell line")
    except UsageError as error:
        raise InputFileError(f"{read.place}: {error}") from error
    bed = read.file("bed")
    return _Row(pair, fields.get("role", ""), bed, fields.get(_REPLICATE, ""))
