"""Marks that several figures share: dots, boxes, legends, and small offsets of points."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from tfimpute_tracks.plots.style import BLACK, COLOR_OF, GRAY, LIGHT_GRAY, MARKER_OF

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["draw_box", "draw_dots", "draw_pairs", "jitter", "legend_above"]

Doubles = NDArray[np.float64]


def jitter(n: int, width: float) -> Doubles:
    """Spread points that would hide each other; the same each time.

    Parameters
    ----------
    n : int
    width : float

    Returns
    -------
    float64 array, shape (n,)
        Offsets with a mean of 0, by the golden ratio.
    """
    golden = (math.sqrt(5) - 1) / 2
    offsets = np.arange(n) * golden % 1
    return np.asarray((offsets - (offsets.mean() if n else 0.0)) * width)


def draw_dots(
    axes: Axes, x: Any, y: Any, color: str, size: float, **style: Any
) -> None:
    """Draw points without an outline.

    Parameters
    ----------
    axes : Axes
    x, y : sequence of float
    color : str
    size : float
        In pt.
    **style
        For ``Axes.plot``.
    """
    usual = {"linestyle": "none", "marker": "o", "markeredgewidth": 0}
    axes.plot(x, y, color=color, markersize=size, **{**usual, **style})


def draw_pairs(
    axes: Axes, x: Any, y: Any, status: str, size: float, **style: Any
) -> None:
    """Draw a point per pair, in the color and with the marker of a status.

    Parameters
    ----------
    axes : Axes
    x, y : sequence of float
    status : str
        `measured` or `imputed`; of any other, points are gray.
    size : float
        In pt.
    **style
        For ``Axes.plot``.
    """
    color, marker = COLOR_OF.get(status, GRAY), MARKER_OF.get(status, "o")
    # Points at the end of an axis are not cut.
    draw_dots(axes, x, y, color, size, marker=marker, clip_on=False, **style)


def draw_box(
    axes: Axes, at: float, values: Doubles, width: float, is_horizontal: bool = False
) -> None:
    """Draw the quartiles of values.

    Parameters
    ----------
    axes : Axes
    at : float
        Center of the box.
    values : float64 array, shape (n,)
        At least one.
    width : float
    is_horizontal : bool
        Whether values go from left to right.
    """
    first, median, third = np.quantile(values, [0.25, 0.5, 0.75]).tolist()
    across, along = [at - width / 2, at + width / 2], [median, median]
    if is_horizontal:
        axes.barh(at, third - first, width, left=first, color=LIGHT_GRAY, zorder=0)
        across, along = along, across
    else:
        axes.bar(at, third - first, width, bottom=first, color=LIGHT_GRAY, zorder=0)
    axes.plot(across, along, color=BLACK, linewidth=1.2)


def legend_above(axes: Axes, on_left: bool = False) -> None:
    """Put a legend in one row above the axes.

    Parameters
    ----------
    axes : Axes
    on_left : bool
        At the left end; otherwise at the right one.
    """
    axes.legend(
        loc="lower left" if on_left else "lower right",
        bbox_to_anchor=(0 if on_left else 1, 1),
        ncols=2,
        frameon=False,
        borderpad=0,
        borderaxespad=0.4,
        handletextpad=0.2,
    )
