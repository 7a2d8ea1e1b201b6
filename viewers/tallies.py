"""What a folder's tracks hold as a whole: how scores spread, where peaks are."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tfimpute_tracks.genome import read_narrowpeak
from tfimpute_tracks.tracks.formats import read_signal, signal_chroms
from tfimpute_tracks.tracks.shelf import ShelfTrack

__all__ = ["Tally", "tally_track"]

Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Tally:
    """A track summed up.

    Attributes
    ----------
    counts : int64 array, shape (n_bins,)
        Of values between the edges that were asked for.
    known : dict of str to int
        Chromosome -> bp that have a value; only those that have any.
    peaks : dict of str to int
        Chromosome -> peaks; only those that have any.
    """

    counts: Ints
    known: dict[str, int]
    peaks: dict[str, int]


def tally_track(folder: Path, track: ShelfTrack, edges: NDArray[np.float64]) -> Tally:
    """Go through a track once.

    Parameters
    ----------
    folder : Path
    track : ShelfTrack
    edges : float64 array, shape (n_bins + 1,)
        Of the bins of a histogram of the probability.

    Returns
    -------
    Tally

    Raises
    ------
    InputFileError
        A file is broken.
    """
    counts = np.zeros(len(edges) - 1, dtype=np.int64)
    known: dict[str, int] = {}
    if "probability" in track.signals:
        path = folder / track.signals["probability"]
        for chrom in signal_chroms(path):
            starts, ends, values = read_signal(path, chrom)
            if len(values):
                counts += np.histogram(values, edges)[0]
                known[chrom] = int((ends - starts).sum())
    peaks: dict[str, int] = {}
    if track.narrowpeak:
        frame = read_narrowpeak(folder / track.narrowpeak, allow_empty=True)
        peaks = {str(c): int(n) for c, n in frame["chrom"].value_counts().items()}
    return Tally(counts, known, peaks)
