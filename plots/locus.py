"""Tracks of a region, one above the other, as in a paper.

Each pair has a panel: the signal as a filled outline, the peak-calling threshold as a thin
broken line, and peaks as bars below. Unknown sequence is hatched, because its score is
unknown and not zero. Many panels are lower, so that the figure fits on a page. Genes are
at the bottom; ``gene_rows`` draws them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tfimpute_tracks.genome import Region
from tfimpute_tracks.genome.genes import Gene
from tfimpute_tracks.genome.signal import Bins
from tfimpute_tracks.plots.columns import Steps, missing_spans, to_bars, to_steps
from tfimpute_tracks.plots.gene_rows import draw_genes, lay_out_genes
from tfimpute_tracks.plots.style import (
    BLACK,
    COLOR_OF,
    GRAY,
    SMALL,
    TEXT,
    add_axes,
    new_figure,
    paper_style,
    text_width,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["Panel", "draw_locus"]

Ints = NDArray[np.int64]
Floats = NDArray[np.float32]
Weight = Literal["normal", "bold"]
Line = tuple[float, float, str, float, Weight]  # x and y in mm, text, pt, weight

# All in mm.
_EDGE, _RIGHT, _TOP, _GENES, _BOTTOM = 1.0, 3.0, 4.2, 0.6, 8.2
_SIGNAL, _PEAKS, _GAP = 10.0, 1.8, 2.6  # of a panel; scaled down in lower ones
_PANEL = _SIGNAL + _PEAKS + _GAP
_MIN_PANEL, _ALL_PANELS = 5.7, 228.0
_THREE_LINES = 9.5  # height of a panel from which its label has three lines
_MIN_BAR = 0.25  # of a peak
_TICK_GAP = 3.0  # between tick labels
_COLUMNS_PER_MM = 12
_MISSING, _HATCH = "#E8E8E8", "#ABABAB"


class Panel(NamedTuple):
    """A pair's track over the region.

    Attributes
    ----------
    tf, cell : str
    status : str
        `measured` or `imputed`, which have a color, or another text.
    bins : Bins
        The signal.
    peaks : int64 array, shape (n_peaks, 2)
        Start and end.
    threshold : float, optional
        Peak-calling threshold; None if peaks are called on another signal.
    limits : (float, float)
        Of the y axis.
    label : str
        Of the y axis.
    """

    tf: str
    cell: str
    status: str
    bins: Bins
    peaks: Ints
    threshold: float | None
    limits: tuple[float, float]
    label: str


class _Ticks(NamedTuple):
    """Ticks of the x axis."""

    positions: list[float]
    labels: list[str]
    unit: str


def draw_locus(
    region: Region, panels: Sequence[Panel], genes: Sequence[Gene], width: float
) -> Figure:
    """Draw tracks and genes of a region.

    Parameters
    ----------
    region : Region
    panels : sequence of Panel
        From top to bottom.
    genes : sequence of Gene
        Those that overlap the region.
    width : float
        In mm.

    Returns
    -------
    Figure
        To be saved with :func:`tfimpute_tracks.plots.style.save_figure`.
    """
    tall = min(_PANEL, max(_MIN_PANEL, _ALL_PANELS / max(len(panels), 1)))
    scale = tall / _PANEL
    labels = [_label(panel, tall, width * 0.4) for panel in panels]
    left = _left_margin(panels, labels)
    ticks = _ticks(region, width - left - _RIGHT)
    right = _right_margin(region, ticks, width - left - _RIGHT)
    across = width - left - right
    bp_per_mm = (region.end - region.start) / across
    laid = lay_out_genes(genes, region, bp_per_mm)
    height = _TOP + tall * len(panels) + laid.height + _GENES + _BOTTOM
    with paper_style():
        figure = new_figure(width, height)

        def add(top: float, tall: float) -> Axes:
            axes = add_axes(figure, left, height - top - tall, across, tall)
            axes.set_xlim(region.start, region.end)
            return axes

        top, shown = _TOP, ""
        for panel, label in zip(panels, labels, strict=True):
            axes = add(top, _SIGNAL * scale)
            _draw_panel(axes, panel, region, across)
            color = COLOR_OF.get(panel.status, GRAY)
            _draw_label(axes, label, (-left / across, across, _SIGNAL * scale), color)
            if tall < _THREE_LINES:  # tick labels of adjacent panels would touch
                lowest, highest = axes.get_yticklabels()
                lowest.set_verticalalignment("bottom")
                highest.set_verticalalignment("top")
            if panel.label != shown:
                shown = panel.label
                _draw_title(axes, shown)
            axes = add(top + _SIGNAL * scale, _PEAKS * scale)
            _draw_peaks(axes, panel, region, bp_per_mm)
            top += tall
        axes = add(top, laid.height + _GENES)
        draw_genes(axes, laid, region, bp_per_mm)
        axes.spines["left"].set_visible(False)
        axes.set_yticks([])
        axes.set_xticks(ticks.positions, ticks.labels)
        axes.set_xlabel(f"{region.chrom} ({ticks.unit})", labelpad=2)
    return figure


# A track of a measured pair is a prediction, too.
_STATUS = {"measured": "predicted, also measured"}


def _label(panel: Panel, tall: float, most: float) -> list[Line]:
    """Lay out the label of a panel, with long names shortened."""
    status = _cut(_STATUS.get(panel.status, panel.status), most)
    if tall >= _THREE_LINES:
        return [
            (0, 2.9, _cut(panel.tf, most, "bold"), TEXT, "bold"),
            (0, -0.1, _cut(panel.cell, most), TEXT, "normal"),
            (0, -2.9, status, SMALL, "normal"),
        ]
    tf = _cut(panel.tf, most / 2, "bold")
    after = text_width(tf, TEXT, "bold") + 1.2
    return [
        (0, 1.2, tf, TEXT, "bold"),
        (after, 1.2, _cut(panel.cell, most - after), TEXT, "normal"),
        (0, -1.4, status, SMALL, "normal"),
    ]


def _cut(text: str, most: float, weight: Weight = "normal") -> str:
    """Shorten a name to so many mm."""
    shown = text
    while len(shown) > 1 and text_width(shown, TEXT, weight) > most:
        text = text[:-1]
        shown = f"{text}…"
    return shown


def _left_margin(panels: Sequence[Panel], labels: Sequence[Sequence[Line]]) -> float:
    lines = [line for label in labels for line in label]
    text = max((x + text_width(t, size, w) for x, _, t, size, w in lines), default=10.0)
    numbers = {number for panel in panels for number in map(_number, panel.limits)}
    number = max((text_width(number, SMALL) for number in numbers), default=0)
    return _EDGE + text + 2.0 + number + 1.2


def _number(value: float) -> str:
    return f"{value:g}".replace("-", "\N{MINUS SIGN}")


def _draw_panel(axes: Axes, panel: Panel, region: Region, across: float) -> None:
    low, high = panel.limits
    steps = to_steps(
        *panel.bins,
        (region.start, region.end),
        int(across * _COLUMNS_PER_MM),
    )
    _draw_steps(axes, steps, COLOR_OF.get(panel.status, GRAY))
    if panel.threshold is not None:
        axes.axhline(panel.threshold, color=GRAY, linewidth=0.4, linestyle=(0, (4, 3)))
    if low < 0:
        axes.axhline(0, color=BLACK, linewidth=0.4)
    missing = missing_spans(steps).tolist()
    if missing:
        # Above the lines, and without an outline, which would cover its neighbors.
        axes.broken_barh(
            [(start, end - start) for start, end in missing],
            (low, high - low),
            facecolor=_MISSING,
            edgecolor=_HATCH,
            hatch="//////",
            linewidth=0,
            zorder=2.2,
        )
    axes.set_ylim(low, high)
    axes.set_yticks([low, high], [_number(low), _number(high)])
    axes.set_xticks([])
    axes.spines["bottom"].set_visible(low == 0)


def _draw_steps(axes: Axes, steps: Steps, color: str) -> None:
    """Fill between zero and the signal, column by column."""
    known = ~np.isnan(steps.high)
    high = np.where(known, np.maximum(steps.high, 0), 0)
    low = np.where(known, np.minimum(steps.low, 0), 0)
    axes.stairs(high, steps.edges, baseline=low, fill=True, color=color, linewidth=0)


def _draw_label(
    axes: Axes, label: Sequence[Line], sizes: tuple[float, float, float], color: str
) -> None:
    """Write a label; sizes: figure edge in axes coordinates, axes in mm."""
    edge, across, tall = sizes
    for x, up, text, size, weight in label:
        axes.annotate(
            text,
            (edge + (_EDGE + x) / across, 0.43 + up / tall),
            xycoords="axes fraction",
            va="center",
            fontsize=size,
            fontweight=weight,
            color=color if size == SMALL else BLACK,
            annotation_clip=False,
        )


def _draw_title(axes: Axes, text: str) -> None:
    """Name the signal of a panel, and of those below it."""
    axes.annotate(
        text,
        (0, 1),
        xytext=(0, 2.5),
        xycoords="axes fraction",
        textcoords="offset points",
        fontsize=SMALL,
        color=GRAY,
        annotation_clip=False,
    )


def _draw_peaks(axes: Axes, panel: Panel, region: Region, bp_per_mm: float) -> None:
    bars = to_bars(panel.peaks, (region.start, region.end), _MIN_BAR * bp_per_mm)
    axes.broken_barh(
        [(left, right - left) for left, right in bars.tolist()],
        (0, 0.75),
        facecolor=COLOR_OF.get(panel.status, GRAY),
        linewidth=0,
    )
    axes.set_ylim(0, 1)
    axes.axis("off")


def _ticks(region: Region, across: float) -> _Ticks:
    """Choose round positions, as many as there is space for their labels."""
    from matplotlib.ticker import MaxNLocator

    length = region.end - region.start
    unit, scale = ("Mb", 1e6) if length > 2e6 else ("kb", 1e3)
    if length < 2000:
        unit, scale = "bp", 1.0
    first = region.start + (unit == "bp")
    for n in range(8, 0, -1):
        locator = MaxNLocator(n, steps=[1, 2, 2.5, 5, 10], integer=unit == "bp")
        positions = [
            float(position)
            for position in locator.tick_values(region.start, region.end)
            if first <= position <= region.end
        ]
        labels = [f"{position / scale:,.10g}" for position in positions]
        widest = max((text_width(label, SMALL) for label in labels), default=0)
        distance = np.diff(positions).min(initial=length) / length * across
        if widest + _TICK_GAP <= distance:
            break
    if unit == "bp":  # labels are 1-based, and a tick is in the middle of its base
        positions = [position - 0.5 for position in positions]
    return _Ticks(positions, labels, unit)


def _right_margin(region: Region, ticks: _Ticks, across: float) -> float:
    """Leave space for the last label."""
    if not ticks.positions:
        return _RIGHT
    rest = (region.end - ticks.positions[-1]) / (region.end - region.start) * across
    return max(_RIGHT, text_width(ticks.labels[-1], SMALL) / 2 - rest + 0.8)
