"""What carried a score: motif instances below each other, the strongest on top."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from tfimpute_tracks.plots.style import (
    BLUE,
    DOUBLE_COLUMN,
    GRAY,
    SMALL,
    TEXT,
    VERMILLION,
    new_figure,
    paper_style,
    text_width,
)

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from tfimpute_tracks.genome import Region

__all__ = ["Bar", "motif_rows"]

_LEFT, _RIGHT, _TOP, _FOOT, _ROW = 4.0, 27.0, 11.0, 9.0, 4.0  # mm
_MOST_ROWS = 12
_ARROW = {"+": "\N{RIGHTWARDS ARROW}", "-": "\N{LEFTWARDS ARROW}"}
_LEAST_SHARE = 0.04  # of the largest part: others are not drawn
_LEAST_SPAN = 0.5  # of log-odds: weaker motifs are pale


class Bar(NamedTuple):
    """A motif instance to draw.

    Attributes
    ----------
    start, end : int
        0-based, half-open.
    strand : str
        ``+`` or ``-``.
    name : str
    part : float
        Log-odds.
    """

    start: int
    end: int
    strand: str
    name: str
    part: float


def motif_rows(tile: Region, bars: Sequence[Bar], title: str, told: str) -> Figure:
    """Draw motif instances along a tile.

    Parameters
    ----------
    tile : Region
    bars : sequence of Bar
        One at least. Those are drawn that fit into 12 rows, the largest parts first,
        and are not far below the largest.
    title, told : str
        Two lines above.

    Returns
    -------
    Figure
        Its label is its caption.
    """
    from matplotlib.ticker import MaxNLocator

    first = min(tile.start, *(bar.start for bar in bars))
    last = max(tile.end, *(bar.end for bar in bars))
    inner = DOUBLE_COLUMN - _LEFT - _RIGHT
    per_bp = inner / (last - first)  # mm
    largest = max(abs(bar.part) for bar in bars)
    strong = [bar for bar in bars if abs(bar.part) >= _LEAST_SHARE * largest]
    drawn = _packed(sorted(strong, key=lambda bar: -abs(bar.part)), per_bp)
    n_rows = 1 + max(row for row, _ in drawn)
    height = _TOP + _ROW * n_rows + _FOOT
    span = max(_LEAST_SPAN, largest)
    with paper_style():
        figure = new_figure(DOUBLE_COLUMN, height)
        whole = np.array([DOUBLE_COLUMN, height] * 2)
        where = (_LEFT, _FOOT, inner, _ROW * n_rows)
        axes = figure.add_axes(tuple(np.array(where) / whole))
        axes.axvspan(tile.start, tile.end, color="#F2F2F2", linewidth=0)
        for row, bar in drawn:
            axes.barh(
                row,
                bar.end - bar.start,
                left=bar.start,
                height=0.62,
                color=VERMILLION if bar.part > 0 else BLUE,
                alpha=0.15 + 0.85 * abs(bar.part) / span,
                linewidth=0,
            )
            axes.text(
                bar.end + 0.8 / per_bp, row, _label(bar), fontsize=SMALL, va="center"
            )
        axes.set_xlim(first, last)
        axes.set_ylim(n_rows - 0.4, -0.6)
        axes.set_yticks([])
        axes.spines["left"].set_visible(False)
        axes.xaxis.set_major_locator(MaxNLocator(6, integer=True, prune="both"))
        axes.xaxis.set_major_formatter("{x:,.0f}")
        axes.set_xlabel(tile.chrom, fontsize=SMALL, labelpad=1)
        left = _LEFT / DOUBLE_COLUMN
        figure.text(left, 1 - 4 / height, title, fontsize=TEXT)
        figure.text(left, 1 - 8 / height, told, fontsize=SMALL, color=GRAY)
    figure.set_label(
        "Motif instances that carried a score, the strongest on top: orange ones raise "
        "it, blue ones lower it, by so much in log-odds. Arrows tell the strand. Gray: "
        "the tile."
    )
    return figure


def _label(bar: Bar) -> str:
    return f"{bar.name} {_ARROW[bar.strand]} {bar.part:+.2f}"


def _packed(bars: Sequence[Bar], per_bp: float) -> list[tuple[int, Bar]]:
    """Give each bar the highest row that has room; leave out what has none."""
    taken: list[list[tuple[float, float]]] = []
    drawn = []
    for bar in bars:
        span = bar.start, bar.end + (text_width(_label(bar), SMALL) + 2.5) / per_bp
        for row in range(_MOST_ROWS):
            if row == len(taken):
                taken.append([])
            if all(span[0] >= b or span[1] <= a for a, b in taken[row]):
                taken[row].append(span)
                drawn.append((row, bar))
                break
    return drawn
