"""The live browser: any pair, computed as one looks."""

from __future__ import annotations

__all__: list[str] = []
