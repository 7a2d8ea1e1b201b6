"""Genes below tracks: packed into rows, with exons, introns, strands and names.

A name is above its gene. Both are one block, and blocks of a row do not overlap.
``genome/genes.py`` reads the genes.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tfimpute_tracks.genome import Region
from tfimpute_tracks.genome.genes import Gene
from tfimpute_tracks.plots.columns import to_bars
from tfimpute_tracks.plots.style import GRAY, SMALL, text_width

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["GeneRow", "GeneRows", "draw_genes", "lay_out_genes", "pack_rows"]

# All in mm.
_ROW, _NAME, _BOX = 4.8, 2.6, 1.7
_BETWEEN = 1.5  # two blocks of a row
_MIN_EXON = 0.2
_STEP, _CHEVRON = 3.0, 0.8  # distance and width of arrows along a gene
_NOTE = 3.0  # a line with the number of genes left out
_MAX_ROWS = 6


class GeneRow(NamedTuple):
    """The layout of a gene.

    Attributes
    ----------
    gene : Gene
    row : int
        0 at the top.
    name_at : float
        Where its name starts, in bp.
    """

    gene: Gene
    row: int
    name_at: float


class GeneRows(NamedTuple):
    """The layout of all genes of a figure.

    Attributes
    ----------
    rows : list of GeneRow
    n_left_out : int
        Genes without space.
    height : float
        In mm.
    """

    rows: list[GeneRow]
    n_left_out: int
    height: float


def lay_out_genes(
    genes: Sequence[Gene],
    region: Region,
    bp_per_mm: float,
    max_rows: int = _MAX_ROWS,
) -> GeneRows:
    """Assign a row to each gene, and a position to its name.

    Parameters
    ----------
    genes : sequence of Gene
        Those that overlap the region, in any order.
    region : Region
    bp_per_mm : float
    max_rows : int
        Genes that need more rows are left out.

    Returns
    -------
    GeneRows
    """
    blocks = []
    for gene in genes:
        name = text_width(gene.name, SMALL, style="italic") * bp_per_mm
        left, right = max(gene.start, region.start), min(gene.end, region.end)
        # A name that would leave the figure is moved to the left.
        name_at = max(min(left, region.end - name), region.start)
        blocks.append((min(left, name_at), max(right, name_at + name), name_at, gene))
    blocks.sort(key=lambda block: (block[:2], block[3].name))
    packed = pack_rows([block[:2] for block in blocks], _BETWEEN * bp_per_mm)
    rows = [
        GeneRow(gene, row, name_at)
        for row, (_, _, name_at, gene) in zip(packed, blocks, strict=True)
        if row < max_rows
    ]
    n_rows = max((row.row for row in rows), default=-1) + 1
    n_left_out = len(blocks) - len(rows)
    height = n_rows * _ROW + (_NOTE if n_left_out else 0.0)
    return GeneRows(rows, n_left_out, height)


def pack_rows(spans: Sequence[tuple[float, float]], gap: float) -> list[int]:
    """Put spans into rows so that those of a row do not overlap.

    Parameters
    ----------
    spans : sequence of (left, right)
        Ascending by their left ends.
    gap : float
        Minimum distance of two spans in a row.

    Returns
    -------
    list of int
        Row of each span, 0 at the top: the first one with space.
    """
    ends: list[float] = []
    rows = []
    for left, right in spans:
        free = (i for i, end in enumerate(ends) if end + gap <= left)
        row = next(free, len(ends))
        if row == len(ends):
            ends.append(right)
        else:
            ends[row] = right
        rows.append(row)
    return rows


def draw_genes(axes: Axes, laid: GeneRows, region: Region, bp_per_mm: float) -> None:
    """Draw genes.

    Parameters
    ----------
    axes : Axes
        As high as the rows, and from start to end of the region.
    laid : GeneRows
    region : Region
    bp_per_mm : float
    """
    axes.set_ylim(max(laid.height, 0.1), 0)
    within = (region.start, region.end)
    for gene, row, name_at in laid.rows:
        middle = row * _ROW + _NAME + _BOX / 2
        start, end = max(gene.start, region.start), min(gene.end, region.end)
        axes.plot(
            [start, end],
            [middle, middle],
            color=GRAY,
            linewidth=0.6,
            solid_capstyle="butt",
        )
        spans = np.array(gene.exons, dtype=np.int64).reshape(-1, 2)
        exons = to_bars(spans, within, _MIN_EXON * bp_per_mm)
        axes.broken_barh(
            [(left, right - left) for left, right in exons.tolist()],
            (middle - _BOX / 2, _BOX),
            facecolor=GRAY,
            linewidth=0,
        )
        if gene.strand in "+-":
            on_intron, on_exon = _chevrons((start, end), exons, bp_per_mm)
            _draw_chevrons(axes, on_intron, middle, gene.strand, GRAY)
            _draw_chevrons(axes, on_exon, middle, gene.strand, "white")
        axes.text(
            name_at,
            row * _ROW + _NAME / 2,
            gene.name,
            va="center",
            fontsize=SMALL,
            fontstyle="italic",
        )
    if laid.n_left_out:
        axes.text(
            region.start,
            laid.height - _NOTE / 2,
            f"+{laid.n_left_out:,} more",
            va="center",
            fontsize=SMALL,
            color=GRAY,
        )


def _chevrons(
    span: tuple[float, float], exons: NDArray[np.float64], bp_per_mm: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Place arrows along a gene: those entirely on introns, and those on exons."""
    start, end = span
    half, step = _CHEVRON / 2 * bp_per_mm, _STEP * bp_per_mm
    n = max(1, int((end - start) // step))
    centers = start + (end - start) * (np.arange(n) + 0.5) / n
    left, right = centers - half, centers + half
    begins, ends = exons[:, :1], exons[:, 1:]
    is_on_exon = ((begins <= left) & (right <= ends)).any(axis=0)
    is_clear = ~((begins < right) & (left < ends)).any(axis=0)
    is_inside = (start <= left) & (right <= end)
    return centers[is_clear & is_inside], centers[is_on_exon]


def _draw_chevrons(
    axes: Axes, centers: NDArray[np.float64], y: float, strand: str, color: str
) -> None:
    from matplotlib.path import Path

    sign = 1 if strand == "+" else -1
    if len(centers):
        axes.plot(
            centers,
            np.full(len(centers), y),
            linestyle="none",
            marker=Path([(-0.5 * sign, -1.0), (0.5 * sign, 0.0), (-0.5 * sign, 1.0)]),
            markersize=3.0,
            fillstyle="none",
            color=color,
            markeredgewidth=0.5,
        )
