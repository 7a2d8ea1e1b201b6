"""A comparison as files: figures for programs, a table per pair, a page to read."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from tfimpute_tracks.comparison.metric_tables import (
    METRICS,
    PairMetrics,
    pair_metrics,
    summary_row,
)
from tfimpute_tracks.comparison.predictors.task import Task
from tfimpute_tracks.comparison.report import ReportTable as Table
from tfimpute_tracks.comparison.report import Section
from tfimpute_tracks.comparison.run import Outcome
from tfimpute_tracks.comparison.scored_sites import Scored

__all__ = ["Judged", "judge", "left_out", "pair_table", "report_sections"]

_HEAD = {
    "predictor": "predictor",
    "pairs": "pairs",
    "auroc": "AUROC",
    "average_precision": "average precision",
    "recall_at_5_fdr": "recall at 5 % FDR",
    "recall_at_10_fdr": "recall at 10 % FDR",
    "recall_at_50_fdr": "recall at 50 % FDR",
    "prior": "prior",
}
_BESIDE = {
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
_COST = {
    "predictor": "predictor",
    "training_sequences": "training sequences",
    "per_unit": "most per unit",
    "seconds_to_train": "s to train",
    "trained_per_second": "sequences/s",
    "seconds_to_score": "s to score",
    "scored_per_second": "scores/s",
    "cpu_seconds": "CPU s of both",
}

Judged = list[tuple[Scored, PairMetrics, dict[str, Any]]]


def judge(task: Task, outcome: Outcome, reference: str | None) -> Judged:
    """Make the figures of all predictors.

    Parameters
    ----------
    task : Task
    outcome : Outcome
    reference : str, optional
        Name of the predictor that the others are set beside; without it, or where it
        failed, they stand alone.

    Returns
    -------
    list of (Scored, PairFigures, dict)
        The last from :func:`summary_row`.
    """
    other = next((s for s in outcome.scored if s.name == reference), None)
    found = []
    for scored in outcome.scored:
        beside = None if scored is other else other
        figures = pair_metrics(task, scored, beside)
        found.append((scored, figures, summary_row(scored, figures)))
    return found


def left_out(task: Task, judged: Judged) -> dict[str, dict[str, list[str]]]:
    """Name the pairs that a predictor has no figure of.

    Parameters
    ----------
    task : Task
    judged : Judged

    Returns
    -------
    dict of str to dict of str to list of str
        Predictor -> reason -> pairs.
    """
    named: dict[str, dict[str, list[str]]] = {}
    for scored, figures, _ in judged:
        for column, why in zip(task.judged, figures.why, strict=True):
            if why:
                of = named.setdefault(scored.name, {})
                of.setdefault(why, []).append(str(task.pair(int(column))))
    return named


def pair_table(task: Task, judged: Judged) -> str:
    """Write a line per predictor and pair.

    Parameters
    ----------
    task : Task
    judged : Judged

    Returns
    -------
    str
        Tab-separated with a head; a figure that is not there is empty, and `why` says
        why. `model_` figures are the model's at the predictor's own sites.
    """
    beside = [f"model_{name}" for name in METRICS]
    head = ["predictor", "tf", "cell", "role", "n_positive", "n_negative"]
    lines = [[*head, *METRICS, *beside, "why"]]
    for scored, figures, _ in judged:
        for place, column in enumerate(map(int, task.judged)):
            pair, reference = task.pair(column), figures.reference or {}
            values = [figures.own[name][place] for name in METRICS]
            values += [
                reference[name][place] if reference else math.nan for name in METRICS
            ]
            counts = (figures.n_positive[place], figures.n_negative[place])
            lines.append(
                [
                    *(scored.name, pair.tf, pair.cell, task.dataset.roles[column]),
                    *map(str, counts),
                    *("" if math.isnan(v) else f"{v:.6g}" for v in values),
                    figures.why[place],
                ]
            )
    return "".join("\t".join(line) + "\n" for line in lines)


def report_sections(task: Task, outcome: Outcome, judged: Judged) -> list[Section]:
    """Write the page's sections.

    Parameters
    ----------
    task : Task
    outcome : Outcome
    judged : Judged

    Returns
    -------
    list of Section
    """
    rows = [row for _, _, row in judged]
    beside = [row for row in rows if "shared_pairs" in row]
    named = left_out(task, judged)
    lines = [
        [name, why, len(pairs), ", ".join(pairs)]
        for name, reasons in named.items()
        for why, pairs in reasons.items()
    ]
    notes = [[s.name, "; ".join([s.summary, *s.notes])] for s, _, _ in judged]
    notes += [[name, f"failed: {why}"] for name, why in outcome.faults.items()]
    sections = [
        Section(
            "Figures",
            "Means over the pairs that the predictor has a figure of. Chance reaches "
            "an AUROC of 0.5, and the prior in average precision.",
            [_table(_HEAD, rows)],
        ),
        Section("Predictors", tables=[Table(["predictor", "what it is"], notes)]),
        Section(
            "What it took",
            "Different training sequences over all TFs or pairs, the most that one of "
            "them had, and wall-clock seconds on the machine that made the scores; a "
            "predictor that was kept from an earlier run tells that one's.",
            [_table(_COST, rows)],
        ),
    ]
    if beside:
        text = (
            "Over the pairs that both can score, at the very sites that both score: "
            "the means of both, the median of the differences, and Wilcoxon's test for "
            "matched pairs."
        )
        sections.insert(1, Section("Beside the model", text, [_table(_BESIDE, beside)]))
    if lines:
        head = ["predictor", "why", "number", "pairs"]
        sections.append(Section("Pairs in no mean", tables=[Table(head, lines)]))
    return sections


def _table(head: dict[str, str], rows: Sequence[dict[str, Any]]) -> Table:
    return Table(
        list(head.values()), [[row.get(name) for name in head] for row in rows]
    )
