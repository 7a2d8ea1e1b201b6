"""Evidence: measured tracks, kept as intervals and looked up by place.

Read in this order: ``contents`` (what there is), ``build`` (peak files to contents;
``accessibility`` reads a table of such), ``file`` (its HDF5 file), ``store`` (what
tracks cover of any stretches). What tracks are worth to a score is the business of
``models/``.
"""

from __future__ import annotations

from tfimpute_tracks.evidence.accessibility import read_accessibility
from tfimpute_tracks.evidence.build import BuildReport, PeakFile, build_evidence
from tfimpute_tracks.evidence.file import write_evidence
from tfimpute_tracks.evidence.peak_database import (
    ACCESSIBILITY,
    PeakDatabase,
    Peaks,
    Track,
)
from tfimpute_tracks.evidence.store import (
    EvidenceStore,
    bundled_evidence,
    open_evidence,
)
from tfimpute_tracks.evidence.summary import (
    select_tracks,
    summarize_build,
    summarize_store,
)

__all__ = [
    "ACCESSIBILITY",
    "BuildReport",
    "EvidenceStore",
    "PeakDatabase",
    "PeakFile",
    "Peaks",
    "Track",
    "build_evidence",
    "bundled_evidence",
    "open_evidence",
    "read_accessibility",
    "select_tracks",
    "summarize_build",
    "summarize_store",
    "write_evidence",
]
