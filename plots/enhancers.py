"""Whether predicted binding goes with the activity of elements: two pictures.

After Fig 4 and S5 Fig of Qin and Feng 2017: the most and the least active elements by
their first component, and all cell lines by how that goes with activity.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tfimpute_tracks.plots.style import (
    BLACK,
    BLUE,
    DOUBLE_COLUMN,
    GRAY,
    LIGHT_GRAY,
    SMALL,
    TEXT,
    VERMILLION,
    new_figure,
    paper_style,
    text_width,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["Association", "CellEnds", "cells_figure", "extremes_figure"]

Doubles = NDArray[np.float64]

_PANEL, _HEIGHT, _LEFT, _RIGHT, _TOP, _FOOT = 27.0, 66.0, 11.0, 1.0, 10.0, 9.0  # mm
_RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
_HALF = 0.2  # from the middle of a panel to its boxes


class CellEnds(NamedTuple):
    """The least and the most active elements in a cell line.

    Attributes
    ----------
    cell : str
    bottom, top : float64 arrays
        Their first component.
    t_p, u_p : float
        Of Welch's and Mann-Whitney's test.
    """

    cell: str
    bottom: Doubles
    top: Doubles
    t_p: float
    u_p: float


class Association(NamedTuple):
    """How the first component goes with activity, in several cell lines.

    Attributes
    ----------
    cells : sequence of str
        The matched one first, then controls.
    rho : float64 array, shape (n_cells,)
        Spearman's correlation; NaN where there is none.
    r2 : float64 array, shape (n_cells, k)
        Of activity predicted from the first 1 ... k components, cross-validated.
    first, activities : float64 arrays, shape (n_elements,)
        Of the matched one.
    """

    cells: Sequence[str]
    rho: Doubles
    r2: Doubles
    first: Doubles
    activities: Doubles


def extremes_figure(ends: Sequence[CellEnds], title: str) -> Figure:
    """Draw the first component of the least and the most active elements.

    Parameters
    ----------
    ends : sequence of CellEnds
        The matched cell line first, then controls.
    title : str

    Returns
    -------
    Figure
        Each cell line in standard deviations of its own. Its label is its caption.
    """
    width = _LEFT + _RIGHT + max(_PANEL * len(ends), 60.0)
    scaled = [_scaled(end) for end in ends]
    values = np.concatenate([part for pair in scaled for part in pair])
    low, high = float(values.min()), float(values.max())
    room = 0.06 * max(high - low, 1.0)
    n_bottom, n_top = len(ends[0].bottom), len(ends[0].top)
    with paper_style():
        figure = new_figure(width, _HEIGHT)
        axes = figure.add_axes(
            (
                _LEFT / width,
                _FOOT / _HEIGHT,
                1 - (_LEFT + _RIGHT) / width,
                1 - (_FOOT + _TOP) / _HEIGHT,
            )
        )
        for place, (end, pair) in enumerate(zip(ends, scaled, strict=True)):
            _box(axes, place - _HALF, pair[0], BLUE)
            _box(axes, place + _HALF, pair[1], VERMILLION)
            told = f"t test {_p(end.t_p)}\nU test {_p(end.u_p)}"
            axes.text(
                *(place, high + room, told),
                ha="center",
                va="bottom",
                fontsize=SMALL,
                color=GRAY if place else BLACK,
            )
        axes.set_xlim(-0.5, len(ends) - 0.5)
        axes.set_ylim(low - room, high + 4 * room)
        axes.set_xticks(
            range(len(ends)),
            [
                f"{end.cell}\n{'control' if i else 'matched'}"
                for i, end in enumerate(ends)
            ],
        )
        axes.get_xticklabels()[0].set_fontweight("bold")
        axes.tick_params(axis="x", length=0)
        axes.set_ylabel("First component (standard deviations)")
        _heading(figure, title, (f"{n_bottom} least active", f"{n_top} most active"))
    others = f" and in {len(ends) - 1} others" if len(ends) > 1 else ""
    figure.set_label(
        f"{title}: first principal component of predicted binding of the {n_bottom} "
        f"least and the {n_top} most active elements, in {ends[0].cell}{others}. Boxes "
        "hold the middle half and the median, dots are elements. p-values are "
        "two-sided, of Welch's t-test and of Mann-Whitney's U test."
    )
    return figure


def cells_figure(going: Association, title: str) -> Figure:
    """Draw how the first component goes with activity, in all cell lines.

    Parameters
    ----------
    going : Going
    title : str

    Returns
    -------
    Figure
        Elements of the matched cell line; regression on more components; all cell
        lines by Spearman's correlation. Its label is its caption.
    """
    cells, matched = list(going.cells), going.cells[0]
    names = max(text_width(cell, SMALL) for cell in cells) + 3
    height = 46.0 + 13.0 + 38.0 + names
    whole = np.array([DOUBLE_COLUMN, height] * 2)
    with paper_style():
        figure = new_figure(DOUBLE_COLUMN, height)
        top = height - 46.0

        def add(x: float, y: float, w: float, h: float) -> Axes:
            return figure.add_axes(tuple(np.array([x, y, w, h]) / whole))

        axes = add(11, top, 76, 40)
        axes.plot(
            *(going.first, going.activities),
            linestyle="none",
            marker="o",
            markersize=2.4,
            color=VERMILLION,
            alpha=0.6,
            markeredgewidth=0,
        )
        axes.set_xlabel(f"First component in {matched}")
        axes.set_ylabel("Activity")
        axes.set_title(
            f"{title}: {len(going.first)} elements, ρ = {going.rho[0]:.2f}",
            fontsize=TEXT,
            loc="left",
        )
        _curves(add(106, top, 76, 40), going.r2, matched)
        _row_of_cells(add(11, names, 171, 38), cells, going.rho)
    figure.set_label(
        f"{title}: activity of {len(going.first)} elements against the first principal "
        f"component of predicted binding in {matched}; activity predicted by "
        "regression on the first components, cross-validated, in each cell line; and "
        f"Spearman's correlation of the first component and activity in {len(cells)} "
        f"cell lines. {matched}, which was measured, is vermillion."
    )
    return figure


def _curves(axes: Axes, r2: Doubles, matched: str) -> None:
    numbers = np.arange(1, r2.shape[1] + 1)
    for other in r2[1:]:
        axes.plot(numbers, other, color=LIGHT_GRAY, linewidth=0.5)
    marker = "o" if len(numbers) < 12 else ""
    if len(r2) > 1:
        middle = np.nanmedian(r2[1:], axis=0)
        told = f"{len(r2) - 1} other cell lines, their median"
        axes.plot(numbers, middle, color=GRAY, linewidth=1.0, label=told)
    axes.plot(
        *(numbers, r2[0]),
        color=VERMILLION,
        linewidth=1.2,
        marker=marker,
        markersize=2.6,
        label=matched,
    )
    axes.axhline(0, color=BLACK, linewidth=0.4, linestyle="--")
    axes.set_xticks(numbers if len(numbers) < 21 else numbers[::5])
    axes.set_xlabel("Principal components")
    axes.set_ylabel("R², cross-validated")
    axes.legend(
        loc="lower left",
        bbox_to_anchor=(0, 1),
        ncols=2,
        frameon=False,
        borderpad=0,
        borderaxespad=0.4,
    )


def _row_of_cells(axes: Axes, cells: list[str], rho: Doubles) -> None:
    order = np.argsort(-np.nan_to_num(rho, nan=-2.0), kind="stable")
    colors = [VERMILLION if i == 0 else GRAY for i in order]
    x = np.arange(len(cells))
    axes.vlines(x, 0, np.nan_to_num(rho[order]), colors=colors, linewidth=0.6)
    for place, (value, color) in enumerate(zip(rho[order], colors, strict=True)):
        size = 3.6 if color == VERMILLION else 2.2
        axes.plot([place], [value], marker="o", markersize=size, color=color)
    axes.axhline(0, color=BLACK, linewidth=0.4)
    # A line of letters takes 0.4 mm per pt, and each cell line has 171 mm / n.
    small = min(SMALL, 0.92 * 171 / len(cells) / 0.36)
    axes.set_xticks(x, [cells[i] for i in order], rotation=90, fontsize=small)
    for label, i in zip(axes.get_xticklabels(), order, strict=True):
        if i == 0:
            label.set_color(VERMILLION)
            label.set_fontweight("bold")
    axes.tick_params(axis="x", length=0)
    axes.set_xlim(-0.8, max(len(cells), 8) - 0.2)
    axes.spines["bottom"].set_visible(False)
    axes.set_ylabel("Spearman's ρ")


def _heading(figure: Figure, title: str, kinds: tuple[str, str]) -> None:
    """Write the title, and below it what the colors are."""
    width = figure.get_figwidth() * 25.4
    x, y = _LEFT, 1 - 7.2 / _HEIGHT
    figure.text(x / width, 1 - 3.2 / _HEIGHT, title, va="center", fontsize=TEXT)
    for text, color in zip(kinds, (BLUE, VERMILLION), strict=True):
        figure.text(x / width, y, text, color=color, va="center", fontsize=SMALL)
        x += text_width(text, SMALL) + 3


def _scaled(end: CellEnds) -> tuple[Doubles, Doubles]:
    both = np.concatenate([end.bottom, end.top])
    spread = max(float(both.std()), 1e-9)
    return (end.bottom - both.mean()) / spread, (end.top - both.mean()) / spread


def _box(axes: Axes, x: float, values: Doubles, color: str) -> None:
    first, median, third = np.quantile(values, [0.25, 0.5, 0.75]).tolist()
    axes.bar(x, third - first, 0.32, bottom=first, color=LIGHT_GRAY, zorder=0)
    axes.plot([x - 0.16, x + 0.16], [median, median], color=BLACK, linewidth=1.2)
    golden = (math.sqrt(5) - 1) / 2
    aside = (np.arange(len(values)) * golden % 1 - 0.5) * 0.28
    axes.plot(
        *(x + aside, values),
        linestyle="none",
        marker="o",
        markersize=1.8,
        color=color,
        alpha=0.6,
        markeredgewidth=0,
    )


def _p(value: float) -> str:
    if not math.isfinite(value):
        return "p unknown"
    if value >= 0.001:
        return f"p = {value:.2g}"
    digit, _, power = f"{max(value, 1e-300):.0e}".partition("e")
    return f"p = {digit}×10{str(int(power)).translate(_RAISED)}"
