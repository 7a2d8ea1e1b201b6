"""The interface of every source of sequence: a FASTA or the bundled example region.

The two sources are in ``fasta`` and ``bundled``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol, Self

import numpy as np
from numpy.typing import NDArray

from tfimpute_tracks.errors import RegionError
from tfimpute_tracks.genome.chroms import match_chrom
from tfimpute_tracks.kernels.encode import N_CODE

__all__ = ["Sequences", "read_past_ends", "resolve_span"]


class Sequences(Protocol):
    """Chromosomes to read from; also a context manager that closes them."""

    @property
    def name(self) -> str:
        """Name for run records: of the file, without its folder."""

    @property
    def chrom_sizes(self) -> Mapping[str, int]:
        """Lengths in bp, in the source's order."""

    @property
    def ambiguous(self) -> Mapping[str, int]:
        """Bases read so far as N that are not N, by chromosome, where there are any.

        A base that is read twice counts twice.
        """

    def codes(
        self, chrom: str, start: int = 0, end: int | None = None
    ) -> NDArray[np.uint8]:
        """Read sequence as codes.

        Parameters
        ----------
        chrom : str
            Exactly as in `chrom_sizes`; ``chroms.match_chrom`` finds it.
        start, end : int
            0-based, half-open, bp; the whole chromosome by default.

        Returns
        -------
        uint8 array, shape (end - start,)
            A, C, G, T = 0..3 in either case, everything else 4.

        Raises
        ------
        RegionError
            An unknown chromosome, or a region outside of it.
        InputFileError
            The file is damaged there, or has changed since it was opened.
        """

    def close(self) -> None:
        """Close the file."""

    def __enter__(self) -> Self: ...

    def __exit__(self, *exc_info: object) -> None: ...


def read_past_ends(
    genome: Sequences, chrom: str, start: int, end: int
) -> NDArray[np.uint8]:
    """Read sequence that may extend beyond the ends of its chromosome.

    Parameters
    ----------
    genome : Sequences
    chrom : str
        Exactly as in `chrom_sizes`.
    start, end : int
        0-based, half-open, bp; `start` may be negative.

    Returns
    -------
    uint8 array, shape (end - start,), values 0..4
        4 beyond the ends.

    Raises
    ------
    RegionError
        An unknown chromosome.
    InputFileError
        As :meth:`Sequences.codes`.
    """
    size = genome.chrom_sizes.get(chrom)
    if size is None:  # raises
        return genome.codes(chrom)
    if start >= 0 and end <= size:
        return genome.codes(chrom, start, end)
    codes = np.empty(end - start, dtype=np.uint8)
    codes.fill(N_CODE)
    first, last = max(start, 0), min(end, size)
    if first < last:
        codes[first - start : last - start] = genome.codes(chrom, first, last)
    return codes


def resolve_span(
    chrom_sizes: Mapping[str, int], chrom: str, start: int, end: int | None
) -> tuple[int, int]:
    """Check an interval, and fill in its end.

    Parameters
    ----------
    chrom_sizes : mapping of str to int
        Lengths in bp.
    chrom : str
        Exactly as in `chrom_sizes`.
    start, end : int
        0-based, half-open, bp; `end` None for the end of the chromosome.

    Returns
    -------
    (start, end)

    Raises
    ------
    RegionError
        An unknown chromosome, or 0 <= start <= end <= length does not hold.
    """
    if chrom not in chrom_sizes:
        near = match_chrom(chrom, chrom_sizes)
        raise RegionError(
            f"unknown chromosome {chrom}; its name in the FASTA is {near}"
        )
    size = chrom_sizes[chrom]
    stop = size if end is None else end
    if not 0 <= start <= stop <= size:
        raise RegionError(
            f"{chrom} from {start} to {stop} (0-based, half-open) is not inside of"
            f" {chrom}, which has {size:,} bp; use a smaller interval"
        )
    return start, stop
