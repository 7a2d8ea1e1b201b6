"""What viewers are given beside the tracks: hubs, sessions, pages that explain.

``shelf`` finds the tracks of a folder by their receipts; everything else here writes
from what it found.
"""

from __future__ import annotations

__all__: list[str] = []
