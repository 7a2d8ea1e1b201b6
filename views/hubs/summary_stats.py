"""Summary statistics of whole tracks: histograms of scores, counts of peaks.

Histograms use a sample of regions, the same for all pairs, because a genome of thirty
pairs has a billion bins.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tfimpute_tracks.genome import Region, read_narrowpeak
from tfimpute_tracks.tracks.formats import covered_spans, read_signal, signal_chroms
from tfimpute_tracks.tracks.record import TrackRecord
from tfimpute_tracks.views.hubs.excerpts import merge_windows

__all__ = [
    "bases_with_values",
    "peaks_per_chromosome",
    "sample_regions",
    "score_histogram",
]


def bases_with_values(path: Path) -> dict[str, int]:
    """Count the bases that have a value.

    Parameters
    ----------
    path : Path
        A bigWig.

    Returns
    -------
    dict of str to int
        bp by chromosome; chromosomes without values are left out.

    Raises
    ------
    InputFileError
        The file is broken.
    """
    spans = covered_spans(path)
    return {chrom: sum(n for *_, n in some) for chrom, some in spans.items()}


def sample_regions(path: Path, n_bases: int) -> list[Region]:
    """Choose regions with values, evenly spaced along a track.

    Parameters
    ----------
    path : Path
        A bigWig.
    n_bases : int
        About this many bp with values in total; all regions of a shorter track.

    Returns
    -------
    list of Region

    Raises
    ------
    InputFileError
        The file is broken.
    """
    spans = [
        (Region(chrom, start, end), n)
        for chrom, some in covered_spans(path).items()
        for start, end, n in some
    ]
    total = sum(n for _, n in spans)
    every = max(1, round(total / n_bases))
    return [region for region, _ in spans[::every]]


def score_histogram(
    path: Path, regions: Sequence[Region], edges: NDArray[np.float64]
) -> NDArray[np.int64]:
    """Count the values of a track in bins of score.

    Parameters
    ----------
    path : Path
        A bigWig.
    regions : sequence of Region
        Those on chromosomes that the file does not have are ignored.
    edges : float64 array, shape (n_bins + 1,)

    Returns
    -------
    int64 array, shape (n_bins,)

    Raises
    ------
    InputFileError
        The file is broken.
    """
    counts = np.zeros(len(edges) - 1, dtype=np.int64)
    for region in merge_windows(regions, signal_chroms(path)):
        counts += np.histogram(read_signal(path, *region).values, edges)[0]
    return counts


def peaks_per_chromosome(folder: Path, track: TrackRecord) -> Counter[str]:
    """Count a track's peaks on each chromosome.

    Parameters
    ----------
    folder : Path
    track : TrackRecord

    Returns
    -------
    Counter of str

    Raises
    ------
    InputFileError
        The file is broken.
    """
    if not track.narrowpeak:
        return Counter()
    return Counter(
        read_narrowpeak(folder / track.narrowpeak, allow_empty=True)["chrom"]
    )
