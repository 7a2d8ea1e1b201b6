"""Effects of all substitutions of a region: a heatmap, and the sequence as a logo.

Long regions are wrapped into rows, all on one scale.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tfimpute_tracks.genome import Region
from tfimpute_tracks.kernels.encode import N_CODE
from tfimpute_tracks.plots.glyphs import draw_bases
from tfimpute_tracks.plots.style import (
    BLACK,
    DOUBLE_COLUMN,
    GRAY,
    LIGHT_GRAY,
    SMALL,
    TEXT,
    add_axes,
    color_bar,
    new_figure,
    paper_style,
    text_width,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.image import AxesImage

__all__ = ["mutagenesis_figure"]

Doubles = NDArray[np.float64]

_BASES = "ACGT"
_LEFT, _RIGHT, _TOP = 15.0, 17.0, 10.5  # mm
_LOGO, _BETWEEN, _CELL, _TICKS, _GAP = 13.0, 0.8, 2.0, 4.0, 2.5  # mm, down a row
_ROW = _LOGO + _BETWEEN + 4 * _CELL + _TICKS
_MAX_WIDTH = 3.2  # mm of a base
_MAX_COLUMNS = 100
_READABLE = 0.5  # mm: a lower letter is drawn as a bar
_MIN_SPAN = 0.1  # of log-odds: smaller changes stay pale


class _Row(NamedTuple):
    """A row of the figure: bases from a position on."""

    first: int
    codes: NDArray[np.uint8]
    changes: Doubles  # (n, 4)


def mutagenesis_figure(
    changes: Doubles, codes: NDArray[np.uint8], region: Region, title: str
) -> Figure:
    """Draw the effects of substitutions on a pair.

    Parameters
    ----------
    changes : float64 array, shape (n_bp, 4)
        Change in the log-odds by each of A, C, G and T: 0 for the reference base, NaN
        without a score.
    codes : uint8 array, shape (n_bp,)
        Of the reference: A, C, G, T = 0..3, otherwise 4.
    region : Region
    title : str

    Returns
    -------
    Figure
        Above each position its base, as high as minus the mean change of the three
        substitutions. Its label is its caption.
    """
    n_columns = _row_length(len(codes))
    n_rows = -(-len(codes) // n_columns)
    column = min((DOUBLE_COLUMN - _LEFT - _RIGHT) / n_columns, _MAX_WIDTH)
    width = _LEFT + max(n_columns * column + _RIGHT, text_width(title) + 4)
    height = _TOP + n_rows * (_ROW + _GAP) - _GAP
    importance = -np.nansum(changes, axis=1) / 3
    span = max(float(np.nanmax(np.abs(changes), initial=0)), _MIN_SPAN)
    limits = (
        min(1.08 * float(importance.min()), -0.02 * _MIN_SPAN),
        max(1.08 * float(importance.max()), _MIN_SPAN),
    )
    with paper_style():
        figure = new_figure(width, height)
        _draw_title(figure, title, (width, height))
        top = height - _TOP
        for first in range(0, len(codes), n_columns):
            part = slice(first, first + n_columns)
            row = _Row(region.start + first, codes[part], changes[part])
            across, bottom = column * len(row.codes), top - _ROW + _TICKS
            logo = add_axes(figure, _LEFT, top - _LOGO, across, _LOGO)
            _draw_logo(logo, row, limits)
            cells = add_axes(figure, _LEFT, bottom, across, 4 * _CELL)
            mesh = _draw_cells(cells, row, span, column)
            if first == 0:
                place = _LEFT + across + 3, bottom, 2.5, top - bottom
                color_bar(figure, mesh, place, "Change in log-odds")
            top -= _ROW + _GAP
    figure.set_label(
        f"Effect of each substitution on {title}: change in the log-odds of binding, of "
        "the best tile over the position. A dot marks the reference base. The height of "
        "the letters above is minus the mean change of the three substitutions: positive "
        "if the reference base raises the score. Gray: no score."
    )
    return figure


def _row_length(n_bp: int) -> int:
    """Choose the number of columns of a row: a multiple of ten if there are several."""
    n_rows = -(-n_bp // _MAX_COLUMNS)
    return n_bp if n_rows == 1 else -(-n_bp // n_rows // 10) * 10


def _draw_title(figure: Figure, title: str, size: tuple[float, float]) -> None:
    legend = "\N{BULLET} reference base"
    for text, down, points, color in (
        (title, 2.0, TEXT, BLACK),
        (legend, 5.5, SMALL, GRAY),
    ):
        corner = _LEFT / size[0], 1 - down / size[1]
        style: dict[str, Any] = {
            "fontsize": points,
            "color": color,
            "va": "top",
            "parse_math": False,
        }
        figure.text(*corner, text, **style)


def _draw_logo(axes: Axes, row: _Row, limits: tuple[float, float]) -> None:
    heights = -row.changes.sum(axis=1) / 3
    readable = _READABLE / _LOGO * (limits[1] - limits[0])
    x, bottoms = np.arange(len(heights), dtype=float), np.minimum(heights, 0)
    draw_bases(axes, row.codes, x, bottoms, np.abs(heights), readable)
    axes.axhline(0, color=GRAY, linewidth=0.4)
    axes.set_xlim(-0.5, len(row.codes) - 0.5)
    axes.set_ylim(*limits)
    axes.set_xticks([])
    axes.spines["bottom"].set_visible(False)
    axes.locator_params(axis="y", nbins=4)
    axes.set_ylabel("Loss when\nreplaced", fontsize=SMALL, labelpad=2)


def _draw_cells(axes: Axes, row: _Row, span: float, column: float) -> AxesImage:
    n = len(row.codes)
    axes.set_facecolor(LIGHT_GRAY)
    mesh = axes.imshow(
        row.changes.T,
        cmap="RdBu_r",
        vmin=-span,
        vmax=span,
        aspect="auto",
        interpolation="nearest",
    )
    known = np.flatnonzero((row.codes < N_CODE) & ~np.isnan(row.changes).any(axis=1))
    axes.plot(known, row.codes[known], ".", color=GRAY, markersize=1.6, linestyle="")
    axes.set_xlim(-0.5, n - 0.5)
    axes.set_yticks(range(4), list(_BASES), fontsize=SMALL)
    last = row.first + n
    widest = text_width(f"{last:,}", SMALL) + 2
    step = next(s for s in (5, 10, 20, 50, 100) if s * column > widest or s == 100)
    # Positions are 1-based, as browsers print them.
    ticks = np.arange(-(-(row.first + 1) // step) * step, last + 1, step)
    if not ticks.size:
        ticks = np.array([row.first + 1])
    axes.set_xticks(ticks - row.first - 1, [f"{tick:,}" for tick in ticks])
    axes.tick_params(axis="y", length=0, pad=2)
    for side in ("left", "bottom"):
        axes.spines[side].set_visible(False)
    return mesh
