"""Files that present a folder of tracks: hubs, sessions, and a report.

All of them are made from what ``tracks/track_folder.py`` finds: ``hub`` for UCSC (with
``trackdb``, ``metadata`` and ``pages``), ``sessions`` for IGV and igv.js, and ``report``,
a self-contained page (with ``excerpts``, ``summary_stats`` and ``top_peaks``).
``card_lookup`` adds what the model card contains.
"""

from __future__ import annotations

__all__: list[str] = []
