"""Letters of DNA as high as what they are worth: the shapes that logos are made of."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from tfimpute_tracks.plots.style import BLUE, GREEN, ORANGE, VERMILLION

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.path import Path

__all__ = ["draw_letters", "stack_letters"]

_LETTERS = "ACGT"
_COLORS = (GREEN, BLUE, ORANGE, VERMILLION)
_WIDTH = 0.9  # of a letter, in places
_LEAST = 0.02  # of the highest letter: nobody sees a lower one


def draw_letters(
    axes: Axes,
    codes: NDArray[np.integer],
    where: NDArray[np.floating],
    floors: NDArray[np.floating],
    heights: NDArray[np.floating],
    readable: float = 0.0,
) -> None:
    """Draw letters in the scales of axes.

    Parameters
    ----------
    axes : Axes
    codes : int array, shape (n,)
        A, C, G, T = 0..3; others are left out.
    where : float array, shape (n,)
        Middles along the abscissa; a letter is 0.9 wide.
    floors, heights : float array, shape (n,)
        Where each begins on the ordinate, and how high it is, 0 or more.
    readable : float
        Lower letters are drawn as bars.
    """
    from matplotlib.patches import PathPatch
    from matplotlib.path import Path

    for code, color in enumerate(_COLORS):
        parts = []
        for i in np.flatnonzero((codes == code) & (heights > 0)):
            is_low = heights[i] < readable
            shape = Path.unit_rectangle() if is_low else _glyph(_LETTERS[code])
            corner = where[i] - _WIDTH / 2, floors[i]
            scaled = np.asarray(shape.vertices) * (_WIDTH, heights[i]) + corner
            parts.append(Path(scaled, shape.codes))
        if parts:
            whole = Path.make_compound_path(*parts)
            axes.add_patch(PathPatch(whole, facecolor=color, linewidth=0))


def stack_letters(axes: Axes, heights: NDArray[np.floating]) -> None:
    """Draw a logo: at each place its letters on each other, the highest on top.

    Parameters
    ----------
    axes : Axes
        Its limits are set.
    heights : float array, shape (length, 4)
        Of A, C, G and T, 0 or more.
    """
    seen = np.where(heights < _LEAST * heights.max(), 0, heights)
    codes, where, floors, high = (
        np.array(column) for column in zip(*_stacked(seen), strict=True)
    )
    draw_letters(axes, codes, where, floors, high)
    axes.set_xlim(-0.5, len(heights) - 0.5)


def _stacked(
    heights: NDArray[np.floating],
) -> Iterator[tuple[int, int, float, float]]:
    for place, row in enumerate(heights):
        floor = 0.0
        for code in np.argsort(row, kind="stable").tolist():
            yield code, place, floor, float(row[code])
            floor += float(row[code])


@cache
def _glyph(letter: str) -> Path:
    """Give the outline of a letter, one wide and one high."""
    from matplotlib.font_manager import FontProperties
    from matplotlib.textpath import TextPath
    from matplotlib.transforms import Bbox, BboxTransform

    outline = TextPath(
        (0, 0), letter, prop=FontProperties(family="DejaVu Sans", weight="bold")
    )
    onto = BboxTransform(outline.get_extents(), Bbox.unit())
    return outline.transformed(onto)
