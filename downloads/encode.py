"""ENCODE: the metadata of a batch download, and reports of the portal.

Both are tables with a row per file; columns are found by name, because releases and
searches differ in which they have. The files lie in the same folder, named by accession.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path

from tfimpute_tracks.downloads.track import Entry, Source
from tfimpute_tracks.errors import InputFileError, UsageError, counted
from tfimpute_tracks.evidence import ACCESSIBILITY
from tfimpute_tracks.genome.assemblies import ucsc_name

__all__ = ["OUTPUT_TYPES", "is_metadata", "is_report", "read_encode"]

OUTPUT_TYPES = (
    "optimal idr thresholded peaks",
    "idr thresholded peaks",
    "conservative idr thresholded peaks",
    "pseudoreplicated idr thresholded peaks",
    "replicated peaks",
    "stable peaks",
    "pseudoreplicated peaks",
    "pseudo-replicated peaks",
    "peaks",
    "narrow peaks",
    "hotspots",
    "broad peaks",
)
"""Output types that are peaks of a track, the best first."""

_COLUMNS = {
    "accession": ("file accession", "accession"),
    "output": ("output type",),
    "assembly": ("file assembly", "genome assembly", "assembly", "mapping assembly"),
    "experiment": ("experiment accession", "dataset"),
    "target": (
        *("experiment target", "target", "target label", "target.label"),
        *("target of assay", "target gene symbol"),
    ),
    "cell": (
        *("biosample term name", "biosample name", "biosample_ontology.term_name"),
        *("biosample ontology term name", "biosample"),
    ),
    "format": ("file format",),
    "type": ("file format type", "file type"),
    "assay": ("assay", "assay term name", "assay title", "assay name"),
    "status": ("file status", "status"),
    "treatment": ("biosample treatments",),
    "change": ("biosample genetic modifications categories",),
    "replicates": ("biological replicate(s)", "biological replicates"),
}
_OPEN_CHROMATIN = ("dnase-seq", "atac-seq")
_HISTONE = re.compile(
    r"H(?:1|2A|2B|3|4)(?:[A-Z]?\d*(?:me|ac|ub|ph|cr).*|F.*|\.Z)?", re.I
)
_IMMUNO = re.compile(r"ChIP-seq|CUT&", re.IGNORECASE)
_SPECIES = re.compile(r"-(?:human|mouse|[a-z]{8,})$")
_FORMATS = ("narrowpeak", "broadpeak", "bed")
_RA = "all-trans-retinoic acid"


def is_metadata(header: list[str]) -> bool:
    """Check for the header of metadata.tsv.

    Parameters
    ----------
    header : list of str
        Fields of the first line.

    Returns
    -------
    bool
    """
    return {"file accession", "output type"} <= {name.lower() for name in header}


def is_report(first: str, second: list[str]) -> bool:
    """Check for a report: a line with its address, then the header.

    Parameters
    ----------
    first : str
        The first line.
    second : list of str
        Fields of the second.

    Returns
    -------
    bool
    """
    names = {name.lower() for name in second}
    return "report/" in first and bool({"id", "accession"} & names)


def read_encode(
    path: Path, lines: Iterator[list[str]], kind: str, assembly: str
) -> Source:
    """Read the rows of a table of ENCODE files.

    Parameters
    ----------
    path : Path
        The table; its files lie in the same folder.
    lines : iterator of list of str
        Fields of the header, then of each row.
    kind : str
        What the table was recognized as.
    assembly : str
        UCSC name of the genome; empty if unknown.

    Returns
    -------
    Source

    Raises
    ------
    InputFileError
        The table has no column of the target or of the cell line, or none of its files
        is in its folder.
    UsageError
        All files are of another assembly, or of several and the genome's is unknown.
    """
    header = [name.lower() for name in next(lines)]
    column = _find_columns(path, header)
    left_out: Counter[str] = Counter()
    rows = []
    for line in lines:
        row = {name: line[i] if i < len(line) else "" for name, i in column.items()}
        reason = _why_unused(row)
        if reason:
            left_out[reason] += 1
        else:
            rows.append(row)
    rows = _of_assembly(path, rows, assembly, left_out)
    files = _files_of(path.parent)
    found: dict[tuple[str, ...], list[tuple[int, Entry]]] = {}
    for row in rows:
        accession = row["accession"]
        if accession not in files:
            left_out["files that are not in the folder"] += 1
            continue
        entry, form = _entry(row, files[accession])
        key = (
            row.get("experiment") or accession,
            entry.kind,
            row.get("replicates", ""),
        )
        found.setdefault((*key, entry.tf, entry.cell), []).append((form, entry))
    if rows and not found:
        raise InputFileError(
            f"{path}: none of its {counted(len(rows), 'peak file')} is in {path.parent}, "
            f"such as {rows[0]['accession']}.bed.gz; download them into that folder with "
            "the files.txt of the same download"
        )
    entries = []
    for same in found.values():
        best = min(form for form, _ in same)
        entries += [entry for form, entry in same if form == best]
        left_out["the same peaks in another format"] += sum(f > best for f, _ in same)
    return Source(path, kind, tuple(entries), +left_out)


def _find_columns(path: Path, header: list[str]) -> dict[str, int]:
    """Find the index of each column that the table has."""
    found = {
        name: header.index(title)
        for name, titles in reversed(_COLUMNS.items())
        for title in reversed(titles)
        if title in header
    }
    needed = {"target": "target", "cell": "cell line"}
    missing = [text for name, text in needed.items() if name not in found]
    if missing or "accession" not in found:
        raise InputFileError(
            f"{path}: has no column of the {' and the '.join(missing) or 'file'}; add "
            "&field=target.label&field=biosample_ontology.term_name to the address of the "
            "search, or use the metadata.tsv of its Download button"
        )
    if "output" not in found:
        raise InputFileError(
            f"{path}: is a report of experiments, which does not say what their files "
            "are; use a report of files (&type=File), or the metadata.tsv of the Download "
            "button"
        )
    return found


def _why_unused(row: Mapping[str, str]) -> str:
    """Return why a row is no track of a TF or of accessibility, or an empty string."""
    output = row["output"].lower()
    form = f"{row.get('format', '')} {row.get('type', '')}".lower()
    if output not in OUTPUT_TYPES:
        return f"output type {row['output'] or 'unknown'}"
    if form.strip() and "bed" not in form:
        return f"format {form.split()[0]}"
    if (row.get("status") or "released").lower() not in ("released", "in progress", ""):
        return f"status {row['status']}"
    changes = {word.strip().lower() for word in row.get("change", "").split(",")}
    if changes - {"", "insertion"}:
        return f"genetic modification: {sorted(changes - {'', 'insertion'})[0]}"
    if row.get("assay", "").lower() in _OPEN_CHROMATIN:
        return "" if row["cell"] else "no cell line"
    target = _target(row["target"])
    if "histone" in row.get("assay", "").lower() or _HISTONE.fullmatch(target):
        return "histone marks"
    if row.get("assay") and not _IMMUNO.search(row["assay"]):
        return f"assay {row['assay']}"  # peaks of eCLIP are on RNA
    return "" if target and row["cell"] else "no target or no cell line"


def _target(target: str) -> str:
    """Remove the species of a target: each assembly has its own."""
    return _SPECIES.sub("", target.strip().removeprefix("/targets/").strip("/"))


def _of_assembly(
    path: Path, rows: list[dict[str, str]], assembly: str, left_out: Counter[str]
) -> list[dict[str, str]]:
    """Keep the rows of the genome's assembly."""
    counts = Counter(ucsc_name(row.get("assembly", "")) for row in rows)
    named = {name: n for name, n in counts.items() if name}
    listed = ", ".join(f"{n:,} of {name}" for name, n in named.items())
    if not assembly and len(named) > 1:
        raise UsageError(
            f"{path}: has peak files of several assemblies ({listed}) and the genome's is "
            "unknown; name it with --assembly"
        )
    wanted = assembly or next(iter(named), "")
    kept = []
    for row in rows:
        own = ucsc_name(row.get("assembly", ""))
        if own in ("", wanted):
            kept.append(row)
        else:
            left_out[f"assembly {own}, not {wanted}"] += 1
    if rows and not kept:
        raise UsageError(
            f"{path}: all peak files are of another assembly than {wanted} ({listed}); "
            "download peaks of it, or use the genome of these peaks"
        )
    return kept


def _files_of(folder: Path) -> dict[str, Path]:
    """Index the files of a folder by what is before the first dot of their names."""
    files = sorted(path for path in folder.iterdir() if path.is_file())
    return {path.name.partition(".")[0]: path for path in reversed(files)}


def _entry(row: Mapping[str, str], path: Path) -> tuple[Entry, int]:
    """Make the entry of a row, and the rank of its format."""
    form = f"{row.get('format', '')} {row.get('type', '')}".lower()
    order = [word in form for word in _FORMATS].index(True) if form.strip() else 0
    cell, treatment = row["cell"], row.get("treatment", "").strip()
    if cell == "SK-N-SH" and treatment.lower() == _RA:
        cell, treatment = "SK-N-SH_RA", ""
    is_open = row.get("assay", "").lower() in _OPEN_CHROMATIN
    target = row["target"].strip().removeprefix("/targets/").strip("/")
    named = target if target.endswith("-human") else _target(target)
    tf = ACCESSIBILITY if is_open else named
    output = row["output"].lower()
    rank = (bool(treatment), OUTPUT_TYPES.index(output))
    kind = row["output"] + (", treated cells" if treatment else "")
    return Entry(tf, cell, path, rank=rank, kind=kind), 2 * order + ("bigbed" in form)
