"""Heatmap of the effects of a variant: TFs by cell lines, similar ones next to each other.

As in Fig 5 of Qin and Feng 2017. A dot marks measured pairs. Pairs
with a low expected AUROC are crossed out, not left out.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from tfimpute_tracks.plots.style import (
    DOUBLE_COLUMN,
    GRAY,
    SMALL,
    TEXT,
    add_axes,
    color_bar,
    new_figure,
    paper_style,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["MIN_AUROC", "cluster_order", "effect_heatmap"]

Doubles = NDArray[np.float64]
Ints = NDArray[np.int64]
Mask = NDArray[np.bool_]

MIN_AUROC = 0.8
"""Pairs with a lower expected AUROC are crossed out."""
_MAX_ROWS = 45
_ROW, _LEFT, _RIGHT, _TOP, _BOTTOM = 2.6, 24.0, 20.0, 9.5, 21.0  # mm
_WIDEST = 8.0  # mm of a cell
_MIN_SPAN = 0.005  # of the color scale: smaller changes stay pale
_DARK = 0.6  # of the color scale: marks on darker cells are white


def effect_heatmap(
    deltas: Doubles,
    tfs: Sequence[str],
    cells: Sequence[str],
    is_measured: Mask,
    title: str,
    auroc: NDArray[np.float32],
) -> Figure:
    """Draw the effects of a variant.

    Parameters
    ----------
    deltas : float64 array, shape (n_tfs, n_cells)
        Probability of the alternate allele minus that of the reference; NaN for pairs
        that were not scored.
    tfs, cells : sequence of str
    is_measured : bool array, shape (n_tfs, n_cells)
        Whether there are measured peaks of the pair.
    title : str
    auroc : float32 array, shape (n_tfs, n_cells)
        Expected AUROC; NaN if unknown.

    Returns
    -------
    Figure
        The TFs that change most in any cell line, at most 45. Its label is its caption.
    """
    size = np.nan_to_num(np.abs(deltas))
    shown = np.sort(np.argsort(-size.max(axis=1), kind="stable")[:_MAX_ROWS])
    rows = shown[cluster_order(deltas[shown])]
    columns = cluster_order(deltas[shown].T)
    cut = np.ix_(rows, columns)
    values = deltas[cut]
    span = max(float(np.nanmax(np.abs(values), initial=0.0)), _MIN_SPAN)
    inner = min(DOUBLE_COLUMN - _LEFT - _RIGHT, _WIDEST * len(columns))
    tall = _ROW * len(rows)
    height = _TOP + _BOTTOM + tall
    with paper_style():
        figure = new_figure(DOUBLE_COLUMN, height)
        axes = add_axes(figure, _LEFT, _BOTTOM, inner, tall)
        mesh = axes.imshow(
            values, cmap="RdBu_r", vmin=-span, vmax=span, aspect="auto", rasterized=True
        )
        small = min(SMALL, 2.6 * inner / len(columns))  # pt that fit in so many mm
        names = [f"{tfs[i]} ({is_measured[i].sum()})" for i in rows]
        axes.set_yticks(range(len(rows)), names, fontsize=SMALL)
        names = [cells[i] for i in columns]
        axes.set_xticks(range(len(columns)), names, fontsize=small, rotation=90)
        axes.tick_params(length=0, pad=1.5)
        for is_dark, color in ((False, "black"), (True, "white")):
            marked = is_measured[cut] & ((np.abs(values) > _DARK * span) == is_dark)
            y, x = np.nonzero(marked)
            axes.plot(x, y, ".", color=color, markersize=small / 2, markeredgewidth=0)
        _cross_out(axes, ~np.isnan(values) & (auroc[cut] < MIN_AUROC))
        axes.set_title(title, fontsize=TEXT, loc="left", pad=11, parse_math=False)
        legend = (
            "dot: measured pair, (n): those of the TF in these cell lines; stroke: "
            f"expected AUROC < {MIN_AUROC:g}"
        )
        corner = _LEFT / DOUBLE_COLUMN, 1 - (_TOP - 1.2) / height
        figure.text(*corner, legend, fontsize=SMALL, color=GRAY)
        place = (_LEFT + inner + 3, _BOTTOM, 2.5, min(30.0, tall))
        color_bar(figure, mesh, place, "Change in probability")
    figure.set_label(
        f"Change in the probability of binding by {title}. Similar TFs and cell lines "
        "are next to each other. A dot marks measured pairs; their "
        "number in these cell lines follows each TF; other pairs are imputed. A stroke "
        f"crosses out pairs with an expected AUROC below {MIN_AUROC:g}."
    )
    return figure


def _cross_out(axes: Axes, which: Mask) -> None:
    """Draw a stroke over cells; all strokes are one path, because there are thousands."""
    from matplotlib.patches import PathPatch
    from matplotlib.path import Path

    y, x = np.nonzero(which)
    if not y.size:
        return
    ends = np.array([[-0.3, 0.3], [0.3, -0.3]])
    points = np.stack([x, y], axis=1)[:, None] + ends
    codes = np.tile([Path.MOVETO, Path.LINETO], y.size)
    strokes = Path(points.reshape(-1, 2), codes)
    axes.add_patch(PathPatch(strokes, fill=False, edgecolor=GRAY, linewidth=0.35))


def cluster_order(rows: Doubles) -> Ints:
    """Order rows by hierarchical clustering, similar ones next to each other.

    Parameters
    ----------
    rows : float64 array, shape (n, m)
        NaN counts as 0.

    Returns
    -------
    int64 array, shape (n,)
        Indices of the rows in their order.
    """
    if len(rows) < 3:
        return np.arange(len(rows))
    from scipy.cluster.hierarchy import leaves_list, linkage

    known = np.nan_to_num(rows)
    order: Ints = leaves_list(linkage(known, "average", optimal_ordering=True))
    return order.astype(np.int64)
