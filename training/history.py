"""The log of a run's epochs, and its learning curves."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tfimpute_tracks.storage import atomic_file, write_text

__all__ = ["draw_curves", "write_log"]


def write_log(path: Path, history: list[dict[str, Any]]) -> None:
    """Write the metrics of every epoch, one JSON object per line.

    Parameters
    ----------
    path : Path
    history : list of dict

    Raises
    ------
    WriteError
        The disk is full.
    """
    write_text(path, "".join(json.dumps(epoch) + "\n" for epoch in history))


def draw_curves(stem: Path, history: list[dict[str, Any]]) -> list[Path]:
    """Draw loss and validation AUROC by epoch.

    Parameters
    ----------
    stem : Path
        Files are `stem`.png and `stem`.svg.
    history : list of dict

    Returns
    -------
    list of Path

    Raises
    ------
    WriteError
        The disk is full.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from matplotlib.ticker import MaxNLocator

    # Without pyplot, which would keep the figure and look for a display.
    figure = Figure(figsize=(8, 3.2), layout="constrained")
    FigureCanvasAgg(figure)
    loss, ranking = figure.subplots(1, 2)
    epochs = [entry["epoch"] for entry in history]
    loss.plot(epochs, [entry["loss"] for entry in history], "o-", color="#0072b2")
    loss.set(xlabel="epoch", ylabel="training loss")
    curves = {
        "auroc_valid2": ("held-out pairs", "#d55e00"),
        "auroc_trained": ("trained pairs", "#0072b2"),
    }
    for key, (label, color) in curves.items():
        points = [(e["epoch"], e[key]) for e in history if key in e]
        if points:
            ranking.plot(*zip(*points, strict=True), "o-", color=color, label=label)
    ranking.set(xlabel="epoch", ylabel="AUROC, validation sites")
    ranking.legend(frameon=False)
    for axes in (loss, ranking):
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.spines[["top", "right"]].set_visible(False)
    paths = [stem.with_suffix(".png"), stem.with_suffix(".svg")]
    for path in paths:
        with atomic_file(path) as temporary:
            figure.savefig(temporary, format=path.suffix[1:], dpi=150)
    return paths
