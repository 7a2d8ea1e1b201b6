"""The table of accessibility: cell lines and their files of DNase or ATAC peaks.

Tab-separated with a header, like the pairs table; paths of files are relative to the
table's folder. The peaks are read in ``build``.
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
        Columns `cell` and `bed` (DNase-seq or ATAC-seq peaks, BED3 or more), and an
        optional column `replicate`. Other columns and blank lines are ignored.

    Returns
    -------
    list of PeakFile
        In the order of the table.

    Raises
    ------
    InputFileError
        The table is missing, is not text, lacks a column or has no rows; a row is too
        short, has an empty field, names a file that does not exist or repeats a cell
        line. The message names the line.
    """
    path = Path(path)
    found: list[PeakFile] = []
    line_of: dict[tuple[str, str], int] = {}
    for row in read_table(path, "table of accessibility", _NEEDED, _NEEDED).rows:
        cell, replicate = row.fields["cell"], row.fields.get("replicate", "")
        bed = row.file("bed")
        if (cell, replicate) in line_of:
            raise InputFileError(
                f"{row.place}: duplicate cell line {cell}, first on line "
                f"{line_of[cell, replicate]}; keep one of the two, or distinguish them "
                "in a column replicate"
            )
        line_of[cell, replicate] = row.number
        found.append(PeakFile(Pair(ACCESSIBILITY, cell), replicate, bed))
    if not found:
        raise InputFileError(f"{path}: has no rows; add a cell line and a BED file")
    return found
