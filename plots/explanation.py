"""Motif instances that contributed to a score, in rows, the strongest on top."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from tfimpute_tracks.plots.style import (
    BLUE,
    DOUBLE_COLUMN,
    GRAY,
    SMALL,
    TEXT,
    VERMILLION,
    add_axes,
    new_figure,
    paper_style,
    text_width,
)

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from tfimpute_tracks.genome import Region

__all__ = ["Bar", "attribution_figure"]

_LEFT, _RIGHT, _TOP, _BOTTOM, _ROW = 4.0, 27.0, 11.0, 9.0, 4.0  # mm
_MAX_ROWS = 12
_ARROW = {"+": "\N{RIGHTWARDS ARROW}", "-": "\N{LEFTWARDS ARROW}"}
_MIN_FRACTION = 0.04  # of the largest contribution: smaller ones are not drawn
_MIN_SPAN = 0.5  # of log-odds: smaller contributions stay pale


class Bar(NamedTuple):
    """A motif instance to draw.

    Attributes
    ----------
    start, end : int
        0-based, half-open.
    strand : str
        ``+`` or ``-``.
    name : str
    contribution : float
        To the log-odds.
    """

    start: int
    end: int
    strand: str
    name: str
    contribution: float


def attribution_figure(
    tile: Region, bars: Sequence[Bar], title: str, subtitle: str
) -> Figure:
    """Draw motif instances along a tile.

    Parameters
    ----------
    tile : Region
    bars : sequence of Bar
        At least one. The largest contributions are drawn, as many as fit into 12 rows.
    title, subtitle : str
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
    mm_per_bp = inner / (last - first)
    largest = max(abs(bar.contribution) for bar in bars)
    strong = [bar for bar in bars if abs(bar.contribution) >= _MIN_FRACTION * largest]
    strong.sort(key=lambda bar: -abs(bar.contribution))
    placed = _pack(strong, mm_per_bp)
    n_rows = 1 + max(row for row, _ in placed)
    height = _TOP + _ROW * n_rows + _BOTTOM
    span = max(_MIN_SPAN, largest)
    with paper_style():
        figure = new_figure(DOUBLE_COLUMN, height)
        axes = add_axes(figure, _LEFT, _BOTTOM, inner, _ROW * n_rows)
        axes.axvspan(tile.start, tile.end, color="#F2F2F2", linewidth=0)
        for row, bar in placed:
            axes.barh(
                row,
                bar.end - bar.start,
                left=bar.start,
                height=0.62,
                color=VERMILLION if bar.contribution > 0 else BLUE,
                alpha=0.15 + 0.85 * abs(bar.contribution) / span,
                linewidth=0,
            )
            right = bar.end + 0.8 / mm_per_bp
            axes.text(right, row, _label(bar), fontsize=SMALL, va="center")
        axes.set_xlim(first, last)
        axes.set_ylim(n_rows - 0.4, -0.6)
        axes.set_yticks([])
        axes.spines["left"].set_visible(False)
        axes.xaxis.set_major_locator(MaxNLocator(6, integer=True, prune="both"))
        axes.xaxis.set_major_formatter("{x:,.0f}")
        axes.set_xlabel(tile.chrom, fontsize=SMALL, labelpad=1)
        left = _LEFT / DOUBLE_COLUMN
        figure.text(left, 1 - 4 / height, title, fontsize=TEXT)
        figure.text(left, 1 - 8 / height, subtitle, fontsize=SMALL, color=GRAY)
    figure.set_label(
        "Motif instances that contributed to a score, the strongest on top, with their "
        "contribution to the log-odds. Orange ones raise the score, blue ones lower it. "
        "Arrows show the strand. Gray: the tile."
    )
    return figure


def _label(bar: Bar) -> str:
    return f"{bar.name} {_ARROW[bar.strand]} {bar.contribution:+.2f}"


def _pack(bars: Sequence[Bar], mm_per_bp: float) -> list[tuple[int, Bar]]:
    """Put each bar into the highest row with space, and drop those without any."""
    rows: list[list[tuple[float, float]]] = []
    placed = []
    for bar in bars:
        end = bar.end + (text_width(_label(bar), SMALL) + 2.5) / mm_per_bp
        for row in range(_MAX_ROWS):
            if row == len(rows):
                rows.append([])
            if all(bar.start >= b or end <= a for a, b in rows[row]):
                rows[row].append((bar.start, end))
                placed.append((row, bar))
                break
    return placed
