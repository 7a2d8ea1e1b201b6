"""What lies at a path: tables, files of many tracks and files of one, by content."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path

from tfimpute_tracks.dataset import read_pairs_table
from tfimpute_tracks.downloads.encode import is_metadata, is_report, read_encode
from tfimpute_tracks.downloads.file_names import parse_file_name, peak_stem
from tfimpute_tracks.downloads.names import choose_tracks
from tfimpute_tracks.downloads.tables import (
    is_atlas_list,
    is_cistrome,
    is_remap_list,
    read_atlas_list,
    read_cistrome,
    read_remap_list,
)
from tfimpute_tracks.downloads.track import Download, Entry, Source
from tfimpute_tracks.errors import InputFileError, listed
from tfimpute_tracks.genome.assemblies import ucsc_name
from tfimpute_tracks.genome.many_tracks import (
    find_layout,
    first_rows,
    list_keys,
)
from tfimpute_tracks.genome.track_files import is_binary
from tfimpute_tracks.storage.table import read_lines
from tfimpute_tracks.vocabulary import Vocabulary

__all__ = ["read_download"]

_PAIRS = {"tf", "cell", "bed"}  # columns of a pairs table
_ASSEMBLIES = ("hg19", "hg38", "grch37", "grch38", "mm9", "mm10", "mm39", "hg18")
_FORMS = (
    "ENCODE metadata.tsv or a report, ReMap, ChIP-Atlas, UniBind, Cistrome, UCSC clusters "
    "with cell lines, a pairs table, or files named TF.CELL.bed"
)


class _UnnamedError(InputFileError):
    """A file that does not say what it is of."""


def read_download(
    paths: Sequence[Path], vocabulary: Vocabulary, assembly: str = ""
) -> Download:
    """Find the tracks in files and folders that were downloaded.

    Parameters
    ----------
    paths : sequence of Path
        Files, or folders of files; folders in them are not searched.
    vocabulary : Vocabulary
        Names that tracks are matched to.
    assembly : str
        Of the genome; empty if unknown.

    Returns
    -------
    Download

    Raises
    ------
    InputFileError
        A path is missing, nothing in it is recognized, or a file cannot be used; of a
        folder, only if none can.
    UsageError
        All files are of another assembly, or of several and the genome's is unknown.
    """
    wanted = ucsc_name(assembly) if assembly else ""
    sources: list[Source] = []
    for path in paths:
        if path.is_dir():
            sources += _read_folder(path, vocabulary, wanted)
        else:
            sources.append(_read_file(path, vocabulary, wanted))
    tracks, left_out = choose_tracks(sources, vocabulary)
    if not tracks:
        reasons = ", ".join(
            f"{reason} ({n:,})" for reason, n in left_out.most_common(4)
        )
        raise InputFileError(
            f"{', '.join(map(str, paths))}: no track of a TF in a cell line; left out: "
            f"{reasons or 'nothing'}"
        )
    return Download(tuple(sources), tracks, left_out)


def _read_folder(folder: Path, vocabulary: Vocabulary, assembly: str) -> list[Source]:
    """Read every file of a folder; tables first, because they name other files."""
    shown = (path for path in folder.iterdir() if not path.name.startswith("."))
    files = sorted(path for path in shown if path.is_file())
    tables = [path for path in files if not peak_stem(path)]
    sources: list[Source] = []
    errors: list[str] = []
    unnamed: list[str] = []
    claimed: set[Path] = set()
    for path in (*tables, *(path for path in files if path not in tables)):
        if path in claimed:
            continue
        try:
            source = _read_file(path, vocabulary, assembly)
        except _UnnamedError:
            unnamed.append(path.name)
            continue
        except InputFileError as error:
            errors.append(str(error))
            continue
        sources.append(source)
        if path in tables:
            claimed |= _named_files(source, folder)
    n_unread = len(unnamed) + len(errors)
    if unnamed:
        errors.append(
            f"{folder}: neither rows nor names say which TF and cell line these are of: "
            f"{listed(unnamed, 3)}"
        )
    if not sources:
        what = "; ".join(errors) or f"{folder}: has no file"
        raise InputFileError(f"{what}; use {_FORMS}" if unnamed or not errors else what)
    left_out = +Counter({"files that are not recognized": n_unread})
    sources.append(Source(folder, "folder", (), left_out, tuple(errors)))
    return sources


def _named_files(source: Source, folder: Path) -> set[Path]:
    """List the files that a table has a row for, used or not."""
    if not source.kind.startswith(("ENCODE", "ChIP-Atlas list")):
        return {entry.path for entry in source.entries if entry.path is not None}
    accessions = {fields[0] for fields in _fields(source.path) if fields}
    names = {name.strip("/").rpartition("/")[2] for name in accessions}
    return {path for path in folder.iterdir() if path.name.partition(".")[0] in names}


def _read_file(path: Path, vocabulary: Vocabulary, assembly: str) -> Source:
    """Recognize one file by its content, then by its name."""
    other = _other_assembly(path, assembly)
    if other:
        return Source(path, "file", (), Counter([f"assembly {other}, not {assembly}"]))
    named = parse_file_name(path, vocabulary)
    if is_binary(path):
        return _by_name(path, named)
    lines = [line for _, line in islice(read_lines(path, "file", "replace"), 20)]
    fields = [_split(line) for line in lines]
    if not any(line.strip() for line in lines):
        raise InputFileError(f"{path}: is empty; download it again")
    if lines and is_metadata(lines[0].replace('"', "").split(",")):
        raise InputFileError(
            f"{path}: has commas between its fields; save it with tabs, as ENCODE gives it"
        )
    if lines and is_metadata(fields[0]):
        return read_encode(path, _fields(path), "ENCODE metadata", assembly)
    if len(lines) > 1 and is_report(lines[0], fields[1]):
        below = islice(_fields(path), 1, None)
        return read_encode(path, below, "ENCODE report", assembly)
    if lines and is_cistrome(fields[0]):
        return read_cistrome(path, _fields(path), assembly)
    if is_atlas_list(fields):
        return read_atlas_list(path, _fields(path), assembly)
    if is_remap_list(lines):
        return read_remap_list(
            path, (line for _, line in read_lines(path, "list", "replace"))
        )
    if any({name.strip(" #").lower() for name in row} >= _PAIRS for row in fields):
        return _read_table(path)
    rows = first_rows(path)
    layout = find_layout(path, rows)
    if layout is not None:
        keys = list_keys(path, layout)
        left_out = Counter({"rows without names": keys.pop(("", ""), 0)})
        entries = [Entry(*key, path, key, n_peaks=n) for key, n in keys.items()]
        return Source(path, layout.kind, tuple(entries), +left_out)
    if lines and lines[0].lstrip('"').startswith("http"):
        raise InputFileError(
            f"{path}: is ENCODE's list of addresses; download metadata.tsv from its first "
            "line, and the files: xargs -L 1 curl -O -J -L < files.txt"
        )
    return _by_name(path, None if rows and not _is_interval(rows[0]) else named)


def _fields(path: Path) -> Iterator[list[str]]:
    for _, line in read_lines(path, "table", "replace"):
        if line.strip():
            yield _split(line)


def _split(line: str) -> list[str]:
    """Split a row of a table; a spreadsheet may have put its fields in quotes."""
    return [field.strip().strip('"') for field in line.split("\t")]


def _is_interval(row: list[str]) -> bool:
    """Check for chromosome, start and end, behind UCSC's column `bin` or not."""
    numbers = row[1:3] if not row[0].isdecimal() or row[1].isdecimal() else row[2:4]
    return len(numbers) == 2 and all(text.isdecimal() for text in numbers)


def _read_table(path: Path) -> Source:
    """Read a pairs table."""
    table = read_pairs_table(path, with_roles=False)
    entries = (
        Entry(pair.tf, pair.cell, bed)
        for pair, bed in zip(table.pairs, table.beds, strict=True)
    )
    return Source(path, "pairs table", tuple(entries))


def _other_assembly(path: Path, assembly: str) -> str:
    """Find another assembly in the name of a file."""
    words = path.name.lower().replace(".", "_").replace("-", "_").split("_")
    named = {ucsc_name(word) for word in words if word in _ASSEMBLIES}
    return named.pop() if assembly and len(named) == 1 and assembly not in named else ""


def _by_name(path: Path, named: tuple[str, Entry] | None) -> Source:
    """Take the whole file as one track."""
    if named is None:
        raise _UnnamedError(
            f"{path}: neither its rows nor its name say which TF and cell line it is of; "
            f"use {_FORMS}"
        )
    return Source(path, named[0], (named[1],))
