"""The table of accessibility: which cell line was measured, and where its peaks are.

Tab-separated, with a header, as the pairs table is; and as there, files are told
relative to the table's folder. It reads no peaks.
"""

from __future__ import annotations

from pathlib import Path

from tfimpute_tracks.errors import InputFileError
from tfimpute_tracks.evidence.build import PeakFile
from tfimpute_tracks.evidence.peak_database import ACCESSIBILITY
from tfimpute_tracks.storage.table import read_table
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
    found: list[PeakFile] = []
    line_of: dict[tuple[str, str], int] = {}
    for row in read_table(path, "table of accessibility", _NEEDED, _NEEDED).rows:
        cell, replicate = row.fields["cell"], row.fields.get("replicate", "")
        bed = row.file("bed")
        if (cell, replicate) in line_of:
            raise InputFileError(
                f"{row.place}: cell line {cell} stands on line "
                f"{line_of[cell, replicate]} already; keep one of the two, or tell "
                "them apart in a column replicate"
            )
        line_of[cell, replicate] = row.number
        found.append(PeakFile(Pair(ACCESSIBILITY, cell), replicate, bed))
    if not found:
        raise InputFileError(f"{path}: holds no rows; give a cell line and a BED file")
    return found
