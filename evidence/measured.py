"""What was measured at a locus: the peaks of a pair's own tracks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tfimpute_tracks.evidence.store import EvidenceStore
from tfimpute_tracks.genome import Region
from tfimpute_tracks.genome.chroms import find_chrom
from tfimpute_tracks.vocabulary import Pair

__all__ = ["MeasuredCall", "MeasuredPeaks", "measured_calls", "measured_peaks"]

MeasuredCall = Literal["bound", "not bound", "not measured"]


class MeasuredPeaks(NamedTuple):
    """Measured peaks of a pair in a region.

    Attributes
    ----------
    start, end : int64 array, shape (n,)
        0-based, half-open, in bp; those of several tracks are merged.
    has_data : bool
        Whether a track of the pair has data there. Without, no peak does not mean that
        the TF does not bind.
    """

    start: NDArray[np.int64]
    end: NDArray[np.int64]
    has_data: bool


def measured_calls(store: EvidenceStore, region: Region) -> Mapping[Pair, MeasuredCall]:
    """Find which pairs have a measured peak in a region.

    Parameters
    ----------
    store : EvidenceStore
    region : Region
        Of the genome of the evidence; the chromosome with or without ``chr``.

    Returns
    -------
    mapping of Pair to str
        Of the pairs with a track: `bound` where a peak of one of its tracks overlaps the
        region; `not measured` where no track has data for all of the region.

    Raises
    ------
    InputFileError
        The file is gone or damaged.
    """
    chrom, start, end = region
    starts = np.array([start], dtype=np.int64)
    n_tracks = len(store.tracks)
    is_bound = np.zeros(n_tracks, dtype=bool)
    _, track, fraction = store.coverage(chrom, starts, end - start)
    is_bound[track[fraction > 0]] = True
    is_inside = bool(store.in_coverage(chrom, starts, end - start)[0])
    has_data = store.has_peaks(chrom) & is_inside
    calls: dict[Pair, MeasuredCall] = {}
    for index, measured in enumerate(store.tracks):
        if is_bound[index]:
            calls[measured.pair] = "bound"
        elif has_data[index]:
            calls.setdefault(measured.pair, "not bound")
    for measured in store.tracks:
        calls.setdefault(measured.pair, "not measured")
    return calls


def measured_peaks(store: EvidenceStore, pair: Pair, region: Region) -> MeasuredPeaks:
    """Read the measured peaks of a pair that overlap a region.

    Parameters
    ----------
    store : EvidenceStore
    pair : Pair
    region : Region
        As for :func:`measured_calls`.

    Returns
    -------
    MeasuredPeaks

    Raises
    ------
    InputFileError
        The file is gone or damaged.
    """
    own = [i for i, track in enumerate(store.tracks) if track.pair == pair]
    chrom = find_chrom(region.chrom, store.chrom_sizes)
    none = np.zeros(0, dtype=np.int64)
    has_data = chrom is not None and bool(store.has_peaks(chrom)[own].any())
    if chrom is None or not has_data or not store.fraction_in_coverage([region]):
        return MeasuredPeaks(none, none, has_data=False)
    peaks = store.peaks(chrom)
    is_shown = np.isin(peaks.track, own)
    is_shown &= (peaks.start < region.end) & (peaks.end > region.start)
    start, end = peaks.start[is_shown], peaks.end[is_shown]
    if not len(start):
        return MeasuredPeaks(none, none, has_data=True)
    reach = np.maximum.accumulate(end)
    first = np.append(0, np.flatnonzero(start[1:] > reach[:-1]) + 1)
    return MeasuredPeaks(start[first], np.maximum.reduceat(end, first), has_data=True)
