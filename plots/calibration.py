"""Calibration curves: predicted probabilities against observed fractions of bound sites."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from tfimpute_tracks.plots.style import (
    GRAY,
    PALETTE,
    SINGLE_COLUMN,
    new_figure,
    paper_style,
)

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["calibration_curves"]

Doubles = NDArray[np.float64]


def calibration_curves(
    curves: Mapping[str, tuple[Doubles, Doubles, Doubles]],
) -> Figure:
    """Draw calibration curves.

    Parameters
    ----------
    curves : mapping of str to (predicted, observed, n_sites)
        By name: float64 arrays, shape (n_bins,): mean probability, fraction of bound
        sites, and number of sites in each bin.

    Returns
    -------
    Figure
        A point per bin; larger points have more sites. Its label is its caption.
    """
    with paper_style():
        figure = new_figure(SINGLE_COLUMN, SINGLE_COLUMN)
        axes = figure.add_axes((0.15, 0.14, 0.82, 0.82))
        axes.plot([0, 1], [0, 1], color=GRAY, linewidth=0.6)
        for i, (name, (predicted, observed, n_sites)) in enumerate(curves.items()):
            color = PALETTE[i % len(PALETTE)]
            axes.plot(predicted, observed, color=color, linewidth=0.8, label=name)
            area = 3 + 4 * np.log10(np.maximum(n_sites, 1))
            axes.scatter(predicted, observed, s=area, color=color, linewidths=0)
        axes.set_xlim(0, 1)
        axes.set_ylim(0, 1)
        axes.set_xlabel("Probability")
        axes.set_ylabel("Fraction of bound sites")
        if curves:
            axes.legend(loc="upper left", frameon=False)
    figure.set_label(
        "Predicted probability against the fraction of bound sites, in bins of equal "
        "width. Larger points have more sites."
    )
    return figure
