"""bedGraph: the signal as text, four columns, for programs that read no bigWig."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from tfimpute_tracks.genome.signal import Signal
from tfimpute_tracks.storage import atomic_file
from tfimpute_tracks.tracks.formats.bins import gather_bins
from tfimpute_tracks.tracks.formats.validate import Content, check_bedgraph

__all__ = ["write_bedgraph"]


def write_bedgraph(
    dest: Path,
    chrom_sizes: Mapping[str, int],
    signals: Iterable[Signal],
    decimals: int = 4,
) -> None:
    """Write a bedGraph file, whole or not at all; an empty one where nothing is known.

    Parameters
    ----------
    dest : Path
    chrom_sizes : mapping of str to int
    signals : iterable of (chrom, start, width, values)
        As :func:`tfimpute_tracks.tracks.formats.bins.gather_bins` takes them.
    decimals : int

    Raises
    ------
    RegionError, UsageError, RunError
        As :func:`tfimpute_tracks.tracks.formats.bins.gather_bins`.
    WriteError
        The disk is full, or the file cannot be written.
    ValidationError
        The file does not read back as written.
    """
    content = Content()
    with atomic_file(dest) as temp:
        with temp.open("w", encoding="utf-8") as file:
            for chrom, _, bins in gather_bins(chrom_sizes, signals, decimals):
                content.add(chrom, bins)
                file.writelines(
                    f"{chrom}\t{start}\t{end}\t{value:.{decimals}f}\n"
                    for start, end, value in bins.tolist()
                )
        check_bedgraph(temp, dest, content)
