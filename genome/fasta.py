"""A genome in a FASTA or .2bit file, read as codes from any position.

A FASTA is plain, bgzip or gzip. Bases are found through the offsets of the index, which is
seven times as fast as asking pyfaidx for them. ``fasta_index`` makes indexes, reads bytes
and names what is wrong with a file; ``chroms`` matches names of chromosomes. ``two_bit``
reads .2bit files.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable
from contextlib import AbstractContextManager, suppress
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tfimpute_tracks.errors import InputFileError, OutputError, WriteError
from tfimpute_tracks.genome.cache import cache_key, default_cache_dir
from tfimpute_tracks.genome.fasta_index import Reader, first_error, open_indexed
from tfimpute_tracks.genome.sequences import resolve_span
from tfimpute_tracks.genome.two_bit import TwoBitFile, is_two_bit
from tfimpute_tracks.kernels.compile_cache import temporary_cache_dir
from tfimpute_tracks.kernels.encode import CODE_OF, N_CODE, count_ambiguous

__all__ = ["Genome", "open_genome"]

_LOG = logging.getLogger(__name__)
# Bases encoded at once: few enough for them and their codes to stay in the CPU cache.
_BLOCK = 1 << 20
_BLANKS = bytes(range(ord(" ") + 1))
_IS_LOWER = bytes(byte >= ord("a") for byte in range(256))


class Genome(AbstractContextManager["Genome"]):
    """The chromosomes of a FASTA; :func:`open_genome` makes one.

    Satisfies ``sequences.Sequences``. Threads and forked processes may read at once. It
    pickles as its path, and is opened again from there.

    Attributes
    ----------
    path : Path
    name : str
        The file's name.
    chrom_sizes : dict of str to int
        Lengths in bp, in the file's order.
    ambiguous : Counter of str
        By chromosome, bases read so far as N that are not N.
    """

    def __init__(self, path: Path, cache_dir: Path, log: Callable[[str], None]) -> None:
        self.path, self.name = path, path.name
        self._index, read = open_indexed(path, cache_dir, log)
        self._read: Reader | None = read
        self.chrom_sizes = {name: length for name, (length, *_) in self._index.items()}
        self.ambiguous: Counter[str] = Counter()
        self._counting = Lock()
        self._origin = path.absolute(), cache_dir.absolute(), cache_key(path)

    def codes(
        self, chrom: str, start: int = 0, end: int | None = None
    ) -> NDArray[np.uint8]:
        """See :meth:`tfimpute_tracks.genome.sequences.Sequences.codes`."""
        start, end = resolve_span(self.chrom_sizes, chrom, start, end)
        if 0 < end - start <= _BLOCK:  # as of many short contigs
            return self._codes(chrom, start, end)
        codes = np.empty(end - start, dtype=np.uint8)
        for first in range(start, end, _BLOCK):
            block = self._codes(chrom, first, min(first + _BLOCK, end))
            codes[first - start : first - start + len(block)] = block
        return codes

    def _codes(self, chrom: str, start: int, end: int) -> NDArray[np.uint8]:
        """Read a part, and count what is read as N and is none."""
        text, codes = self._lines(chrom, start, end, CODE_OF)
        if N_CODE in codes:  # most parts have none
            n_ambiguous = count_ambiguous(text)
            if n_ambiguous:
                with self._counting:
                    self.ambiguous[chrom] += n_ambiguous
        return np.frombuffer(codes, dtype=np.uint8)

    def is_soft_masked(
        self, chrom: str, start: int = 0, end: int | None = None
    ) -> NDArray[np.bool_]:
        """Find the lower-case bases: repeats, in a soft-masked FASTA.

        Parameters
        ----------
        chrom, start, end
            As for :meth:`codes`, with its errors.

        Returns
        -------
        bool array, shape (end - start,)
        """
        start, end = resolve_span(self.chrom_sizes, chrom, start, end)
        masked = np.empty(end - start, dtype=np.bool_)
        for first in range(start, end, _BLOCK):
            _, part = self._lines(chrom, first, min(first + _BLOCK, end), _IS_LOWER)
            masked[first - start : first - start + len(part)] = np.frombuffer(part, "?")
        return masked

    def close(self) -> None:
        """Close the file; a later read is a ValueError."""
        self._read = None

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"Genome({str(self.path)!r}, {len(self.chrom_sizes)} sequences)"

    def __reduce__(self) -> tuple[Any, ...]:
        return _reopen, self._origin

    def _lines(
        self, chrom: str, start: int, end: int, table: bytes
    ) -> tuple[bytes, bytearray]:
        """Read lines of bases, and translate each base."""
        if self._read is None:
            raise ValueError(f"{self.path} was closed")
        _, offset, width, line_bytes = self._index[chrom]
        try:
            text = _read_lines(self._read, offset, width, line_bytes, start, end)
            bases = bytearray(text).translate(table, _BLANKS)
            # White space elsewhere, or what begins a name or a comment.
            if len(bases) != end - start or b">" in text or b";" in text:
                raise EOFError
            return text, bases
        except (OSError, EOFError) as error:
            reason = (
                f"the lines of {chrom} are not as in its index; the file is damaged or "
                "has changed: remove its .fai and .gzi and run again"
            )
            raise first_error(self.path, reason) from error


class _TwoBitGenome(Genome):
    """The chromosomes of a .2bit file, which needs no index."""

    def __init__(self, path: Path, cache_dir: Path, log: Callable[[str], None]) -> None:
        self.path, self.name = path, path.name
        self._file: TwoBitFile | None = TwoBitFile(path, log)
        self.chrom_sizes = self._file.sizes
        self.ambiguous = Counter()  # the format has no other ambiguous base than N
        self._origin = path.absolute(), cache_dir.absolute(), cache_key(path)

    def codes(
        self, chrom: str, start: int = 0, end: int | None = None
    ) -> NDArray[np.uint8]:
        """See :meth:`tfimpute_tracks.genome.sequences.Sequences.codes`."""
        span = resolve_span(self.chrom_sizes, chrom, start, end)
        return self._open().codes(chrom, *span)

    def is_soft_masked(
        self, chrom: str, start: int = 0, end: int | None = None
    ) -> NDArray[np.bool_]:
        """See :meth:`Genome.is_soft_masked`."""
        span = resolve_span(self.chrom_sizes, chrom, start, end)
        return self._open().is_soft_masked(chrom, *span)

    def close(self) -> None:
        """Close the file; a later read is a ValueError."""
        self._file = None

    def _open(self) -> TwoBitFile:
        if self._file is None:
            raise ValueError(f"{self.path} was closed")
        return self._file


def _read_lines(
    read: Reader, offset: int, width: int, line_bytes: int, start: int, end: int
) -> bytes:
    """Read bases with their line ends; an EOFError where the lines are not so."""
    first, last = start // width, (end - 1) // width  # lines
    # From the first base, not from the start of its line: a line may be a chromosome.
    column = start - first * width
    n_bytes = (last - first) * line_bytes + end - last * width - column
    text = read(offset + first * line_bytes + column, n_bytes)
    if len(text) != n_bytes:
        raise EOFError
    for at in range(width, line_bytes) if first < last else ():
        if text[at - column :: line_bytes].strip(_BLANKS):
            raise EOFError
    return text


def open_genome(
    path: str | Path,
    cache_dir: Path | None = None,
    log: Callable[[str], None] = _LOG.warning,
) -> Genome:
    """Open a FASTA, plain, bgzip or gzip, or a .2bit file.

    Parameters
    ----------
    path : str or Path
        Lines of a FASTA end in LF or CRLF; bases are in either case.
    cache_dir : Path, optional
        Receives indexes of files in read-only folders, and unpacked gzip files; by
        default :func:`default_cache_dir`, or a temporary folder where that cannot be
        written to.
    log : callable, optional
        Receives a message when an index is made or a file is unpacked; by default a
        warning is logged.

    Returns
    -------
    Genome

    Raises
    ------
    InputFileError
        No such file, not a genome, or an invalid one; of a FASTA with the line.
    OutputError, WriteError
        An index or the unpacked text cannot be written anywhere.
    """
    path = Path(path).expanduser()
    if is_two_bit(path):
        return _TwoBitGenome(path, cache_dir or default_cache_dir(), log)
    if cache_dir is None:
        with suppress(OutputError, WriteError):
            return Genome(path, default_cache_dir(), log)
        cache_dir = temporary_cache_dir()
    return Genome(path, cache_dir, log)


def _reopen(path: Path, cache_dir: Path, key: str) -> Genome:
    genome = open_genome(path, cache_dir)
    if cache_key(path) != key:
        raise InputFileError(f"{path}: has changed since it was opened; run again")
    return genome
