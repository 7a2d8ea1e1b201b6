"""What every substitution does: a heat map, and letters as high as what they are worth.

Long regions go on in rows below each other, all on one scale.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tfimpute_tracks.genome import Region
from tfimpute_tracks.kernels.encode import N_CODE
from tfimpute_tracks.plots.glyphs import draw_letters
from tfimpute_tracks.plots.style import (
    BLACK,
    DOUBLE_COLUMN,
    GRAY,
    LIGHT_GRAY,
    SMALL,
    TEXT,
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

_LETTERS = "ACGT"
_LEFT, _RIGHT, _TOP = 15.0, 17.0, 10.5  # mm
_LOGO, _BETWEEN, _CELL, _TICKS, _GAP = 13.0, 0.8, 2.0, 4.0, 2.5  # mm, down a row
_WIDEST = 3.2  # mm of a letter
_MOST_COLUMNS = 100
_READABLE = 0.5  # mm: a lower letter is a bar
_LEAST_SPAN = 0.1  # of log-odds: what changes by less is not blown up


_BLOCK = _LOGO + _BETWEEN + 4 * _CELL + _TICKS


class _Row(NamedTuple):
    """A row of the picture: letters from a place on."""

    first: int
    codes: NDArray[np.uint8]
    changes: Doubles  # (n, 4)


class _Layout(NamedTuple):
    """Sizes in mm, and columns of a row."""

    width: float
    height: float
    column: float
    n_columns: int

    @classmethod
    def of(cls, n_bp: int, title: str) -> _Layout:
        n_rows = -(-n_bp // _MOST_COLUMNS)
        # Whole tens, so that ticks stand below each other.
        n_columns = n_bp if n_rows == 1 else -(-n_bp // n_rows // 10) * 10
        n_rows = -(-n_bp // n_columns)
        column = min((DOUBLE_COLUMN - _LEFT - _RIGHT) / n_columns, _WIDEST)
        width = _LEFT + max(n_columns * column + _RIGHT, text_width(title) + 4)
        height = _TOP + n_rows * (_BLOCK + _GAP) - _GAP
        return cls(width, height, column, n_columns)

    def axes(self, figure: Figure, *where: float) -> Axes:
        """Add axes: left, foot, width and height in mm."""
        whole = np.array([self.width, self.height] * 2)
        return figure.add_axes(tuple(np.array(where) / whole))


def mutagenesis_figure(
    changes: Doubles, codes: NDArray[np.uint8], region: Region, title: str
) -> Figure:
    """Draw what substitutions do to a pair.

    Parameters
    ----------
    changes : float64 array, shape (n_bp, 4)
        Change of log-odds by each of A, C, G and T: 0 for the letter that is there, NaN
        where there is no score.
    codes : uint8 array, shape (n_bp,)
        Of the letters that are there: A, C, G, T = 0..3, else 4.
    region : Region
    title : str

    Returns
    -------
    Figure
        Above each place its letter, as high as minus the mean change of the three
        substitutions. Its label is its caption.
    """
    layout = _Layout.of(len(codes), title)
    loss = -np.nansum(changes, axis=1) / 3
    span = max(float(np.nanmax(np.abs(changes), initial=0)), _LEAST_SPAN)
    limits = (
        min(1.08 * float(loss.min()), -0.02 * _LEAST_SPAN),
        max(1.08 * float(loss.max()), _LEAST_SPAN),
    )
    with paper_style():
        figure = new_figure(layout.width, layout.height)
        _draw_head(figure, layout, title)
        top = layout.height - _TOP
        for first in range(0, len(codes), layout.n_columns):
            some = slice(first, first + layout.n_columns)
            row = _Row(region.start + first, codes[some], changes[some])
            across = layout.column * len(row.codes)
            foot = top - _BLOCK + _TICKS
            logo = layout.axes(figure, _LEFT, top - _LOGO, across, _LOGO)
            _draw_loss(logo, row, limits)
            cells = layout.axes(figure, _LEFT, foot, across, 4 * _CELL)
            mesh = _draw_cells(cells, row, span, layout.column)
            if first == 0:
                beside = _LEFT + across + 3, foot, 2.5, top - foot
                bar = figure.colorbar(mesh, cax=layout.axes(figure, *beside))
                bar.ax.tick_params(labelsize=SMALL, length=2)
                bar.set_label("Change of log-odds", fontsize=SMALL)
            top -= _BLOCK + _GAP
    figure.set_label(
        f"What each substitution does to {title}: the change of the log-odds of "
        "binding, of the best tile that holds the place. A dot marks the letter that "
        "is there. Letters above are as high as what is lost when they are changed: "
        "minus the mean change of the three substitutions; below the line where "
        "changes raise the score. Gray: no score."
    )
    return figure


def _draw_head(figure: Figure, layout: _Layout, title: str) -> None:
    told = "\N{BULLET} the letter that is there"
    for text, down, size, color in (
        (title, 2.0, TEXT, BLACK),
        (told, 5.5, SMALL, GRAY),
    ):
        where = _LEFT / layout.width, 1 - down / layout.height
        figure.text(
            *where, text, fontsize=size, color=color, va="top", parse_math=False
        )


def _draw_loss(axes: Axes, row: _Row, limits: tuple[float, float]) -> None:
    heights = -row.changes.sum(axis=1) / 3
    readable = _READABLE / _LOGO * (limits[1] - limits[0])
    where, floors = np.arange(len(heights), dtype=float), np.minimum(heights, 0)
    draw_letters(axes, row.codes, where, floors, np.abs(heights), readable)
    axes.axhline(0, color=GRAY, linewidth=0.4)
    axes.set_xlim(-0.5, len(row.codes) - 0.5)
    axes.set_ylim(*limits)
    axes.set_xticks([])
    axes.spines["bottom"].set_visible(False)
    axes.locator_params(axis="y", nbins=4)
    axes.set_ylabel("Loss when\nchanged", fontsize=SMALL, labelpad=2)


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
    axes.set_yticks(range(4), list(_LETTERS), fontsize=SMALL)
    last = row.first + n
    room = text_width(f"{last:,}", SMALL) + 2
    step = next(s for s in (5, 10, 20, 50, 100) if s * column > room or s == 100)
    # Places count from 1, as browsers print them.
    ticks = np.arange(-(-(row.first + 1) // step) * step, last + 1, step)
    if not ticks.size:
        ticks = np.array([row.first + 1])
    axes.set_xticks(ticks - row.first - 1, [f"{tick:,}" for tick in ticks])
    axes.tick_params(axis="y", length=0, pad=2)
    for side in ("left", "bottom"):
        axes.spines[side].set_visible(False)
    return mesh
