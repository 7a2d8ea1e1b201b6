"""A place and its tracks, one above the other, as a paper shows them.

A panel per pair: the signal as a filled outline, the threshold as a thin broken line,
the peaks as bars beneath. What has no sequence is hatched, for it is unknown and not
zero. Genes come last, packed into rows so that no name stands on another.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tfimpute_tracks.genome import Region
from tfimpute_tracks.genome.genes import Gene
from tfimpute_tracks.plots.columns import Steps, missing_spans, to_bars, to_steps
from tfimpute_tracks.plots.style import (
    BLACK,
    COLOUR_OF,
    GREY,
    LIGHT_GREY,
    SMALL,
    TEXT,
    WORD_OF,
    new_figure,
    paper_style,
    text_width,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["Panel", "draw_locus", "pack_rows"]

Ints = NDArray[np.int64]
Floats = NDArray[np.float32]

# All in mm.
_LABELS, _RIGHT, _TOP, _FOOT = 27.0, 4.0, 3.0, 9.0
_SIGNAL, _PEAKS, _GAP = 10.0, 1.8, 2.6
_GENE_ROW, _GENE_BOX = 4.2, 1.7
_NARROWEST = 0.25  # a peak's bar
_COLUMNS_PER_MM = 12
_GENE_ROWS = 6


class Panel(NamedTuple):
    """A pair's track over the region.

    Attributes
    ----------
    tf, cell : str
    reliability : str
        `seen` or `imputed`.
    starts, ends : int64 arrays, shape (n,)
        Of bins: 0-based, half-open, bp.
    values : float32 array, shape (n,)
        NaN where there is none.
    peaks : int64 array, shape (n_peaks, 2)
        Start and end.
    threshold : float, optional
        Where a line is drawn; None where the signal is not what calls peaks.
    limits : (float, float)
        Of the axis.
    label : str
        What the axis shows.
    """

    tf: str
    cell: str
    reliability: str
    starts: Ints
    ends: Ints
    values: Floats
    peaks: Ints
    threshold: float | None
    limits: tuple[float, float]
    label: str


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
        Those that meet the region.
    width : float
        In mm.

    Returns
    -------
    Figure
        To be saved with :func:`tfimpute_tracks.plots.style.save_figure`.
    """
    across = width - _LABELS - _RIGHT
    bp_per_mm = (region.end - region.start) / across
    rows, n_left_out = _gene_rows(genes, region, bp_per_mm)
    n_rows = max((row for row, _ in rows), default=-1) + 1
    each = _SIGNAL + _PEAKS + _GAP
    below = n_rows * _GENE_ROW + (3.0 if n_left_out else 0.0)
    height = _TOP + each * len(panels) + below + _FOOT
    with paper_style():
        figure = new_figure(width, height)

        def box(top: float, tall: float) -> Axes:
            place = (_LABELS / width, 1 - (top + tall) / height)
            axes = figure.add_axes((*place, across / width, tall / height))
            axes.set_xlim(region.start, region.end)
            return axes

        top = _TOP
        for panel in panels:
            _draw_panel(box(top, _SIGNAL), panel, region, across)
            _draw_peaks(box(top + _SIGNAL, _PEAKS), panel, region, bp_per_mm)
            top += each
        genes_axes = box(top, max(below, 0.1))
        _draw_genes(genes_axes, rows, below, bp_per_mm)
        if n_left_out:
            told = f"and {n_left_out} genes more"
            genes_axes.annotate(
                told, (0, 0), xycoords="axes fraction", fontsize=SMALL, color=GREY
            )
        _draw_scale(genes_axes, region)
    return figure


def pack_rows(spans: Sequence[tuple[float, float]], beside: float) -> list[int]:
    """Put spans into rows so that none meets another of its row.

    Parameters
    ----------
    spans : sequence of (left, right)
        Ascending by their left ends.
    beside : float
        Least distance of two in a row.

    Returns
    -------
    list of int
        Row of each span, 0 at the top: the first with room.
    """
    ends: list[float] = []
    rows = []
    for left, right in spans:
        free = (i for i, end in enumerate(ends) if end + beside <= left)
        row = next(free, len(ends))
        if row == len(ends):
            ends.append(right)
        else:
            ends[row] = right
        rows.append(row)
    return rows


def _draw_panel(axes: Axes, panel: Panel, region: Region, across: float) -> None:
    colour = COLOUR_OF.get(panel.reliability, GREY)
    low, high = panel.limits
    steps = to_steps(
        panel.starts,
        panel.ends,
        panel.values,
        (region.start, region.end),
        int(across * _COLUMNS_PER_MM),
    )
    _draw_steps(axes, steps, colour)
    for start, end in missing_spans(steps).tolist():
        axes.axvspan(start, end, facecolor="none", edgecolor=LIGHT_GREY, hatch="//////")
    if panel.threshold is not None:
        axes.axhline(panel.threshold, color=GREY, linewidth=0.4, linestyle=(0, (4, 3)))
    if low < 0:
        axes.axhline(0, color=BLACK, linewidth=0.4)
    axes.set_ylim(low, high)
    axes.set_yticks([low, high], [f"{low:g}".replace("-", "−"), f"{high:g}"])
    axes.set_xticks([])
    axes.spines["bottom"].set_visible(low == 0)
    word = WORD_OF.get(panel.reliability, panel.reliability)
    lines = ((0.72, panel.tf, TEXT, "bold"), (0.42, panel.cell, TEXT, "normal"))
    note = word if panel.label == "Probability" else f"{word}, {panel.label.lower()}"
    for up, text, size, weight in (*lines, (0.14, note, SMALL, "normal")):
        axes.annotate(
            text,
            (-(_LABELS - 1) / across, up),
            xycoords="axes fraction",
            va="center",
            fontsize=size,
            fontweight=weight,
            color=colour if size == SMALL else BLACK,
            annotation_clip=False,
        )


def _draw_steps(axes: Axes, steps: Steps, colour: str) -> None:
    """Fill between zero and the signal, column by column."""
    known = ~np.isnan(steps.high)
    high = np.where(known, np.maximum(steps.high, 0), 0)
    low = np.where(known, np.minimum(steps.low, 0), 0)
    axes.stairs(high, steps.edges, baseline=low, fill=True, color=colour, linewidth=0)


def _draw_peaks(axes: Axes, panel: Panel, region: Region, bp_per_mm: float) -> None:
    bars = to_bars(panel.peaks, (region.start, region.end), _NARROWEST * bp_per_mm)
    axes.broken_barh(
        [(left, right - left) for left, right in bars.tolist()],
        (0, 0.75),
        facecolor=COLOUR_OF.get(panel.reliability, GREY),
        linewidth=0,
    )
    axes.set_ylim(0, 1)
    axes.axis("off")


def _gene_rows(
    genes: Sequence[Gene], region: Region, bp_per_mm: float
) -> tuple[list[tuple[int, Gene]], int]:
    """Pack genes with their names, and count those that found no room."""
    shown = sorted(genes, key=lambda gene: max(gene.start, region.start))
    spans = []
    for gene in shown:
        left = max(gene.start, region.start)
        name = (text_width(gene.name, SMALL, style="italic") + 1.0) * bp_per_mm
        # The name stands left of the gene; at the edge it is put inside.
        spans.append(
            (
                max(left - name, region.start),
                max(min(gene.end, region.end), left + name),
            )
        )
    order = np.argsort([left for left, _ in spans], kind="stable").tolist()
    packed = pack_rows([spans[i] for i in order], bp_per_mm)
    rows = [(row, shown[i]) for i, row in zip(order, packed, strict=True)]
    kept = [(row, gene) for row, gene in rows if row < _GENE_ROWS]
    return kept, len(rows) - len(kept)


def _draw_genes(
    axes: Axes, rows: Sequence[tuple[int, Gene]], below: float, bp_per_mm: float
) -> None:
    first, last = axes.get_xlim()
    axes.set_ylim(max(below, 0.1), 0)
    for row, gene in rows:
        middle = (row + 0.5) * _GENE_ROW
        start, end = max(gene.start, first), min(gene.end, last)
        axes.plot([start, end], [middle, middle], color=GREY, linewidth=0.6)
        exons = [
            (max(a, first), min(b, last) - max(a, first))
            for a, b in gene.exons
            if b > first and a < last
        ]
        axes.broken_barh(
            exons, (middle - _GENE_BOX / 2, _GENE_BOX), facecolor=GREY, linewidth=0
        )
        if gene.strand in "+-":
            _draw_chevrons(axes, (start, end), middle, gene.strand, bp_per_mm)
        room = (text_width(gene.name, SMALL, style="italic") + 1.0) * bp_per_mm
        is_inside = start - room < first
        axes.annotate(
            gene.name,
            (first if is_inside else start, middle),
            xytext=(0 if is_inside else -2, 5.5 if is_inside else 0),
            textcoords="offset points",
            ha="left" if is_inside else "right",
            va="center",
            fontsize=SMALL,
            fontstyle="italic",
        )
    for side in ("left", "bottom"):
        axes.spines[side].set_visible(side == "bottom")
    axes.set_yticks([])


def _draw_chevrons(
    axes: Axes, span: tuple[float, float], middle: float, strand: str, bp_per_mm: float
) -> None:
    """Mark the direction of a gene every few mm."""
    step = 4 * bp_per_mm
    places = np.arange(span[0] + step / 2, span[1], step)
    axes.plot(
        places,
        np.full(len(places), middle),
        linestyle="none",
        marker=(">" if strand == "+" else "<"),
        markersize=1.8,
        color=GREY,
        markeredgewidth=0,
    )


def _draw_scale(axes: Axes, region: Region) -> None:
    """Label the region's axis in kb or Mb."""
    unit, scale = ("Mb", 1e6) if region.end - region.start > 2e6 else ("kb", 1e3)
    axes.locator_params(axis="x", nbins=6)
    axes.xaxis.set_major_formatter(lambda x, _: f"{x / scale:,.10g}")
    axes.set_xlabel(f"{region.chrom} ({unit})", labelpad=2)
