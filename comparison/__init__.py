"""Models beside other predictors, and the pages that tell how they did.

``report`` writes a page of sections, tables and figures that needs no network and no
other file; what is compared, and with what, is the business of its neighbours.
"""

from __future__ import annotations

__all__: list[str] = []
