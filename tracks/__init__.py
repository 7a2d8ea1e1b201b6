"""Tracks: from a model and a sequence to files that genome browsers load.

``tiles`` plans, ``scan`` scores the tiles in ``threads``, ``cache`` keeps what another
pair can use, and ``job`` runs a whole scan, from regions to files, with ``spool`` for
what is unfinished and ``pair_files`` for what is done; ``parity`` compares the engines.
``bigwig``, ``narrowpeak`` and ``bigbed`` write what
came out, each file whole or not at all, and each read back by ``validate`` before it
gets its name; ``bbi``, ``blocks`` and ``zoom`` are the container that bigWig and bigBed
share. Peak calling is in ``kernels/peaks.py``.
"""

from __future__ import annotations

from tfimpute_tracks.tracks.bigbed import write_bigbed
from tfimpute_tracks.tracks.bigwig import write_bigwig
from tfimpute_tracks.tracks.job import ScanJob, run_scan
from tfimpute_tracks.tracks.narrowpeak import NarrowPeak, PeakSet, write_narrowpeak
from tfimpute_tracks.tracks.parity import check_parity
from tfimpute_tracks.tracks.scan import scan_region
from tfimpute_tracks.tracks.tiles import plan_tiles
from tfimpute_tracks.tracks.validate import Signal, read_signal

__all__ = [
    "NarrowPeak",
    "PeakSet",
    "ScanJob",
    "Signal",
    "check_parity",
    "plan_tiles",
    "read_signal",
    "run_scan",
    "scan_region",
    "write_bigbed",
    "write_bigwig",
    "write_narrowpeak",
]
