"""Excerpts of tracks, small enough to be part of a page."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from tfimpute_tracks.genome import Region, read_narrowpeak
from tfimpute_tracks.tracks.formats import (
    SignalStyle,
    read_signal,
    signal_chroms,
    write_track,
)

__all__ = ["bigwig_excerpt", "merge_windows", "peak_excerpt"]


def merge_windows(windows: Sequence[Region], sizes: dict[str, int]) -> list[Region]:
    """Sort windows, clip them to their chromosomes, and join those that overlap.

    Parameters
    ----------
    windows : sequence of Region
    sizes : dict of str to int
        bp by chromosome, in the order to sort by; windows on others are left out.

    Returns
    -------
    list of Region
    """
    rank = {chrom: i for i, chrom in enumerate(sizes)}
    merged: list[Region] = []
    on_them = (window for window in windows if window.chrom in rank)
    for chrom, start, end in sorted(on_them, key=lambda w: (rank[w.chrom], w.start)):
        end = min(end, sizes[chrom])
        last = merged[-1] if merged else None
        if last and last.chrom == chrom and start <= last.end:
            merged[-1] = last._replace(end=max(last.end, end))
        else:
            merged.append(Region(chrom, start, end))
    return merged


def bigwig_excerpt(path: Path, windows: Sequence[Region], decimals: int) -> str:
    """Copy windows of a bigWig into a bigWig inside a `data:` URL.

    Parameters
    ----------
    path : Path
    windows : sequence of Region
        Those on chromosomes that the file does not have are left out.
    decimals : int
        Number of decimals that values are rounded to.

    Returns
    -------
    str
        The URL; empty if no window has a value.

    Raises
    ------
    InputFileError
        The file is not a bigWig, or is broken.
    """
    sizes = signal_chroms(path)
    signals = [
        signal
        for chrom, start, end in merge_windows(windows, sizes)
        for signal in read_signal(path, chrom, start, end).signals(chrom)
    ]
    if not signals:
        return ""
    with TemporaryDirectory(prefix="tfimpute-tracks-") as folder:
        dest = Path(folder) / "excerpt.bw"
        write_track("bigwig", dest, sizes, signals, SignalStyle(decimals))
        content = base64.b64encode(dest.read_bytes()).decode("ascii")
    return f"data:application/octet-stream;base64,{content}"


def peak_excerpt(path: Path, windows: Sequence[Region]) -> list[dict[str, Any]]:
    """Read the peaks that overlap windows, as features of igv.js.

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
    features = []
    for chrom, start, end in windows:
        overlaps = (
            (frame["chrom"] == chrom) & (frame["end"] > start) & (frame["start"] < end)
        )
        features += [
            {
                "chr": chrom,
                "start": int(row.start),
                "end": int(row.end),
                "name": f"{row.signal_value:.3f}",
                "score": int(row.score),
            }
            for row in frame[overlaps].itertuples()
        ]
    return features
