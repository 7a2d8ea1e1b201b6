"""Read elements, such as enhancers: regions of a genome, or sequences.

A BED has regions of a genome. A FASTA has elements themselves: each is treated as a
chromosome of its own, and the sequence around it is unknown. No element is dropped
silently: one that cannot be used gets a reason, by which it is counted.
"""

from __future__ import annotations

import codecs
import logging
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from tfimpute_tracks.errors import InputFileError, counted, listed
from tfimpute_tracks.genome import Sequences
from tfimpute_tracks.genome.bed import read_named_bed
from tfimpute_tracks.genome.chroms import find_chrom, match_chroms
from tfimpute_tracks.genome.fasta_format import detect_format
from tfimpute_tracks.genome.sequences import resolve_span
from tfimpute_tracks.kernels.encode import N_CODE, encode
from tfimpute_tracks.storage.table import open_unpacked

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "MAX_BASES",
    "Element",
    "Elements",
    "Skipped",
    "is_fasta",
    "read_fasta",
    "read_intervals",
]

_LOG = logging.getLogger(__name__)
MAX_BASES = 10_000
"""Of an element; use `scan` for longer regions."""

Codes = NDArray[np.uint8]


class Element(NamedTuple):
    """A region to be scored.

    Attributes
    ----------
    name : str
        Unique.
    chrom : str
        For a FASTA, the name.
    start, end : int
        0-based, half-open, in bp.
    n_unknown : int
        Bases other than A, C, G and T.
    """

    name: str
    chrom: str
    start: int
    end: int
    n_unknown: int


class Skipped(NamedTuple):
    """What was left out, and why.

    Attributes
    ----------
    name : str
    what : str
        `element`, or `activity` of an element that was scored.
    reason : str
        One of a few, to be counted.
    detail : str
    """

    name: str
    what: str
    reason: str
    detail: str = ""


class Elements(NamedTuple):
    """The elements of a file.

    Attributes
    ----------
    found : list of Element
        In the order of the file.
    sequences : Sequences
        With the bases of the elements.
    skipped : list of Skipped
    """

    found: list[Element]
    sequences: Sequences
    skipped: list[Skipped]


def is_fasta(path: Path) -> bool:
    """Distinguish a FASTA from a BED by its name and its beginning, plain or gzip.

    What was meant as a FASTA and is none counts as one: its reader says what it is.

    Parameters
    ----------
    path : Path

    Returns
    -------
    bool

    Raises
    ------
    InputFileError
        The file cannot be read.
    """
    with open_unpacked(path, "BED or FASTA file") as file:
        text = file.read(1 << 16).removeprefix(codecs.BOM_UTF8).lstrip()
    is_named = bool(
        re.search(r"\.(fa|fasta|fna|fas|fq|fastq)(\.b?gz)?$", path.name, re.I)
    )
    return is_named or text[:1] in (b">", b";", b"@")


def read_fasta(path: Path) -> Elements:
    """Read elements that are sequences.

    Parameters
    ----------
    path : Path
        Plain, bgzip or gzip; lines of any length, upper or lower case.

    Returns
    -------
    Elements
        Named by the first word after `>`.

    Raises
    ------
    InputFileError
        Not a FASTA, truncated, or a sequence without a name.
    """
    codes: dict[str, Codes] = {}
    found, skipped = list[Element](), list[Skipped]()
    for name, bases in _read_records(path):
        own = encode(bases)
        why = _check_name(name, codes) or _check_codes(name, own)
        if why:
            skipped.append(why)
            codes.setdefault(name, encode(b""))
            continue
        codes[name] = own
        found.append(Element(name, name, 0, len(own), _count_unknown(own)))
    return Elements(found, _Records(path.name, codes), skipped)


def read_intervals(
    path: Path, genome: Sequences, log: Callable[[str], None] = _LOG.warning
) -> Elements:
    """Read elements that are regions of a genome.

    Parameters
    ----------
    path : Path
        BED: three columns or more, plain or gzip.
    genome : Sequences
        Chromosomes match with or without ``chr``.
    log : callable, optional
        Receives which names repeat, and which chromosomes the genome lacks; by default
        logged as a warning.

    Returns
    -------
    Elements
        Named by the fourth column; without one, or if it is ``.`` or other rows have the
        same, by ``chrom:start-end`` with the numbers of the BED.

    Raises
    ------
    InputFileError
        The file is missing, has no rows, or a row is not an interval.
    RegionError
        The genome has none of the chromosomes.
    """
    found, skipped = list[Element](), list[Skipped]()
    names: dict[str, None] = {}
    table = read_named_bed(path)
    sizes = genome.chrom_sizes
    counts = table["chrom"].value_counts(sort=False).to_dict()
    unknown = [chrom for chrom in counts if find_chrom(chrom, sizes) is None]
    if len(unknown) == len(counts):
        match_chroms(unknown, sizes, str(path))
    if unknown:
        what = counted(sum(counts[chrom] for chrom in unknown), "element")
        log(
            f"left out: {what} on chromosomes that the genome lacks ({listed(unknown)})"
        )
    repeated = _repeated(table["name"])
    if repeated:
        log(
            f"{path}: its fourth column has {listed(repeated, 3)} in several rows; these "
            "elements are called chrom:start-end"
        )
    for chrom, start, end, name in table.itertuples(index=False):
        if name in ("", ".") or name in repeated:
            name = f"{chrom}:{start}-{end}"
        own = find_chrom(chrom, sizes)
        why = _check_name(name, names, "duplicate interval") or _check_region(
            genome, name, (own, chrom), start, end
        )
        names[name] = None
        if why is None and own is not None:
            codes = genome.codes(own, start, end)
            why = _check_codes(name, codes)
            if why is None:
                found.append(Element(name, own, start, end, _count_unknown(codes)))
        if why is not None:
            skipped.append(why)
    return Elements(found, genome, skipped)


class _Records:
    """Sequences in memory; satisfies ``sequences.Sequences``."""

    def __init__(self, name: str, codes: Mapping[str, Codes]) -> None:
        self.name = name
        self.chrom_sizes = {chrom: len(own) for chrom, own in codes.items()}
        self.ambiguous: Mapping[str, int] = {}
        self._codes = codes

    def codes(self, chrom: str, start: int = 0, end: int | None = None) -> Codes:
        start, end = resolve_span(self.chrom_sizes, chrom, start, end)
        return self._codes[chrom][start:end]

    def close(self) -> None:
        pass

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()


def _read_records(path: Path) -> Iterator[tuple[str, bytes]]:
    # Without an index: elements are few, written by hand, with lines of any length.
    detect_format(path)
    name, parts = "", list[bytes]()
    with open_unpacked(path, "FASTA") as lines:
        for number, line in enumerate(lines, 1):
            if not line.startswith(b">"):
                parts += line.split() if name else []
                continue
            if name:
                yield name, b"".join(parts)
            words = line[1:].split()
            if not words:
                raise InputFileError(
                    f"{path}:{number}: a sequence without a name; write one after the >"
                )
            name, parts = words[0].decode("utf-8", "replace"), []
        yield name, b"".join(parts)


def _count_unknown(codes: Codes) -> int:
    return int((codes == N_CODE).sum())


def _repeated(names: pd.Series) -> dict[str, int]:
    """Count the rows of each name that several rows have."""
    counts: dict[str, int] = names.value_counts(sort=False).to_dict()
    return {name: n for name, n in counts.items() if n > 1 and name not in ("", ".")}


def _check_name(
    name: str, names: Mapping[str, object], reason: str = "duplicate name"
) -> Skipped | None:
    if name in names:
        return Skipped(name, "element", reason, "only the first one is used")
    return None


def _check_region(
    genome: Sequences, name: str, chrom: tuple[str | None, str], start: int, end: int
) -> Skipped | None:
    own, given = chrom
    if own is None:
        return Skipped(name, "element", "unknown chromosome", given)
    size = genome.chrom_sizes[own]
    if end > size:
        detail = f"{start}-{end}; {own} has {size:,} bp"
        return Skipped(name, "element", "outside of the chromosome", detail)
    return _check_length(name, end - start)


def _check_length(name: str, length: int) -> Skipped | None:
    if length > MAX_BASES:
        reason = f"longer than {MAX_BASES:,} bp"
        return Skipped(name, "element", reason, f"{length:,} bp")
    return None


def _check_codes(name: str, codes: Codes) -> Skipped | None:
    if not len(codes):
        return Skipped(name, "element", "no sequence")
    n_unknown = _count_unknown(codes)
    if 2 * n_unknown > len(codes):
        detail = f"{n_unknown} of {len(codes)} bases are not A, C, G or T"
        return Skipped(name, "element", "unknown sequence", detail)
    return _check_length(name, len(codes))
