"""A picture of promises: probabilities against the shares of bound sites found."""

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

__all__ = ["promised_and_found"]

Doubles = NDArray[np.float64]


def promised_and_found(
    curves: Mapping[str, tuple[Doubles, Doubles, Doubles]],
) -> Figure:
    """Draw calibration curves.

    Parameters
    ----------
    curves : mapping of str to (promised, found, sites)
        By name: float64 arrays, shape (n_bins,): mean probability, share of bound
        sites, and how many sites there are in each bin.

    Returns
    -------
    Figure
        A point per bin, the larger the more sites it has; its label is its caption.
    """
    with paper_style():
        figure = new_figure(SINGLE_COLUMN, SINGLE_COLUMN)
        axes = figure.add_axes((0.15, 0.14, 0.82, 0.82))
        axes.plot([0, 1], [0, 1], color=GRAY, linewidth=0.6)
        for i, (name, (promised, found, sites)) in enumerate(curves.items()):
            color = PALETTE[i % len(PALETTE)]
            axes.plot(promised, found, color=color, linewidth=0.8, label=name)
            area = 3 + 4 * np.log10(np.maximum(sites, 1))
            axes.scatter(promised, found, s=area, color=color, linewidths=0)
        axes.set_xlim(0, 1)
        axes.set_ylim(0, 1)
        axes.set_xlabel("Calibrated probability")
        axes.set_ylabel("Share of bound sites")
        if curves:
            axes.legend(loc="upper left", frameon=False)
    figure.set_label(
        "Calibrated probabilities against the share of sites that are bound, in bins "
        "of equal width; a point is the larger the more sites it stands for."
    )
    return figure
