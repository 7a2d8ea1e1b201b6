"""What a folder's tracks hold as a whole: how scores spread, where peaks are.

Scores are looked at in a sample of stretches, the same for every pair: a whole genome
of thirty pairs has a billion bins.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tfimpute_tracks.genome import Region, read_narrowpeak
from tfimpute_tracks.tracks.formats import covered_spans, read_signal, signal_chroms
from tfimpute_tracks.tracks.track_folder import TrackRecord
from tfimpute_tracks.views.hubs.excerpts import merge_windows

__all__ = ["count_peaks", "count_scores", "known_bases", "sample_stretches"]


def known_bases(path: Path) -> dict[str, int]:
    """Count the bases that have a value.

    Parameters
    ----------
    path : Path
        A bigWig.

    Returns
    -------
    dict of str to int
        Chromosome -> bp; only those that have any.

    Raises
    ------
    InputFileError
        The file is broken.
    """
    spans = covered_spans(path)
    return {chrom: sum(n for *_, n in some) for chrom, some in spans.items()}


def sample_stretches(path: Path, most: int) -> list[Region]:
    """Choose stretches with values, evenly over a track.

    Parameters
    ----------
    path : Path
        A bigWig.
    most : int
        bp with values that they hold together, about; all of the track where it has
        fewer.

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
    every = max(1, round(total / most))
    return [region for region, _ in spans[::every]]


def count_scores(
    path: Path, stretches: Sequence[Region], edges: NDArray[np.float64]
) -> NDArray[np.int64]:
    """Count values by size.

    Parameters
    ----------
    path : Path
        A bigWig.
    stretches : sequence of Region
        Those on chromosomes that the file does not have are left out.
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
    sizes = signal_chroms(path)
    for stretch in merge_windows(stretches, sizes):
        counts += np.histogram(read_signal(path, *stretch).values, edges)[0]
    return counts


def count_peaks(folder: Path, track: TrackRecord) -> Counter[str]:
    """Count a track's peaks on each chromosome.

    Parameters
    ----------
    folder : Path
    track : ShelfTrack

    Returns
    -------
    Counter of chromosomes

    Raises
    ------
    InputFileError
        The file is broken.
    """
    if not track.narrowpeak:
        return Counter()
    frame = read_narrowpeak(folder / track.narrowpeak, allow_empty=True)
    return Counter(frame["chrom"])
