"""Pictures that sum up many tracks: scores, peaks, and how far to trust pairs.

Each is given as SVG text that can stand in a page. Measured and imputed pairs differ in
color and in marker; what is drawn of both alike is gray. Where the numbers come from
is the caller's business.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from tfimpute_tracks.plots.style import (
    BLACK,
    COLOR_OF,
    GRAY,
    LIGHT_GRAY,
    MARKER_OF,
    SMALL,
    new_figure,
    paper_style,
    svg_text,
    text_width,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = [
    "expected_accuracy",
    "known_and_imputed",
    "peaks_per_chromosome",
    "score_distribution",
]

_WIDTH = 120.0  # mm
_NAMED = 40  # pairs that get a name
_CHROMS = 40  # chromosomes that have room for theirs
_KINDS = ("trained", "imputed")


def score_distribution(
    names: Sequence[str],
    edges: NDArray[np.float64],
    counts: Sequence[NDArray[np.int64]],
    thresholds: Sequence[float],
) -> str:
    """Draw how many tiles have which score, a small picture per pair.

    Parameters
    ----------
    names : sequence of str
        One at least; of more than a dozen the picture grows long.
    edges : float64 array, shape (n_bins + 1,)
    counts : sequence of int64 arrays, shape (n_bins,)
    thresholds : sequence of float
        Score that calls a peak.

    Returns
    -------
    str
        SVG.
    """
    n_columns = min(3, len(names))
    n_rows = -(-len(names) // n_columns)
    height = 9 + 26.0 * n_rows
    with paper_style():
        figure = new_figure(_WIDTH, height)
        grid = figure.subplots(
            n_rows, n_columns, sharex=True, sharey=True, squeeze=False
        )
        every = list(grid.flat)
        for axes in every[len(names) :]:
            axes.set_visible(False)
        rows = zip(every, names, counts, thresholds, strict=False)
        for axes, name, heights, threshold in rows:
            axes.stairs(np.maximum(heights, 0.5), edges, fill=True, color=GRAY)
            axes.axvline(threshold, color=BLACK, linestyle="--", linewidth=0.7)
            axes.set_title(name, fontsize=SMALL, pad=2)
            axes.set_yscale("log")
            axes.set_ylim(0.5, None)
            axes.set_xlim(edges[0], edges[-1])
            axes.set_xticks([0, 0.5, 1], ["0", "0.5", "1"])
        for axes in every[max(len(names) - n_columns, 0) : len(names)]:
            axes.tick_params(labelbottom=True)  # none stands below it
        low, high = 9 / height, 1 - 4.5 / height
        figure.subplots_adjust(0.11, low, 0.98, high, 0.12, 0.35)
        middle = (0.11 + 0.98) / 2
        figure.supxlabel("Probability", x=middle, y=1.5 / height, fontsize=SMALL)
        figure.supylabel("Tiles", y=(low + high) / 2, fontsize=SMALL)
        return svg_text(
            figure,
            "Distribution of scores",
            f"Histograms of the scores of {len(names)} pairs on a log axis, with the "
            "threshold that calls peaks.",
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
    # Scaffolds are many, and hold little: the largest stay, in the order given.
    largest = np.sort(np.argsort(-known, kind="stable")[:_CHROMS])
    shown = [chroms[i] for i in largest.tolist()]
    n_left_out = len(chroms) - len(shown)
    density = (peaks / np.maximum(known, 1e-9))[:, largest]
    widest = max((text_width(chrom, SMALL) for chrom in shown), default=0)
    across = 0.87 * _WIDTH
    places = np.arange(len(shown))
    spare = max(4 - len(shown), 0) / 2  # few bars do not fill the picture
    is_turned = widest + 2 > across / (len(shown) + 2 * spare)
    below = (widest if is_turned else 2.5) + 4.0
    height = 45 + below
    with paper_style():
        figure = new_figure(_WIDTH, height)
        axes = figure.add_axes((0.11, below / height, 0.87, 40 / height))
        axes.bar(places, np.median(density, axis=0), 0.6, color=LIGHT_GRAY)
        spread = _jitter(len(names), 0.4)
        for place in places.tolist():
            _dots(axes, place + spread, density[:, place], "", 2.2)
        axes.set_xticks(places, shown, rotation=90 if is_turned else 0)
        axes.set_xlim(-0.6 - spare, len(shown) - 0.4 + spare)
        axes.set_ylim(0, None)
        axes.set_ylabel("Peaks per Mb", fontsize=SMALL)
        if n_left_out:
            told = f"+{n_left_out:,} with less sequence"
            axes.set_title(told, fontsize=SMALL, loc="right", pad=3)
        return svg_text(
            figure,
            "Peaks by chromosome",
            f"Peaks per Mb of known sequence on {len(shown)} chromosomes; bars are "
            f"medians over {len(names)} pairs, points are pairs.",
            "chromosomes",
        )


def known_and_imputed(density: NDArray[np.float64], status: Sequence[str]) -> str:
    """Draw the peaks of trained pairs beside those of imputed ones.

    Parameters
    ----------
    density : float64 array, shape (n_pairs,)
        Peaks per Mb.
    status : sequence of str
        `trained` or `imputed`.

    Returns
    -------
    str
        SVG; pairs without a peak stand at the lower end.
    """
    from matplotlib.ticker import NullFormatter

    floor = 10 ** math.floor(math.log10(max(density[density > 0].min(initial=1), 1e-3)))
    with paper_style():
        figure = new_figure(_WIDTH / 2, 55)
        axes = figure.add_axes((0.2, 0.14, 0.76, 0.8))
        for place, kind in enumerate(_KINDS):
            some = np.array(
                [d for d, r in zip(density, status, strict=True) if r == kind]
            )
            if not len(some):
                continue
            shown = np.maximum(some, floor)
            _dots(axes, place + _jitter(len(some), 0.5), shown, kind, 2.6)
            middle = float(np.median(shown))
            axes.plot([place - 0.35, place + 0.35], [middle, middle], color=GRAY)
        axes.set_yscale("log")
        axes.yaxis.set_major_formatter("{x:g}")
        axes.yaxis.set_minor_formatter(NullFormatter())
        axes.set_ylim(floor / 1.5, max(2 * float(density.max(initial=1)), 10 * floor))
        axes.set_xlim(-0.6, 1.6)
        words = [f"{kind} ({list(status).count(kind)})" for kind in _KINDS]
        axes.set_xticks([0, 1], words)
        axes.set_ylabel("Peaks per Mb", fontsize=SMALL)
        return svg_text(
            figure,
            "Peaks of trained and imputed pairs",
            "Peaks per Mb of each pair on a log axis; lines are medians.",
            "known",
        )


def expected_accuracy(
    names: Sequence[str], aurocs: Sequence[float | None], status: Sequence[str]
) -> str:
    """Draw how well each pair is expected to be told apart, the best first.

    Parameters
    ----------
    names : sequence of str
    aurocs : sequence of float or None
        None: nothing is known.
    status : sequence of str
        `trained` or `imputed`.

    Returns
    -------
    str
        SVG; names are left out where there are more than 40.
    """
    rows = [
        (auroc, name, kind)
        for auroc, name, kind in zip(aurocs, names, status, strict=True)
        if auroc is not None
    ]
    rows.sort(key=lambda row: (-row[0], row[1]))
    is_named = len(rows) <= _NAMED
    n_unknown = len(names) - len(rows)
    widest = max((text_width(name, SMALL) for _, name, _ in rows), default=0)
    left = (widest + 4) / _WIDTH if is_named else 0.08
    height = 18 + (3.4 * max(len(rows), 3) if is_named else 60)
    with paper_style():
        figure = new_figure(_WIDTH, height)
        axes = figure.add_axes((left, 10 / height, 0.97 - left, 1 - 17 / height))
        for kind in _KINDS:
            some = [(i, row[0]) for i, row in enumerate(rows) if row[2] == kind]
            if some:
                places, values = zip(*some, strict=True)
                _dots(axes, values, places, kind, 3.2)
        axes.set_ylim(len(rows) - 0.4, -0.6)
        if is_named:
            axes.set_yticks(range(len(rows)), [name for _, name, _ in rows])
        else:
            axes.set_yticks([])
            axes.set_ylabel(f"{len(rows):,} pairs", fontsize=SMALL)
        axes.axvline(0.5, color=LIGHT_GRAY)
        worst = min((auroc for auroc, _, _ in rows), default=0.5)
        axes.set_xlim(min(0.5, worst) - 0.02, 1)
        axes.set_xlabel("Expected AUROC", fontsize=SMALL)
        if rows:
            axes.legend(
                loc="lower right",
                bbox_to_anchor=(1, 1),
                ncols=2,
                frameon=False,
                borderpad=0,
                handletextpad=0.2,
            )
        if n_unknown:
            told = f"{n_unknown} pair(s) without a figure"
            axes.set_title(told, fontsize=SMALL, loc="left", pad=3)
        return svg_text(
            figure,
            "Expected accuracy",
            f"Expected AUROC of {len(rows)} pairs, sorted; trained and imputed pairs "
            "have other markers.",
            "accuracy",
        )


def _dots(axes: Axes, x: Any, y: Any, kind: str, size: float) -> None:
    axes.plot(
        x,
        y,
        linestyle="none",
        marker=MARKER_OF.get(kind, "o"),
        markersize=size,
        color=COLOR_OF.get(kind, GRAY),
        markeredgewidth=0,
        label=kind,
        clip_on=False,  # a dot at the end of the axis is whole
    )


def _jitter(n: int, width: float) -> NDArray[np.float64]:
    """Spread points sideways, always the same way: by the golden ratio."""
    golden = (math.sqrt(5) - 1) / 2
    return np.asarray((np.arange(n) * golden % 1 - 0.5) * width, dtype=np.float64)
