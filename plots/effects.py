"""What a variant does to every pair: TFs by cell lines, alike ones side by side.

As in Fig 5 of the paper. A number in a cell is that of the data sets which the model
learned the pair from; pairs without one are imputed. A pair of which little is to be
expected is crossed out, not left out.
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
    new_figure,
    paper_style,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["MIN_AUROC", "cluster_order", "effect_heatmap"]

Doubles = NDArray[np.float64]
Ints = NDArray[np.int64]

MIN_AUROC = 0.8
"""Pairs of which less is to be expected are marked."""
_MOST_ROWS = 45
_ROW, _LEFT, _RIGHT, _TOP, _FOOT = 2.6, 24.0, 17.0, 9.5, 21.0  # mm
_LEAST_SPAN = 0.02  # of the colors: what changes by less is not blown up


def effect_heatmap(
    deltas: Doubles,
    tfs: Sequence[str],
    cells: Sequence[str],
    data_sets: Ints,
    title: str,
    auroc: NDArray[np.float32],
) -> Figure:
    """Draw what a variant does.

    Parameters
    ----------
    deltas : float64 array, shape (n_tfs, n_cells)
        Probability of the alternative less that of the reference; NaN where a pair was
        not asked for.
    tfs, cells : sequence of str
    data_sets : int64 array, shape (n_tfs, n_cells)
        That the model learned each pair from.
    title : str
    auroc : float32 array, shape (n_tfs, n_cells)
        Expected of each pair; NaN where nobody knows.

    Returns
    -------
    Figure
        The TFs that change most in any cell line, 45 at most. Its label is its caption.
    """
    size = np.nan_to_num(np.abs(deltas))
    shown = np.sort(np.argsort(-size.max(axis=1), kind="stable")[:_MOST_ROWS])
    rows = shown[cluster_order(deltas[shown])]
    columns = cluster_order(deltas[shown].T)
    drawn = np.ix_(rows, columns)
    values = deltas[drawn]
    span = max(float(np.nanmax(np.abs(values), initial=0.0)), _LEAST_SPAN)
    height = _TOP + _FOOT + _ROW * len(rows)
    with paper_style():
        figure = new_figure(DOUBLE_COLUMN, height)
        inner = DOUBLE_COLUMN - _LEFT - _RIGHT
        where = (_LEFT, _FOOT, inner, _ROW * len(rows))
        whole = np.array([DOUBLE_COLUMN, height] * 2)
        axes = figure.add_axes(tuple(np.array(where) / whole))
        mesh = axes.imshow(
            values, cmap="RdBu_r", vmin=-span, vmax=span, aspect="auto", rasterized=True
        )
        small = min(SMALL, 2.6 * inner / len(columns))  # pt that fit in so many mm
        names = [f"{tfs[i]} ({data_sets[i].sum()})" for i in rows]
        axes.set_yticks(range(len(rows)), names, fontsize=SMALL)
        names = [cells[i] for i in columns]
        axes.set_xticks(range(len(columns)), names, fontsize=small, rotation=90)
        axes.tick_params(length=0, pad=1.5)
        _draw_counts(axes, values / span, data_sets[drawn], min(4.5, small))
        _cross_out(axes, ~np.isnan(values) & (auroc[drawn] < MIN_AUROC))
        axes.set_title(title, fontsize=TEXT, loc="left", pad=11, parse_math=False)
        told = f"number: data sets learned from; stroke: expected AUROC < {MIN_AUROC:g}"
        corner = _LEFT / DOUBLE_COLUMN, 1 - (_TOP - 1.2) / height
        figure.text(*corner, told, fontsize=SMALL, color=GRAY)
        beside = (DOUBLE_COLUMN - _RIGHT + 3, _FOOT, 2.5, min(30.0, where[3]))
        bar = figure.colorbar(
            mesh, cax=figure.add_axes(tuple(np.array(beside) / whole))
        )
        bar.ax.tick_params(labelsize=SMALL, length=2)
        bar.set_label("Change of probability", fontsize=SMALL)
    figure.set_label(
        f"Change of the probability of binding by {title}. Alike TFs and cell lines "
        "stand side by side. A number is that of the data sets which the model learned "
        "a pair from, in brackets those of a TF; pairs without one are imputed. A "
        "stroke crosses out pairs of which an AUROC below "
        f"{MIN_AUROC:g} is to be expected."
    )
    return figure


def _draw_counts(axes: Axes, strength: Doubles, counts: Ints, size: float) -> None:
    for y, x in zip(*np.nonzero(counts), strict=True):
        axes.text(
            x,
            y,
            str(counts[y, x]),
            fontsize=size,
            color="white" if abs(strength[y, x]) > 0.6 else "black",
            ha="center",
            va="center_baseline",
        )


def _cross_out(axes: Axes, which: NDArray[np.bool_]) -> None:
    """Draw a stroke over cells: all of them one path, for a file has thousands."""
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
    """Order rows by hierarchical clustering, alike ones side by side.

    Parameters
    ----------
    rows : float64 array, shape (n, m)
        NaN counts as 0.

    Returns
    -------
    int64 array, shape (n,)
        Which row stands where.
    """
    if len(rows) < 3:
        return np.arange(len(rows))
    from scipy.cluster.hierarchy import leaves_list, linkage

    known = np.nan_to_num(rows)
    order: Ints = leaves_list(linkage(known, "average", optimal_ordering=True))
    return order.astype(np.int64)
