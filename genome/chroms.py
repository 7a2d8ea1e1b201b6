"""Chromosome names and sizes: matching ``1`` with ``chr1``, and detecting another build.

Names of chromosomes differ between sources of the same assembly, sizes differ between
assemblies. Both are checked here, before any sequence is read.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path

from tfimpute_tracks.errors import InputFileError, RegionError, listed
from tfimpute_tracks.storage.table import explain_number, read_rows

__all__ = [
    "check_build",
    "describe_mismatch",
    "find_chrom",
    "match_chrom",
    "match_chroms",
    "natural_order",
    "read_chrom_sizes",
]

# Python refuses to convert thousands of digits, and numpy a number beyond 64 bits.
_NUMBER, _SIZE = re.compile("[0-9]{1,18}"), re.compile("[0-9]{1,12}")


def natural_order(name: str) -> list[tuple[int, int, str]]:
    """Sort key that places chr2 before chr10, and numbers before text.

    Parameters
    ----------
    name : str

    Returns
    -------
    list
        For ``sorted(..., key=natural_order)``.
    """
    parts = re.findall(r"[0-9]+|[^0-9]+", name)
    return [(0, int(p), "") if _NUMBER.fullmatch(p) else (1, 0, p) for p in parts]


def find_chrom(name: str, available: Collection[str]) -> str | None:
    """Find a chromosome by its own name, or with ``chr`` added or removed.

    Parameters
    ----------
    name : str
        ``chr1`` or ``1``.
    available : collection of str
        Names to search; a dict or a set is fast.

    Returns
    -------
    str or None
        The name as in `available`.

    Notes
    -----
    ``chrM`` never matches ``MT``: in hg19 they are different sequences (chrM is
    NC_001807 with 16,571 bp; MT, the revised one of GRCh37, has 16,569 bp), so a match
    would shift every coordinate.
    """
    if name in available:
        return name
    other = name[3:] if name.startswith("chr") else f"chr{name}"
    return other if other in available else None


def match_chroms(
    names: Iterable[str], available: Collection[str], asked_by: str = ""
) -> dict[str, str]:
    """Find several chromosomes at once; see :func:`find_chrom`.

    Parameters
    ----------
    names : iterable of str
    available : collection of str
    asked_by : str, optional
        The file that contains the names, for the message of an error.

    Returns
    -------
    dict of name to name in `available`

    Raises
    ------
    RegionError
        Some are missing; the message lists the first names of both sides.
    """
    found = {name: find_chrom(name, available) for name in dict.fromkeys(names)}
    matched = {name: match for name, match in found.items() if match is not None}
    missing = [name for name in found if name not in matched]
    if missing:
        where = f"{asked_by}: " if asked_by else ""
        word = "chromosome" if len(missing) == 1 else "chromosomes"
        raise RegionError(
            f"{where}unknown {word} {_listed(missing)}; known: "
            f"{_listed(available)}; use these names, with or without chr"
        )
    return matched


def match_chrom(name: str, available: Collection[str]) -> str:
    """Find a chromosome; see :func:`find_chrom`.

    Parameters
    ----------
    name : str
    available : collection of str

    Returns
    -------
    str
        The name as in `available`.

    Raises
    ------
    RegionError
        It is missing.
    """
    return match_chroms([name], available)[name]


def read_chrom_sizes(path: str | Path) -> dict[str, int]:
    """Read a table of chromosome sizes.

    Parameters
    ----------
    path : str or Path
        Lines of name and size in bp, separated by a tab or blanks; more columns are
        ignored, so a ``.fai`` is valid. Blank lines and lines that begin with # are
        skipped.

    Returns
    -------
    dict of str to int
        In the order of the file.

    Raises
    ------
    InputFileError
        No such file, no rows, or a row without a name and a size, with its line.
    """
    remedy = "each line is a name, a tab and a size in bp"
    sizes: dict[str, int] = {}
    for number, fields in read_rows(Path(path), "table of chromosome sizes"):
        size = fields[1].strip() if len(fields) > 1 else ""
        if explain_number(size):
            raise InputFileError(f"{path}:{number}: the size {explain_number(size)}")
        if not _SIZE.fullmatch(size) or int(size) == 0:
            raise InputFileError(
                f"{path}:{number}: {' '.join(fields)!r} is not a size; {remedy}"
            )
        if fields[0] in sizes:
            raise InputFileError(
                f"{path}:{number}: duplicate chromosome {fields[0]!r}; keep one line of it"
            )
        sizes[fields[0]] = int(size)
    if not sizes:
        raise InputFileError(f"{path}: has no chromosome sizes; {remedy}")
    return sizes


def check_build(sizes: Mapping[str, int], expected: Mapping[str, int]) -> list[str]:
    """Compare chromosome lengths with those of an assembly.

    Parameters
    ----------
    sizes : mapping of str to int
        Lengths in bp in the FASTA.
    expected : mapping of str to int
        Lengths in bp in the assembly that the model was trained on.

    Returns
    -------
    list of str
        A message for every chromosome of both whose lengths differ, in the order of
        `sizes`; empty if all agree.
    """
    mismatches = []
    for name, size in sizes.items():
        other = find_chrom(name, expected)
        if other is not None and expected[other] != size:
            mismatches.append(f"{name} has {size:,} bp, expected {expected[other]:,}")
    return mismatches


def describe_mismatch(sizes: Mapping[str, int], expected: Mapping[str, int]) -> str:
    """Describe how a genome differs from the assembly that it should be of.

    Parameters
    ----------
    sizes, expected : mapping of str to int
        Chromosomes and their lengths in bp. Each may be a subset of its assembly.

    Returns
    -------
    str
        Chromosomes of other lengths, or that they share none; empty if neither.
    """
    fewer, others = sorted((sizes, expected), key=len)
    if not any(find_chrom(name, others) for name in fewer):
        return f"it has none of {listed(expected, 4)}"
    return listed(check_build(sizes, expected), 3, "; ")


def _listed(names: Iterable[str]) -> str:
    return listed(sorted(names, key=natural_order))
