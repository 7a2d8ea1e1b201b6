"""The metrics of compared predictors: per pair, as means, and as a report.

Metrics of a pair are over its labeled sites that have a score. Next to the mean of a
predictor is the mean of a reference (the first TFImpute model) over the same pairs and
sites, so a predictor that scores easy sites only has no advantage.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from tfimpute_tracks.comparison.predictors.task import Task
from tfimpute_tracks.comparison.report import ReportTable, Section
from tfimpute_tracks.comparison.run import PredictorRuns, PredictorScores
from tfimpute_tracks.evaluation.metrics import (
    mean_or_none,
    pair_metrics,
    pair_names,
    recall_columns,
    score_metrics,
)
from tfimpute_tracks.evaluation.significance import paired_wilcoxon

__all__ = [
    "FDR_LEVELS",
    "PredictorResult",
    "evaluate_predictors",
    "report_sections",
    "unscored_pairs",
]

FDR_LEVELS = (0.05, 0.1, 0.5)
"""False discovery rates at which recall is reported, as in the TFImpute paper."""

_RECALLS = {
    name: f"recall at {level:.0%} FDR"
    for name, level in zip(recall_columns(FDR_LEVELS), FDR_LEVELS, strict=True)
}
_METRICS = {
    "predictor": "predictor",
    "pairs": "pairs",
    "auroc": "AUROC",
    "average_precision": "average precision",
    **_RECALLS,
    "prior": "prior",
}
_DIFFERENCES = {
    "predictor": "predictor",
    "shared_pairs": "pairs of both",
    "shared_auroc": "AUROC",
    "model_auroc": "AUROC of the model",
    "shared_average_precision": "average precision",
    "model_average_precision": "of the model",
    "median_difference": "median difference of AUROC",
    "wins": "pairs above the model",
    "losses": "below",
    "p": "p (Wilcoxon)",
}
_COSTS = {
    "predictor": "predictor",
    "training_sequences": "training sequences",
    "max_per_group": "most per TF or pair",
    "seconds_to_train": "s to train",
    "trained_per_second": "sequences/s",
    "seconds_to_score": "s to score",
    "scored_per_second": "scores/s",
    "cpu_seconds": "CPU s of both",
}


class PredictorResult(NamedTuple):
    """Metrics of a predictor.

    Parameters
    ----------
    scores : PredictorScores
    pairs : DataFrame
        From :func:`~tfimpute_tracks.evaluation.metrics.pair_metrics`, with the metrics of
        the reference at the same sites in columns that start with `model_`.
    summary : dict
        Means over pairs, `pairs` and `prior`; with a reference `shared_pairs` (pairs with
        metrics of both), `shared_` and `model_` means over these, and Wilcoxon's test;
        training sequences, seconds and rates. None where there is no value.
    """

    scores: PredictorScores
    pairs: pd.DataFrame
    summary: dict[str, Any]


def evaluate_predictors(
    task: Task, runs: PredictorRuns, reference: str | None
) -> list[PredictorResult]:
    """Compute the metrics of all predictors.

    Parameters
    ----------
    task : Task
    runs : PredictorRuns
    reference : str, optional
        Name of the predictor that the others are compared with.

    Returns
    -------
    list of PredictorResult
        Without comparison where the reference failed.
    """
    other = next((s for s in runs.scored if s.name == reference), None)
    results = []
    for scores in runs.scored:
        pairs = _pair_table(task, scores, None if scores is other else other)
        results.append(PredictorResult(scores, pairs, _summarize(scores, pairs)))
    return results


def _pair_table(
    task: Task, scores: PredictorScores, other: PredictorScores | None
) -> pd.DataFrame:
    columns = [int(column) for column in task.scored]
    labels = task.dataset.labels(task.test_rows, task.scored)
    usable = ~np.isnan(scores.scores)
    if other is not None:
        has_other = ~np.isnan(other.scores)
        # A pair that the reference lacks keeps the predictor's own metrics.
        usable &= has_other | ~has_other.any(axis=0)
    labels = np.where(usable, labels, np.int8(-1))
    table = pair_metrics(
        [task.pair(column) for column in columns],
        [task.dataset.roles[column] for column in columns],
        {"own": scores.scores},
        labels,
        FDR_LEVELS,
    )
    reasons = [
        reason
        and (
            scores.unscored.get(column)
            or (reason if usable[:, i].any() else "no test site has a score")
        )
        for i, (column, reason) in enumerate(
            zip(columns, table["unscored"], strict=True)
        )
    ]
    table["unscored"] = reasons
    if other is not None:
        reference = score_metrics(other.scores, labels, FDR_LEVELS)
        table = table.join(reference.add_prefix("model_"))
    table.insert(0, "predictor", scores.name)
    return table


def _summarize(scores: PredictorScores, table: pd.DataFrame) -> dict[str, Any]:
    usable = table[table["unscored"] == ""]
    summary: dict[str, Any] = {"predictor": scores.name, "pairs": len(usable)}
    for name in ("auroc", "average_precision", *_RECALLS, "prior"):
        summary[name] = mean_or_none(usable[name])
    if "model_auroc" in table:
        both = usable.dropna(subset=["model_auroc"])
        summary["shared_pairs"] = len(both)
        for name in ("auroc", "average_precision"):
            summary[f"shared_{name}"] = mean_or_none(both[name])
            summary[f"model_{name}"] = mean_or_none(both[f"model_{name}"])
        aurocs = (table[name].to_numpy() for name in ("auroc", "model_auroc"))
        test = paired_wilcoxon(*aurocs)._asdict()
        summary |= {k: test[k] for k in ("median_difference", "wins", "losses", "p")}
    n_scored = int((~np.isnan(scores.scores)).sum())
    return summary | {
        "training_sequences": scores.n_sequences,
        "max_per_group": scores.max_per_group,
        "seconds_to_train": round(scores.seconds_to_train, 3),
        "seconds_to_score": round(scores.seconds_to_score, 3),
        "cpu_seconds": round(scores.cpu_seconds, 3),
        "trained_per_second": _rate(scores.n_sequences, scores.seconds_to_train),
        "scored_per_second": _rate(n_scored, scores.seconds_to_score),
        "scored_fraction": n_scored / max(scores.scores.size, 1),
    }


def _rate(n: int | None, seconds: float) -> float | None:
    return round(n / seconds, 1) if n and seconds > 0 else None


def unscored_pairs(
    results: Sequence[PredictorResult],
) -> dict[str, dict[str, list[str]]]:
    """List the pairs that have no metrics.

    Parameters
    ----------
    results : sequence of PredictorResult

    Returns
    -------
    dict of str to dict of str to list of str
        Pairs by predictor and reason; without predictors that have metrics of all.
    """
    named = {}
    for result in results:
        missing = result.pairs[result.pairs["unscored"] != ""]
        reasons = missing.groupby("unscored", sort=False)
        if len(missing):
            named[result.scores.name] = {
                str(why): pair_names(some) for why, some in reasons
            }
    return named


def report_sections(
    results: Sequence[PredictorResult], errors: Mapping[str, str]
) -> list[Section]:
    """Make the sections of the report.

    Parameters
    ----------
    results : sequence of PredictorResult
    errors : mapping of str to str
        Of predictors that failed.

    Returns
    -------
    list of Section
    """
    rows = [result.summary for result in results]
    compared = [row for row in rows if "shared_pairs" in row]
    about = [
        [s.name, "; ".join([s.summary, *s.notes])] for s in (r.scores for r in results)
    ]
    about += [[name, f"failed: {why}"] for name, why in errors.items()]
    unscored = [
        [name, why, len(pairs), ", ".join(pairs)]
        for name, reasons in unscored_pairs(results).items()
        for why, pairs in reasons.items()
    ]
    sections = [
        Section(
            "Metrics",
            "Means over the pairs that the predictor has metrics of. Random scores reach "
            "an AUROC of 0.5, and the prior in average precision.",
            [_table(_METRICS, rows)],
        ),
        Section(
            "Predictors", tables=[ReportTable(["predictor", "description"], about)]
        ),
        Section(
            "Costs",
            "Different training sequences over all TFs or pairs, the most of one TF or "
            "pair, and wall-clock seconds of the run that computed the scores.",
            [_table(_COSTS, rows)],
        ),
    ]
    if compared:
        text = (
            "Over the pairs and sites that both predictors score: the means of both, the "
            "median of the differences, and Wilcoxon's signed-rank test."
        )
        table = _table(_DIFFERENCES, compared)
        sections.insert(1, Section("Comparison with the model", text, [table]))
    if unscored:
        columns = ["predictor", "reason", "number", "pairs"]
        tables = [ReportTable(columns, unscored)]
        sections.append(Section("Pairs without metrics", tables=tables))
    return sections


def _table(names: Mapping[str, str], rows: Sequence[Mapping[str, Any]]) -> ReportTable:
    cells = [[row.get(name) for name in names] for row in rows]
    return ReportTable(list(names.values()), cells)
