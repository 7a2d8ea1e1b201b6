"""The files that genome browsers load, each written whole and read back.

``bigwig`` holds the signal, ``bedgraph`` and ``parquet`` too, for other programs than
browsers; ``narrowpeak`` and ``bigbed`` hold the peaks; ``bbi``,
``blocks`` and ``zoom`` are the container that bigWig and bigBed share, and ``reading``
reads it. Before a file gets its name ``validate`` has others read it. What is in the
files is decided above.
"""

from __future__ import annotations

from tfimpute_tracks.tracks.formats.bedgraph import write_bedgraph
from tfimpute_tracks.tracks.formats.bigbed import write_bigbed
from tfimpute_tracks.tracks.formats.bigwig import write_bigwig
from tfimpute_tracks.tracks.formats.narrowpeak import (
    NarrowPeak,
    PeakSet,
    write_narrowpeak,
)
from tfimpute_tracks.tracks.formats.parquet import write_parquet
from tfimpute_tracks.tracks.formats.reading import (
    covered_spans,
    read_signal,
    signal_chroms,
)

__all__ = [
    "NarrowPeak",
    "PeakSet",
    "covered_spans",
    "read_signal",
    "signal_chroms",
    "write_bedgraph",
    "write_bigbed",
    "write_bigwig",
    "write_narrowpeak",
    "write_parquet",
]
