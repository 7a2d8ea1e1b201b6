"""Pictures of how well predictors do: one against another, by TF, and at error rates.

After the kinds of figures 2 and 3 of Qin and Feng 2017, from figures per TF-cell pair.
Each is given as a figure whose label is its caption. Where the numbers come from is the
caller's business; what is missing is left out of a picture and counted in its caption.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from tfimpute_tracks.plots.style import (
    BLACK,
    BLUE,
    COLOR_OF,
    DOUBLE_COLUMN,
    GRAY,
    LIGHT_GRAY,
    MARKER_OF,
    PALETTE,
    SINGLE_COLUMN,
    SMALL,
    new_figure,
    paper_style,
    text_width,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["compared_pairs", "figures_by_tf", "predictor_boxes", "recall_at_rates"]

Doubles = NDArray[np.float64]

_TFS_PER_ROW = 56


def compared_pairs(
    ours: Doubles,
    other: Doubles,
    names: tuple[str, str],
    kinds: Sequence[str] | None = None,
    figure_name: str = "AUROC",
) -> Figure:
    """Draw a figure of each pair by one predictor against another.

    Parameters
    ----------
    ours, other : float64 arrays, shape (n_pairs,)
        NaN where there is none; such a pair is left out.
    names : (str, str)
        Of the two predictors: the first goes up, the other to the right.
    kinds : sequence of str, optional
        `trained` or `imputed` per pair; by default no difference is made.
    figure_name : str
        What the numbers are.

    Returns
    -------
    Figure
        With the diagonal, and how many pairs lie above and below it.
    """
    both = ~(np.isnan(ours) | np.isnan(other))
    a, b = ours[both], other[both]
    marks = np.asarray(kinds if kinds is not None else ["trained"] * len(ours))[both]
    low, high = _limits(np.concatenate([a, b]))
    size = SINGLE_COLUMN
    with paper_style():
        figure = new_figure(size, size)
        axes = figure.add_axes((0.14, 0.12, 0.82, 0.82))
        axes.plot([low, high], [low, high], color=GRAY, linewidth=0.5, zorder=1)
        for kind in ("trained", "imputed"):
            chosen = marks == kind
            if chosen.any():
                label = f"{kind} ({chosen.sum()})" if kinds is not None else ""
                _dots(axes, b[chosen], a[chosen], kind, label)
        axes.set_xlim(low, high)
        axes.set_ylim(low, high)
        axes.set_aspect("equal")
        axes.set_xlabel(f"{figure_name}, {names[1]}")
        axes.set_ylabel(f"{figure_name}, {names[0]}")
        above, below = int((a > b).sum()), int((a < b).sum())
        axes.text(0.03, 0.97, f"{above} above", transform=axes.transAxes, va="top")
        axes.text(0.97, 0.03, f"{below} below", transform=axes.transAxes, ha="right")
        if kinds is not None and len(a):
            axes.legend(
                loc="lower right",
                bbox_to_anchor=(1, 1),
                ncols=2,
                frameon=False,
                borderpad=0,
                handletextpad=0.2,
            )
    n_out = int((~both).sum())
    out = f" {n_out} without both figures are left out." if n_out else ""
    figure.set_label(
        f"{figure_name} of {len(a)} pairs by {names[0]} (upwards) and by {names[1]} "
        f"(to the right): {above} lie above the diagonal, {below} below.{out}"
    )
    return figure


def figures_by_tf(
    tfs: Sequence[str],
    values: Doubles,
    kinds: Sequence[str] | None = None,
    figure_name: str = "AUROC",
) -> Figure:
    """Draw a dot per pair, grouped by TF; TFs are sorted by their mean, best first.

    Parameters
    ----------
    tfs : sequence of str
        Of each pair.
    values : float64 array, shape (n_pairs,)
        NaN where there is none; such a pair is left out.
    kinds : sequence of str, optional
        `trained` or `imputed` per pair; by default no difference is made.
    figure_name : str
        What the numbers are.

    Returns
    -------
    Figure
        Every TF with a figure is named; a bar is its mean.
    """
    known = ~np.isnan(values)
    marks = np.asarray(kinds if kinds is not None else ["trained"] * len(values))
    names = np.asarray(tfs, dtype=object)
    means = {tf: values[known & (names == tf)].mean() for tf in set(names[known])}
    order = sorted(means, key=lambda tf: (-means[tf], tf))
    n_rows = max(1, math.ceil(len(order) / _TFS_PER_ROW))
    per_row = max(1, math.ceil(len(order) / n_rows))
    below = max((text_width(tf, SMALL) for tf in order), default=0) + 3
    row_height = 34 + below
    height = row_height * n_rows + 2
    low, high = _limits(values[known])
    with paper_style():
        figure = new_figure(DOUBLE_COLUMN, height)
        for row in range(n_rows):
            shown = order[row * per_row : (row + 1) * per_row]
            bottom = (n_rows - 1 - row) * row_height + below
            place = (0.06, bottom / height, 0.93, 31 / height)
            axes = figure.add_axes(place)
            _tf_row(axes, shown, means, (names, values, marks))
            axes.set_xlim(-0.7, max(per_row, 8) - 0.3)
            axes.set_ylim(low, high)
            axes.set_ylabel(figure_name, fontsize=SMALL)
    n_out = int((~known).sum())
    out = f" {n_out} pair(s) without a figure are left out." if n_out else ""
    two = "Blue: trained pairs; vermillion: imputed ones. " if kinds is not None else ""
    figure.set_label(
        f"{figure_name} of {int(known.sum())} pairs of {len(order)} TFs, a dot each; "
        f"bars are means, by which TFs are sorted. {two}{out}".strip()
    )
    return figure


def recall_at_rates(levels: Sequence[float], recalls: Mapping[str, Doubles]) -> Figure:
    """Draw the share of bound places that predictors find at false discovery rates.

    Parameters
    ----------
    levels : sequence of float
        False discovery rates, ascending.
    recalls : mapping of str to float64 array, shape (n_pairs, n_levels)
        By predictor; NaN where a pair has none.

    Returns
    -------
    Figure
        Bars are means over pairs, lines the middle half of the pairs.
    """
    width = 0.8 / max(len(recalls), 1)
    places = np.arange(len(levels))
    with paper_style():
        figure = new_figure(SINGLE_COLUMN + 20, 58)
        axes = figure.add_axes((0.11, 0.17, 0.87, 0.74))
        for i, (name, found) in enumerate(recalls.items()):
            known = found[~np.isnan(found).any(axis=1)]
            if not len(known):
                continue
            x = places + (i - (len(recalls) - 1) / 2) * width
            color = PALETTE[i % len(PALETTE)]
            label = f"{name} ({len(known)} pairs)"
            axes.bar(x, known.mean(axis=0), width * 0.92, color=color, label=label)
            quarters = np.quantile(known, [0.25, 0.75], axis=0)
            axes.vlines(x, *quarters, color=BLACK, linewidth=0.6)
        axes.set_xticks(places, [f"{level:.0%}" for level in levels])
        axes.set_ylim(0, 1)
        axes.set_xlabel("False discovery rate")
        axes.set_ylabel("Recall")
        if axes.containers:
            axes.legend(loc="upper left", frameon=False)
    figure.set_label(
        "Recall at false discovery rates, the threshold chosen on the judged places "
        "themselves. Bars: means over pairs; lines: the middle half of the pairs."
    )
    return figure


def predictor_boxes(
    values: Mapping[str, Doubles],
    figure_name: str = "AUROC",
    chance: float | None = 0.5,
) -> Figure:
    """Draw a figure of all pairs for several predictors, one line each.

    Parameters
    ----------
    values : mapping of str to float64 array, shape (n_pairs,)
        By predictor, in the order to be drawn from above; NaN where a pair has none.
    figure_name : str
        What the numbers are.
    chance : float, optional
        What guessing reaches: a broken line. None: no line.

    Returns
    -------
    Figure
        Boxes hold the middle half of the pairs and their median, dots are pairs.
    """
    known = {name: some[~np.isnan(some)] for name, some in values.items()}
    labels = [f"{name} ({len(some)})" for name, some in known.items()]
    left = max((text_width(label, SMALL) for label in labels), default=0) + 4
    height = 11 + 7.0 * max(len(known), 1)
    low, high = _limits(np.concatenate([*known.values(), np.array([])]))
    if chance is not None:
        low = min(low, chance - 0.02)
    with paper_style():
        figure = new_figure(DOUBLE_COLUMN * 0.75, height)
        across = DOUBLE_COLUMN * 0.75
        axes = figure.add_axes(
            (left / across, 8.5 / height, 0.97 - left / across, 1 - 10 / height)
        )
        if chance is not None:
            axes.axvline(chance, color=GRAY, linestyle="--", linewidth=0.5)
        for row, some in enumerate(known.values()):
            if not len(some):
                continue
            _box(axes, row, some)
            spread = row + _jitter(len(some), 0.5)
            axes.plot(
                some,
                spread,
                linestyle="none",
                marker="o",
                markersize=1.8,
                color=BLUE,
                alpha=0.55,
                markeredgewidth=0,
            )
        axes.set_yticks(range(len(labels)), labels)
        axes.set_ylim(len(labels) - 0.4, -0.6)
        axes.set_xlim(low, high)
        axes.set_xlabel(figure_name)
    figure.set_label(
        f"{figure_name} of pairs by predictor (their number in brackets): boxes hold "
        "the middle half and the median, dots are pairs."
    )
    return figure


def _tf_row(
    axes: Axes,
    shown: list[str],
    means: dict[str, float],
    pairs: tuple[NDArray[np.object_], Doubles, NDArray[np.str_]],
) -> None:
    names, values, marks = pairs
    for place, tf in enumerate(shown):
        axes.axvline(place, color=LIGHT_GRAY, linewidth=0.3, zorder=0)
        own = (names == tf) & ~np.isnan(values)
        for kind in ("trained", "imputed"):
            some = np.sort(values[own & (marks == kind)])
            if len(some):
                _dots(axes, place + _jitter(len(some), 0.5), some, kind, "", 2.0)
        bar = [means[tf], means[tf]]
        axes.plot([place - 0.38, place + 0.38], bar, color=BLACK, linewidth=0.8)
    axes.set_xticks(range(len(shown)), shown, rotation=90)
    axes.tick_params(axis="x", length=0)


def _box(axes: Axes, row: int, some: Doubles) -> None:
    first, median, third = np.quantile(some, [0.25, 0.5, 0.75]).tolist()
    axes.barh(row, third - first, 0.62, left=first, color=LIGHT_GRAY, zorder=0)
    axes.plot([median, median], [row - 0.31, row + 0.31], color=BLACK, linewidth=1.2)


def _dots(
    axes: Axes, x: Doubles, y: Doubles, kind: str, label: str, size: float = 2.6
) -> None:
    axes.plot(
        x,
        y,
        linestyle="none",
        marker=MARKER_OF[kind],
        markersize=size,
        color=COLOR_OF[kind],
        alpha=0.75,
        markeredgewidth=0,
        label=label,
        clip_on=False,  # a dot at the end of the axis is whole
    )


def _limits(values: Doubles) -> tuple[float, float]:
    """Give an axis of shares: to 1, and from a tenth below the least, 0.5 at most."""
    least = float(values.min(initial=0.5))
    return max(0.0, math.floor(least * 10 + 1e-9) / 10), 1.0


def _jitter(n: int, width: float) -> Doubles:
    """Spread points sideways, always the same way: by the golden ratio."""
    golden = (math.sqrt(5) - 1) / 2
    places = np.arange(n) * golden % 1
    middle = places.mean() if n else 0.0  # a single point stands in the middle
    return np.asarray((places - middle) * width, dtype=np.float64)
