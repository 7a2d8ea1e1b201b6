"""How alike the open chromatin of cell lines is."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tfimpute_tracks.evidence.peak_database import ACCESSIBILITY
from tfimpute_tracks.evidence.store import EvidenceStore

__all__ = ["open_sites", "similar_cells"]

Ints = NDArray[np.int64]

_APART = 100  # bp between sites
_WIDTH = 150  # bp of a site


def open_sites(store: EvidenceStore, chrom: str) -> Ints:
    """List sites of a chromosome that are open in some cell line.

    Parameters
    ----------
    store : EvidenceStore
    chrom : str
        One of `store.chrom_sizes`.

    Returns
    -------
    int64 array
        Middles of accessibility peaks, or of all peaks where no accessibility was
        measured, ascending, at least 100 bp apart; 0-based.
    """
    is_open = np.array([t.pair.tf == ACCESSIBILITY for t in store.tracks], dtype=bool)
    peaks = store.peaks(chrom)
    if (is_open & store.has_peaks(chrom)).any():
        peaks = peaks.of(is_open)
    middles = np.unique((peaks.start + peaks.end) // 2)
    kept = []
    last = -_APART
    for middle in middles.tolist():
        if middle - last >= _APART:
            kept.append(middle)
            last = middle
    return np.array(kept, dtype=np.int64)


def similar_cells(store: EvidenceStore, cell: str) -> dict[str, float]:
    """Compare the accessibility of a cell line with that of all others.

    Parameters
    ----------
    store : EvidenceStore
    cell : str

    Returns
    -------
    dict of str to float
        Correlation, over the sites that are open in any of them, of being open; by cell
        line, the most similar first. Empty where the accessibility of either is unknown.
    """
    is_open = np.array([t.pair.tf == ACCESSIBILITY for t in store.tracks], dtype=bool)
    cells = [
        track.pair.cell for track in store.tracks if track.pair.tf == ACCESSIBILITY
    ]
    if cell not in cells:
        return {}
    own, parts = cells.index(cell), []
    for chrom in store.chrom_sizes:
        measured = store.has_peaks(chrom)[is_open]
        if not measured[own] or measured.sum() < 2:
            continue
        sites = open_sites(store, chrom)
        coverage = store.coverage(chrom, sites - _WIDTH // 2, _WIDTH)
        number = np.where(is_open, np.cumsum(is_open) - 1, -1)[coverage.track]
        rows = np.repeat(np.arange(len(sites)), np.diff(coverage.indptr))
        found = np.zeros((len(sites), len(cells)), dtype=np.float32)
        found[rows[number >= 0], number[number >= 0]] = 1
        found[:, ~measured] = np.nan
        parts.append(found)
    if not parts:
        return {}
    values = np.concatenate(parts)
    similar = {}
    for column, other in enumerate(cells):
        known = ~np.isnan(values[:, column])
        pair = values[known][:, [own, column]]
        if column != own and len(pair) and pair.std(axis=0).all():
            correlation = np.asarray(np.corrcoef(pair.T))
            similar[other] = float(correlation[0, 1])
    return dict(sorted(similar.items(), key=lambda item: -item[1]))
