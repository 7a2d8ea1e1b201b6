"""Whole chromosomes as users choose them: names, patterns, `primary`, a least length.

`primary` means the assembled chromosomes of the nucleus. Their names are an optional
``chr``, ``chromosome``, ``LG`` or ``group``, and then

- a number from 1 to 99 or a Roman numeral, with an arm or a subgenome where it has one
  (``2L`` of a fly, ``1A`` of wheat), or
- ``X``, ``Y``, ``Z`` or ``W``, with a digit where there are several.

Where no name is of this form, RefSeq accessions ``NC_...`` of at least 200 kb are meant.
Mitochondria, plastids, unplaced and alternate sequences are never among them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from fnmatch import fnmatchcase

from tfimpute_tracks.errors import RegionError, counted, listed
from tfimpute_tracks.genome.chroms import find_chrom, match_chroms, natural_order

__all__ = ["choose_chroms", "primary_chroms"]

_PRIMARY = re.compile(
    r"(?:(?:chr(?:omosome)?|lg|group)_?)?"
    r"(?:(?:0?[1-9]|[1-9]\d)[a-dlrs]?|[ivx]{1,5}|[xyzw]\d?)",
    re.IGNORECASE,
)
_REFSEQ = re.compile(r"NC_\d+(\.\d+)?")
_MIN_REFSEQ = 200_000  # bp; mitochondria and plastids are shorter
_WILD = re.compile(r"[*?[]")


def primary_chroms(sizes: Mapping[str, int]) -> list[str]:
    """Select the assembled chromosomes of a genome by their names.

    Parameters
    ----------
    sizes : mapping of str to int
        Lengths in bp.

    Returns
    -------
    list of str
        In the order of `sizes`; empty if no name is of a known form.
    """
    found = [name for name in sizes if _PRIMARY.fullmatch(name)]
    return found or [
        name
        for name, size in sizes.items()
        if _REFSEQ.fullmatch(name) and size >= _MIN_REFSEQ
    ]


def choose_chroms(
    specs: Sequence[str],
    sizes: Mapping[str, int],
    min_length: int = 0,
    log: Callable[[str], None] = lambda _: None,
) -> list[str]:
    """Select whole chromosomes.

    Parameters
    ----------
    specs : sequence of str
        Names, with or without ``chr``; patterns with ``*``, ``?`` and ``[...]``;
        `primary`; each may be several, comma-separated. Empty: every chromosome.
    sizes : mapping of str to int
        Lengths in bp, in genome order.
    min_length : int
        Shorter ones are left out, unless they are named.
    log : callable, optional
        Receives what a pattern, `primary` or the length selected.

    Returns
    -------
    list of str
        In genome order.

    Raises
    ------
    RegionError
        A name is unknown, a pattern matches nothing, or none is long enough.
    """
    named: set[str] = set()
    selected: set[str] = set()
    unknown = []
    parts = _split(specs, sizes)
    if specs and not parts:
        raise RegionError(f"--chroms {' '.join(specs)!r} has no name; write one")
    for spec in parts:
        name = find_chrom(spec, sizes)
        if name is not None:
            named.add(name)
        elif spec.lower() == "primary" or _WILD.search(spec):
            selected.update(_matching(spec, sizes))
        else:
            unknown.append(spec)
    match_chroms(unknown, sizes)  # raises, where there are some
    if not specs:
        selected = set(sizes)
    long_enough = {name for name in selected if sizes[name] >= min_length}
    chosen = [name for name in sizes if name in named or name in long_enough]
    if not chosen:
        longest = max(sizes, key=lambda name: sizes[name])
        raise RegionError(
            f"--min-contig {min_length:,} leaves no chromosome; the longest of them, "
            f"{longest}, has {sizes[longest]:,} bp"
        )
    if selected and len(chosen) < len(sizes):
        log(
            f"using {len(chosen):,} of {counted(len(sizes), 'chromosome')}: {_brief(chosen)}"
        )
    return chosen


def _split(specs: Sequence[str], sizes: Mapping[str, int]) -> list[str]:
    """Split lists; a name that contains a comma, as some contigs have, is one name."""
    parts: list[str] = []
    for spec in specs:
        whole = find_chrom(spec, sizes) is not None
        parts += [spec] if whole else [part.strip() for part in spec.split(",")]
    return [part for part in parts if part]


def _matching(spec: str, sizes: Mapping[str, int]) -> list[str]:
    """Find the chromosomes of a pattern, or the primary ones."""
    if spec.lower() == "primary":
        found, what = primary_chroms(sizes), "no name is that of a primary chromosome"
    else:
        found, what = _glob(spec, sizes), f"no chromosome matches {spec!r}"
    if not found:
        have = _brief(sorted(sizes, key=natural_order))
        raise RegionError(f"{what}; known: {have}; use these names, or patterns")
    return found


def _glob(pattern: str, sizes: Mapping[str, int]) -> list[str]:
    other = pattern[3:] if pattern.startswith("chr") else f"chr{pattern}"
    for text in (pattern, other):
        if found := [name for name in sizes if fnmatchcase(name, text)]:
            return found
    return []


def _brief(names: Sequence[str]) -> str:
    return listed(names, 8)
