"""Tracks: from a model and a sequence to files that genome browsers load.

``tiles`` plans, ``scan`` scores the tiles in ``threads``, ``cache`` keeps what another
pair can use, and ``job`` runs a whole scan, from regions to files, with ``spool`` for
what is unfinished and ``pair_files`` for what is done; ``parity`` compares the engines.
The files themselves are in ``formats``. Peak calling is in ``kernels/peaks.py``.
"""

from __future__ import annotations

from tfimpute_tracks.engines.tiles import plan_tiles
from tfimpute_tracks.tracks.job import ScanJob, run_scan
from tfimpute_tracks.tracks.scan import scan_region
from tfimpute_tracks.tracks.selfcheck import run_selfcheck

__all__ = ["ScanJob", "plan_tiles", "run_scan", "run_selfcheck", "scan_region"]
