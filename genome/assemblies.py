"""Assemblies that are recognized by the lengths of their chromosomes.

The table has the numbered chromosomes, X and Y of human and mouse assemblies, under
their UCSC names. Mitochondria are not in it: hg19 has two, of different lengths.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from tfimpute_tracks.errors import UsageError, listed
from tfimpute_tracks.genome.chroms import (
    check_build,
    describe_mismatch,
    find_chrom,
)
from tfimpute_tracks.storage.table import read_rows

__all__ = [
    "find_species",
    "known_build",
    "name_assembly",
    "ucsc_name",
    "whole_assembly",
]

_SPECIES = {"hg": "human", "hs": "human", "mm": "mouse"}
_OTHER_NAMES = {
    "grch37": "hg19",
    "grch38": "hg38",
    "t2t-chm13v2.0": "hs1",
    "chm13v2.0": "hs1",
    "grcm38": "mm10",
    "grcm39": "mm39",
}


def find_species(assembly: str) -> str:
    """Find the species of an assembly.

    Parameters
    ----------
    assembly : str
        UCSC name.

    Returns
    -------
    str
        `human`, `mouse`, or empty if unknown.
    """
    match = re.fullmatch(r"([a-z]+)\d+", assembly)
    return _SPECIES.get(match[1], "") if match else ""


def ucsc_name(label: str) -> str:
    """Name an assembly as UCSC does.

    Parameters
    ----------
    label : str
        Such as `GRCh38`; also `GRCh38-minimal`, a part of it, in ENCODE.

    Returns
    -------
    str
        The label itself if it has no other name.
    """
    name = label.strip().removesuffix("-minimal")
    return _OTHER_NAMES.get(name.lower(), name)


def known_build(sizes: Mapping[str, int], known: Mapping[str, Any]) -> str | None:
    """Recognize an assembly by the lengths of its chromosomes.

    Parameters
    ----------
    sizes : mapping of str to int
        Lengths in bp by chromosome.
    known : mapping
        `build`, a name, and its `chrom_sizes`, as in the metadata of weights: compared
        before the assemblies of the table.

    Returns
    -------
    str or None
        None if there is no assembly with one of the chromosomes and no other length of
        any.
    """
    candidates = {known.get("build", ""): known.get("chrom_sizes", {})}
    for name, expected in (candidates | _table() | candidates).items():
        if name and not describe_mismatch(sizes, expected):
            return str(name)
    return None


def name_assembly(
    label: str | None, sizes: Mapping[str, int], known: Mapping[str, Any]
) -> str:
    """Name an assembly as its user does, or else recognize it.

    Parameters
    ----------
    label : str, optional
        What the user calls it; `GRCh38` and the like become UCSC names.
    sizes, known : mapping
        As :func:`known_build`.

    Returns
    -------
    str
        Empty if unknown.

    Raises
    ------
    UsageError
        The label is empty, has white space, or is the name of an assembly whose
        chromosomes have other lengths.
    """
    if label is None:
        return known_build(sizes, known) or ""
    if not label or re.search(r"\s", label):
        raise UsageError(f"--assembly {label!r} is empty or has white space")
    name = ucsc_name(label)
    expected = _table().get(name, {})
    if name == known.get("build"):
        expected = known.get("chrom_sizes", {})
    wrong = check_build(sizes, expected)
    named = [chrom for chrom in sizes if _CHROMOSOME.fullmatch(chrom)]
    if expected and named and not any(find_chrom(own, expected) for own in named):
        wrong = [f"no chromosome is called {listed(named, 3, ' or ')}"]
    if wrong:
        found = known_build(sizes, known)
        remedy = f"use --assembly {found}" if found else "use another name"
        raise UsageError(f"--assembly {label}: {wrong[0]} in {name}; {remedy}")
    return name


_CHROMOSOME = re.compile(r"(chr)?([0-9]+|[XYWZ])", re.IGNORECASE)


def whole_assembly(known: Mapping[str, Any]) -> dict[str, int]:
    """List all chromosomes of the assembly of which some are known.

    Parameters
    ----------
    known : mapping
        `build` and `chrom_sizes`, as in the metadata of weights: of the chromosomes that
        they were trained on.

    Returns
    -------
    dict of str to int
        Lengths in bp: of all chromosomes of the table if it has the assembly with the
        same lengths, then of the others that are known.
    """
    sizes: dict[str, int] = dict(known.get("chrom_sizes", {}))
    whole = _table().get(ucsc_name(known.get("build", "")), {})
    if not sizes or describe_mismatch(sizes, whole):
        return sizes
    return whole | {n: size for n, size in sizes.items() if not find_chrom(n, whole)}


@cache
def _table() -> dict[str, dict[str, int]]:
    path = Path(str(files("tfimpute_tracks") / "genome" / "data" / "assemblies.tsv"))
    rows = [fields for _, fields in read_rows(path, "table of assemblies")]
    names = rows[0][1:]
    return {
        name: {row[0]: int(row[i]) for row in rows[1:] if row[i] != "0"}
        for i, name in enumerate(names, start=1)
    }
