"""The map of what an allele does as a page to look into: one file, no network.

Every pair is in it, not only those that a picture has room for: sorted, searched and
held against a line of reliability by the page itself.
"""

from __future__ import annotations

import base64
from html import escape
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tfimpute_tracks.interpret.tf_families import family_of
from tfimpute_tracks.models.model import Model
from tfimpute_tracks.plots.effects import MIN_AUROC, alike
from tfimpute_tracks.storage import write_text
from tfimpute_tracks.storage.page import fill_template, script_json

__all__ = ["EffectGrid", "write_page"]

Floats = NDArray[np.float32]


class EffectGrid(NamedTuple):
    """What an allele does to TFs in cell lines.

    Attributes
    ----------
    tfs, cells : list of str
    ref, alt : float32 arrays, shape (n_tfs, n_cells)
        Probabilities; NaN where a pair was not asked for.
    data_sets : int64 array, shape (n_tfs, n_cells)
        That the model learned each pair from.
    auroc : float32 array, shape (n_tfs, n_cells)
        Expected of each pair; NaN where nobody knows.
    """

    tfs: list[str]
    cells: list[str]
    ref: Floats
    alt: Floats
    data_sets: NDArray[np.int64]
    auroc: Floats

    @property
    def deltas(self) -> NDArray[np.float64]:
        """Probability of the alternative less that of the reference."""
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
        That scored it.

    Raises
    ------
    WriteError
        The disk is full, or the file cannot be written.
    """
    n_asked = int(np.count_nonzero(~np.isnan(grid.ref)))
    parts = {
        "title": escape(f"Effects of {title}"),
        "lead": escape(
            f"Change of the probability of binding for {n_asked:,} pairs of "
            f"{len(grid.tfs):,} TFs and {len(grid.cells):,} cell lines, predicted from "
            f"sequence by the model {model.name}."
        ),
        "least": str(MIN_AUROC),
        "reading": _reading(model),
        "view": script_json(_view(grid)),
    }
    write_text(dest, fill_template("variants/effects.html", parts))


def _reading(model: Model) -> str:
    tests = escape(model.test_sites)
    return f"""<p>Of each allele the best tile that reaches the change counts, either
strand. Bound and unbound sites had the same weight in training: 0.5 does not mean that
half of such places are bound.</p>
<p>The expected AUROC of a measured pair is that on {tests}; of an imputed one it is
what to expect by what is known of its TF and its cell line. It is about telling sites
apart, and not about this variant. Pairs below the line are pale and crossed out, and
count neither in the table nor when sorting by the largest change.</p>
<p>By likeness: hierarchical clustering of the changes.</p>"""


def _view(grid: EffectGrid) -> dict[str, Any]:
    deltas = grid.deltas
    return {
        "tfs": grid.tfs,
        "families": [family_of(tf) for tf in grid.tfs],
        "cells": grid.cells,
        "rowOrder": alike(deltas).tolist(),
        "columnOrder": alike(deltas.T).tolist(),
        "ref": _packed(grid.ref, "<f4"),
        "alt": _packed(grid.alt, "<f4"),
        "auroc": _packed(grid.auroc, "<f4"),
        "sets": _packed(np.minimum(grid.data_sets, 255), "u1"),
        "least": MIN_AUROC,
    }


def _packed(values: NDArray[Any], kind: str) -> str:
    """Give numbers as the page reads them: little-endian, row by row, in base64."""
    return base64.b64encode(values.astype(kind).tobytes()).decode("ascii")
