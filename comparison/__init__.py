"""Predictors side by side, and the pages that tell how they did.

``run`` trains and scores predictors and keeps what is ``scored``; ``figures`` and
``tables`` judge it. ``report`` writes a page of sections, tables and figures that needs
no network and no other file; ``evaluation_page``, ``promises_page`` and ``chromosome``
fill it for `evaluate`.
"""

from __future__ import annotations

__all__: list[str] = []
