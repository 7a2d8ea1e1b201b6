"""bedGraph: the signal as text, four columns, for programs that read no bigWig."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tfimpute_tracks.errors import ValidationError
from tfimpute_tracks.storage import atomic_file

__all__ = ["known_bins", "write_bedgraph"]

Piece = tuple[str, int, int, NDArray[np.float32]]


def known_bins(
    chrom_sizes: Mapping[str, int], signals: Iterable[Piece]
) -> Iterator[tuple[str, NDArray[np.int64], NDArray[np.int64], NDArray[np.float32]]]:
    """Give the bins that have a value, cut at the ends of chromosomes.

    Parameters
    ----------
    chrom_sizes : mapping of str to int
    signals : iterable of (chrom, start, width, values)
        As :func:`tfimpute_tracks.tracks.formats.write_bigwig` takes them.

    Yields
    ------
    (chrom, starts, ends, values)
        0-based, half-open, in bp.
    """
    for chrom, start, width, values in signals:
        starts = start + width * np.arange(len(values), dtype=np.int64)
        known = np.isfinite(values) & (starts < chrom_sizes[chrom])
        starts = starts[known]
        ends = np.minimum(starts + width, chrom_sizes[chrom])
        yield chrom, starts, ends, values[known]


def write_bedgraph(
    dest: Path,
    chrom_sizes: Mapping[str, int],
    signals: Iterable[Piece],
    decimals: int = 4,
) -> None:
    """Write a bedGraph file, whole or not at all.

    Parameters
    ----------
    dest : Path
    chrom_sizes : mapping of str to int
    signals : iterable of (chrom, start, width, values)
        In the order of the genome; what is not finite is left out.
    decimals : int

    Raises
    ------
    WriteError
        The disk is full, or the file cannot be written.
    ValidationError
        The file does not read back as written.
    """
    n_lines, total = 0, 0.0
    with atomic_file(dest) as temp:
        with temp.open("w", encoding="ascii") as file:
            for chrom, starts, ends, values in known_bins(chrom_sizes, signals):
                rounded = np.round(values.astype(np.float64), decimals)
                rows = zip(
                    starts.tolist(), ends.tolist(), rounded.tolist(), strict=True
                )
                file.writelines(
                    f"{chrom}\t{a}\t{b}\t{value:g}\n" for a, b, value in rows
                )
                n_lines += len(rounded)
                total += float(rounded.sum())
        _check(temp, dest, n_lines, total)


def _check(temp: Path, dest: Path, n_lines: int, total: float) -> None:
    """Read it as pandas users do."""
    import pandas as pd

    if not n_lines:
        return
    names = ["chrom", "start", "end", "value"]
    sums = [
        (len(part), part["value"].sum())
        for part in pd.read_csv(temp, sep="\t", names=names, chunksize=1 << 20)
    ]
    read = sum(n for n, _ in sums), sum(value for _, value in sums)
    if read[0] != n_lines or abs(read[1] - total) > 1e-3 * max(1.0, abs(total)):
        raise ValidationError(
            f"{dest} reads back as {read[0]} lines with the sum {read[1]}, "
            f"written were {n_lines} with {total}; the disk or the memory of this "
            "machine is at fault"
        )
