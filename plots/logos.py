"""Sequence logos of filters, with the known motif that each one matches."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from tfimpute_tracks.plots.glyphs import draw_logo
from tfimpute_tracks.plots.style import (
    DOUBLE_COLUMN,
    GRAY,
    SMALL,
    add_axes,
    new_figure,
    paper_style,
)

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["logo_figure"]

_COLUMNS = 4
_LEFT, _RIGHT, _GAP, _TOP, _BOTTOM = 6.0, 2.0, 5.0, 1.0, 1.0  # mm
_TITLE, _LOGO, _BETWEEN = 5.5, 9.0, 1.5  # mm
_ROW = _TITLE + _LOGO + _BETWEEN


def logo_figure(
    logos: Sequence[NDArray[np.float64]],
    titles: Sequence[tuple[str, str]],
    caption: str,
) -> Figure:
    """Draw logos, four to a row.

    Parameters
    ----------
    logos : sequence of float64 array, shape (length, 4)
        Heights in bits; at least one logo.
    titles : sequence of (str, str)
        For each logo, a name, and a note in gray.
    caption : str

    Returns
    -------
    Figure
        Its label is the caption.
    """
    height = _TOP + -(-len(logos) // _COLUMNS) * _ROW + _BOTTOM
    inner = DOUBLE_COLUMN - _LEFT - _RIGHT
    width = (inner - (_COLUMNS - 1) * _GAP) / _COLUMNS
    longest = max(len(logo) for logo in logos)
    with paper_style():
        figure = new_figure(DOUBLE_COLUMN, height)
        for i, (logo, (name, note)) in enumerate(zip(logos, titles, strict=True)):
            row, column = divmod(i, _COLUMNS)
            left = _LEFT + column * (width + _GAP)
            bottom = height - _TOP - row * _ROW - _TITLE - _LOGO
            axes = add_axes(figure, left, bottom, width, _LOGO)
            draw_logo(axes, logo)
            axes.set_xlim(-0.5, longest - 0.5)
            axes.set_ylim(0, 2)
            axes.set_xticks([])
            axes.set_yticks([0, 1, 2], ["", "", ""] if column else ["0", "", "2"])
            axes.set_title(name, fontsize=SMALL, loc="left", pad=2)
            axes.set_title(note, fontsize=SMALL, loc="right", pad=2, color=GRAY)
    figure.set_label(caption)
    return figure
