"""Which names are alike: a tree, with a word beside each leaf."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from tfimpute_tracks.plots.style import (
    BLACK,
    GRAY,
    SINGLE_COLUMN,
    SMALL,
    new_figure,
    paper_style,
)

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["tree_of"]

_ROW, _TOP, _FOOT, _RIGHT = 2.5, 3.0, 9.0, 42.0  # mm


def tree_of(
    names: Sequence[str], distances: NDArray[np.float64], beside: Sequence[str]
) -> Figure:
    """Draw a tree by hierarchical clustering, mean distances between branches.

    Parameters
    ----------
    names : sequence of str
        Two or more.
    distances : float64 array, shape (n_names, n_names)
        Symmetric, zero on the diagonal.
    beside : sequence of str
        A word for each name, in gray; may be empty.

    Returns
    -------
    Figure
        Its label is its caption.
    """
    from matplotlib.collections import LineCollection
    from scipy.cluster.hierarchy import dendrogram, linkage
    from scipy.spatial.distance import squareform

    condensed = squareform(np.maximum(distances, 0), checks=False)
    tree = dendrogram(
        linkage(condensed, "average", optimal_ordering=True), no_plot=True
    )
    height = _TOP + _FOOT + _ROW * len(names)
    with paper_style():
        figure = new_figure(SINGLE_COLUMN, height)
        whole = np.array([SINGLE_COLUMN, height] * 2)
        where = (4.0, _FOOT, SINGLE_COLUMN - 4.0 - _RIGHT, _ROW * len(names))
        axes = figure.add_axes(tuple(np.array(where) / whole))
        # Leaves stand at 5, 15, 25 ... in scipy's coordinates.
        lines = [
            np.column_stack([far, (np.array(along) - 5) / 10])
            for along, far in zip(tree["icoord"], tree["dcoord"], strict=True)
        ]
        axes.add_collection(LineCollection(lines, colors=BLACK, linewidths=0.6))
        most = max(float(np.max(tree["dcoord"])), 1e-6)
        axes.set_xlim(most * 1.02, 0)
        axes.set_ylim(len(names) - 0.5, -0.5)
        for row, leaf in enumerate(tree["leaves"]):
            name = axes.annotate(
                names[leaf],
                (0, row),
                xytext=(2, 0),
                textcoords="offset points",
                fontsize=SMALL,
                va="center_baseline",
                annotation_clip=False,
            )
            if beside:
                axes.annotate(
                    beside[leaf],
                    (1, 0),
                    xycoords=name,
                    xytext=(4, 0),
                    textcoords="offset points",
                    fontsize=SMALL,
                    color=GRAY,
                    va="bottom",
                    annotation_clip=False,
                )
        axes.set_yticks([])
        axes.set_xlabel("1 - cosine", fontsize=SMALL)
        axes.tick_params(labelsize=SMALL)
        for side in ("left", "right", "top"):
            axes.spines[side].set_visible(False)
    figure.set_label(
        f"{len(names)} names by hierarchical clustering: the further left two branches "
        "meet, the less alike they are."
    )
    return figure
