"""Figures of how well methods perform: pairwise, by TF, at false discovery rates.

After figures 2 and 3 of Qin and Feng 2017, from one metric per TF-cell pair. Pairs without
the metric are left out and counted in the caption, which is the label of each figure.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from tfimpute_tracks.errors import counted
from tfimpute_tracks.plots.marks import (
    draw_box,
    draw_dots,
    draw_pairs,
    jitter,
    legend_above,
)
from tfimpute_tracks.plots.style import (
    BLACK,
    BLUE,
    DOUBLE_COLUMN,
    GRAY,
    LIGHT_GRAY,
    PALETTE,
    SINGLE_COLUMN,
    SMALL,
    STATUSES,
    add_axes,
    new_figure,
    paper_style,
    text_width,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["fdr_recall_bars", "metric_by_tf", "metric_scatter", "predictor_boxes"]

Doubles = NDArray[np.float64]

_TFS_PER_ROW = 56
_DOTS: dict[str, Any] = {"alpha": 0.75}


def metric_scatter(
    ours: Doubles,
    other: Doubles,
    names: tuple[str, str],
    status: Sequence[str] | None = None,
    metric: str = "AUROC",
) -> Figure:
    """Draw a metric of each pair by one predictor against another.

    Parameters
    ----------
    ours, other : float64 arrays, shape (n_pairs,)
        NaN without a value; such a pair is left out.
    names : (str, str)
        Of the two predictors: the first on the y axis, the other on the x axis.
    status : sequence of str, optional
        `measured` or `imputed` for each pair; by default they are not distinguished.
    metric : str
        Name of the metric.

    Returns
    -------
    Figure
        With the diagonal, and the numbers of pairs above and below it.
    """
    both = ~(np.isnan(ours) | np.isnan(other))
    a, b = ours[both], other[both]
    marks = np.asarray(status if status is not None else ["measured"] * len(ours))[both]
    low, high = _limits(np.concatenate([a, b]))
    with paper_style():
        figure = new_figure(SINGLE_COLUMN, SINGLE_COLUMN)
        axes = figure.add_axes((0.14, 0.12, 0.82, 0.82))
        axes.plot([low, high], [low, high], color=GRAY, linewidth=0.5, zorder=1)
        for kind in STATUSES:
            own = marks == kind
            if own.any():
                label = f"{kind} ({own.sum()})" if status is not None else ""
                draw_pairs(axes, b[own], a[own], kind, 2.6, label=label, **_DOTS)
        axes.set_xlim(low, high)
        axes.set_ylim(low, high)
        axes.set_aspect("equal")
        axes.set_xlabel(f"{metric}, {names[1]}")
        axes.set_ylabel(f"{metric}, {names[0]}")
        above, below = int((a > b).sum()), int((a < b).sum())
        axes.text(0.03, 0.97, f"{above} above", transform=axes.transAxes, va="top")
        axes.text(0.97, 0.03, f"{below} below", transform=axes.transAxes, ha="right")
        if status is not None and len(a):
            legend_above(axes)
    figure.set_label(
        f"{metric} of {len(a)} pairs by {names[0]} (y axis) and by {names[1]} (x axis): "
        f"{above} are above the diagonal, {below} below."
        + _count_missing(~both, "both values")
    )
    return figure


def metric_by_tf(
    tfs: Sequence[str],
    values: Doubles,
    status: Sequence[str] | None = None,
    metric: str = "AUROC",
) -> Figure:
    """Draw a dot per pair, grouped by TF; TFs are sorted by their mean, best first.

    Parameters
    ----------
    tfs : sequence of str
        Of each pair.
    values : float64 array, shape (n_pairs,)
        NaN without a value; such a pair is left out.
    status : sequence of str, optional
        `measured` or `imputed` for each pair; by default they are not distinguished.
    metric : str
        Name of the metric.

    Returns
    -------
    Figure
        Every TF with a value is named; a bar is its mean.
    """
    known = ~np.isnan(values)
    marks = np.asarray(status if status is not None else ["measured"] * len(values))
    names = np.asarray(tfs, dtype=object)
    means = {tf: values[known & (names == tf)].mean() for tf in set(names[known])}
    order = sorted(means, key=lambda tf: (-means[tf], tf))
    n_rows = max(1, math.ceil(len(order) / _TFS_PER_ROW))
    per_row = max(1, math.ceil(len(order) / n_rows))
    below = max((text_width(tf, SMALL) for tf in order), default=0) + 3
    row_height = 34 + below
    low, high = _limits(values[known])
    with paper_style():
        figure = new_figure(DOUBLE_COLUMN, row_height * n_rows + 2)
        for row in range(n_rows):
            shown = order[row * per_row : (row + 1) * per_row]
            bottom = (n_rows - 1 - row) * row_height + below
            inner = 0.06 * DOUBLE_COLUMN, bottom, 0.93 * DOUBLE_COLUMN, 31
            axes = add_axes(figure, *inner)
            _draw_tfs(axes, shown, means, (names, values, marks))
            axes.set_xlim(-0.7, max(per_row, 8) - 0.3)
            axes.set_ylim(low, high)
            axes.set_ylabel(metric, fontsize=SMALL)
    colors = ""
    if status is not None:
        colors = " Blue: measured pairs; vermillion: imputed ones."
    figure.set_label(
        f"{metric} of {int(known.sum())} pairs of {len(order)} TFs, a dot each; bars are "
        f"means, by which TFs are sorted.{colors}" + _count_missing(~known, "a value")
    )
    return figure


def fdr_recall_bars(levels: Sequence[float], recalls: Mapping[str, Doubles]) -> Figure:
    """Draw the recall of predictors at false discovery rates.

    Parameters
    ----------
    levels : sequence of float
        False discovery rates, ascending.
    recalls : mapping of str to float64 array, shape (n_pairs, n_levels)
        By predictor; NaN for pairs without a value.

    Returns
    -------
    Figure
        Bars are means over pairs, lines their interquartile range.
    """
    width = 0.8 / max(len(recalls), 1)
    positions = np.arange(len(levels))
    with paper_style():
        figure = new_figure(SINGLE_COLUMN + 20, 58)
        axes = figure.add_axes((0.11, 0.17, 0.87, 0.74))
        for i, (name, found) in enumerate(recalls.items()):
            known = found[~np.isnan(found).any(axis=1)]
            if not len(known):
                continue
            x = positions + (i - (len(recalls) - 1) / 2) * width
            color = PALETTE[i % len(PALETTE)]
            label = f"{name} ({counted(len(known), 'pair')})"
            axes.bar(x, known.mean(axis=0), width * 0.92, color=color, label=label)
            quartiles = np.quantile(known, [0.25, 0.75], axis=0)
            axes.vlines(x, *quartiles, color=BLACK, linewidth=0.6)
        axes.set_xticks(positions, [f"{level:.0%}" for level in levels])
        axes.set_ylim(0, 1)
        axes.set_xlabel("False discovery rate")
        axes.set_ylabel("Recall")
        if axes.containers:
            axes.legend(loc="upper left", frameon=False)
    figure.set_label(
        "Recall at false discovery rates, with thresholds chosen on the evaluated sites "
        "themselves. Bars: means over pairs; lines: interquartile ranges."
    )
    return figure


def predictor_boxes(
    values: Mapping[str, Doubles], metric: str = "AUROC", chance: float | None = 0.5
) -> Figure:
    """Draw a metric of all pairs for several predictors, one row each.

    Parameters
    ----------
    values : mapping of str to float64 array, shape (n_pairs,)
        By predictor, from top to bottom; NaN for pairs without a value.
    metric : str
        Name of the metric.
    chance : float, optional
        The metric of random guesses: a broken line. None: no line.

    Returns
    -------
    Figure
        Boxes show quartiles, dots are pairs.
    """
    known = {name: own[~np.isnan(own)] for name, own in values.items()}
    labels = [f"{name} ({len(own)})" for name, own in known.items()]
    left = max((text_width(label, SMALL) for label in labels), default=0) + 4
    height = 11 + 7.0 * max(len(known), 1)
    width = DOUBLE_COLUMN * 0.75
    low, high = _limits(np.concatenate([*known.values(), np.array([])]))
    if chance is not None:
        low = min(low, chance - 0.02)
    with paper_style():
        figure = new_figure(width, height)
        axes = add_axes(figure, left, 8.5, 0.97 * width - left, height - 10)
        if chance is not None:
            axes.axvline(chance, color=GRAY, linestyle="--", linewidth=0.5)
        for row, own in enumerate(known.values()):
            if len(own):
                draw_box(axes, row, own, 0.62, is_horizontal=True)
                y = row + jitter(len(own), 0.5)
                draw_dots(axes, own, y, BLUE, 1.8, alpha=0.55)
        axes.set_yticks(range(len(labels)), labels)
        axes.set_ylim(len(labels) - 0.4, -0.6)
        axes.set_xlim(low, high)
        axes.set_xlabel(metric)
    figure.set_label(
        f"{metric} of pairs by predictor (number of pairs in parentheses): boxes show "
        "quartiles, dots are pairs."
    )
    return figure


def _draw_tfs(
    axes: Axes,
    shown: list[str],
    means: dict[str, float],
    pairs: tuple[NDArray[np.object_], Doubles, NDArray[np.str_]],
) -> None:
    names, values, marks = pairs
    for at, tf in enumerate(shown):
        axes.axvline(at, color=LIGHT_GRAY, linewidth=0.3, zorder=0)
        own = (names == tf) & ~np.isnan(values)
        for kind in STATUSES:
            y = np.sort(values[own & (marks == kind)])
            if len(y):
                draw_pairs(axes, at + jitter(len(y), 0.5), y, kind, 2.0, **_DOTS)
        mean = [means[tf], means[tf]]
        axes.plot([at - 0.38, at + 0.38], mean, color=BLACK, linewidth=0.8)
    axes.set_xticks(range(len(shown)), shown, rotation=90)
    axes.tick_params(axis="x", length=0)


def _count_missing(missing: NDArray[np.bool_], what: str) -> str:
    n = int(missing.sum())
    return f" {counted(n, 'pair')} without {what} are left out." if n else ""


def _limits(values: Doubles) -> tuple[float, float]:
    """Choose the limits of an axis of fractions: the upper one is 1, the lower at most 0.5."""
    lowest = float(values.min(initial=0.5))
    return max(0.0, math.floor(lowest * 10 + 1e-9) / 10), 1.0
