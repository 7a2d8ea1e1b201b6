"""`info`: models, TFs, cell lines and pairs, with what is known of each."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Any

import typer

from tfimpute_tracks.commands import options
from tfimpute_tracks.commands.console import print_result, show_json, show_table
from tfimpute_tracks.errors import UsageError

__all__ = ["info"]

_TOPICS = ("models", "tfs", "cells", "pairs")


def info(
    topic: Annotated[
        str, typer.Argument(help="What to list: models, tfs, cells or pairs.")
    ] = "models",
    model: options.ModelName = "default",
    tf: options.Tf = None,
    cell: options.Cell = None,
    as_json: options.Json = False,
) -> None:
    """List models, TFs, cell lines or pairs, with status and expected accuracy."""
    from tfimpute_tracks.models import load_model

    if topic not in _TOPICS:
        raise UsageError(f"unknown topic {topic!r}; give {', '.join(_TOPICS)}")
    if topic == "models":
        records = _models()
    else:
        loaded = load_model(model)
        wanted = (
            loaded.vocabulary.tf(tf) if tf else None,
            loaded.vocabulary.cell(cell) if cell else None,
        )
        pairs = _pairs(loaded, *wanted)
        records = pairs if topic == "pairs" else _grouped(pairs, topic)
    if as_json:
        show_json(records)
        return
    columns = list(records[0])
    rows = [
        [_shown(column, record[column]) for column in columns] for record in records
    ]
    show_table("", [column.replace("_", " ") for column in columns], rows)
    print_result(f"{len(records):,} {topic}")


def _shown(column: str, value: Any) -> Any:
    if value is None:
        return "-"
    # Scores that few calls are wrong by lie near 1: four decimals hide them.
    return f"{value:.6f}" if column.startswith("fdr") else value


def _models() -> list[dict[str, Any]]:
    from tfimpute_tracks.models import load_model, pretrained_models

    records = []
    for name, path in pretrained_models().items():
        loaded = load_model(name)
        known = loaded.measured_pairs.values()
        records.append(
            {
                "model": name,
                "tfs": len(loaded.tfs),
                "cells": len(loaded.cells),
                "pairs": len(loaded.tfs) * len(loaded.cells),
                "trained": sum(entry["trained"] for entry in known),
                "tile": loaded.config.seq_len,
                "stride": loaded.config.stride,
                "halo": loaded.config.flank,
                "build": loaded.checkpoint.genome.get("build"),
                "auroc_trained": _mean_auroc(e for e in known if e["trained"]),
                "auroc_held_out": _mean_auroc(e for e in known if not e["trained"]),
                "kib": path.stat().st_size // 1024,
            }
        )
    return records


def _mean_auroc(entries: Iterable[dict[str, Any]]) -> float | None:
    aurocs = [e["test_auroc"] for e in entries if e["test_auroc"] is not None]
    return sum(aurocs) / len(aurocs) if aurocs else None


def _pairs(loaded: Any, tf: str | None, cell: str | None) -> list[dict[str, Any]]:
    records = []
    for pair in loaded.vocabulary.all_pairs():
        if (tf and pair.tf != tf) or (cell and pair.cell != cell):
            continue
        known = loaded.measured_pairs.get(pair, {})
        records.append(
            {
                "tf": pair.tf,
                "cell": pair.cell,
                "status": loaded.status(pair),
                "training_sites": known.get("training_sites", 0),
                "auroc": known.get("test_auroc"),
                "expected_auroc": loaded.expected_auroc(pair),
                **_ends(loaded.expected_interval(pair)),
                "threshold": round(loaded.threshold(pair), 4),
                **{
                    f"fdr_{level:g}": score
                    for level, score in loaded.fdr_thresholds(pair).items()
                },
            }
        )
    return records


def _ends(interval: tuple[float, float] | None) -> dict[str, float | None]:
    low, high = interval or (None, None)
    return {"expected_low": low, "expected_high": high}


def _grouped(pairs: list[dict[str, Any]], topic: str) -> list[dict[str, Any]]:
    """Sum up pairs by TF or by cell line."""
    key, other = ("tf", "cell") if topic == "tfs" else ("cell", "tf")
    groups: dict[str, list[dict[str, Any]]] = {}
    for pair in pairs:
        groups.setdefault(pair[key], []).append(pair)
    records = []
    for name, group in groups.items():
        trained = [pair for pair in group if pair["status"] == "trained"]
        aurocs = [pair["auroc"] for pair in trained if pair["auroc"] is not None]
        records.append(
            {
                key: name,
                "measured_pairs": len(trained),
                "imputed_pairs": len(group) - len(trained),
                "mean_auroc": round(sum(aurocs) / len(aurocs), 4) if aurocs else None,
                f"measured_{other}s": " ".join(pair[other] for pair in trained[:8])
                + (" ..." if len(trained) > 8 else ""),
            }
        )
    return records
