"""What models know, as lists of records: bundled models, and a model's pairs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Literal

from tfimpute_tracks.models.expectation import expression
from tfimpute_tracks.models.loading import load_modes
from tfimpute_tracks.models.model import Model
from tfimpute_tracks.models.pretrained import pretrained_models

__all__ = ["group_records", "mean_accuracy", "model_records", "pair_records"]

Record = dict[str, Any]
_AUROCS = (
    *("auroc_trained", "auroc_held_out"),
    *("auroc_trained_with_evidence", "auroc_held_out_with_evidence"),
)
_MAX_NAMES = 8  # measured pairs that a group names


def model_records() -> list[Record]:
    """Describe the bundled models.

    Returns
    -------
    list of dict
        One per model: its size, its tiles, and mean AUROCs of trained and of held-out
        pairs, from sequence and with evidence.
    """
    records = []
    for name, path in pretrained_models().items():
        modes = load_modes(name)
        model = modes[0]
        aurocs = [
            _mean(
                entry["test_auroc"]
                for entry in mode.measured_pairs.values()
                if entry["trained"] == is_trained
            )
            for mode in modes
            for is_trained in (True, False)
        ]
        records.append(
            {
                "model": name,
                "tfs": len(model.tfs),
                "cells": len(model.cells),
                "pairs": len(model.tfs) * len(model.cells),
                "trained": sum(e["trained"] for e in model.measured_pairs.values()),
                "tile": model.config.seq_len,
                "stride": model.config.stride,
                "context": model.config.flank,
                "build": model.checkpoint.genome.get("build"),
                **dict(zip(_AUROCS, aurocs, strict=True)),
                "kib": path.stat().st_size // 1024,
            }
        )
    return records


def pair_records(
    model: Model, tf: str | None = None, cell: str | None = None
) -> list[Record]:
    """Describe the pairs of a model: status, accuracy and thresholds.

    Parameters
    ----------
    model : Model
    tf, cell : str, optional
        Only pairs of this TF or cell line, by the model's own name.

    Returns
    -------
    list of dict
        One per pair, with the same keys.
    """
    records = []
    for pair in model.vocabulary.all_pairs():
        if tf not in (None, pair.tf) or cell not in (None, pair.cell):
            continue
        measured: Mapping[str, Any] = model.measured_pairs.get(pair, {})
        trained = model.sequence_only.measured_pairs.get(pair, {})
        low, high = model.expected_interval(pair) or (None, None)
        precision = model.expected_interval(pair, "average_precision")
        precision_low, precision_high = precision or (None, None)
        fdr = model.fdr_thresholds(pair).items()
        records.append(
            {
                "tf": pair.tf,
                "cell": pair.cell,
                "status": model.status(pair),
                "training_sites": trained.get("training_sites", 0),
                "auroc": measured.get("test_auroc"),
                "expected_auroc": model.expected(pair),
                "expected_low": low,
                "expected_high": high,
                "expected_average_precision": model.expected(pair, "average_precision"),
                "expected_average_precision_low": precision_low,
                "expected_average_precision_high": precision_high,
                "expression": expression(model.card, model.cells, *pair),
                "threshold": model.threshold(pair),
                **{f"fdr_{level:g}": score for level, score in fdr},
            }
        )
    return records


def group_records(pairs: Iterable[Record], by: Literal["tf", "cell"]) -> list[Record]:
    """Summarize pairs by TF or by cell line.

    Parameters
    ----------
    pairs : iterable of dict
        From :func:`pair_records`.
    by : {"tf", "cell"}

    Returns
    -------
    list of dict
        One per TF or cell line.
    """
    other = "cell" if by == "tf" else "tf"
    groups: dict[str, list[Record]] = {}
    for pair in pairs:
        groups.setdefault(pair[by], []).append(pair)
    records = []
    for name, group in groups.items():
        measured = [pair for pair in group if pair["status"] == "measured"]
        mean = _mean(pair["auroc"] for pair in measured)
        names = [pair[other] for pair in measured]
        more = " ..." if len(names) > _MAX_NAMES else ""
        records.append(
            {
                by: name,
                "measured_pairs": len(measured),
                "imputed_pairs": len(group) - len(measured),
                "mean_auroc": None if mean is None else round(mean, 4),
                f"measured_{other}s": " ".join(names[:_MAX_NAMES]) + more,
            }
        )
    return records


def mean_accuracy(model: Model) -> tuple[float, float] | None:
    """Average the accuracy of a model over the measured pairs, on test sites.

    Parameters
    ----------
    model : Model

    Returns
    -------
    (float, float) or None
        AUROC and average precision; None where the card has none.
    """
    pairs = model.measured_pairs.values()
    auroc = _mean(entry.get("test_auroc") for entry in pairs)
    precision = _mean(entry.get("test_average_precision") for entry in pairs)
    return None if auroc is None or precision is None else (auroc, precision)


def _mean(values: Iterable[float | None]) -> float | None:
    numbers = [value for value in values if value is not None]
    return sum(numbers) / len(numbers) if numbers else None
