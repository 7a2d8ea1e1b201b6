"""Sites whose tracks the summary learns from: no sequence, so anywhere in the genome.

A track at a site is bound where peaks cover at least half of the narrowest window, and
not bound where the next window has no peak. Sites of the data set lie in open chromatin;
on chromosomes that it lacks, sites are drawn near peaks.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix, vstack

from tfimpute_tracks.dataset import Dataset
from tfimpute_tracks.engines.sites import chrom_sites
from tfimpute_tracks.evidence import EvidenceStore
from tfimpute_tracks.genome.chroms import find_chrom
from tfimpute_tracks.kernels.coverage import Coverage

__all__ = ["TrackSites", "dense_windows", "read_track_sites", "window_matrices"]

Floats = NDArray[np.float32]
Ints = NDArray[np.int64]
Mask = NDArray[np.bool_]

_MAX_SHIFT = 90  # bp between a peak's middle and a site


@dataclass(frozen=True)
class TrackSites:
    """Coverage of sites.

    Attributes
    ----------
    windows : list of sparse float32 array, shape (n_sites, n_tracks)
        Coverage of each window, narrowest first.
    measured : bool array, shape (n_chroms, n_tracks)
        Whether a track has data for a chromosome.
    chrom : int64 array, shape (n_sites,)
        Row of `measured`.
    """

    windows: list[csr_matrix]
    measured: Mask
    chrom: Ints

    def __len__(self) -> int:
        return len(self.chrom)


def read_track_sites(
    store: EvidenceStore,
    dataset: Dataset,
    rows: Ints,
    widths: tuple[int, ...],
    rng: np.random.Generator,
) -> TrackSites:
    """Read the coverage of sites of a data set, and of as many elsewhere.

    Parameters
    ----------
    store : EvidenceStore
    dataset : Dataset
    rows : int64 array
        Sites of the data set.
    widths : tuple of int
        Of the windows, in bp, ascending.
    rng : numpy.random.Generator
        Draws the other sites.

    Returns
    -------
    TrackSites
    """
    places = [(chrom, centers) for chrom, _, centers in chrom_sites(dataset, rows)]
    places += _elsewhere(store, dataset, len(rows), rng)
    parts: list[list[csr_matrix]] = []
    measured, counts = [], []
    for chrom, centers in places:
        has_data = store.has_peaks(chrom)
        inside = store.in_coverage(chrom, centers - widths[0] // 2, widths[0])
        if not (has_data.any() and inside.any()):
            continue
        coverage = store.window_coverage(chrom, centers[inside], widths)
        parts.append(window_matrices(coverage, len(store.tracks)))
        measured.append(has_data)
        counts.append(int(inside.sum()))
    windows = [vstack(each, format="csr") for each in zip(*parts, strict=True)]
    return TrackSites(
        windows,
        np.array(measured).reshape(-1, len(store.tracks)),
        np.repeat(np.arange(len(counts)), counts),
    )


def _elsewhere(
    store: EvidenceStore, dataset: Dataset, n_sites: int, rng: np.random.Generator
) -> list[tuple[str, Ints]]:
    """Draw sites near peaks of the chromosomes that a data set lacks."""
    known = {find_chrom(chrom, store.chrom_sizes) for chrom in dataset.chroms}
    middles = {}
    for chrom in store.chrom_sizes:
        if chrom not in known and store.has_peaks(chrom).any():
            peaks = store.peaks(chrom)
            middles[chrom] = np.unique((peaks.start + peaks.end) // 2)
    total = sum(map(len, middles.values()))
    fraction = min(1, n_sites / max(total, 1))
    found = []
    for chrom, centers in middles.items():
        drawn = centers[rng.random(len(centers)) < fraction]
        shifted = drawn + rng.integers(-_MAX_SHIFT, _MAX_SHIFT + 1, len(drawn))
        found.append((chrom, np.sort(shifted)))
    return found


def window_matrices(coverage: Coverage, n_tracks: int) -> list[csr_matrix]:
    """Convert coverage to one sparse array per window.

    Parameters
    ----------
    coverage : Coverage
        Fractions of shape (m, n_windows).
    n_tracks : int

    Returns
    -------
    list of sparse float32 array, shape (n, n_tracks)
    """
    shape = len(coverage.indptr) - 1, n_tracks
    track = coverage.track.astype(np.int32)
    found = []
    for values in coverage.fraction.T:
        matrix = csr_matrix((values.copy(), track, coverage.indptr), shape, copy=True)
        matrix.eliminate_zeros()
        found.append(matrix)
    return found


def dense_windows(windows: list[csr_matrix], rows: Ints) -> Floats:
    """Take the coverage of some sites.

    Parameters
    ----------
    windows : list of sparse float32 array, shape (n_sites, n_tracks)
    rows : int64 array, shape (n,)

    Returns
    -------
    float32 array, shape (n, n_windows, n_tracks)
    """
    return np.stack([window[rows].toarray() for window in windows], axis=1)
