"""Dendrogram of names by the similarity of their embeddings."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from tfimpute_tracks.plots.style import (
    BLACK,
    GRAY,
    SINGLE_COLUMN,
    SMALL,
    add_axes,
    new_figure,
    paper_style,
)

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["draw_dendrogram"]

_ROW, _TOP, _BOTTOM, _LEFT, _RIGHT = 2.5, 3.0, 9.0, 4.0, 42.0  # mm


def draw_dendrogram(
    names: Sequence[str], distances: NDArray[np.float64], notes: Sequence[str]
) -> Figure:
    """Draw a tree by average-linkage hierarchical clustering.

    Parameters
    ----------
    names : sequence of str
        Two or more.
    distances : float64 array, shape (n_names, n_names)
        Symmetric, zero on the diagonal.
    notes : sequence of str
        A word for each name, shown in gray; may be empty.

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
    tall = _ROW * len(names)
    with paper_style():
        figure = new_figure(SINGLE_COLUMN, _TOP + _BOTTOM + tall)
        axes = add_axes(figure, _LEFT, _BOTTOM, SINGLE_COLUMN - _LEFT - _RIGHT, tall)
        # Leaves are at 5, 15, 25 ... in scipy's coordinates.
        lines = [
            np.column_stack([distance, (np.array(position) - 5) / 10])
            for position, distance in zip(tree["icoord"], tree["dcoord"], strict=True)
        ]
        axes.add_collection(LineCollection(lines, colors=BLACK, linewidths=0.6))
        largest = max(float(np.max(tree["dcoord"])), 1e-6)
        axes.set_xlim(largest * 1.02, 0)
        axes.set_ylim(len(names) - 0.5, -0.5)
        for row, leaf in enumerate(tree["leaves"]):
            text: dict[str, Any] = {"textcoords": "offset points", "fontsize": SMALL}
            name = axes.annotate(
                names[leaf],
                (0, row),
                xytext=(2, 0),
                va="center_baseline",
                annotation_clip=False,
                **text,
            )
            if notes:
                axes.annotate(
                    notes[leaf],
                    (1, 0),
                    xycoords=name,
                    xytext=(4, 0),
                    color=GRAY,
                    va="bottom",
                    annotation_clip=False,
                    **text,
                )
        axes.set_yticks([])
        axes.set_xlabel("1 - cosine", fontsize=SMALL)
        axes.spines["left"].set_visible(False)
    figure.set_label(
        f"Hierarchical clustering of {len(names)} names: the farther left two branches "
        "join, the less similar they are."
    )
    return figure
