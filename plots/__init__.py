"""Figures for papers and reports: arrays and genes in, a matplotlib figure out.

``locus`` draws the tracks of a region, and ``summary`` the properties of many tracks.
``columns`` reduces signals to what a figure can show. ``style`` sets how all figures look
and saves them, and ``marks`` has what several of them share.
"""

from __future__ import annotations

__all__: list[str] = []
