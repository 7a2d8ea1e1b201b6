"""Pictures for papers and reports, as PNG or SVG."""

from __future__ import annotations

__all__: list[str] = []
