"""Tracks from what people download: which TF and cell line each peak file is of.

Read in this order: ``track`` (entries of a source, and tracks), ``encode``, ``tables``,
and ``file_names`` (the sources), ``names`` (one name per TF and cell line), ``reading``
(recognizes what lies at a path), ``peaks`` (one file per track). Files of many tracks are
read in ``genome/many_tracks``; other names of TFs and cell lines are in ``aliases``.
"""

from __future__ import annotations

from tfimpute_tracks.downloads.peaks import (
    call_signal_peaks,
    read_peaks,
    write_tracks,
)
from tfimpute_tracks.downloads.reading import read_download
from tfimpute_tracks.downloads.track import (
    Download,
    DownloadedTrack,
    Entry,
    Source,
    TrackFile,
)

__all__ = [
    "Download",
    "DownloadedTrack",
    "Entry",
    "Source",
    "TrackFile",
    "call_signal_peaks",
    "read_download",
    "read_peaks",
    "write_tracks",
]
