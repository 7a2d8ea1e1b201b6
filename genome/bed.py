"""BED and narrowPeak files as tables, and some interval arithmetic.

Files are parsed by pandas. If that fails (a comment between rows, blanks instead of
tabs, an invalid row), they are read again line by line, which succeeds or names the
line. Tables are 0-based and half-open; their first columns are ``chrom``, ``start``
and ``end``.

pandas is imported where it is needed: it takes a fifth of a second, and a scan of whole
chromosomes reads no table.
"""

from __future__ import annotations

import codecs
import csv
import io
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from tfimpute_tracks.errors import InputFileError
from tfimpute_tracks.genome.chroms import find_chrom
from tfimpute_tracks.storage.table import (
    explain_number,
    is_skipped,
    open_unpacked,
    read_rows,
)

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "blacklisted",
    "count_columns",
    "merge_intervals",
    "read_bed",
    "read_named_bed",
    "read_narrowpeak",
]

# Columns by position and the Python type that reads them.
_BED = {"chrom": str, "start": int, "end": int}
_NARROWPEAK = {
    **_BED,
    "name": str,
    "score": int,
    "strand": str,
    "signal_value": float,
    "p_value": float,
    "q_value": float,
    "summit": int,
}
_DTYPES = {str: "str", int: "int64", float: "float64"}
_SKIPPED = ("#", "track", "browser")


def read_bed(path: str | Path, allow_empty: bool = False) -> pd.DataFrame:
    """Read the first three columns of a BED file.

    Parameters
    ----------
    path : str or Path
        Plain or gzip, whatever its name. Blank lines and lines that begin with #, track
        or browser are skipped; columns after the third are ignored.
    allow_empty : bool
        Read a file without rows as an empty table.

    Returns
    -------
    pandas.DataFrame
        chrom (str), start, end (int64); 0-based, half-open; in the file's order.

    Raises
    ------
    InputFileError
        No such file, no rows, or a row that is not an interval, with its line.
    """
    return _read(Path(path), _BED, allow_empty)


def read_named_bed(path: str | Path) -> pd.DataFrame:
    """Read the first four columns of a BED file.

    Parameters
    ----------
    path : str or Path
        As :func:`read_bed`.

    Returns
    -------
    pandas.DataFrame
        chrom (str), start, end (int64; 0-based, half-open), name (str); in the file's
        order. Names are empty if the first row has three columns.

    Raises
    ------
    InputFileError
        As :func:`read_bed`; also a row without the name that the first one has.
    """
    if count_columns(path) > len(_BED):
        return _read(Path(path), {**_BED, "name": str}, allow_empty=False)
    return read_bed(path).assign(name="")


def read_narrowpeak(path: str | Path, allow_empty: bool = False) -> pd.DataFrame:
    """Read a narrowPeak file (BED6+4).

    Parameters
    ----------
    path : str or Path
        As :func:`read_bed`.
    allow_empty : bool
        As :func:`read_bed`.

    Returns
    -------
    pandas.DataFrame
        chrom (str), start, end (int64; 0-based, half-open), name (str), score (int64),
        strand (str), signal_value, p_value, q_value (float64; -1 if missing), summit
        (int64; bp from start, 0-based, at most the peak's length; -1 if missing); in
        the file's order.

    Raises
    ------
    InputFileError
        As :func:`read_bed`; also a summit outside of its peak.
    """
    return _read(Path(path), _NARROWPEAK, allow_empty)


def count_columns(path: str | Path) -> int:
    """Count the columns of the first row: 3 of a BED3, 10 of a narrowPeak.

    Parameters
    ----------
    path : str or Path
        As :func:`read_bed`.

    Returns
    -------
    int
        0 of a file without rows.

    Raises
    ------
    InputFileError
        No such file, or a damaged one.
    """
    rows = read_rows(Path(path), "BED file", _SKIPPED, "replace")
    return len(next(rows, (0, []))[1])


def merge_intervals(frame: pd.DataFrame) -> pd.DataFrame:
    """Merge intervals that overlap or touch.

    Written in numpy, because bioframe takes twice as long to import as pandas.

    Parameters
    ----------
    frame : pandas.DataFrame
        chrom, start, end (0-based, half-open), in any order.

    Returns
    -------
    pandas.DataFrame
        chrom, start, end: chromosomes in the order they first appear, starts
        ascending, at least 1 bp between neighbors.
    """
    if frame.empty:
        return frame[list(_BED)].reset_index(drop=True)
    import pandas as pd

    ranks, names = pd.factorize(frame["chrom"])
    starts = frame["start"].to_numpy(dtype=np.int64)
    ends = frame["end"].to_numpy(dtype=np.int64)
    # Chromosomes are concatenated, so that one running maximum serves all.
    shift = ranks.astype(np.int64) * (ends.max() + 1)
    order = np.lexsort((starts, ranks))
    last_end = np.maximum.accumulate((ends + shift)[order])
    is_first = np.ones(len(order), dtype=bool)
    is_first[1:] = (starts + shift)[order][1:] > last_end[:-1]
    is_last = np.append(is_first[1:], True)
    return pd.DataFrame(
        {
            "chrom": names.take(ranks[order][is_first]),
            "start": starts[order][is_first],
            "end": last_end[is_last] - shift[order][is_last],
        }
    )


def blacklisted(
    chrom: str,
    starts: NDArray[np.int64],
    ends: NDArray[np.int64],
    blacklist: pd.DataFrame,
) -> NDArray[np.bool_]:
    """Find the intervals of a chromosome that overlap a blacklist.

    Parameters
    ----------
    chrom : str
        With or without ``chr``.
    starts, ends : int64 arrays, shape (n,)
        0-based, half-open, in any order, each at least 1 bp long.
    blacklist : pandas.DataFrame
        chrom, start, end.

    Returns
    -------
    bool array, shape (n,)
        True where at least 1 bp overlaps.
    """
    name = find_chrom(chrom, set(blacklist["chrom"]))
    merged = merge_intervals(blacklist[blacklist["chrom"] == name])
    # Merged intervals have ascending ends: the first that ends beyond an interval's
    # start is the only one that can be the first to overlap it.
    nearest = np.searchsorted(merged["end"].to_numpy(dtype=np.int64), starts, "right")
    beyond = np.iinfo(np.int64).max
    merged_starts = np.append(merged["start"].to_numpy(dtype=np.int64), beyond)
    hit: NDArray[np.bool_] = merged_starts[nearest] < ends
    return hit


def _read(path: Path, columns: dict[str, type], allow_empty: bool) -> pd.DataFrame:
    with open_unpacked(path, "BED file") as file:
        content = file.read().removeprefix(codecs.BOM_UTF8)
    content = content.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    try:
        frame = _read_fast(content, columns)
    except (ValueError, OverflowError):
        frame = None
    if frame is None or not _is_valid(frame):
        frame = _read_exact(path, columns)
    if frame.empty and not allow_empty:
        what = "contains no intervals" if content.strip() else "is empty"
        raise InputFileError(
            f"{path}: {what}; use a BED file with tab-separated chrom, start and end"
        )
    return frame


def _read_fast(content: bytes, columns: dict[str, type]) -> pd.DataFrame:
    import pandas as pd

    return pd.read_csv(
        io.BytesIO(content),
        sep="\t",
        header=None,
        names=list(columns),
        usecols=range(len(columns)),
        dtype={name: _DTYPES[kind] for name, kind in columns.items()},
        skiprows=_n_header_lines(content),
        na_filter=False,
        quoting=csv.QUOTE_NONE,
    )


def _n_header_lines(content: bytes) -> int:
    n_lines = 0
    for line in io.BytesIO(content):
        if line.strip() and not is_skipped(line.decode("utf-8", "replace"), _SKIPPED):
            break
        n_lines += 1
    return n_lines


def _is_valid(frame: pd.DataFrame) -> bool:
    start, end = frame["start"], frame["end"]
    valid = (start >= 0) & (start < end) & (frame["chrom"] != "")
    chroms = frame["chrom"].unique()
    if any(name != name.strip() or name.startswith("#") for name in chroms):
        return False
    if "name" in frame:  # a row with too few columns has none
        valid &= frame["name"] != ""
    if "summit" in frame:
        valid &= (frame["summit"] >= -1) & (frame["summit"] <= end - start)
    return bool(valid.all())


def _read_exact(path: Path, columns: dict[str, type]) -> pd.DataFrame:
    import pandas as pd

    rows = []
    for number, fields in read_rows(path, "BED file", _SKIPPED, "replace"):
        error = _find_error(fields, columns)
        if error:
            raise InputFileError(f"{path}:{number}: {error}")
        kinds = zip(columns.values(), fields, strict=False)
        rows.append([kind(field) for kind, field in kinds])
    return pd.DataFrame(rows, columns=list(columns)).astype(
        {name: _DTYPES[kind] for name, kind in columns.items()}
    )


def _find_error(fields: list[str], columns: dict[str, type]) -> str | None:
    if len(fields) < len(columns):
        return (
            f"has {len(fields)} of {len(columns)} columns; they are"
            f" {', '.join(columns)}, separated by tabs"
        )
    for (name, kind), field in zip(columns.items(), fields, strict=False):
        try:
            kind(field)
            # Python reads 1_000 and numbers of any size; no BED holds them.
            is_sound = kind is str or "_" not in field
            is_sound &= kind is not int or not explain_number(field)
        except ValueError:
            is_sound = False
        if not is_sound:
            return _explain_field(name, kind, field)
    start, end = int(fields[1]), int(fields[2])
    if not fields[0]:
        return "the chromosome's name is empty; BED has chrom, start, end first"
    if start < 0:
        return f"start {start} is negative; BED counts from 0"
    if start > end:
        return (
            f"start {start} is after end {end}; write the smaller first, and the strand "
            "in the sixth column"
        )
    if start == end:
        return f"start {start} is not before end {end}; BED is 0-based and half-open"
    summit = int(fields[9]) if "summit" in columns else -1
    # ENCODE's uniform peaks have a summit right behind the last base here and there.
    if not -1 <= summit <= end - start:
        return f"summit {summit} is outside of the peak; it counts from start, or is -1"
    return None


def _explain_field(name: str, kind: type, field: str) -> str:
    reason = explain_number(field)
    if reason:
        return f"{name} {reason}"
    if name.startswith(field.lower()) and field:
        return f"{name} is {field!r}, as in a header; begin that line with #"
    what = "an integer" if kind is int else "a number"
    return f"{name} {field!r} is not {what}; BED has chrom, start, end first"
