"""Summaries of an evidence store, and the selection of its tracks by name."""

from __future__ import annotations

from typing import Any

from tfimpute_tracks.errors import UnknownNameError
from tfimpute_tracks.evidence.peak_database import (
    ACCESSIBILITY,
    PeakDatabase,
    Track,
)
from tfimpute_tracks.evidence.store import EvidenceStore
from tfimpute_tracks.vocabulary import Vocabulary

__all__ = ["select_tracks", "summarize_build", "summarize_store"]


def select_tracks(
    store: EvidenceStore, tf: str | None = None, cell: str | None = None
) -> list[Track]:
    """Select the tracks of a TF, of a cell line, or of both.

    Parameters
    ----------
    store : EvidenceStore
    tf, cell : str, optional
        Names in any spelling that the vocabulary accepts; None: all.

    Returns
    -------
    list of Track

    Raises
    ------
    UnknownNameError
        The store has no track of that name.
    """
    pairs = [track.pair for track in store.tracks]
    names = Vocabulary(sorted({p.tf for p in pairs}), sorted({p.cell for p in pairs}))
    try:
        tf = tf and names.tf(tf)
        cell = cell and names.cell(cell)
    except UnknownNameError as error:
        reason = str(error).partition(" `tfimpute-tracks")[0]
        raise UnknownNameError(
            f"{store.name} has no such track: {reason} `tfimpute-tracks evidence info "
            "FILE --json` lists all tracks"
        ) from error
    return [
        track
        for track in store.tracks
        if tf in (None, track.pair.tf) and cell in (None, track.pair.cell)
    ]


def summarize_store(store: EvidenceStore) -> dict[str, Any]:
    """Summarize a store.

    Parameters
    ----------
    store : EvidenceStore

    Returns
    -------
    dict
        JSON values.
    """
    pairs = [track.pair for track in store.tracks]
    sizes = store.chrom_sizes
    chroms = dict.fromkeys(region.chrom for region in store.regions)
    return {
        "tracks": len(pairs),
        "tfs": len({pair.tf for pair in pairs} - {ACCESSIBILITY}),
        "cell_lines": len({pair.cell for pair in pairs}),
        "accessibility": [pair.cell for pair in pairs if pair.tf == ACCESSIBILITY],
        "peaks": {chrom: len(store.peaks(chrom).start) for chrom in chroms},
        "peaks_of_files": sum(track.n_peaks for track in store.tracks),
        "build": store.build,
        "regions": [
            region.chrom if region[1:] == (0, sizes[region.chrom]) else str(region)
            for region in store.regions
        ],
        **store.provenance._asdict(),
        "digest": store.digest,
        "file": store.name,
    }


def summarize_build(database: PeakDatabase) -> dict[str, Any]:
    """Summarize the peaks that a new store will contain.

    Parameters
    ----------
    database : PeakDatabase

    Returns
    -------
    dict
        JSON values.
    """
    return {
        "tracks": len(database.tracks),
        "peaks": sum(len(peaks.start) for peaks in database.peaks.values()),
        "chromosomes": len({region.chrom for region in database.regions}),
        "build": database.build,
    }
