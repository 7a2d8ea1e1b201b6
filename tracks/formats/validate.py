"""Files are read back and compared before they get their names.

Each format has a check that reads its file with a library that shares no code with our
writer, and compares every bin or row with what was written. The signal is not held in
memory for that: writer and check both keep a running checksum. What browsers make of the
files is for the tests.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from isal import isal_zlib

from tfimpute_tracks.errors import ValidationError
from tfimpute_tracks.tracks.formats.bins import Batch
from tfimpute_tracks.tracks.formats.zoom import BIN

__all__ = ["Content", "compare", "compare_each", "read_back_error"]


@dataclass
class Content:
    """The content of a file of signal: bins by chromosome, and a checksum of all.

    Attributes
    ----------
    n_bins : dict of str to int
        Chromosome -> number of bins; only chromosomes with a bin, in their order.
    checksum : int
        Of the starts, ends and values of all bins.
    """

    n_bins: dict[str, int] = field(default_factory=dict)
    checksum: int = 0

    def add(self, batch: Batch) -> None:
        """Add bins, behind those before them.

        Parameters
        ----------
        batch : Batch
        """
        for chrom, bins in batch.by_chrom():
            self.n_bins[chrom] = self.n_bins.get(chrom, 0) + len(bins)
        self.checksum = isal_zlib.crc32(batch.bins.view(np.uint8), self.checksum)

    def watch(self, batches: Iterable[Batch]) -> Iterator[Batch]:
        """Pass batches on to a writer, and add each.

        Parameters
        ----------
        batches : iterable of Batch

        Yields
        ------
        Batch
        """
        for batch in batches:
            self.add(batch)
            yield batch

    def add_rows(self, chroms: Any, starts: Any, ends: Any, values: Any) -> None:
        """Add rows of a table, in the order of the genome.

        Parameters
        ----------
        chroms, starts, ends, values : array-like, shape (n,)
        """
        bins = np.empty(len(chroms), dtype=BIN)
        bins["start"], bins["end"], bins["value"] = starts, ends, values
        numbers: dict[str, int] = {}
        rows = [numbers.setdefault(str(chrom), len(numbers)) for chrom in chroms]
        self.add(Batch([*numbers], np.array(rows, np.uint32), bins))

    def compare(self, dest: Path, written: Content) -> None:
        """Compare what was read with what was written.

        Parameters
        ----------
        dest : Path
            The name to use in a message.
        written : Content

        Raises
        ------
        ValidationError
            They differ.
        """
        compare_each(dest, "number of bins", self.n_bins, written.n_bins)
        compare(dest, "order of chromosomes", [*self.n_bins], [*written.n_bins])
        compare(dest, "checksum of the bins", self.checksum, written.checksum)


def compare(dest: Path, what: str, read: object, written: object) -> None:
    """Raise an error where something reads back otherwise.

    Parameters
    ----------
    dest : Path
        The name to use in a message.
    what : str
    read, written : object

    Raises
    ------
    ValidationError
        They differ.
    """
    if read != written:
        raise read_back_error(dest, f"{what}: read {read}, written {written}")


def compare_each(
    dest: Path, what: str, read: Mapping[str, object], written: Mapping[str, object]
) -> None:
    """Compare chromosome by chromosome, so that a message names one.

    Parameters
    ----------
    dest, what
        As :func:`compare`.
    read, written : mapping of str to object

    Raises
    ------
    ValidationError
        They differ.
    """
    if read == written:
        return
    for chrom in [*written, *read]:
        compare(dest, f"{what} of {chrom}", read.get(chrom), written.get(chrom))


def read_back_error(dest: Path, difference: str) -> ValidationError:
    """Make the error of a file that does not read back as written.

    Parameters
    ----------
    dest : Path
    difference : str

    Returns
    -------
    ValidationError
    """
    return ValidationError(
        f"{dest} does not read back as written: {difference}; this is a fault of the "
        "program or the disk, and the file was not kept: run again, and report it if "
        "it comes back"
    )
