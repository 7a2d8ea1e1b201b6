"""Tracks: from a model and a sequence to files that genome browsers load.

``job`` runs a scan, from regions to files: ``scan`` scores blocks of tiles, ``columns``
reduces the scores, ``checkpoint`` keeps those of an unfinished scan, and ``writer`` writes
the files of a pair in any of the ``formats``; ``in_memory`` is a scan without files.
``record`` holds the facts of a run and of each track; ``track_folder`` and ``windows``
read tracks back; ``selfcheck`` compares the engines with the plain network.
"""

from __future__ import annotations

from tfimpute_tracks.engines.tiles import plan_tiles
from tfimpute_tracks.tracks.job import ScanJob, run_scan
from tfimpute_tracks.tracks.scan import scan_region
from tfimpute_tracks.tracks.selfcheck import run_selfcheck

__all__ = ["ScanJob", "plan_tiles", "run_scan", "run_selfcheck", "scan_region"]
