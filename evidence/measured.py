"""What was measured at a locus: the peaks of a pair's own tracks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import numpy as np

from tfimpute_tracks.evidence.store import EvidenceStore
from tfimpute_tracks.genome import Region
from tfimpute_tracks.vocabulary import Pair

__all__ = ["MeasuredCall", "measured_calls"]

MeasuredCall = Literal["bound", "not bound", "not measured"]


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
