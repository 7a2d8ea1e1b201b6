"""bigWig and bigBed read by pybigtools, which shares no code with our writer."""

from __future__ import annotations

import os
import re
import struct
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import pybigtools
import pyBigWig
from numpy.typing import NDArray

from tfimpute_tracks.errors import InputFileError, TracksError
from tfimpute_tracks.genome import Region
from tfimpute_tracks.genome.signal import Bins
from tfimpute_tracks.tracks.formats.blockwise import check_chroms, check_index
from tfimpute_tracks.tracks.formats.zoom import BIN

__all__ = [
    "LAST_READ",
    "bin_batches",
    "covered_spans",
    "open_bbi_file",
    "open_libbigwig",
    "read_signal",
    "signal_chroms",
    "without_panics",
]

LAST_READ = 2**31 - 1
"""Position, in bp, up to which pybigtools and libBigWig read a region."""
_BINS_AT_ONCE = 1 << 16
_STDERR = 2
# Of a B+ tree: magic, (block size,) bytes of a key and of a value, number of items.
_CHROM_TREE = struct.Struct("<I4xIIQ")
_CHROM_TREE_MAGIC = 0x78CA8C91
_PANIC = re.compile(
    rb"\n?thread '[^\n]*panicked at.*?(note: [^\n]*RUST_BACKTRACE[^\n]*\n|\Z)",
    re.DOTALL,
)
_COARSEST = 200_000  # bp of the coarsest zoom level that shows where values are


def read_signal(path: Path, chrom: str, start: int = 0, end: int | None = None) -> Bins:
    """Read a region of a bigWig.

    Parameters
    ----------
    path : Path
    chrom : str
    start, end : int
        0-based, half-open, in bp; to the end of the chromosome if `end` is None. Bins
        that reach over an end are cut there.

    Returns
    -------
    Bins
        Those that have a value.

    Raises
    ------
    InputFileError
        If the file is no bigWig, is broken, or does not have the chromosome.
    """

    def fault(reason: str) -> InputFileError:
        return InputFileError(
            f"cannot read {chrom} from {path}: {reason}; name an intact bigWig that "
            "has this chromosome"
        )

    region = Region(chrom, max(start, 0), (1 << 32) - 1 if end is None else end)
    with without_panics(), open_bbi_file(path, fault) as bbi:
        if not bbi.is_bigwig:
            raise fault("it is a bigBed")
        check_index(path, fault, region)
        bins = np.concatenate([*bin_batches(bbi.records(chrom, start, end))])
    return Bins(
        bins["start"].astype(np.int64), bins["end"].astype(np.int64), bins["value"]
    )


def signal_chroms(path: Path) -> dict[str, int]:
    """List the chromosomes of a bigWig.

    Parameters
    ----------
    path : Path

    Returns
    -------
    dict of str to int
        Chromosome -> bp, in the order of the file.

    Raises
    ------
    InputFileError
        The file is no bigWig, or is broken.
    """
    with _open_bigwig(path) as bbi:
        return dict(bbi.chroms())


def covered_spans(path: Path) -> dict[str, list[tuple[int, int, int]]]:
    """Find roughly where a bigWig has values, and exactly on how many bases.

    Parameters
    ----------
    path : Path

    Returns
    -------
    dict of str to list of (start, end, n_bases)
        Chromosome -> intervals, 0-based and half-open, with the bases in each that have
        a value: records of a zoom level, so that it takes no time whatever the file's
        size. Only chromosomes with a value; bins themselves where there is no level.

    Raises
    ------
    InputFileError
        The file is no bigWig, or is broken.
    """
    with _open_bigwig(path) as bbi:
        level = max([zoom for zoom in bbi.zooms() if zoom <= _COARSEST], default=0)
        check_index(path, partial(_damaged, path), reduction=level)
        found: dict[str, list[tuple[int, int, int]]] = {}
        for chrom in bbi.chroms():
            if level:
                records = bbi.zoom_records(level, chrom)
                spans = [(s, e, int(sums["bases_covered"])) for s, e, sums in records]
            else:
                spans = [(s, e, e - s) for s, e, _ in bbi.records(chrom)]
            if spans:
                found[chrom] = spans
    return found


def bin_batches(
    records: Iterable[tuple[int, int, float]],
) -> Iterator[NDArray[np.void]]:
    """Gather records into arrays.

    Parameters
    ----------
    records : iterable of (start, end, value)

    Yields
    ------
    array of BIN, shape (n,)
        At least one array, perhaps empty.
    """
    records = iter(records)
    while True:
        bins = np.fromiter(islice(records, _BINS_AT_ONCE), dtype=BIN)
        yield bins
        if len(bins) < _BINS_AT_ONCE:
            return


@contextmanager
def open_bbi_file(path: Path, fault: Callable[[str], TracksError]) -> Iterator[Any]:
    """Open a file with pybigtools, and let it fail with nothing but our error.

    Parameters
    ----------
    path : Path
    fault : callable
        Makes the error of a reason.

    Yields
    ------
    pybigtools' reader
    """
    try:
        # By handle: the kind of a path follows from its suffix, which a temporary one
        # does not have.
        with path.open("rb") as file:
            if _has_too_many_chroms(file):
                raise fault("its list of chromosomes is damaged")
            check_chroms(path, fault)
            yield pybigtools.open(file)
    except OverflowError as error:
        raise fault(f"its reader reads positions up to {LAST_READ:,}") from error
    except (ValueError, KeyError, OSError, pybigtools.BBIReadError) as error:
        raise fault(str(error)) from error
    except BaseException as error:
        # A panic of Rust is no Exception, and its class cannot be imported.
        if type(error).__name__ == "PanicException":
            raise fault("its data are damaged") from error
        raise


def _has_too_many_chroms(file: BinaryIO) -> bool:
    """Check for more chromosomes than the file can hold.

    pybigtools asks for memory for all of them, and ends the process without it.
    """
    size = os.fstat(file.fileno()).st_size
    found = False
    for order in "<>":
        file.seek(8)
        offset = file.read(8)
        if len(offset) == 8:
            file.seek(min(struct.unpack(f"{order}Q", offset)[0], size))
            header = file.read(_CHROM_TREE.size)
            if len(header) == _CHROM_TREE.size:
                magic, key, value, count = struct.unpack(
                    order + _CHROM_TREE.format[1:], header
                )
                found |= magic == _CHROM_TREE_MAGIC and count * (key + value) > size
    file.seek(0)
    return found


@contextmanager
def without_panics() -> Iterator[None]:
    """Keep from stderr what Rust writes there of a panic, which our error reports.

    For inputs, whose data may be damaged. What else is written meanwhile comes out
    afterwards; not for several threads.

    Yields
    ------
    None
    """
    sys.stderr.flush()
    with tempfile.TemporaryFile() as held:
        saved = os.dup(_STDERR)
        os.dup2(held.fileno(), _STDERR)
        try:
            yield
        finally:
            sys.stderr.flush()
            os.dup2(saved, _STDERR)
            os.close(saved)
            held.seek(0)
            for line in _PANIC.sub(b"", held.read()).splitlines(keepends=True):
                os.write(_STDERR, line)


@contextmanager
def _open_bigwig(path: Path) -> Iterator[Any]:
    fault = partial(_damaged, path)
    with without_panics(), open_bbi_file(path, fault) as bbi:
        if not bbi.is_bigwig:
            raise fault("it is a bigBed")
        yield bbi


def _damaged(path: Path, reason: str) -> InputFileError:
    return InputFileError(f"cannot read {path}: {reason}; name an intact bigWig")


@contextmanager
def open_libbigwig(path: Path, fault: Callable[[str], TracksError]) -> Iterator[Any]:
    """Open a file with libBigWig.

    Parameters
    ----------
    path : Path
    fault : callable
        Makes the error of a reason.

    Yields
    ------
    pyBigWig's reader
    """
    # It takes the names of files for UTF-8, and not every name is.
    name = os.fspath(path)
    with ExitStack() as stack:
        if not name.isascii():
            name = f"/dev/fd/{stack.enter_context(path.open('rb')).fileno()}"
        try:
            file = pyBigWig.open(name)
        except RuntimeError as error:
            raise fault(str(error)) from error
        yield stack.enter_context(file)
