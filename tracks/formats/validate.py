"""Files read back by others: pybigtools and pyBigWig, which share no code with us.

Each writer has its file read back here before the file gets its name. Every bin and
every row is compared, bit by bit, without holding the signal in memory: writer and
reader both keep a running checksum of each chromosome. Of a bigWig a second reader
must then find the same sums. A file that reads back otherwise never appears. What the
browsers make of our files is for the tests.
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pyBigWig
from numpy.typing import NDArray

from tfimpute_tracks.errors import ValidationError
from tfimpute_tracks.tracks.formats.reading import bin_batches, open_bbi_file
from tfimpute_tracks.tracks.formats.zoom import BIN

__all__ = [
    "Content",
    "check_bedgraph",
    "check_bigbed",
    "check_bigwig",
    "check_narrowpeak",
    "check_parquet",
]

_ROWS_AT_ONCE = 1 << 16


@dataclass
class Content:
    """What a bigWig holds, boiled down to a number of bins and a checksum each.

    Attributes
    ----------
    bins : dict of str to tuple of int
        Chromosome -> number of bins and checksum of their starts, ends and values;
        only chromosomes with a bin.
    """

    bins: dict[str, tuple[int, int]] = field(default_factory=dict)

    def add(self, chrom: str, bins: NDArray[np.void]) -> None:
        """Count bins in, behind those before them.

        Parameters
        ----------
        chrom : str
        bins : array of BIN, shape (n,)
        """
        if len(bins):
            count, checksum = self.bins.get(chrom, (0, 0))
            checksum = zlib.crc32(bins.tobytes(), checksum)
            self.bins[chrom] = count + len(bins), checksum


def check_bigwig(
    path: Path, dest: Path, chrom_sizes: Mapping[str, int], content: Content
) -> None:
    """Read a whole bigWig back and compare it with what was written.

    Parameters
    ----------
    path : Path
        The file, under its temporary name.
    dest : Path
        The name to use in a message.
    chrom_sizes : mapping of str to int
        Chromosome -> bp.
    content : Content
        What was written.

    Raises
    ------
    ValidationError
        If the file, its head or its coarsest zoom level says anything else.
    """
    with open_bbi_file(path, partial(_fault, dest)) as bbi:
        _compare_each(dest, "size", bbi.chroms(), chrom_sizes)
        read = Content()
        bases, total, scale = 0, 0.0, 0.0
        by_chrom: dict[str, float] = {}
        low, high = math.inf, -math.inf
        for chrom in chrom_sizes:
            for bins in filter(len, bin_batches(bbi.records(chrom))):
                read.add(chrom, bins)
                widths = bins["end"].astype(np.int64) - bins["start"]
                areas = widths * bins["value"].astype(np.float64)
                bases += int(widths.sum())
                total += float(areas.sum())
                by_chrom[chrom] = by_chrom.get(chrom, 0.0) + float(areas.sum())
                scale += float(np.abs(areas).sum())
                low = min(low, float(bins["value"].min(initial=math.inf)))
                high = max(high, float(bins["value"].max(initial=-math.inf)))
        _compare_each(dest, "bins and checksum", read.bins, content.bins)
        summary = bbi.info()["summary"]
        head = [summary[name] for name in ("basesCovered", "min", "max")]
        _compare(dest, "covered bases, minimum, maximum", head, [bases, low, high])
        sums = {"head": summary["sum"]}
        if bbi.zooms():
            records = _zoom_records(bbi, max(bbi.zooms()), chrom_sizes)
            zoomed = sum(record["bases_covered"] for record in records)
            _compare(dest, "bases of the coarsest zoom level", zoomed, bases)
            sums["coarsest zoom level"] = sum(record["sum"] for record in records)
        for where, found in sums.items():
            # Zoom levels store sums in single precision. A NaN fails, too.
            if not abs(found - total) <= 1e-5 * scale:
                raise _fault(dest, f"sum in the {where}: read {found}, written {total}")
    _ask_again(path, dest, chrom_sizes, by_chrom, scale)


def _ask_again(
    path: Path,
    dest: Path,
    chrom_sizes: Mapping[str, int],
    sums: Mapping[str, float],
    scale: float,
) -> None:
    """Have libBigWig add up what every chromosome with a bin holds."""
    with pyBigWig.open(str(path)) as file:
        _compare_each(dest, "size (libBigWig)", file.chroms(), chrom_sizes)
        for chrom, total in sums.items():
            found = file.stats(chrom, type="sum", exact=True)[0]
            if found is None or not abs(found - total) <= 1e-5 * scale:
                raise _fault(
                    dest, f"sum of {chrom} (libBigWig): read {found}, written {total}"
                )


def check_bigbed(
    path: Path,
    dest: Path,
    rows: Mapping[str, Sequence[tuple[str, ...]]],
    auto_sql: str,
) -> None:
    """Read a whole bigBed back and compare it with what was written.

    Parameters
    ----------
    path : Path
        The file, under its temporary name.
    dest : Path
        The name to use in a message.
    rows : mapping of str to sequence of tuple of str
        Chromosome -> its rows as text, from the start on.
    auto_sql : str

    Raises
    ------
    ValidationError
        If the file says anything else.
    """
    with open_bbi_file(path, partial(_fault, dest)) as bbi:
        _compare(dest, "column descriptions", bbi.sql(), auto_sql)
        for chrom in bbi.chroms():
            written = rows.get(chrom, ())
            read = [tuple(map(str, record)) for record in bbi.records(chrom)]
            _compare(dest, f"number of peaks of {chrom}", len(read), len(written))
            for got, expected in zip(read, written, strict=True):
                _compare(dest, f"a peak of {chrom}", got, tuple(expected))


def check_bedgraph(path: Path, dest: Path, content: Content) -> None:
    """Read a bedGraph file back, with pandas, and compare it with what was written.

    Parameters
    ----------
    path : Path
        The file, under its temporary name.
    dest : Path
        The name to use in a message.
    content : Content
        What was written.

    Raises
    ------
    ValidationError
        If the file says anything else.
    """
    import pandas as pd

    read = Content()
    if path.stat().st_size:
        names = ["chrom", "start", "end", "value"]
        types = {"chrom": str, "start": "u4", "end": "u4", "value": "f4"}
        try:
            parts = pd.read_csv(
                path,
                sep="\t",
                names=names,
                dtype=types,
                keep_default_na=False,
                chunksize=_ROWS_AT_ONCE,
            )
            for part in parts:
                _count_in(read, *(part[name] for name in names))
        except ValueError as error:  # pandas' own for a broken line
            raise _fault(dest, str(error)) from error
    _compare_each(dest, "bins and checksum", read.bins, content.bins)


def check_parquet(path: Path, dest: Path, content: Content) -> None:
    """Read a Parquet file back and compare it with what was written.

    Parameters
    ----------
    path : Path
        The file, under its temporary name.
    dest : Path
        The name to use in a message.
    content : Content
        What was written.

    Raises
    ------
    ValidationError
        If the file says anything else.
    """
    import pyarrow
    from pyarrow import parquet

    read = Content()
    try:
        with parquet.ParquetFile(path) as file:
            for batch in file.iter_batches(_ROWS_AT_ONCE):
                columns = [
                    batch.column(i).to_numpy(zero_copy_only=False) for i in range(4)
                ]
                _count_in(read, *columns)
    except pyarrow.ArrowException as error:
        raise _fault(dest, str(error)) from error
    _compare_each(dest, "bins and checksum", read.bins, content.bins)


def check_narrowpeak(path: Path, dest: Path, rows: Sequence[tuple[str, ...]]) -> None:
    """Read a narrowPeak file back and compare it with what was written.

    Parameters
    ----------
    path : Path
        The file, under its temporary name.
    dest : Path
        The name to use in a message.
    rows : sequence of tuple of str
        The ten columns of each row.

    Raises
    ------
    ValidationError
        If the file says anything else.
    """
    lines = path.read_text(encoding="utf-8").splitlines()
    lines = lines[1:] if lines and lines[0].startswith("# ") else lines
    _compare(dest, "number of peaks", len(lines), len(rows))
    for number, (line, row) in enumerate(zip(lines, rows, strict=True), start=1):
        _compare(dest, f"line {number}", tuple(line.split("\t")), row)


def _count_in(read: Content, chroms: Any, start: Any, end: Any, value: Any) -> None:
    """Count in rows of a table, chromosome by chromosome in their order."""
    bins = np.empty(len(chroms), dtype=BIN)
    bins["start"], bins["end"], bins["value"] = start, end, value
    names = np.asarray(chroms, dtype=object)
    cuts = np.flatnonzero(names[1:] != names[:-1]) + 1
    for first, last in pairwise([0, *cuts.tolist(), len(bins)]):
        if first < last:
            read.add(str(names[first]), bins[first:last])


def _zoom_records(
    bbi: Any, reduction: int, chroms: Iterable[str]
) -> list[dict[str, Any]]:
    return [
        record
        for chrom in chroms
        for _, _, record in bbi.zoom_records(reduction, chrom)
    ]


def _compare(dest: Path, what: str, read: object, written: object) -> None:
    if read != written:
        raise _fault(dest, f"{what}: read {read}, written {written}")


def _compare_each(
    dest: Path, what: str, read: Mapping[str, object], written: Mapping[str, object]
) -> None:
    """Compare chromosome by chromosome, so that a message names one."""
    for chrom in [*written, *read]:
        _compare(dest, f"{what} of {chrom}", read.get(chrom), written.get(chrom))


def _fault(dest: Path, difference: str) -> ValidationError:
    return ValidationError(
        f"{dest} does not read back as written: {difference}; this is a fault of the "
        "program or the disk, and the file was not kept: run again, and report it if "
        "it comes back"
    )
