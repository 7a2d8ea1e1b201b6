"""Letters of bases with given heights: the shapes that sequence logos are made of."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from tfimpute_tracks.plots.style import BLUE, GREEN, ORANGE, VERMILLION

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.path import Path

__all__ = ["draw_bases", "draw_logo"]

_BASES = "ACGT"
_COLORS = (GREEN, BLUE, ORANGE, VERMILLION)
_WIDTH = 0.9  # of a letter; positions are 1 apart
_MIN_HEIGHT = 0.02  # of the highest letter: lower ones are invisible


def draw_bases(
    axes: Axes,
    codes: NDArray[np.integer],
    x: NDArray[np.floating],
    bottoms: NDArray[np.floating],
    heights: NDArray[np.floating],
    readable: float = 0.0,
) -> None:
    """Draw letters in the scales of axes.

    Parameters
    ----------
    axes : Axes
    codes : int array, shape (n,)
        A, C, G, T = 0..3; others are left out.
    x : float array, shape (n,)
        Centers of the letters, which are 0.9 wide.
    bottoms, heights : float array, shape (n,)
        Lower end and height (0 or more) of each letter.
    readable : float
        Lower letters are drawn as bars.
    """
    from matplotlib.patches import PathPatch
    from matplotlib.path import Path

    for code, color in enumerate(_COLORS):
        parts = []
        for i in np.flatnonzero((codes == code) & (heights > 0)):
            is_low = heights[i] < readable
            shape = Path.unit_rectangle() if is_low else _glyph(_BASES[code])
            corner = x[i] - _WIDTH / 2, bottoms[i]
            scaled = np.asarray(shape.vertices) * (_WIDTH, heights[i]) + corner
            parts.append(Path(scaled, shape.codes))
        if parts:
            combined = Path.make_compound_path(*parts)
            axes.add_patch(PathPatch(combined, facecolor=color, linewidth=0))


def draw_logo(axes: Axes, heights: NDArray[np.floating]) -> None:
    """Draw a logo: the letters of each position stacked, the highest on top.

    Parameters
    ----------
    axes : Axes
        Its limits are set.
    heights : float array, shape (length, 4)
        Of A, C, G and T, 0 or more.
    """
    visible = np.where(heights < _MIN_HEIGHT * heights.max(), 0, heights)
    order = np.argsort(visible, axis=1, kind="stable")
    stacked = np.take_along_axis(visible, order, axis=1)
    bottoms = np.cumsum(stacked, axis=1) - stacked
    x = np.repeat(np.arange(float(len(heights))), 4)
    draw_bases(axes, order.ravel(), x, bottoms.ravel(), stacked.ravel())
    axes.set_xlim(-0.5, len(heights) - 0.5)


@cache
def _glyph(letter: str) -> Path:
    """Return the outline of a letter, one wide and one high."""
    from matplotlib.font_manager import FontProperties
    from matplotlib.textpath import TextPath
    from matplotlib.transforms import Bbox, BboxTransform

    outline = TextPath(
        (0, 0), letter, prop=FontProperties(family="DejaVu Sans", weight="bold")
    )
    onto = BboxTransform(outline.get_extents(), Bbox.unit())
    return outline.transformed(onto)
