"""What a store of evidence may hold, drawn at random."""

from __future__ import annotations

import numpy as np

from tfimpute_tracks.evidence import ACCESSIBILITY, Contents, Peaks, Track
from tfimpute_tracks.genome import Region
from tfimpute_tracks.vocabulary import Pair


def draw_contents(rng, n_tracks=9, n_peaks=40, regions=None):
    """Contents of tracks with disjoint peaks drawn at random; chrY has none."""
    sizes = {"chr2": 9000, "chr10": 4000, "chrY": 700}
    tfs = ["CTCF", "MAX", "EP300", ACCESSIBILITY]
    tracks = tuple(
        Track(Pair(tfs[i % 4], f"cell{i // 4}"), "b" * (i == 8), 2 * i, f"sha256:{i}")
        for i in range(n_tracks)
    )
    peaks = {}
    for chrom in ("chr2", "chr10"):
        columns = []
        for track in range(n_tracks):
            edges = np.sort(rng.choice(sizes[chrom], 2 * n_peaks, replace=False))
            columns.append(np.stack([edges[::2], edges[1::2], np.full(n_peaks, track)]))
        start, end, track = np.concatenate(columns, axis=1)
        order = np.lexsort((track, start))
        peaks[chrom] = Peaks(start[order], end[order], track[order].astype(np.uint16))
    measured = rng.random((n_tracks, 3)) < 0.7
    if regions is None:
        regions = [Region("chr2", 0, 9000), Region("chr10", 0, 4000)]
    return Contents(tracks, sizes, tuple(regions), measured, peaks, "toy1")
