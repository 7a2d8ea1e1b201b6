"""Chain files: where the positions of one assembly lie in another.

The library `liftover` reads a file, checks its blocks and maps positions. The lengths of
the chromosomes, which it does not report, are read here: they show whether a chain is
between the right assemblies, and in the right direction.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import numpy as np
from liftover import ChainFile
from numpy.typing import NDArray

from tfimpute_tracks.errors import InputFileError
from tfimpute_tracks.genome.assemblies import known_build
from tfimpute_tracks.genome.chroms import describe_mismatch, find_chrom
from tfimpute_tracks.storage.table import read_lines

__all__ = ["MAX_LENGTH_CHANGE", "OUTCOMES", "Chain", "Lifted"]

OUTCOMES = ("kept", "lost", "split", "resized", "absent")
"""What becomes of an interval: it is kept; one of its ends has no counterpart; its ends
are on two chromosomes or strands, in another order, or in several places; its length
changes by more than :data:`MAX_LENGTH_CHANGE`; the target lacks the chromosome."""

MAX_LENGTH_CHANGE = 0.1
"""Of an interval that is kept, relative to its length."""

_LENGTH = re.compile(r"[0-9]{1,15}")  # bp of a chromosome
_KEPT, _LOST, _SPLIT, _RESIZED, _ABSENT = range(len(OUTCOMES))
# In place of the index of a target chromosome.
_NOWHERE, _SEVERAL, _UNKNOWN = -1, -2, -3

Ints = NDArray[np.int64]


class Lifted(NamedTuple):
    """Where intervals lie in the target assembly.

    Attributes
    ----------
    outcome : uint8 array, shape (n,)
        Index into :data:`OUTCOMES`; what follows is valid where the interval is kept.
    chrom : int32 array, shape (n,)
        Index into the target's chromosomes.
    start, end : int64 array, shape (n,)
        0-based, half-open, in bp, on the forward strand.
    is_reversed : bool array, shape (n,)
        Whether the sequence is that of the other strand.
    is_lost : bool array, shape (n,)
        Whether neither end has a counterpart.
    """

    outcome: NDArray[np.uint8]
    chrom: NDArray[np.int32]
    start: Ints
    end: Ints
    is_reversed: NDArray[np.bool_]
    is_lost: NDArray[np.bool_]


class _Positions(NamedTuple):
    chrom: NDArray[np.int32]
    position: Ints
    is_reversed: NDArray[np.bool_]


class Chain:
    """A chain file between two assemblies.

    Parameters
    ----------
    path : Path
        Plain or gzip.
    source, target : mapping of str to int
        Chromosomes of the two assemblies, and their lengths in bp. They may be subsets
        of those in the file, and have others.
    source_name, target_name : str
        What messages call the two.

    Raises
    ------
    InputFileError
        The file is missing, truncated or not a chain file; or it is between other
        assemblies, or in the other direction.

    Attributes
    ----------
    name : str
        Of the file.
    missing : list of str
        Chromosomes of the source that no chain leads from.
    """

    def __init__(
        self,
        path: Path,
        source: Mapping[str, int],
        target: Mapping[str, int],
        source_name: str,
        target_name: str,
    ) -> None:
        sources, targets = _read_sizes(path)
        _check(path, (sources, targets), source, target, (source_name, target_name))
        try:
            with _text_name(path) as name:
                self._file = ChainFile(name)
        except ValueError as error:
            reason = " ".join(str(error).removeprefix(f"{path}: ").split())
            raise InputFileError(
                f"{path}: not a complete chain file ({reason}); download it again"
            ) from error
        self.name = path.name
        self._names = {name: find_chrom(name, sources) for name in source}
        self.missing = [name for name, own in self._names.items() if own is None]
        number = {name: i for i, name in enumerate(target)}
        own = {name: find_chrom(name, number) for name in targets}
        self._number = {name: number.get(own[name] or "", _UNKNOWN) for name in own}
        self._number |= {"": _NOWHERE, "*": _SEVERAL}

    def lift(self, chrom: str, start: Ints, end: Ints) -> Lifted:
        """Lift intervals by their first and their last base.

        Parameters
        ----------
        chrom : str
            A chromosome of the source.
        start, end : int64 array, shape (n,)
            0-based, half-open, in bp.

        Returns
        -------
        Lifted
        """
        first, last = self._lift(chrom, start), self._lift(chrom, end - 1)
        is_reversed = first.is_reversed
        low = np.where(is_reversed, last.position, first.position)
        high = np.where(is_reversed, first.position, last.position) + 1
        length = end - start
        outcome = np.full(len(start), _KEPT, dtype=np.uint8)
        outcome[np.abs(high - low - length) > MAX_LENGTH_CHANGE * length] = _RESIZED
        is_split = (first.chrom != last.chrom) | (high <= low)
        is_split |= (first.is_reversed != last.is_reversed) | (first.chrom == _SEVERAL)
        outcome[is_split] = _SPLIT
        outcome[(first.chrom == _UNKNOWN) & (last.chrom == _UNKNOWN)] = _ABSENT
        lost = first.chrom == _NOWHERE, last.chrom == _NOWHERE
        outcome[lost[0] | lost[1]] = _LOST
        return Lifted(outcome, first.chrom, low, high, is_reversed, lost[0] & lost[1])

    def _lift(self, chrom: str, positions: Ints) -> _Positions:
        """Lift positions, many of which are the same."""
        different, inverse = np.unique(positions, return_inverse=True)
        hits = self._file[self._names[chrom] or ""]
        nowhere, several = ("", 0, "+"), ("*", 0, "+")
        found = [
            hit[0] if len(hit) == 1 else several if hit else nowhere
            for hit in map(hits.__getitem__, different.tolist())
        ]
        n, number = len(found), self._number
        chroms = np.fromiter((number[name] for name, _, _ in found), np.int32, n)
        lifted = np.fromiter((position for _, position, _ in found), np.int64, n)
        strands = np.fromiter((strand == "-" for _, _, strand in found), np.bool_, n)
        return _Positions(chroms[inverse], lifted[inverse], strands[inverse])


@contextmanager
def _text_name(path: Path) -> Iterator[str]:
    """Lend a name that is text; the library refuses names that are not UTF-8."""
    if str(path).isascii():
        yield str(path)
        return
    with tempfile.TemporaryDirectory() as folder:
        link = Path(folder, f"link{''.join(path.suffixes[-1:])}")
        link.symlink_to(path.absolute())
        yield str(link)


def _read_sizes(path: Path) -> tuple[dict[str, int], dict[str, int]]:
    """Read the lengths of the chromosomes that a file leads from, and leads to."""
    sources: dict[str, int] = {}
    targets: dict[str, int] = {}
    for number, line in read_lines(path, "chain file", errors="replace"):
        fields = line.split()
        if not fields or fields[0] != "chain":
            continue
        sizes = fields[3:9:5]
        if len(fields) < 12 or not all(map(_LENGTH.fullmatch, sizes)):
            raise InputFileError(
                f"{path}:{number}: {line.strip()[:80]!r} is not the header of a chain; "
                "download the file again"
            )
        sources[fields[2]], targets[fields[7]] = int(fields[3]), int(fields[8])
    if not sources:
        raise InputFileError(
            f"{path}: not a chain file, as no line begins with `chain`; use one such as "
            "hg19ToHg38.over.chain.gz"
        )
    return sources, targets


def _check(
    path: Path,
    chain: tuple[Mapping[str, int], Mapping[str, int]],
    source: Mapping[str, int],
    target: Mapping[str, int],
    names: tuple[str, str],
) -> None:
    """Refuse a chain between other assemblies."""
    wrong_source = describe_mismatch(source, chain[0])
    wrong_target = describe_mismatch(target, chain[1])
    if not wrong_source and not wrong_target:
        return
    known = [known_build(sizes, {}) or "an unknown assembly" for sizes in chain]
    leads = f"{path} leads from {known[0]} to {known[1]}"
    if wrong_source and not describe_mismatch(source, chain[1]):
        raise InputFileError(
            f"{leads} and looks reversed: {names[0]} is of the assembly that it leads to "
            f"({wrong_source}); use the chain of the other direction"
        )
    if wrong_source:
        raise InputFileError(
            f"{leads}, and {names[0]} is not of the former ({wrong_source}); use a chain "
            "from its assembly"
        )
    raise InputFileError(
        f"{leads}, and {names[1]} is not of the latter ({wrong_target}); use a chain to "
        "its assembly"
    )
