"""What is reported of an extended model: similar cell lines, and what to expect of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from tfimpute_tracks.models.model import Model
from tfimpute_tracks.training.extend_inputs import NewTracks
from tfimpute_tracks.vocabulary import Pair

__all__ = ["NEAREST", "describe_similar", "make_report"]

NEAREST = 3  # cell lines that are named
_UNLIKE = 0.2  # correlation of open sites
_METRICS = ("auroc", "average_precision")


def make_report(
    model: Model, new: NewTracks, similar: Mapping[str, Mapping[str, float]]
) -> dict[str, Any]:
    """Report what was added to a model.

    Parameters
    ----------
    model : Model
        Extended.
    new : NewTracks
    similar : mapping
        New cell line with open chromatin -> known cell line -> correlation, the highest
        first.

    Returns
    -------
    dict
        JSON values: `tfs`, `cells`, `similar` cell lines, and `accuracy`: of each measured
        pair, then what to expect of all others of each new TF and cell line.
    """
    return {
        "tfs": list(new.tfs),
        "cells": list(new.cells),
        "similar": [
            {"cell": cell, "nearest": dict(list(near.items())[:NEAREST])}
            for cell, near in similar.items()
        ],
        "accuracy": _accuracy(model, new),
    }


def describe_similar(report: Mapping[str, Any]) -> list[str]:
    """Name the known cell lines that each new one is most like.

    Parameters
    ----------
    report : mapping
        From :func:`make_report`.

    Returns
    -------
    list of str
        A line per new cell line with open chromatin.
    """
    return [_describe(row["cell"], row["nearest"]) for row in report["similar"]]


def _describe(cell: str, nearest: Mapping[str, float]) -> str:
    names = ", ".join(f"{name} ({value:.2f})" for name, value in nearest.items())
    text = f"the open chromatin of {cell} is most like that of {names}; 1 is the same"
    if max(nearest.values(), default=1.0) < _UNLIKE:
        text += (
            ", and these are low: check that the peaks are of the assembly of the FASTA, "
            "and of open chromatin"
        )
    return text


def _accuracy(model: Model, new: NewTracks) -> list[dict[str, Any]]:
    measured = [pair for pair, _ in new.measured]
    rows = [(f"{pair}, measured", [pair]) for pair in measured]
    every = model.vocabulary.all_pairs()
    for name, of_name in (
        *((tf, [p for p in every if p.tf == tf]) for tf in new.tfs),
        *((cell, [p for p in every if p.cell == cell]) for cell in new.cells),
    ):
        rows.append(
            (f"{name}, not measured", [p for p in of_name if p not in measured])
        )
    return [
        {
            "pairs": what,
            "number": len(pairs),
            **{metric: _mean(model, pairs, metric) for metric in _METRICS},
        }
        for what, pairs in rows
    ]


def _mean(model: Model, pairs: Sequence[Pair], metric: str) -> float | None:
    values = [model.expected(pair, metric) for pair in pairs]
    known = [value for value in values if value is not None]
    return round(float(np.mean(known)), 4) if known else None
