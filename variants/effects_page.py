"""Write the effects of an allele as an interactive page: one file, without network.

The page holds every pair, not only those that a figure has space for. It sorts, searches
and filters them itself.
"""

from __future__ import annotations

import base64
from html import escape
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tfimpute_tracks.errors import counted
from tfimpute_tracks.interpret.tf_families import family_of
from tfimpute_tracks.models.model import Model
from tfimpute_tracks.plots.effects import MIN_AUROC, cluster_order
from tfimpute_tracks.storage import write_text
from tfimpute_tracks.storage.page import fill_template, script_json

__all__ = ["EffectGrid", "write_page"]

Floats = NDArray[np.float32]


class EffectGrid(NamedTuple):
    """Effects of an allele on TFs in cell lines.

    Attributes
    ----------
    tfs, cells : list of str
    ref, alt : float32 arrays, shape (n_tfs, n_cells)
        Probabilities; NaN for pairs that were not scored.
    is_measured : bool array, shape (n_tfs, n_cells)
        Whether there are measured peaks of the pair.
    auroc : float32 array, shape (n_tfs, n_cells)
        Expected AUROC; NaN if unknown.
    """

    tfs: list[str]
    cells: list[str]
    ref: Floats
    alt: Floats
    is_measured: NDArray[np.bool_]
    auroc: Floats

    @property
    def deltas(self) -> NDArray[np.float64]:
        """Probability of the alternate allele minus that of the reference."""
        return self.alt.astype(np.float64) - self.ref


def write_page(dest: Path, grid: EffectGrid, title: str, model: Model) -> None:
    """Write the page of an allele.

    Parameters
    ----------
    dest : Path
    grid : EffectGrid
    title : str
        The allele, as text.
    model : Model
        The model that scored it.

    Raises
    ------
    WriteError
        The disk is full, or the file cannot be written.
    """
    n_scored = int(np.count_nonzero(~np.isnan(grid.ref)))
    parts = {
        "title": escape(f"Effects of {title}"),
        "lead": escape(
            f"Change in the probability of binding for {counted(n_scored, 'pair')} of "
            f"{counted(len(grid.tfs), 'TF')} and {counted(len(grid.cells), 'cell line')}, "
            f"predicted from sequence by the model {model.name}."
        ),
        "min_auroc": str(MIN_AUROC),
        "test_sites": escape(model.test_sites),
        "view": script_json(_view(grid)),
    }
    write_text(dest, fill_template("variants/effects.html", parts))


def _view(grid: EffectGrid) -> dict[str, Any]:
    deltas = grid.deltas
    return {
        "tfs": grid.tfs,
        "families": [family_of(tf) for tf in grid.tfs],
        "cells": grid.cells,
        "rowOrder": cluster_order(deltas).tolist(),
        "columnOrder": cluster_order(deltas.T).tolist(),
        "ref": _base64(grid.ref, "<f4"),
        "alt": _base64(grid.alt, "<f4"),
        "auroc": _base64(grid.auroc, "<f4"),
        "measured": _base64(grid.is_measured, "u1"),
        "minAuroc": MIN_AUROC,
    }


def _base64(values: NDArray[Any], dtype: str) -> str:
    """Encode an array as the page reads it: little-endian, row by row."""
    return base64.b64encode(values.astype(dtype).tobytes()).decode("ascii")
