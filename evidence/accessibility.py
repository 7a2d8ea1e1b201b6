"""The table of accessibility: which cell line was measured, and where its peaks are.

Tab-separated, with a header, as the pairs table is; and as there, files are told
relative to the table's folder. It reads no peaks.
"""

from __future__ import annotations

from pathlib import Path

from tfimpute_tracks.errors import InputFileError
from tfimpute_tracks.evidence.build import PeakFile
from tfimpute_tracks.evidence.contents import ACCESSIBILITY
from tfimpute_tracks.vocabulary import Pair

__all__ = ["read_accessibility"]

_NEEDED = ("cell", "bed")


def read_accessibility(path: str | Path) -> list[PeakFile]:
    """Read a table of accessibility.

    Parameters
    ----------
    path : path
        Columns `cell` and `bed` (DNase-seq or ATAC-seq peaks, BED3 or more), and, if
        wanted, `replicate`. Other columns and empty lines are passed over.

    Returns
    -------
    list of PeakFile
        In the order of the table.

    Raises
    ------
    InputFileError
        The table is missing, is no text, lacks a column or has no rows; a row is too
        short, has an empty field, names a file that does not exist or repeats a cell
        line. The message gives the line.
    """
    path = Path(path)
    lines = _read_lines(path)
    header = lines[0].split("\t") if lines else []
    missing = [name for name in _NEEDED if name not in header]
    if missing:
        raise InputFileError(
            f"{path}:1: no column {', '.join(missing)} in the header {header}; a table "
            "of accessibility is tab-separated with the columns cell, bed"
        )
    found: list[PeakFile] = []
    line_of: dict[tuple[str, str], int] = {}
    for number, line in enumerate(lines[1:], start=2):
        if not line.strip():
            continue
        row = _parse_row(line, header, path, f"{path}:{number}")
        key = row.pair.cell, row.replicate
        if key in line_of:
            raise InputFileError(
                f"{path}:{number}: cell line {key[0]} stands on line {line_of[key]} "
                "already; keep one of the two, or tell them apart in a column replicate"
            )
        line_of[key] = number
        found.append(row)
    if not found:
        raise InputFileError(f"{path}: holds no rows; give a cell line and a BED file")
    return found


def _read_lines(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="utf-8-sig").splitlines()
    except UnicodeDecodeError as error:
        raise InputFileError(
            f"{path}: not a text file ({error.reason} at byte {error.start}); give the "
            "table of accessibility itself, uncompressed"
        ) from error
    except OSError as error:
        raise InputFileError(
            f"{path}: cannot read the table of accessibility ({error.strerror}); check "
            "the path"
        ) from error


def _parse_row(line: str, header: list[str], path: Path, place: str) -> PeakFile:
    fields = line.split("\t")
    if len(fields) < len(header):
        raise InputFileError(
            f"{place}: {len(fields)} fields where the header has {len(header)}; "
            f"separate them by single tabs"
        )
    row = {name: text.strip() for name, text in zip(header, fields, strict=False)}
    for column in _NEEDED:
        if not row[column]:
            raise InputFileError(f"{place}: the {column} is empty; fill it in")
    bed = path.parent / row["bed"]
    if not bed.is_file():
        raise InputFileError(
            f"{place}: peak file {bed} does not exist; the bed column is relative to "
            "the table's folder"
        )
    pair = Pair(ACCESSIBILITY, row["cell"])
    return PeakFile(pair, row.get("replicate", ""), bed)
