"""Names on a plane, near ones together, in the colors of their groups."""

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

__all__ = ["map_of"]

_COLORS = (BLUE, VERMILLION, GREEN, PURPLE, ORANGE, SKY_BLUE)
_HEIGHT = 130.0  # mm
_NAME = 4.5  # pt


def map_of(
    names: Sequence[str], places: NDArray[np.float64], groups: Sequence[str | None]
) -> Figure:
    """Draw names where they lie on a plane.

    Parameters
    ----------
    names : sequence of str
    places : float64 array, shape (n_names, 2)
    groups : sequence of str or None
        The six largest have colors, others and None are gray.

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
            here = [i for i, own in enumerate(groups) if color_of.get(own) is None]
            if group is not None:
                here = [i for i, own in enumerate(groups) if own == group]
            axes.scatter(
                places[here, 0],
                places[here, 1],
                s=9,
                color=LIGHT_GRAY if group is None else color_of[group],
                linewidths=0,
                label="others" if group is None else group,
            )
        for name, (x, y), group in zip(names, places, groups, strict=True):
            axes.annotate(
                name,
                (x, y),
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
        f"{len(names)} names on a plane by t-SNE of the cosines of their embeddings: "
        "near ones are alike, distances across the plane mean little."
    )
    return figure
