"""Evidence: measured tracks, stored as peaks and looked up by position.

Read in this order: ``peak_database`` (the data), ``build`` (from peak files to the data;
``accessibility`` reads a table of such files), ``file`` (the HDF5 file; ``intervals``
packs peaks for it), ``store`` (coverage of any intervals by tracks; ``joined`` makes one
of two), ``shipped`` (the evidence of the package). How tracks change a score is in ``models/``.
"""

from __future__ import annotations

from tfimpute_tracks.evidence.accessibility import read_accessibility
from tfimpute_tracks.evidence.build import BuildReport, PeakFile, build_evidence
from tfimpute_tracks.evidence.file import write_evidence
from tfimpute_tracks.evidence.joined import JoinedStore
from tfimpute_tracks.evidence.measured import (
    MeasuredCall,
    MeasuredPeaks,
    measured_calls,
    measured_peaks,
)
from tfimpute_tracks.evidence.peak_database import (
    ACCESSIBILITY,
    PeakDatabase,
    Peaks,
    Provenance,
    Track,
)
from tfimpute_tracks.evidence.shipped import (
    SHIPPED,
    evidence_for,
    no_tracks,
    open_named,
    open_shipped,
)
from tfimpute_tracks.evidence.store import EvidenceStore, open_evidence
from tfimpute_tracks.evidence.summary import (
    select_tracks,
    summarize_build,
    summarize_store,
)

__all__ = [
    "ACCESSIBILITY",
    "SHIPPED",
    "BuildReport",
    "EvidenceStore",
    "JoinedStore",
    "MeasuredCall",
    "MeasuredPeaks",
    "PeakDatabase",
    "PeakFile",
    "Peaks",
    "Provenance",
    "Track",
    "build_evidence",
    "evidence_for",
    "measured_calls",
    "measured_peaks",
    "no_tracks",
    "open_evidence",
    "open_named",
    "open_shipped",
    "read_accessibility",
    "select_tracks",
    "summarize_build",
    "summarize_store",
    "write_evidence",
]
