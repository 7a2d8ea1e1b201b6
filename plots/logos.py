"""Logos of filters, with the known motif that each is like."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from tfimpute_tracks.plots.glyphs import stack_letters
from tfimpute_tracks.plots.style import (
    DOUBLE_COLUMN,
    GRAY,
    SMALL,
    new_figure,
    paper_style,
)

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["logo_sheet"]

_COLUMNS = 4
_LEFT, _RIGHT, _GAP, _TOP, _FOOT = 6.0, 2.0, 5.0, 1.0, 1.0  # mm
_TITLE, _LOGO, _BETWEEN = 5.5, 9.0, 1.5  # mm


def logo_sheet(
    logos: Sequence[NDArray[np.float64]],
    titles: Sequence[tuple[str, str]],
    caption: str,
) -> Figure:
    """Draw logos side by side, four to a row.

    Parameters
    ----------
    logos : sequence of float64 array, shape (length, 4)
        Heights of letters in bits; one at least.
    titles : sequence of (str, str)
        Of each: a name, and what stands beside it in gray.
    caption : str

    Returns
    -------
    Figure
        Its label is the caption.
    """
    n_rows = -(-len(logos) // _COLUMNS)
    row = _TITLE + _LOGO + _BETWEEN
    height = _TOP + n_rows * row + _FOOT
    inner = DOUBLE_COLUMN - _LEFT - _RIGHT
    width = (inner - (_COLUMNS - 1) * _GAP) / _COLUMNS
    longest = max(len(logo) for logo in logos)
    with paper_style():
        figure = new_figure(DOUBLE_COLUMN, height)
        whole = np.array([DOUBLE_COLUMN, height] * 2)
        for i, (logo, (name, beside)) in enumerate(zip(logos, titles, strict=True)):
            down, across = divmod(i, _COLUMNS)
            left = _LEFT + across * (width + _GAP)
            foot = height - _TOP - down * row - _TITLE - _LOGO
            axes = figure.add_axes(tuple(np.array((left, foot, width, _LOGO)) / whole))
            stack_letters(axes, logo)
            axes.set_xlim(-0.5, longest - 0.5)
            axes.set_ylim(0, 2)
            axes.set_xticks([])
            axes.set_yticks([0, 1, 2], ["0", "", "2"] if across == 0 else ["", "", ""])
            axes.set_title(name, fontsize=SMALL, loc="left", pad=2)
            axes.set_title(beside, fontsize=SMALL, loc="right", pad=2, color=GRAY)
    figure.set_label(caption)
    return figure
