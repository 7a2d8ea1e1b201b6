"""What viewers are given beside the tracks: hubs, sessions, pages that explain.

Everything here is written from what ``tracks/track_folder.py`` finds in a folder: ``hub``
(with ``stanzas``, ``metadata`` and ``pages``) for UCSC, ``sessions`` for IGV and
igv.js, and ``report`` (with ``slices``, ``tallies`` and ``places``), a page that stands
alone. ``knowledge`` adds what a model's card tells, ``families`` the colors.
"""

from __future__ import annotations

__all__: list[str] = []
