"""Lists of data sets: of Cistrome, of ChIP-Atlas, and ReMap's list of names."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from tfimpute_tracks.downloads.track import Entry, Source
from tfimpute_tracks.errors import InputFileError
from tfimpute_tracks.evidence import ACCESSIBILITY

__all__ = [
    "is_atlas_list",
    "is_cistrome",
    "is_remap_list",
    "read_atlas_list",
    "read_cistrome",
    "read_remap_list",
]

_REMAP = re.compile(r"\s*(\d+)\s+([A-Z]+[0-9][A-Za-z0-9-]*)\.([^.]+)\.(\S+)\s*")
_CISTROME = ("dcid", "factor", "cell_line")
_EXPERIMENT = re.compile(r"[SED]RX\d+")
# Classes of antigens in ChIP-Atlas, in lower case; others are no TFs.
_TF_CLASSES = ("tfs and others", "rna polymerase")
_OPEN_CLASSES = ("dnase-seq", "atac-seq")
_ASSEMBLY = "hg38"


def is_cistrome(header: list[str]) -> bool:
    """Check for the header of Cistrome's table.

    Parameters
    ----------
    header : list of str

    Returns
    -------
    bool
    """
    return set(_CISTROME) <= {name.lower() for name in header}


def is_remap_list(lines: list[str]) -> bool:
    """Check for ReMap's list of data sets: number of peaks and name.

    Parameters
    ----------
    lines : list of str
        The first lines.

    Returns
    -------
    bool
    """
    return bool(lines) and all(_REMAP.fullmatch(line) for line in lines)


def read_cistrome(path: Path, lines: Iterator[list[str]], assembly: str) -> Source:
    """Read Cistrome's table of samples.

    Parameters
    ----------
    path : Path
        Peak files lie in its folder, or in a folder of that one.
    lines : iterator of list of str
        Fields of the header, then of each row.
    assembly : str
        UCSC name of the genome; empty if unknown.

    Returns
    -------
    Source
        Entries with files; all samples, without files, if none has a file.

    Raises
    ------
    InputFileError
        The peaks, which are of hg38, are of another assembly than the genome.
    """
    header = [name.lower() for name in next(lines)]
    columns = [header.index(name) for name in _CISTROME]
    rows = [
        tuple(line[i] for i in columns) for line in lines if len(line) > max(columns)
    ]
    files = {
        file.name.partition("_")[0]: file
        for pattern in ("*_peaks*", "*/*_peaks*")
        for file in sorted(path.parent.glob(pattern))
        if file.name.partition("_")[0].isdecimal()
    }
    if files and assembly not in ("", _ASSEMBLY):
        raise InputFileError(
            f"{path}: Cistrome's peaks are of {_ASSEMBLY}, the genome is {assembly}; use "
            f"a FASTA of {_ASSEMBLY}"
        )
    left_out: Counter[str] = Counter()
    entries = [Entry(tf, cell, files.get(number)) for number, tf, cell in rows]
    if files:
        missing = [entry for entry in entries if entry.path is None]
        left_out["samples without a file"] += len(missing)
        entries = [entry for entry in entries if entry.path is not None]
    return Source(path, "Cistrome table", tuple(entries), +left_out)


def read_remap_list(path: Path, lines: Iterator[str]) -> Source:
    """Read ReMap's list of data sets.

    Parameters
    ----------
    path : Path
    lines : iterator of str

    Returns
    -------
    Source
        Entries without files.
    """
    entries, left_out = [], Counter[str]()
    for line in lines:
        match = _REMAP.fullmatch(line)
        if match:
            entries.append(Entry(match[3], match[4], None, n_peaks=int(match[1])))
        elif line.strip():
            left_out["lines that are no data set"] += 1
    return Source(path, "ReMap list of names", tuple(entries), left_out)


def is_atlas_list(rows: list[list[str]]) -> bool:
    """Check for ChIP-Atlas's experimentList.tab, which has no header.

    Parameters
    ----------
    rows : list of list of str
        The first rows.

    Returns
    -------
    bool
    """
    return bool(rows) and all(
        len(row) > 5 and _EXPERIMENT.fullmatch(row[0]) for row in rows
    )


def read_atlas_list(path: Path, rows: Iterator[list[str]], assembly: str) -> Source:
    """Read ChIP-Atlas's list of experiments.

    Parameters
    ----------
    path : Path
        Peak files lie in its folder, named by experiment: SRX100.05.bed.
    rows : iterator of list of str
        Experiment, assembly, class of the antigen, antigen, class and type of the cell.
    assembly : str
        UCSC name of the genome; empty if unknown.

    Returns
    -------
    Source
        Entries with files; all experiments, without files, if none has a file.
    """
    # Of files of one experiment, peaks of the lowest threshold: `.05.bed` before `.bw`.
    files = {
        file.name.partition(".")[0]: file
        for file in sorted(path.parent.glob("?RX*.b*"), reverse=True)
    }
    left_out: Counter[str] = Counter()
    entries = []
    for number, own, kind, antigen, _, cell, *_ in (
        row for row in rows if len(row) > 5
    ):
        if assembly and own != assembly:
            left_out[f"assembly {own}, not {assembly}"] += 1
        elif files and number not in files:
            left_out["experiments without a file"] += 1
        elif kind.lower() in _OPEN_CLASSES:
            entries.append(Entry(ACCESSIBILITY, cell, files.get(number)))
        elif kind.lower() in _TF_CLASSES:
            entries.append(Entry(antigen, cell, files.get(number)))
        else:
            left_out[f"{kind}: no TF"] += 1
    return Source(path, "ChIP-Atlas list", tuple(entries), left_out)
