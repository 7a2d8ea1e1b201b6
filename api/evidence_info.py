"""What evidence files have."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any, NamedTuple

from tfimpute_tracks.api.values import as_path, check_texts
from tfimpute_tracks.evidence import (
    SHIPPED,
    EvidenceStore,
    Track,
    open_named,
    select_tracks,
    summarize_store,
)

__all__ = ["DescribedEvidence", "describe_evidence", "describe_file"]


class DescribedEvidence(NamedTuple):
    """What an evidence file has.

    Attributes
    ----------
    store : EvidenceStore
    tracks : list of Track
        Those that were asked for.
    summary : dict
        Of the whole file.
    """

    store: EvidenceStore
    tracks: list[Track]
    summary: dict[str, Any]


def describe_evidence(
    file: str | Path = SHIPPED,
    *,
    tf: str | None = None,
    cell: str | None = None,
    check: bool = False,
) -> DescribedEvidence:
    """Summarize an evidence file, and select tracks of it.

    Parameters
    ----------
    file : str or Path
        `encode-hg19`, or a file.
    tf, cell : str, optional
        Only tracks of these.
    check : bool
        Read the whole file and verify its digest.

    Returns
    -------
    DescribedEvidence

    Raises
    ------
    UnknownNameError, InputFileError
        There is no such track or file, or the file is damaged.

    Examples
    --------
    >>> from tfimpute_tracks.api.evidence_info import describe_evidence
    >>> found = describe_evidence(tf="CTCF", cell="K562")
    >>> found.summary["build"], [str(track.pair) for track in found.tracks]
    ('hg19', ['CTCF:K562'])
    """
    check_texts(tf=tf, cell=cell)
    store = open_named(as_path(file, "file"))
    if check:
        store.check()
    tracks = select_tracks(store, tf, cell)
    summary = summarize_store(store) | ({"checked": True} if check else {})
    return DescribedEvidence(store, tracks, summary)


def describe_file(path: Path, digest: str, began: float) -> dict[str, Any]:
    """Describe a file that was written, for a summary.

    Parameters
    ----------
    path : Path
    digest : str
        Of its content.
    began : float
        ``time.perf_counter()`` before the work.

    Returns
    -------
    dict
    """
    return {
        "digest": digest,
        "seconds": round(time.perf_counter() - began, 1),
        "file_mb": round(path.stat().st_size / 1e6, 2),
        "file": str(path),
    }
