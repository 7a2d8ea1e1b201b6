"""What a command leaves: whole files under their final names, and nothing else."""

from __future__ import annotations

import gzip
import hashlib
import json
import sys
from pathlib import Path

import h5py
import pybigtools
from safetensors import safe_open

__all__ = ["HALF_WRITTEN", "digests", "half_written", "report_half_written"]

HALF_WRITTEN = "half written: "


def report_half_written(folder: Path) -> None:
    """Write a line to stderr for each fault of :func:`half_written` in `out`."""
    for fault in half_written(folder / "out"):
        sys.stderr.write(f"{HALF_WRITTEN}{fault}\n")


def half_written(folder: Path) -> list[str]:
    """Find files that do not open, and temporary ones.

    Parameters
    ----------
    folder : Path

    Returns
    -------
    list of str
        The path and what is wrong with it.
    """
    faults = []
    for path in sorted(folder.rglob("*")):
        if any(part.startswith(".unfinished") for part in path.parts):
            continue  # what a run continues from, checked when it is read
        if path.name.startswith(".") and path.name.endswith(".tmp"):
            faults.append(f"{path}: temporary file")
        elif path.is_file():
            try:
                _open(path)
            except Exception as error:
                faults.append(f"{path}: {error}")
    return faults


def _open(path: Path) -> None:
    """Read enough of a file to see that its end is there."""
    ending = path.suffix
    if ending == ".json":
        json.loads(path.read_text())
    elif ending == ".h5":
        h5py.File(path).close()
    elif ending in (".bw", ".bb"):
        with pybigtools.open(str(path)) as file:
            for chrom in file.chroms():
                for _ in file.records(chrom):
                    pass
    elif ending == ".gz":
        gzip.decompress(path.read_bytes())
    elif ending == ".safetensors":
        with safe_open(path, "numpy") as file:
            list(file.keys())
    elif ending in (".html", ".svg"):
        text = path.read_text().rstrip()
        if not text.endswith(("</html>", "</svg>")):
            raise ValueError("no end tag")


def digests(folder: Path) -> dict[str, str]:
    """Digest the files of a folder.

    Parameters
    ----------
    folder : Path

    Returns
    -------
    dict
        By path relative to the folder; hidden files and their folders are left out.
    """
    found = {}
    for path in sorted(folder.rglob("*")):
        inside = path.relative_to(folder)
        is_hidden = any(part.startswith(".") for part in inside.parts)
        if path.is_file() and not is_hidden:
            found[str(inside)] = hashlib.sha256(path.read_bytes()).hexdigest()
    return found
