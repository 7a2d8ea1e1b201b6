"""A genome in a FASTA file: chromosomes as codes, fast and from any place.

Plain, bgzip and gzip files give the same :class:`Genome`. Stretches are read
through the offsets of the index, which is seven times as fast as asking pyfaidx for
them. What is wrong with a file is found in ``fasta_format``, indexes are made in
``fasta_index``; names are matched in ``chroms``, before anything is read.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from threading import Lock
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from tfimpute_tracks.errors import InputFileError
from tfimpute_tracks.genome.cache import default_cache_dir, unpack
from tfimpute_tracks.genome.fasta_bytes import Bytes
from tfimpute_tracks.genome.fasta_format import detect_format, first_error
from tfimpute_tracks.genome.fasta_index import Record, open_indexed
from tfimpute_tracks.genome.sequences import resolve_span
from tfimpute_tracks.kernels.encode import N_CODE, count_ambiguous, encode

__all__ = ["Genome", "open_genome"]

_LOG = logging.getLogger(__name__)
# Letters encoded at once: few enough for them and their codes to stay in the CPU cache.
_PIECE = 1 << 20
# The highest byte that is white space; every letter is above it.
_SPACE = ord(" ")


class Genome:
    """The chromosomes of a FASTA; :func:`open_genome` makes one.

    Satisfies ``sequences.Sequences``. Threads and forked processes may read at once; it
    pickles as its path and is opened anew from there.

    Attributes
    ----------
    path : Path
        As it was given.
    name : str
        The file's name.
    chrom_sizes : dict of str to int
        Lengths in bp, in the file's order.
    ambiguous : Counter of str
        Letters read so far that are neither A, C, G, T nor N, by chromosome. They are
        read as N; a letter that is read twice counts twice.
    """

    def __init__(
        self, path: Path, cache_dir: Path, index: dict[str, Record], source: Bytes
    ) -> None:
        self.path = path
        self.name = path.name
        self.chrom_sizes = {name: record.length for name, record in index.items()}
        self.ambiguous: Counter[str] = Counter()
        self._counting = Lock()
        self._cache_dir = cache_dir
        self._index = index
        self._source: Bytes | None = source
        self._stamp = _stamp(path)

    def codes(
        self, chrom: str, start: int = 0, end: int | None = None
    ) -> NDArray[np.uint8]:
        """Read a stretch.

        Parameters
        ----------
        chrom : str
            Exactly as in `chrom_sizes`.
        start, end : int
            0-based, half-open, bp; the whole chromosome if not given.

        Returns
        -------
        uint8 array, shape (end - start,)
            A, C, G, T = 0..3 in either case, everything else 4.

        Raises
        ------
        RegionError
            An unknown chromosome, or not inside of it.
        InputFileError
            The file is damaged there, or has changed since it was opened.
        """
        start, end = resolve_span(self.chrom_sizes, chrom, start, end)
        codes = np.empty(end - start, dtype=np.uint8)
        for first in range(start, end, _PIECE):
            last = min(first + _PIECE, end)
            letters = self._letters(chrom, first, last)
            piece = codes[first - start : last - start]
            piece[...] = encode(letters)
            # Looked at only where they are read as N: most of these are N.
            n_ambiguous = count_ambiguous(letters[piece == N_CODE])
            if n_ambiguous:
                with self._counting:
                    self.ambiguous[chrom] += n_ambiguous
        return codes

    def is_lower(
        self, chrom: str, start: int = 0, end: int | None = None
    ) -> NDArray[np.bool_]:
        """Tell the lower-case letters of a stretch: repeats, where they are masked so.

        Parameters
        ----------
        chrom, start, end
            As :meth:`codes`.

        Returns
        -------
        bool array, shape (end - start,)

        Raises
        ------
        RegionError, InputFileError
            As :meth:`codes`.
        """
        start, end = resolve_span(self.chrom_sizes, chrom, start, end)
        lower = np.empty(end - start, dtype=np.bool_)
        for first in range(start, end, _PIECE):
            last = min(first + _PIECE, end)
            letters = self._letters(chrom, first, last)
            lower[first - start : last - start] = letters >= ord("a")
        return lower

    def close(self) -> None:
        """Let go of the file; a later read is a ValueError."""
        self._source = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"Genome({str(self.path)!r}, {len(self.chrom_sizes)} sequences)"

    def __reduce__(self) -> tuple[Any, ...]:
        return _reopen, (self.path.absolute(), self._cache_dir.absolute(), self._stamp)

    def _letters(self, chrom: str, start: int, end: int) -> NDArray[np.uint8]:
        if self._source is None:
            raise ValueError(f"{self.path} was closed")
        _, offset, width, line_bytes = self._index[chrom]
        first, last = start // width, (end - 1) // width  # lines, first to last
        n_full = last - first
        n_last = end - last * width
        try:
            text = self._source.read(
                offset + first * line_bytes, n_full * line_bytes + n_last
            )
        except OSError as error:
            raise self._broken(chrom) from error
        if len(text) != n_full * line_bytes + n_last:
            raise self._broken(chrom)
        lines = text[: n_full * line_bytes].reshape(n_full, line_bytes)
        letters = np.empty(n_full * width + n_last, dtype=np.uint8)
        letters[: n_full * width].reshape(n_full, width)[...] = lines[:, :width]
        letters[n_full * width :] = text[n_full * line_bytes :]
        # Line ends where letters should be, or the other way round: not the file that
        # was indexed.
        if letters.min() <= _SPACE or np.any(lines[:, width:] > _SPACE):
            raise self._broken(chrom)
        return letters[start - first * width :]

    def _broken(self, chrom: str) -> InputFileError:
        return InputFileError(
            f"{self.path}: the lines of {chrom} are not as the index has them; the file"
            " is damaged or has changed: remove its .fai and .gzi and run again"
        )


def open_genome(
    path: str | Path,
    cache_dir: Path | None = None,
    log: Callable[[str], None] = _LOG.warning,
) -> Genome:
    """Open a FASTA: plain, bgzip or gzip.

    Parameters
    ----------
    path : str or Path
        LF or CRLF, letters in either case.
    cache_dir : Path, optional
        Takes indexes of files in read-only folders, and the text of gzip files; by
        default :func:`default_cache_dir`.
    log : callable, optional
        Takes a sentence when an index is made or a file is unpacked; by default the
        log gets it as a warning.

    Returns
    -------
    Genome

    Raises
    ------
    InputFileError
        No such file, no FASTA, or one that cannot be read; with the line.
    OutputError, WriteError
        There is no place for an index or the unpacked text.
    """
    path = Path(path).expanduser()
    cache_dir = default_cache_dir() if cache_dir is None else Path(cache_dir)
    kind = detect_format(path)
    if kind == "gzip":
        text = unpack(path, cache_dir, log)
        try:
            index, source = open_indexed(text, "plain", cache_dir, log)
        except InputFileError as error:
            text.unlink()  # of no use, and its owner knows the file by another name
            raise first_error(path, kind) or error from error
    else:
        index, source = open_indexed(path, kind, cache_dir, log)
    return Genome(path, cache_dir, index, source)


def _stamp(path: Path) -> tuple[int, int]:
    stat = path.stat()
    return stat.st_size, stat.st_mtime_ns


def _reopen(path: Path, cache_dir: Path, stamp: tuple[int, int]) -> Genome:
    genome = open_genome(path, cache_dir)
    if _stamp(path) != stamp:
        raise InputFileError(f"{path}: has changed since it was opened; run again")
    return genome
