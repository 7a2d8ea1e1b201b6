"""Predicted binding and the activity of elements: two figures.

After Fig 4 and S5 Fig of Qin and Feng 2017: the first component of the most and the least
active elements, and its correlation with activity in all cell lines.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tfimpute_tracks.errors import counted
from tfimpute_tracks.plots.marks import draw_box, draw_dots, jitter, legend_above
from tfimpute_tracks.plots.style import (
    BLACK,
    BLUE,
    DOUBLE_COLUMN,
    GRAY,
    LIGHT_GRAY,
    SMALL,
    TEXT,
    VERMILLION,
    add_axes,
    new_figure,
    paper_style,
    text_width,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["Association", "CellExtremes", "association_figure", "extremes_figure"]

Doubles = NDArray[np.float64]

_PANEL, _HEIGHT, _LEFT, _RIGHT, _TOP, _BOTTOM = 27.0, 66.0, 11.0, 1.0, 10.0, 9.0  # mm
_UPPER, _GAP, _LOWER = 46.0, 13.0, 38.0  # mm, down the figure of all cell lines
_ROW = 171.0  # mm, the width of the cell lines
_SUPERSCRIPT = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


class CellExtremes(NamedTuple):
    """The least and the most active elements in a cell line.

    Attributes
    ----------
    cell : str
    bottom, top : float64 arrays
        First component of the least and of the most active elements.
    t_p, u_p : float
        p-values of Welch's t-test and of the Mann-Whitney U test.
    """

    cell: str
    bottom: Doubles
    top: Doubles
    t_p: float
    u_p: float


class Association(NamedTuple):
    """How the first component correlates with activity, in several cell lines.

    Attributes
    ----------
    cells : sequence of str
        The cell line of the assay first, then controls.
    rho : float64 array, shape (n_cells,)
        Spearman's correlation; NaN if undefined.
    r2 : float64 array, shape (n_cells, k)
        Cross-validated, of a regression on the first 1 ... k components.
    first, activities : float64 arrays, shape (n_elements,)
        In the cell line of the assay.
    """

    cells: Sequence[str]
    rho: Doubles
    r2: Doubles
    first: Doubles
    activities: Doubles


def extremes_figure(cells: Sequence[CellExtremes], title: str) -> Figure:
    """Draw the first component of the least and the most active elements.

    Parameters
    ----------
    cells : sequence of CellExtremes
        The cell line of the assay first, then controls.
    title : str

    Returns
    -------
    Figure
        Each cell line is scaled to standard deviations. Its label is its caption.
    """
    width = _LEFT + _RIGHT + max(_PANEL * len(cells), 60.0)
    scaled = [_standardize(cell) for cell in cells]
    values = np.concatenate([part for pair in scaled for part in pair])
    low, high = float(values.min()), float(values.max())
    margin = 0.06 * max(high - low, 1.0)
    n_bottom, n_top = len(cells[0].bottom), len(cells[0].top)
    inner = width - _LEFT - _RIGHT, _HEIGHT - _BOTTOM - _TOP
    with paper_style():
        figure = new_figure(width, _HEIGHT)
        axes = add_axes(figure, _LEFT, _BOTTOM, *inner)
        for i, (cell, (bottom, top)) in enumerate(zip(cells, scaled, strict=True)):
            _draw_group(axes, i - 0.2, bottom, BLUE)
            _draw_group(axes, i + 0.2, top, VERMILLION)
            text = f"t test {_p(cell.t_p)}\nU test {_p(cell.u_p)}"
            style: dict[str, Any] = {
                "ha": "center",
                "va": "bottom",
                "color": GRAY if i else BLACK,
            }
            axes.text(i, high + margin, text, fontsize=SMALL, **style)
        axes.set_xlim(-0.5, len(cells) - 0.5)
        axes.set_ylim(low - margin, high + 4 * margin)
        roles = ["matched", *["control"] * (len(cells) - 1)]
        labels = [
            f"{cell.cell}\n{role}" for cell, role in zip(cells, roles, strict=True)
        ]
        axes.set_xticks(range(len(cells)), labels)
        axes.get_xticklabels()[0].set_fontweight("bold")
        axes.tick_params(axis="x", length=0)
        axes.set_ylabel("First component (standard deviations)")
        _draw_title(
            figure, title, (f"{n_bottom} least active", f"{n_top} most active"), width
        )
    others = f" and in {len(cells) - 1} others" if len(cells) > 1 else ""
    figure.set_label(
        f"{title}: first principal component of predicted binding of the {n_bottom} "
        f"least and the {n_top} most active elements, in {cells[0].cell}{others}. Boxes "
        "show quartiles, dots are elements. p-values are two-sided, of Welch's t-test "
        "and of the Mann-Whitney U test."
    )
    return figure


def association_figure(association: Association, title: str) -> Figure:
    """Draw how the first component correlates with activity, in all cell lines.

    Parameters
    ----------
    association : Association
    title : str

    Returns
    -------
    Figure
        Elements in the cell line of the assay; regression on more components; Spearman's
        correlation in all cell lines. Its label is its caption.
    """
    cells, n = list(association.cells), len(association.first)
    matched = cells[0]
    names = max(text_width(cell, SMALL) for cell in cells) + 3
    height = _UPPER + _GAP + _LOWER + names
    with paper_style():
        figure = new_figure(DOUBLE_COLUMN, height)
        axes = add_axes(figure, 11, height - _UPPER, 76, 40)
        points = association.first, association.activities
        draw_dots(axes, *points, VERMILLION, 2.4, alpha=0.6)
        axes.set_xlabel(f"First component in {matched}")
        axes.set_ylabel("Activity")
        heading = f"{title}: {counted(n, 'element')}, ρ = {association.rho[0]:.2f}"
        axes.set_title(heading, fontsize=TEXT, loc="left")
        axes = add_axes(figure, 106, height - _UPPER, 76, 40)
        _draw_regressions(axes, association.r2, matched)
        axes = add_axes(figure, 11, names, _ROW, _LOWER)
        _draw_cells(axes, cells, association.rho)
    figure.set_label(
        f"{title}: activity of {n} elements against the first principal component of "
        f"predicted binding in {matched}; cross-validated regression of activity on the "
        "first components, in each cell line; and Spearman's correlation of the first "
        f"component with activity in {len(cells)} cell lines. {matched}, the cell line "
        "of the assay, is vermillion."
    )
    return figure


def _draw_regressions(axes: Axes, r2: Doubles, matched: str) -> None:
    numbers = np.arange(1, r2.shape[1] + 1)
    for other in r2[1:]:
        axes.plot(numbers, other, color=LIGHT_GRAY, linewidth=0.5)
    if len(r2) > 1:
        median = np.nanmedian(r2[1:], axis=0)
        label = f"median of {len(r2) - 1} other cell lines"
        axes.plot(numbers, median, color=GRAY, linewidth=1.0, label=label)
    marker = "o" if len(numbers) < 12 else ""
    style: dict[str, Any] = {"linewidth": 1.2, "marker": marker, "markersize": 2.6}
    axes.plot(numbers, r2[0], color=VERMILLION, label=matched, **style)
    axes.axhline(0, color=BLACK, linewidth=0.4, linestyle="--")
    axes.set_xticks(numbers if len(numbers) < 21 else numbers[::5])
    axes.set_xlabel("Principal components")
    axes.set_ylabel("R², cross-validated")
    legend_above(axes, on_left=True)


def _draw_cells(axes: Axes, cells: list[str], rho: Doubles) -> None:
    order = np.argsort(-np.nan_to_num(rho, nan=-2.0), kind="stable")
    colors = [GRAY if i else VERMILLION for i in order]
    x = np.arange(len(cells))
    axes.vlines(x, 0, np.nan_to_num(rho[order]), colors=colors, linewidth=0.6)
    for at, (i, color) in enumerate(zip(order, colors, strict=True)):
        draw_dots(axes, [at], [rho[i]], color, 2.2 if i else 3.6)
    axes.axhline(0, color=BLACK, linewidth=0.4)
    # A line of text takes about 0.36 mm per pt.
    small = min(SMALL, 0.92 * _ROW / len(cells) / 0.36)
    axes.set_xticks(x, [cells[i] for i in order], rotation=90, fontsize=small)
    own = axes.get_xticklabels()[int(np.flatnonzero(order == 0)[0])]
    own.set_color(VERMILLION)
    own.set_fontweight("bold")
    axes.tick_params(axis="x", length=0)
    axes.set_xlim(-0.8, max(len(cells), 8) - 0.2)
    axes.spines["bottom"].set_visible(False)
    axes.set_ylabel("Spearman's ρ")


def _draw_title(
    figure: Figure, title: str, groups: tuple[str, str], width: float
) -> None:
    """Write the title, and below it the groups in their colors."""
    x, y = _LEFT, 1 - 7.2 / _HEIGHT
    figure.text(x / width, 1 - 3.2 / _HEIGHT, title, va="center", fontsize=TEXT)
    for text, color in zip(groups, (BLUE, VERMILLION), strict=True):
        figure.text(x / width, y, text, color=color, va="center", fontsize=SMALL)
        x += text_width(text, SMALL) + 3


def _standardize(cell: CellExtremes) -> tuple[Doubles, Doubles]:
    both = np.concatenate([cell.bottom, cell.top])
    deviation = max(float(both.std()), 1e-9)
    return (cell.bottom - both.mean()) / deviation, (cell.top - both.mean()) / deviation


def _draw_group(axes: Axes, x: float, values: Doubles, color: str) -> None:
    draw_box(axes, x, values, 0.32)
    draw_dots(axes, x + jitter(len(values), 0.28), values, color, 1.8, alpha=0.6)


def _p(value: float) -> str:
    if not math.isfinite(value):
        return "p unknown"
    if value >= 0.001:
        return f"p = {value:.2g}"
    digit, _, power = f"{max(value, 1e-300):.0e}".partition("e")
    return f"p = {digit}×10{str(int(power)).translate(_SUPERSCRIPT)}"
