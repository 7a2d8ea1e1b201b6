"""What a variant does to every pair: TFs by cell lines, alike ones side by side.

As in Fig 5 of the paper. A number in a cell is that of the data sets which the model
learned the pair from; pairs without one are imputed.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from tfimpute_tracks.plots.style import (
    DOUBLE_COLUMN,
    SMALL,
    TEXT,
    new_figure,
    paper_style,
)

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["effect_map"]

Doubles = NDArray[np.float64]
Ints = NDArray[np.int64]

_MOST_ROWS = 45
_ROW, _LEFT, _RIGHT, _TOP, _FOOT = 2.6, 24.0, 17.0, 8.0, 21.0  # mm
_LEAST_SPAN = 0.02  # of the colours: what changes by less is not blown up


def effect_map(
    deltas: Doubles,
    tfs: Sequence[str],
    cells: Sequence[str],
    data_sets: Ints,
    title: str,
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

    Returns
    -------
    Figure
        The TFs that change most in any cell line, 45 at most. Its label is its caption.
    """
    size = np.nan_to_num(np.abs(deltas))
    shown = np.sort(np.argsort(-size.max(axis=1), kind="stable")[:_MOST_ROWS])
    rows = shown[_alike(deltas[shown])]
    columns = _alike(deltas[shown].T)
    values = deltas[np.ix_(rows, columns)]
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
        column = inner / len(columns)
        names = [f"{tfs[i]} ({data_sets[i].sum()})" for i in rows]
        axes.set_yticks(range(len(rows)), names, fontsize=SMALL)
        small = min(SMALL, 2.6 * column)  # pt that fit in so many mm
        axes.set_xticks(
            range(len(columns)),
            [cells[i] for i in columns],
            fontsize=small,
            rotation=90,
        )
        axes.tick_params(length=0, pad=1.5)
        for y, row in enumerate(rows):
            for x, place in enumerate(columns):
                if data_sets[row, place]:
                    dark = abs(values[y, x]) > 0.6 * span
                    axes.text(
                        x,
                        y,
                        str(data_sets[row, place]),
                        fontsize=min(4.5, small),
                        color="white" if dark else "black",
                        ha="center",
                        va="center_baseline",
                    )
        axes.set_title(title, fontsize=TEXT, loc="left", pad=4)
        beside = (DOUBLE_COLUMN - _RIGHT + 3, _FOOT, 2.5, min(30.0, where[3]))
        bar = figure.colorbar(
            mesh, cax=figure.add_axes(tuple(np.array(beside) / whole))
        )
        bar.ax.tick_params(labelsize=SMALL, length=2)
        bar.set_label("Change of probability", fontsize=SMALL)
    figure.set_label(
        f"Change of the probability of binding by {title}. Alike TFs and cell lines "
        "stand side by side. A number is that of the data sets which the model learned "
        "a pair from, in brackets those of a TF; pairs without one are imputed."
    )
    return figure


def _alike(rows: Doubles) -> Ints:
    """Order rows by hierarchical clustering, alike ones side by side."""
    if len(rows) < 3:
        return np.arange(len(rows))
    from scipy.cluster.hierarchy import leaves_list, linkage

    known = np.nan_to_num(rows)
    order: Ints = leaves_list(linkage(known, "average", optimal_ordering=True))
    return order.astype(np.int64)
