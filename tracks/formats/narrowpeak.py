"""narrowPeak: peaks as text, ten columns each, the way ENCODE writes them.

No ``track`` line: IGV takes it for a broken row, and bedToBigBed for an error. A comment
in the first line describes the pair; readers of BED skip it. The same rows go into a
bigBed. Peaks are called in ``kernels/peaks.py``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from tfimpute_tracks.errors import RegionError, UsageError
from tfimpute_tracks.kernels.peaks import Peaks
from tfimpute_tracks.tracks.formats.bins import SignalStyle
from tfimpute_tracks.tracks.formats.validate import compare

__all__ = [
    "NarrowPeak",
    "PeakSet",
    "as_text",
    "check_narrowpeak",
    "check_rows",
    "write_narrowpeak",
]

_HIGHEST_SCORE = 1000


class NarrowPeak(NamedTuple):
    """A row of a narrowPeak file.

    Attributes
    ----------
    chrom : str
    start, end : int
        0-based, half-open, in bp.
    name : str
        Without white space.
    score : int
        0 to 1000, how dark a browser draws it: 1000 times the square root of the
        probability, which keeps peaks of a low probability visible.
    signal : float
        The probability at the summit.
    summit : int
        bp from `start` to the summit.
    """

    chrom: str
    start: int
    end: int
    name: str
    score: int
    signal: float
    summit: int


@dataclass(frozen=True)
class PeakSet:
    """The peaks of a pair, ready to be written; :meth:`collect` makes one.

    Attributes
    ----------
    rows : tuple of NarrowPeak
        Sorted by chromosome and start.
    about : str
        What to know of them, in a line; empty for nothing.
    """

    rows: tuple[NarrowPeak, ...]
    about: str = ""

    def __len__(self) -> int:
        return len(self.rows)

    @classmethod
    def collect(
        cls,
        name: str,
        peaks: Iterable[tuple[str, Peaks]],
        chrom_sizes: Mapping[str, int],
        about: str = "",
    ) -> PeakSet:
        """Sort peaks, cut them at the ends of chromosomes, and name them.

        Parameters
        ----------
        name : str
            Such as ``CTCF.K562``; its peaks are ``CTCF.K562.peak1`` and on.
        peaks : iterable of (chrom, Peaks)
            A chromosome may come several times.
        chrom_sizes : mapping of str to int
            Chromosome -> bp; rows come in this order.
        about : str
            What to know of them, in a line without double quotes.

        Returns
        -------
        PeakSet

        Raises
        ------
        RegionError
            If a peak lies outside of its chromosome, or that is not in `chrom_sizes`.
        """
        numbers = {chrom: i for i, chrom in enumerate(chrom_sizes)}
        rows = [
            _row(chrom, chrom_sizes.get(chrom, 0), *peak)
            for chrom, found in peaks
            for peak in zip(*(column.tolist() for column in found), strict=True)
        ]
        rows.sort(key=lambda row: (numbers.get(row.chrom, -1), row.start))
        stem = "_".join(name.split())
        named = tuple(
            row._replace(name=f"{stem}.peak{i}") for i, row in enumerate(rows, start=1)
        )
        check_rows(chrom_sizes, named)
        return cls(named, about)


def check_rows(chrom_sizes: Mapping[str, int], rows: Sequence[NarrowPeak]) -> None:
    """Refuse rows that a browser would draw wrongly or not at all.

    Parameters
    ----------
    chrom_sizes : mapping of str to int
        Chromosome -> bp.
    rows : sequence of NarrowPeak

    Raises
    ------
    RegionError
        If a row lies outside of its chromosome, or its summit outside of the row.
    UsageError
        If rows are not sorted by chromosome, in the order of `chrom_sizes`, and
        start; or a name is empty or has white space, or a score is not 0 to 1000.
    """
    numbers = {chrom: i for i, chrom in enumerate(chrom_sizes)}
    last = (0, 0)
    for row in rows:
        size = chrom_sizes.get(row.chrom, 0)
        is_inside = 0 <= row.start < row.end <= size
        if not (is_inside and 0 <= row.summit < row.end - row.start):
            raise RegionError(
                f"peak {row.name} at {row.chrom}:{row.start}-{row.end} (0-based, "
                f"half-open), summit {row.summit}, does not fit {row.chrom} of {size} "
                "bp: check the chromosome sizes"
            )
        place = numbers[row.chrom], row.start
        if place < last:
            raise UsageError(
                f"peak {row.name} at {row.chrom}:{row.start} comes after one that it "
                "should come before: sort peaks by chromosome, in the order of the "
                "sizes, and start"
            )
        if row.name.split() != [row.name] or not 0 <= row.score <= _HIGHEST_SCORE:
            raise UsageError(
                f"peak {row.name!r} with score {row.score}: a name has no white space, "
                f"and a score is 0 to {_HIGHEST_SCORE}"
            )
        last = place


def as_text(row: NarrowPeak) -> tuple[str, ...]:
    """Return the ten columns of a row.

    Parameters
    ----------
    row : NarrowPeak

    Returns
    -------
    tuple of str
        chrom, start, end, name, score, strand (``.``: both), signalValue, pValue and
        qValue (-1: there is none), peak.
    """
    place = (row.chrom, str(row.start), str(row.end), row.name, str(row.score), ".")
    return (*place, f"{row.signal:.6g}", "-1", "-1", str(row.summit))


def write_narrowpeak(
    path: Path, chrom_sizes: Mapping[str, int], peaks: PeakSet, style: SignalStyle
) -> None:
    """Write a narrowPeak file; one without rows where there is no peak.

    Parameters
    ----------
    path : Path
    chrom_sizes : mapping of str to int
        Chromosome -> bp.
    peaks : PeakSet
    style : SignalStyle
        Not used.
    """
    with path.open("w", encoding="utf-8") as file:
        if peaks.about:
            file.write(f"# {peaks.about}\n")
        file.writelines("\t".join(as_text(row)) + "\n" for row in peaks.rows)


def check_narrowpeak(
    path: Path, dest: Path, chrom_sizes: Mapping[str, int], peaks: PeakSet
) -> None:
    """Read a narrowPeak file back and compare it with what was written.

    Parameters
    ----------
    path, dest : Path
        The file, under its temporary name, and the name to use in a message.
    chrom_sizes : mapping of str to int
        Not used: the file does not hold them.
    peaks : PeakSet

    Raises
    ------
    ValidationError
        The file says anything else.
    """
    lines = path.read_text(encoding="utf-8").splitlines()
    lines = lines[1:] if lines and lines[0].startswith("# ") else lines
    compare(dest, "number of peaks", len(lines), len(peaks))
    for number, (line, row) in enumerate(zip(lines, peaks.rows, strict=True), start=1):
        compare(dest, f"line {number}", tuple(line.split("\t")), as_text(row))


def _row(
    chrom: str, size: int, start: int, end: int, summit: int, signal: float
) -> NarrowPeak:
    """Cut a peak at the ends of its chromosome; a summit beyond moves to the end."""
    left, right = max(start, 0), min(end, size)
    return NarrowPeak(
        chrom=chrom,
        start=left,
        end=right,
        name=".",
        score=round(_HIGHEST_SCORE * min(max(signal, 0.0), 1.0) ** 0.5),
        signal=signal,
        summit=min(max(summit, left), right - 1) - left,
    )
