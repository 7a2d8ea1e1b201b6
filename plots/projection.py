"""A projection of names onto a plane, similar ones close together, colored by group."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from tfimpute_tracks.plots.style import (
    BLUE,
    DOUBLE_COLUMN,
    GRAY,
    GREEN,
    LIGHT_GRAY,
    ORANGE,
    PURPLE,
    SKY_BLUE,
    SMALL,
    VERMILLION,
    new_figure,
    paper_style,
)

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["draw_projection"]

_COLORS = (BLUE, VERMILLION, GREEN, PURPLE, ORANGE, SKY_BLUE)
_HEIGHT = 130.0  # mm
_NAME = 4.5  # pt


def draw_projection(
    names: Sequence[str], points: NDArray[np.float64], groups: Sequence[str | None]
) -> Figure:
    """Draw names as points of a plane.

    Parameters
    ----------
    names : sequence of str
    points : float64 array, shape (n_names, 2)
    groups : sequence of str or None
        The six largest groups are colored, others and None are gray.

    Returns
    -------
    Figure
        Its label is its caption.
    """
    sizes = Counter(group for group in groups if group is not None)
    shown = [group for group, n in sizes.most_common(len(_COLORS)) if n > 1]
    color_of: dict[str | None, str] = dict(zip(shown, _COLORS, strict=False))
    with paper_style():
        figure = new_figure(DOUBLE_COLUMN, _HEIGHT)
        axes = figure.add_axes((0.01, 0.06, 0.98, 0.93))
        for group in (*shown, None):
            own = [
                i
                for i, other in enumerate(groups)
                if (other if other in color_of else None) == group
            ]
            axes.scatter(
                points[own, 0],
                points[own, 1],
                s=9,
                color=color_of.get(group, LIGHT_GRAY),
                linewidths=0,
                label="others" if group is None else group,
            )
        for name, point, group in zip(names, points, groups, strict=True):
            axes.annotate(
                name,
                point,
                xytext=(2, 0),
                textcoords="offset points",
                fontsize=_NAME,
                color=color_of.get(group, GRAY),
                va="center",
            )
        axes.set_axis_off()
        figure.legend(
            loc="lower center",
            ncols=7,
            frameon=False,
            fontsize=SMALL,
            handletextpad=0.1,
        )
    figure.set_label(
        f"t-SNE projection of {len(names)} names by the cosines of their embeddings: "
        "close ones are similar, large distances have no meaning."
    )
    return figure
