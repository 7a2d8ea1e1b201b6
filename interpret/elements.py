"""Elements, such as enhancers: where they lie or which letters they have.

A BED names places of a genome. A FASTA holds elements by themselves: each is taken for
a chromosome of its own, so nothing is known of what stands beside it. What cannot be
used has a reason, by which it is counted; nothing is dropped.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from tfimpute_tracks.errors import InputFileError
from tfimpute_tracks.genome import Sequences
from tfimpute_tracks.genome.bed import read_named_bed
from tfimpute_tracks.genome.chroms import find_chrom
from tfimpute_tracks.genome.fasta_index import detect_format
from tfimpute_tracks.genome.sequences import resolve_span
from tfimpute_tracks.kernels.encode import N_CODE, encode
from tfimpute_tracks.storage.table import open_unpacked

__all__ = [
    "MAX_BASES",
    "Element",
    "Elements",
    "Skipped",
    "is_fasta",
    "read_fasta",
    "read_intervals",
]

MAX_BASES = 10_000
"""Of an element; regions longer than this are what `scan` is for."""


class Element(NamedTuple):
    """A stretch of sequence to be scored.

    Attributes
    ----------
    name : str
        No two have the same.
    chrom : str
        Of a FASTA the name itself.
    start, end : int
        0-based, half-open, bp.
    n_unknown : int
        Letters other than A, C, G and T.
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
        `element`, or `activity` of one that was not compared.
    reason : str
        One of few, to be counted.
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
        In the file's order.
    sequences : Sequences
        Where their letters are.
    skipped : list of Skipped
    """

    found: list[Element]
    sequences: Sequences
    skipped: list[Skipped]


def is_fasta(path: Path) -> bool:
    """Tell a FASTA from a BED by its first letter, plain or gzip.

    Parameters
    ----------
    path : Path

    Returns
    -------
    bool

    Raises
    ------
    InputFileError
        It cannot be read.
    """
    with open_unpacked(path, "BED or FASTA") as file:
        return file.read(1 << 16).lstrip()[:1] in (b">", b";")


def read_fasta(path: Path) -> Elements:
    """Read elements that are sequences.

    Parameters
    ----------
    path : Path
        Plain, bgzip or gzip; lines of any length, letters in either case.

    Returns
    -------
    Elements
        Known by the first word behind `>`.

    Raises
    ------
    InputFileError
        No FASTA, cut short, or a sequence without a name.
    """
    codes: dict[str, NDArray[np.uint8]] = {}
    found: list[Element] = []
    skipped: list[Skipped] = []
    for name, letters in _records(path):
        fault = _repeated(name, codes) or _fault(name, read := encode(letters))
        if fault:
            skipped.append(fault)
            codes.setdefault(name, encode(b""))
            continue
        codes[name] = read
        unknown = int((read == N_CODE).sum())
        found.append(Element(name, name, 0, len(read), unknown))
    return Elements(found, _Records(path.name, codes), skipped)


def read_intervals(path: Path, genome: Sequences) -> Elements:
    """Read elements that are places of a genome.

    Parameters
    ----------
    path : Path
        BED: three columns or more, plain or gzip.
    genome : Sequences
        Chromosomes are matched with or without ``chr``.

    Returns
    -------
    Elements
        Known by the fourth column; without one, or where it is ``.``, as
        ``chrom:start-end`` with the numbers of the BED.

    Raises
    ------
    InputFileError
        Missing, no rows, or a row that is no interval.
    """
    found: list[Element] = []
    skipped: list[Skipped] = []
    names: dict[str, None] = {}
    for chrom, start, end, name in read_named_bed(path).itertuples(index=False):
        name = name if name not in ("", ".") else f"{chrom}:{start}-{end}"
        fault = _repeated(name, names) or _misplaced(genome, name, chrom, start, end)
        names[name] = None
        own = find_chrom(chrom, genome.chrom_sizes)
        if fault is None and own is not None:
            codes = genome.codes(own, start, end)
            fault = _fault(name, codes)
            unknown = int((codes == N_CODE).sum())
            if fault is None:
                found.append(Element(name, own, start, end, unknown))
        if fault is not None:
            skipped.append(fault)
    return Elements(found, genome, skipped)


class _Records:
    """Sequences in memory; satisfies ``sequences.Sequences``."""

    def __init__(self, name: str, codes: Mapping[str, NDArray[np.uint8]]) -> None:
        self.name = name
        self.chrom_sizes = {chrom: len(own) for chrom, own in codes.items()}
        self.ambiguous: Mapping[str, int] = {}
        self._codes = codes

    def codes(
        self, chrom: str, start: int = 0, end: int | None = None
    ) -> NDArray[np.uint8]:
        start, end = resolve_span(self.chrom_sizes, chrom, start, end)
        return self._codes[chrom][start:end]

    def close(self) -> None:
        pass

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()


def _records(path: Path) -> Iterator[tuple[str, bytes]]:
    # Not through an index: elements are few, written by hand, with lines of any length.
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


def _repeated(name: str, names: Mapping[str, object]) -> Skipped | None:
    if name in names:
        return Skipped(name, "element", "name repeats", "the first one counts")
    return None


def _misplaced(
    genome: Sequences, name: str, chrom: str, start: int, end: int
) -> Skipped | None:
    own = find_chrom(chrom, genome.chrom_sizes)
    if own is None:
        return Skipped(name, "element", "unknown chromosome", chrom)
    size = genome.chrom_sizes[own]
    if end > size:
        told = f"{start}-{end}; {own} has {size:,} bp"
        return Skipped(name, "element", "outside of the chromosome", told)
    return _too_long(name, end - start)


def _too_long(name: str, length: int) -> Skipped | None:
    if length > MAX_BASES:
        reason = f"longer than {MAX_BASES:,} bp"
        return Skipped(name, "element", reason, f"{length:,} bp")
    return None


def _fault(name: str, codes: NDArray[np.uint8]) -> Skipped | None:
    if not len(codes):
        return Skipped(name, "element", "no letters")
    n_unknown = int((codes == N_CODE).sum())
    if 2 * n_unknown > len(codes):
        told = f"{n_unknown} of {len(codes)} letters are not A, C, G or T"
        return Skipped(name, "element", "unknown sequence", told)
    return _too_long(name, len(codes))
