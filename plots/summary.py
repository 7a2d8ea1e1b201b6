"""Figures that summarize many tracks: scores, peaks, and the expected accuracy of pairs.

Each is SVG text for an HTML page. Measured and imputed pairs differ in color and in marker;
gray marks do not distinguish them.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from tfimpute_tracks.errors import counted
from tfimpute_tracks.plots.marks import draw_pairs, jitter, legend_above
from tfimpute_tracks.plots.style import (
    BLACK,
    GRAY,
    LIGHT_GRAY,
    SMALL,
    STATUSES,
    add_axes,
    new_figure,
    paper_style,
    svg_text,
    text_width,
)

__all__ = [
    "expected_accuracy",
    "peaks_by_status",
    "peaks_per_chromosome",
    "score_distribution",
]

_WIDTH = 120.0  # mm
_LEFT, _INNER = 0.11 * _WIDTH, 0.87 * _WIDTH
_MAX_NAMES = 40  # pairs
_MAX_CHROMS = 40


def score_distribution(
    names: Sequence[str],
    edges: NDArray[np.float64],
    counts: Sequence[NDArray[np.int64]],
    thresholds: Sequence[float],
) -> str:
    """Draw a histogram of scores for each pair.

    Parameters
    ----------
    names : sequence of str
        At least one; more than a dozen make a long figure.
    edges : float64 array, shape (n_bins + 1,)
        Of probabilities; the second one above 0, because the axis is logarithmic.
    counts : sequence of int64 arrays, shape (n_bins,)
        Tiles per bin.
    thresholds : sequence of float
        Peak-calling thresholds.

    Returns
    -------
    str
        SVG.
    """
    n_columns = min(3, len(names))
    n_rows = -(-len(names) // n_columns)
    height = 9 + 26.0 * n_rows
    drawn = np.append(edges[1] ** 2 / edges[2], edges[1:])  # the first bar as wide
    with paper_style():
        figure = new_figure(_WIDTH, height)
        grid = figure.subplots(
            n_rows, n_columns, sharex=True, sharey=True, squeeze=False
        )
        panels = list(grid.flat)
        for axes in panels[len(names) :]:
            axes.set_visible(False)
        rows = zip(panels, names, counts, thresholds, strict=False)
        for axes, name, heights, threshold in rows:
            axes.stairs(np.maximum(heights, 0.5), drawn, fill=True, color=GRAY)
            axes.set_xscale("log")
            axes.axvline(
                max(threshold, drawn[0]), color=BLACK, linestyle="--", linewidth=0.7
            )
            axes.set_title(name, fontsize=SMALL, pad=2)
            axes.set_yscale("log")
            axes.set_ylim(0.5, None)
            axes.set_xlim(drawn[0], drawn[-1])
            axes.set_xticks([0.001, 0.01, 0.1, 1], ["0.001", "0.01", "0.1", "1"])
            axes.minorticks_off()
        for axes in panels[max(len(names) - n_columns, 0) : len(names)]:
            axes.tick_params(labelbottom=True)  # no panel is below it
        low, high = 9 / height, 1 - 4.5 / height
        figure.subplots_adjust(0.11, low, 0.98, high, 0.12, 0.35)
        middle = (0.11 + 0.98) / 2
        figure.supxlabel("Probability", x=middle, y=1.5 / height, fontsize=SMALL)
        figure.supylabel("Tiles", y=(low + high) / 2, fontsize=SMALL)
        return svg_text(
            figure,
            "Distribution of probabilities",
            f"Histograms of the probabilities of {len(names)} pairs on log scales, with "
            "the peak-calling threshold.",
            "scores",
        )


def peaks_per_chromosome(
    chroms: Sequence[str],
    known: NDArray[np.float64],
    peaks: NDArray[np.int64],
    names: Sequence[str],
) -> str:
    """Draw the density of peaks on each chromosome.

    Parameters
    ----------
    chroms : sequence of str
        Of more than 40, those with the most sequence are drawn.
    known : float64 array, shape (n_chroms,)
        Mb with a score.
    peaks : int64 array, shape (n_pairs, n_chroms)
    names : sequence of str
        Of the pairs.

    Returns
    -------
    str
        SVG: bars are medians over pairs, points are pairs.
    """
    # Scaffolds are many and short: the longest stay, in the order of the genome.
    longest = np.sort(np.argsort(-known, kind="stable")[:_MAX_CHROMS])
    shown = [chroms[i] for i in longest.tolist()]
    n_left_out = len(chroms) - len(shown)
    density = (peaks / np.maximum(known, 1e-9))[:, longest]
    widest = max((text_width(chrom, SMALL) for chrom in shown), default=0)
    positions = np.arange(len(shown))
    margin = max(4 - len(shown), 0) / 2  # few bars do not fill the figure
    is_rotated = widest + 2 > _INNER / (len(shown) + 2 * margin)
    below = (widest if is_rotated else 2.5) + 4.0
    with paper_style():
        figure = new_figure(_WIDTH, 45 + below)
        axes = add_axes(figure, _LEFT, below, _INNER, 40)
        axes.bar(positions, np.median(density, axis=0), 0.6, color=LIGHT_GRAY)
        offsets = jitter(len(names), 0.4)
        for at in positions.tolist():
            draw_pairs(axes, at + offsets, density[:, at], "", 2.2)
        axes.set_xticks(positions, shown, rotation=90 if is_rotated else 0)
        axes.set_xlim(-0.6 - margin, len(shown) - 0.4 + margin)
        axes.set_ylim(0, None)
        axes.set_ylabel("Peaks per Mb", fontsize=SMALL)
        if n_left_out:
            text = f"+{n_left_out:,} shorter ones"
            axes.set_title(text, fontsize=SMALL, loc="right", pad=3)
        return svg_text(
            figure,
            "Peaks by chromosome",
            f"Peaks per Mb of known sequence on {len(shown)} chromosomes; bars are "
            f"medians over {len(names)} pairs, points are pairs.",
            "chromosomes",
        )


def peaks_by_status(density: NDArray[np.float64], status: Sequence[str]) -> str:
    """Draw the peaks of measured pairs next to those of imputed ones.

    Parameters
    ----------
    density : float64 array, shape (n_pairs,)
        Peaks per Mb.
    status : sequence of str
        `measured` or `imputed`.

    Returns
    -------
    str
        SVG; pairs without a peak are at the lower end.
    """
    from matplotlib.ticker import NullFormatter

    floor = 10 ** math.floor(math.log10(max(density[density > 0].min(initial=1), 1e-3)))
    labels = [f"{kind} ({list(status).count(kind)})" for kind in STATUSES]
    with paper_style():
        figure = new_figure(_WIDTH / 2, 55)
        axes = figure.add_axes((0.2, 0.14, 0.76, 0.8))
        for at, kind in enumerate(STATUSES):
            shown = np.maximum(density[np.asarray(status) == kind], floor)
            if not len(shown):
                continue
            draw_pairs(axes, at + jitter(len(shown), 0.5), shown, kind, 2.6)
            median = float(np.median(shown))
            axes.plot([at - 0.35, at + 0.35], [median, median], color=GRAY)
        axes.set_yscale("log")
        axes.yaxis.set_major_formatter("{x:g}")
        axes.yaxis.set_minor_formatter(NullFormatter())
        axes.set_ylim(floor / 1.5, max(2 * float(density.max(initial=1)), 10 * floor))
        axes.set_xlim(-0.6, 1.6)
        axes.set_xticks([0, 1], labels)
        axes.set_ylabel("Peaks per Mb", fontsize=SMALL)
        return svg_text(
            figure,
            "Peaks of measured and imputed pairs",
            "Peaks per Mb of each pair on a log scale; lines are medians.",
            "status",
        )


def expected_accuracy(
    names: Sequence[str], aurocs: Sequence[float | None], status: Sequence[str]
) -> str:
    """Draw the expected AUROC of each pair, the best first.

    Parameters
    ----------
    names : sequence of str
    aurocs : sequence of float or None
        None: unknown.
    status : sequence of str
        `measured` or `imputed`.

    Returns
    -------
    str
        SVG; names are left out if there are more than 40.
    """
    rows = [
        (auroc, name, kind)
        for auroc, name, kind in zip(aurocs, names, status, strict=True)
        if auroc is not None
    ]
    rows.sort(key=lambda row: (-row[0], row[1]))
    is_named = len(rows) <= _MAX_NAMES
    n_unknown = len(names) - len(rows)
    widest = max((text_width(name, SMALL) for _, name, _ in rows), default=0)
    left = widest + 4 if is_named else 0.08 * _WIDTH
    height = 18 + (3.4 * max(len(rows), 3) if is_named else 60)
    with paper_style():
        figure = new_figure(_WIDTH, height)
        axes = add_axes(figure, left, 10, 0.97 * _WIDTH - left, height - 17)
        for kind in STATUSES:
            own = [i for i, row in enumerate(rows) if row[2] == kind]
            if own:
                x = [rows[i][0] for i in own]
                draw_pairs(axes, x, own, kind, 3.2, label=kind)
        axes.set_ylim(len(rows) - 0.4, -0.6)
        if is_named:
            axes.set_yticks(range(len(rows)), [name for _, name, _ in rows])
        else:
            axes.set_yticks([])
            axes.set_ylabel(counted(len(rows), "pair"), fontsize=SMALL)
        axes.axvline(0.5, color=LIGHT_GRAY)
        worst = min((auroc for auroc, _, _ in rows), default=0.5)
        axes.set_xlim(min(0.5, worst) - 0.02, 1)
        axes.set_xlabel("Expected AUROC", fontsize=SMALL)
        if rows:
            legend_above(axes)
        if n_unknown:
            text = f"unknown for {counted(n_unknown, 'pair')}"
            axes.set_title(text, fontsize=SMALL, loc="left", pad=3)
        return svg_text(
            figure,
            "Expected accuracy",
            f"Expected AUROC of {len(rows)} pairs, sorted; measured and imputed pairs "
            "have different markers.",
            "accuracy",
        )
