"""Pictures for papers and reports: arrays and genes in, a figure out.

``locus`` draws a place and its tracks, ``summary`` what many tracks hold; ``columns``
fits signals to what a picture can show, ``style`` is how all of them look.
"""

from __future__ import annotations

__all__: list[str] = []
