"""Pieces of tracks, small enough to stand in a page."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from tfimpute_tracks.genome import Region, read_narrowpeak
from tfimpute_tracks.genome.signal import Signal
from tfimpute_tracks.tracks.formats import read_signal, signal_chroms, write_bigwig

__all__ = ["merge_windows", "slice_bigwig", "slice_peaks"]


def merge_windows(windows: Sequence[Region], sizes: dict[str, int]) -> list[Region]:
    """Sort windows, cut them at the ends of chromosomes, and join what overlaps.

    Parameters
    ----------
    windows : sequence of Region
    sizes : dict of str to int
        Chromosome -> bp, in the order to sort by; windows of others are left out.

    Returns
    -------
    list of Region
    """
    rank = {chrom: i for i, chrom in enumerate(sizes)}
    merged: list[Region] = []
    known = (window for window in windows if window.chrom in rank)
    for chrom, start, end in sorted(known, key=lambda w: (rank[w.chrom], w.start)):
        end = min(end, sizes[chrom])
        last = merged[-1] if merged else None
        if last and last.chrom == chrom and start <= last.end:
            merged[-1] = last._replace(end=max(last.end, end))
        else:
            merged.append(Region(chrom, start, end))
    return merged


def slice_bigwig(path: Path, windows: Sequence[Region], decimals: int) -> str:
    """Make a bigWig of the windows of another, as an address that holds it.

    Parameters
    ----------
    path : Path
    windows : sequence of Region
        Those on chromosomes that the file does not have are left out.
    decimals : int
        Values are rounded to so many.

    Returns
    -------
    str
        A `data:` address; empty where no window has a value.

    Raises
    ------
    InputFileError
        The file is no bigWig, or is broken.
    """
    sizes = signal_chroms(path)
    pieces = list(_pieces(path, merge_windows(windows, sizes)))
    if not pieces:
        return ""
    with TemporaryDirectory(prefix="tfimpute-tracks-") as folder:
        dest = Path(folder) / "slice.bw"
        write_bigwig(dest, sizes, pieces, decimals)
        content = base64.b64encode(dest.read_bytes()).decode("ascii")
    return f"data:application/octet-stream;base64,{content}"


def _pieces(path: Path, windows: Sequence[Region]) -> Iterator[Signal]:
    for chrom, begin, end in windows:
        yield from read_signal(path, chrom, begin, end).signals(chrom)


def slice_peaks(path: Path, windows: Sequence[Region]) -> list[dict[str, Any]]:
    """Give the peaks that meet windows, as igv.js takes them.

    Parameters
    ----------
    path : Path
        A narrowPeak file.
    windows : sequence of Region

    Returns
    -------
    list of dict
        JSON values.

    Raises
    ------
    InputFileError
        The file is broken.
    """
    frame = read_narrowpeak(path, allow_empty=True)
    found = []
    for chrom, begin, end in windows:
        is_met = (frame["chrom"] == chrom) & (frame["end"] > begin)
        rows = frame[is_met & (frame["start"] < end)]
        found += [
            {
                "chr": chrom,
                "start": int(row.start),
                "end": int(row.end),
                "name": f"{row.signal_value:.3f}",
                "score": int(row.score),
            }
            for row in rows.itertuples()
        ]
    return found
