"""The pairs table: which TF was measured in which cell line, and where its peaks are.

A tab-separated text with a header line. It says what to learn from (`base`) and what to
hold out (`valid2`, `test3`); it reads no peaks.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tfimpute_tracks.errors import InputFileError
from tfimpute_tracks.vocabulary import Pair, Vocabulary

__all__ = ["ROLES", "PairsTable", "read_pairs_table"]

ROLES = ("base", "valid2", "test3")
"""What a pair is for: to train on, to choose the model by, to report the figure of."""

_NEEDED = ("tf", "cell", "bed")
# A label names its pair in 16 bits.
_MAX_PAIRS = 2**16


@dataclass(frozen=True)
class PairsTable:
    """The rows of a pairs table, in its order, as parallel tuples.

    Parameters
    ----------
    pairs : tuple of Pair
        Each one once.
    roles : tuple of str
        One of :data:`ROLES` per pair.
    beds : tuple of Path
        The peaks of each pair: existing files.
    """

    pairs: tuple[Pair, ...]
    roles: tuple[str, ...]
    beds: tuple[Path, ...]

    @property
    def vocabulary(self) -> Vocabulary:
        """Every TF and every cell line of the table, whatever the role, sorted."""
        return Vocabulary(
            sorted({pair.tf for pair in self.pairs}),
            sorted({pair.cell for pair in self.pairs}),
        )


def read_pairs_table(path: str | Path) -> PairsTable:
    """Read a pairs table.

    Parameters
    ----------
    path : path
        Tab-separated, with a header. Columns `tf`, `cell` and `bed` (the peaks, BED3 or
        more, relative to the table's folder), and `role` (one of :data:`ROLES`; without
        the column every pair is `base`). Other columns and empty lines are passed over.

    Returns
    -------
    PairsTable

    Raises
    ------
    InputFileError
        The table is missing, is no text, lacks a column or has no rows; a row is too
        short, has an empty name, a role of no known kind or a peak file that does not
        exist, or repeats a pair. The message gives the line.
    """
    path = Path(path)
    lines = _read_lines(path)
    header = lines[0].split("\t") if lines else []
    missing = [name for name in _NEEDED if name not in header]
    if missing:
        raise InputFileError(
            f"{path}:1: no column {', '.join(missing)} in the header {header}; "
            f"a pairs table is tab-separated with the columns tf, cell, role, bed"
        )
    seen: dict[Pair, int] = {}
    roles: list[str] = []
    beds: list[Path] = []
    for number, line in enumerate(lines[1:], start=2):
        if not line.strip():
            continue
        pair, role, bed = _parse_row(line, header, path, f"{path}:{number}")
        if pair in seen:
            raise InputFileError(
                f"{path}:{number}: pair {pair} stands on line {seen[pair]} already; "
                f"keep one of the two, or merge their peaks into one file"
            )
        seen[pair] = number
        roles.append(role)
        beds.append(bed)
    if not 0 < len(seen) <= _MAX_PAIRS:
        raise InputFileError(
            f"{path}: {len(seen)} pairs; a pairs table holds 1 to {_MAX_PAIRS}"
        )
    return PairsTable(tuple(seen), tuple(roles), tuple(beds))


def _read_lines(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="utf-8-sig").splitlines()
    except UnicodeDecodeError as error:
        raise InputFileError(
            f"{path}: not a text file ({error.reason} at byte {error.start}); "
            f"give the pairs table itself, uncompressed"
        ) from error
    except OSError as error:
        raise InputFileError(
            f"{path}: cannot read the pairs table ({error.strerror}); check the path"
        ) from error


def _parse_row(
    line: str, header: list[str], path: Path, place: str
) -> tuple[Pair, str, Path]:
    fields = line.split("\t")
    if len(fields) < len(header):
        raise InputFileError(
            f"{place}: {len(fields)} fields where the header has {len(header)}; "
            f"separate them by single tabs"
        )
    row = {name: text.strip() for name, text in zip(header, fields, strict=False)}
    role = row.get("role", "base")
    if role not in ROLES:
        raise InputFileError(
            f"{place}: role {role!r} is not one of {', '.join(ROLES)}; "
            f"write base for a pair to train on"
        )
    for column in _NEEDED:
        if not row[column]:
            raise InputFileError(f"{place}: the {column} is empty; fill it in")
    bed = path.parent / row["bed"]
    if not bed.is_file():
        raise InputFileError(
            f"{place}: peak file {bed} does not exist; "
            f"the bed column is relative to the table's folder"
        )
    return Pair(row["tf"], row["cell"]), role, bed
