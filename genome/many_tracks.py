"""Files of many tracks, whose rows name TF and cell line: ReMap, ChIP-Atlas, UCSC.

The format is recognized from the first rows. Files may have many millions of rows; they
are read in parts, once to list their tracks and once more for the peaks of those that
are wanted.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import unquote

import numpy as np
from numpy.typing import NDArray

from tfimpute_tracks.errors import InputFileError, shown
from tfimpute_tracks.storage.table import open_unpacked, read_lines

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Key", "Layout", "find_layout", "first_rows", "list_keys", "read_keys"]

Key = tuple[str, str]
"""TF and cell line, as a row spells them."""

_MAX_SCORE = 1000
_SNIFFED = 200
_AT_ONCE = 1 << 20
_HEADER = ("#", "track", "browser")
# Names of peak callers look alike: SRR1.sorted.bam_peak_7.
_REMAP = re.compile(
    r"((?:GSE|ENCSR|[EDS]RP|ERR|PRJ[A-Z]+|E-[A-Z]+-)[0-9]+\w*)\.([^.]+)\.(?!.*peak_?\d+\w?$)(.+)"
)
_ATLAS = re.compile(r"(?:^|;)Name=(.*?) \(@ (.*?)\)(?:;|$)")
_FACTOR_SOURCE = "UCSC clusters without cell lines"


class Layout(NamedTuple):
    """Where rows name their tracks.

    Attributes
    ----------
    kind : str
        What the format is called.
    columns : tuple of int
        Columns of the names.
    keys : callable
        Names in those columns -> keys of the tracks of such a row.
    signal, summit : int or None
        Columns of a score, and of the position of the summit.
    """

    kind: str
    columns: tuple[int, ...]
    keys: Callable[[tuple[str, ...]], tuple[Key, ...]]
    signal: int | None = None
    summit: int | None = None


def _remap(names: tuple[str, ...]) -> tuple[Key, ...]:
    match = _REMAP.fullmatch(names[0])
    return ((match[2], match[3]),) if match else ()


def _remap_merged(names: tuple[str, ...]) -> tuple[Key, ...]:
    tf, _, cells = names[0].partition(":")
    return tuple((tf, cell) for cell in cells.split(",") if tf and cell)


def _atlas(names: tuple[str, ...]) -> tuple[Key, ...]:
    match = _ATLAS.search(unquote(names[0]))
    return ((match[1].strip(), match[2].strip()),) if match else ()


def _clusters(names: tuple[str, ...]) -> tuple[Key, ...]:
    return tuple((names[0], cell) for cell in names[1].split(",") if cell)


_LAYOUTS = (
    Layout("ChIP-Atlas peaks", (3,), _atlas, signal=4),
    Layout("ReMap peaks", (3,), _remap, signal=4, summit=6),
    Layout("ReMap non-redundant peaks", (3,), _remap_merged, signal=4, summit=6),
    Layout("UCSC clusters with cell lines", (3, 5), _clusters, signal=4),
)


def first_rows(path: Path) -> list[list[str]]:
    """Read the first rows of a text file that are no header of a BED file.

    Parameters
    ----------
    path : Path

    Returns
    -------
    list of list of str
        Fields, separated by tabs.

    Raises
    ------
    InputFileError
        The file cannot be read, or is no text.
    """
    lines = (line for _, line in read_lines(path, "file", "replace"))
    rows = (
        line.rstrip().split("\t")
        for line in lines
        if line.strip() and not line.startswith(_HEADER)
    )
    return list(islice(rows, _SNIFFED))


def find_layout(path: Path, rows: list[list[str]]) -> Layout | None:
    """Recognize a file of many tracks.

    Parameters
    ----------
    path : Path
        For messages.
    rows : list of list of str
        Of :func:`first_rows`.

    Returns
    -------
    Layout or None
        None if the rows do not name TF and cell line.

    Raises
    ------
    InputFileError
        The rows name TFs, but no cell lines.
    """
    atlas, remap, merged, clusters = _LAYOUTS
    widths = {len(row) for row in rows}
    if not rows or min(widths) < 4 or not rows[0][1].isdecimal():
        return None
    names = [row[3] for row in rows]
    if all(_atlas((name,)) for name in names):
        return _of_width(atlas, min(widths))
    if max(widths) < 10 and all(_REMAP.fullmatch(name) for name in names):
        return _of_width(remap, min(widths))
    if min(widths) == 9 and all(_has_summit(row) for row in rows):
        if all(re.fullmatch(r"[^:,]+:[^:]+", name) for name in names):
            return merged
        raise InputFileError(
            f"{path}: its rows name TFs, such as {names[0]}, but no cell lines (ReMap "
            "CRMs?); use ReMap's file of all peaks, or of non-redundant peaks"
        )
    if widths == {8} and all(re.fullmatch(r"(\d+,)+", row[6]) for row in rows):
        raise InputFileError(
            f"{path}: {_FACTOR_SOURCE}; use the file with them, "
            "wgEncodeRegTfbsClusteredWithCellsV3.bed"
        )
    return clusters if widths == {6} and all(map(_has_cells, rows)) else None


def _of_width(layout: Layout, width: int) -> Layout:
    """Leave out columns that the rows do not have."""
    has_signal, has_summit = width > 4, width > 7 and layout.summit is not None
    return layout._replace(
        signal=layout.signal if has_signal else None,
        summit=layout.summit if has_summit else None,
    )


def _has_cells(row: list[str]) -> bool:
    """Check for a name, a score from 0 to 1000, and cell lines in place of a strand."""
    is_scored = bool(re.fullmatch("[0-9]{1,4}", row[4])) and int(row[4]) <= _MAX_SCORE
    is_named = bool(re.search("[A-Za-z]", row[3])) and bool(re.search(r"\w", row[5]))
    return is_scored and is_named and ":" not in row[5]


def _has_summit(row: list[str]) -> bool:
    """Check for BED9 whose thick part is one base."""
    is_place = bool(re.fullmatch("[0-9]{1,15}", row[6]))
    return is_place and row[7] == str(int(row[6]) + 1)


def list_keys(path: Path, layout: Layout) -> Counter[Key]:
    """List the tracks of a file.

    Parameters
    ----------
    path : Path
    layout : Layout

    Returns
    -------
    Counter of Key
        Number of peaks of each track; rows without names count for a track of empty
        names.

    Raises
    ------
    InputFileError
        The file is damaged, or a row has too few columns.
    """
    found: Counter[Key] = Counter()
    for part in _parts(path, layout.columns):
        for names, n in part.value_counts(sort=False).items():
            named = names if isinstance(names, tuple) else (names,)
            for key in layout.keys(tuple(map(str, named))) or (("", ""),):
                found[key] += int(n)
    return found


def read_keys(
    path: Path, layout: Layout, wanted: Mapping[Key, int]
) -> dict[int, pd.DataFrame]:
    """Read the peaks of some tracks of a file.

    Parameters
    ----------
    path : Path
    layout : Layout
    wanted : mapping of Key to int
        Number of the track that a key belongs to.

    Returns
    -------
    dict of int to pandas.DataFrame
        By number: chrom, start, end (0-based, half-open), and signal and summit (bp
        from start) where the file has them.

    Raises
    ------
    InputFileError
        As :func:`list_keys`; or a position is not an integer.
    """
    extra = {"signal": layout.signal, "summit": layout.summit}
    columns = {name: at for name, at in extra.items() if at is not None}
    known: dict[str, list[int]] = {}
    parts: list[pd.DataFrame] = []
    for part in _parts(path, (0, 1, 2, *columns.values(), *layout.columns)):
        names = part[layout.columns[0]]
        for column in layout.columns[1:]:
            names = names + "\t" + part[column]
        codes, uniques = names.factorize()
        for name in uniques:
            if name not in known:
                keys = layout.keys(tuple(name.split("\t")))
                known[name] = list(
                    dict.fromkeys(wanted[k] for k in keys if k in wanted)
                )
        rows, track = _expand([known[name] for name in uniques], codes)
        kept = part.iloc[rows][[0, 1, 2, *columns.values()]]
        kept = kept.set_axis(["chrom", "start", "end", *columns], axis=1)
        parts.append(_as_numbers(path, kept.assign(track=track)))
    return _by_track(parts)


def _expand(
    tracks: list[list[int]], codes: NDArray[np.intp]
) -> tuple[NDArray[np.intp], NDArray[np.int32]]:
    """Repeat each row for each of the tracks of its name; return rows and tracks."""
    lengths = np.array([*map(len, tracks)], dtype=np.intp)
    flat = np.array([n for numbers in tracks for n in numbers], dtype=np.int32)
    begins = np.cumsum(lengths) - lengths
    n_of_row = lengths[codes]
    rows = np.repeat(np.arange(len(codes)), n_of_row)
    before = np.cumsum(n_of_row) - n_of_row
    nth = np.arange(len(rows)) - before[rows]
    return rows, flat[begins[codes][rows] + nth]


def _by_track(parts: list[pd.DataFrame]) -> dict[int, pd.DataFrame]:
    """Gather the peaks of each track."""
    import pandas as pd

    if not parts:
        return {}
    peaks = pd.concat(parts, ignore_index=True).sort_values("track", kind="stable")
    tracks, firsts = np.unique(peaks["track"].to_numpy(), return_index=True)
    ends = np.append(firsts[1:], len(peaks))
    plain = peaks.drop(columns="track")
    return {
        int(track): plain.iloc[first:end].astype({"chrom": "str"})
        for track, first, end in zip(tracks, firsts, ends, strict=True)
    }


def _as_numbers(path: Path, peaks: pd.DataFrame) -> pd.DataFrame:
    """Convert positions, and count the summit from the start."""
    import pandas as pd

    try:
        for column in ("start", "end", "summit"):
            if column in peaks:
                peaks[column] = peaks[column].astype("int64")
        if "signal" in peaks:
            peaks["signal"] = pd.to_numeric(peaks["signal"], errors="coerce")
    except (ValueError, OverflowError) as error:
        texts = peaks[column].astype("str")
        wrong = texts[~texts.str.fullmatch("-?[0-9]{1,18}")].head(1)
        value = shown(*wrong) if len(wrong) else str(error)
        raise InputFileError(
            f"{path}: the {column} {value} is not a position; the file is damaged: "
            "download it again"
        ) from error
    wrong = peaks[(peaks["start"] < 0) | (peaks["start"] >= peaks["end"])]
    if len(wrong):
        row = wrong.iloc[0]
        raise InputFileError(
            f"{path}: {row['chrom']} {row['start']} {row['end']} is no interval; the "
            "file is damaged: download it again"
        )
    if "summit" in peaks:
        peaks["summit"] -= peaks["start"]
    return peaks


def _parts(path: Path, columns: tuple[int, ...]) -> Iterator[pd.DataFrame]:
    """Read some columns as text, many rows at once."""
    import csv

    import pandas as pd

    n_header = 0
    for _, line in read_lines(path, "BED file", "replace"):
        if line.strip() and not line.startswith(_HEADER):
            break
        n_header += 1
    with open_unpacked(path, "BED file") as file:
        try:
            reader = pd.read_csv(
                file,
                sep="\t",
                header=None,
                usecols=sorted(columns),
                dtype="str",
                chunksize=_AT_ONCE,
                skiprows=n_header,
                na_filter=False,
                quoting=csv.QUOTE_NONE,
                encoding_errors="replace",
            )
            with reader:
                for part in reader:
                    # Lines without tabs, as headers of joined files, lack the names.
                    yield part[list(columns)].fillna("")
        except (ValueError, IndexError) as error:
            raise InputFileError(
                f"{path}: a row has other columns than the first ({error}); the file is "
                "damaged: download it again"
            ) from error
