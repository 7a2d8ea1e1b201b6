"""The report of `evaluate`: metrics as tables, figures and text.

Numbers come from ``evaluation/``; here they are formatted.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from tfimpute_tracks.comparison.report import ReportTable, Section
from tfimpute_tracks.evaluation.bins import BinMetrics
from tfimpute_tracks.evaluation.metrics import RECALL_LEVELS, recall_columns, tf_means
from tfimpute_tracks.evaluation.result import EvaluationResult
from tfimpute_tracks.plots.evaluation import (
    fdr_recall_bars,
    metric_by_tf,
    metric_scatter,
    predictor_boxes,
)

__all__ = ["bin_summary", "evaluation_sections", "role_summary"]

Roles = Mapping[str, Mapping[str, Any]]

_BASELINES = {"tf_mean": "TF mean", "average_activity": "average activity"}
_KINDS = {"tf": "another TF", "cell": "another cell line"}

_SUMMARY = """Metrics are computed per pair of a TF and a cell line, and averaged over
pairs. AUROC: the fraction of (bound, unbound) pairs of sites that are ranked right; 0.5
is random. Average precision: random scores reach the prior, the fraction of bound sites.
Sites are usually open chromatin; along a genome the prior is much smaller.

TF mean: the mean of the model's own probabilities over the TF's trained cell lines; the
model is better than it by what it knows of the cell line. Average activity: the fraction
of the TF's other trained cell lines in which the site is bound. It uses no sequence, but
it does use labels of the evaluated sites in other cell lines: a model that only memorizes
the overall occupancy of sites gets no further. p: Wilcoxon signed-rank test of AUROC.

95 % CI: percentile interval of the mean AUROC; blocks of 1 Mb are resampled. It reflects
the choice of regions, and neither the choice of pairs nor the training run.

Permuted: mean AUROC of pairs that are scored as another TF or another cell line, ± the
standard deviation between permutations. Unpermuted: the AUROC of the same pairs as
themselves, and how many these are.
"""


def role_summary(roles: Roles) -> ReportTable:
    """Tabulate the metrics of each role as text, a dash where there is none.

    Parameters
    ----------
    roles : mapping of str to mapping
        Of an :class:`~tfimpute_tracks.evaluation.result.EvaluationResult`.

    Returns
    -------
    ReportTable
    """
    columns = (
        *("role", "pairs", "AUROC", "95 % CI", "TF mean", "average activity"),
        *("p TF mean", "p average activity", "average precision"),
        *("(average activity)", "prior", "permuted TF", "permuted cell line"),
        "unpermuted",
    )
    rows = []
    for role, means in roles.items():
        controls = means["controls"]
        rows.append(
            [
                role,
                f"{means['pairs']:,}",
                _text(means["auroc"]),
                _interval(means["auroc_interval"]),
                *(_text(means[f"{name}_auroc"]) for name in _BASELINES),
                *(_p(means[f"wilcoxon_{name}"]["p"]) for name in _BASELINES),
                _text(means["average_precision"]),
                _text(means["average_activity_average_precision"]),
                _text(means["prior"], 4),
                *(
                    f"{_text(controls[kind]['auroc'])} ± "
                    f"{_text(controls[kind]['deviation'])}"
                    for kind in _KINDS
                ),
                f"{_text(controls['own_auroc'])} ({controls['pairs']})",
            ]
        )
    return ReportTable(columns, rows)


def bin_summary(roles: Roles) -> ReportTable:
    """Tabulate the metrics over bins of each role as text, a dash where there is none.

    Parameters
    ----------
    roles : mapping of str to mapping
        Of :class:`~tfimpute_tracks.evaluation.bins.BinMetrics`.

    Returns
    -------
    ReportTable
    """
    columns = (
        *("role", "pairs", "AUROC", "average precision", "prior"),
        *(f"recall at {level:.0%}" for level in RECALL_LEVELS),
    )
    rows = [
        [
            role,
            f"{means['pairs']:,}",
            *(_text(means[name]) for name in ("auroc", "average_precision")),
            _text(means["prior"], 5),
            *(_text(value) for value in means["recall_at_fdr"].values()),
        ]
        for role, means in roles.items()
    ]
    return ReportTable(columns, rows)


def evaluation_sections(
    result: EvaluationResult,
    is_trained: Sequence[bool],
    bins: Sequence[BinMetrics] = (),
) -> list[Section]:
    """Make the sections of the report.

    Parameters
    ----------
    result : EvaluationResult
    is_trained : sequence of bool
        Of each of its pairs: whether the model was trained on it.
    bins : sequence of BinMetrics

    Returns
    -------
    list of Section
    """
    table, roles = result.pairs, result.roles
    status = ["measured" if known else "imputed" for known in is_trained]
    by_tf = metric_by_tf(table["tf"], table["auroc"].to_numpy(np.float64), status)
    return [
        Section("Summary", _SUMMARY, [role_summary(roles)]),
        _baselines(table, roles, status),
        _controls(roles),
        _recall(table, roles),
        *map(_bins, bins),
        Section("By TF", "", [ReportTable.of(tf_means(table))], [by_tf]),
        _unscored(roles),
        Section("All pairs", tables=[ReportTable.of(table)]),
    ]


def _baselines(table: pd.DataFrame, roles: Roles, status: list[str]) -> Section:
    own = table["auroc"].to_numpy(dtype=np.float64)
    others = {
        label: table[f"{name}_auroc"].to_numpy(dtype=np.float64)
        for name, label in _BASELINES.items()
    }
    rows = []
    for role, means in roles.items():
        for name, label in _BASELINES.items():
            test = means[f"wilcoxon_{name}"]
            counts = [test["n"], test["wins"], test["losses"]]
            interval = _interval(means[f"above_{name}_interval"], 4)
            without = len(means[f"without_{name}"])
            difference = [test["median_difference"], _p(test["p"]), interval]
            rows.append([role, label, *counts, *difference, without])
    columns = (
        *("role", "baseline", "pairs", "higher", "lower", "median difference", "p"),
        *("mean difference, 95 % CI", "without"),
    )
    return Section(
        "Comparison with baselines",
        "The model should be above both baselines. Where it is not, the sites of the pair "
        "are ranked by what all cell lines share.",
        [
            ReportTable(
                columns,
                rows,
                "Differences of AUROC, model minus baseline. Without: pairs whose TF has "
                "no other trained cell line, so no baseline.",
            )
        ],
        [
            *(
                metric_scatter(own, other, ("model", label), status)
                for label, other in others.items()
            ),
            predictor_boxes({"model": own, **others}),
        ],
    )


def _controls(roles: Roles) -> Section:
    rows = []
    for role, means in roles.items():
        controls = means["controls"]
        for kind, name in _KINDS.items():
            pairs = f"{controls['pairs']} of {controls['of']}"
            permuted = controls[kind]
            values = (
                permuted["auroc"],
                permuted["deviation"],
                permuted["permutations"],
            )
            rows.append([role, name, pairs, controls["own_auroc"], *values])
    columns = (
        *("role", "scored as", "pairs", "AUROC, unpermuted", "AUROC, permuted"),
        *("standard deviation", "permutations"),
    )
    return Section(
        "Label-permutation controls",
        "The labels of each pair stay; its sites are scored as another TF, or another "
        "cell line, of all that the model knows. A permutation replaces every name by "
        "another one. Both AUROCs should drop. What remains with another TF is what TFs "
        "share: sites that many of them bind.",
        [
            ReportTable(
                columns,
                rows,
                "Means over pairs and permutations; standard deviation of the mean "
                "between permutations. Of a role with many pairs, a random sample is "
                "scored.",
            )
        ],
    )


def _recall(table: pd.DataFrame, roles: Roles) -> Section:
    rows = [[role, *means["recall_at_fdr"].values()] for role, means in roles.items()]
    return Section(
        "Recall at false discovery rates",
        "The fraction of bound sites at or above a threshold, the lowest one that keeps "
        "the rate on these very sites, as in Qin and Feng (2017). So it compares "
        "predictors; model cards list thresholds with the rate to expect on other sites.",
        [ReportTable(["role", *(f"{level:.0%}" for level in RECALL_LEVELS)], rows)],
        [_recall_figure(table, roles)],
    )


def _bins(bins: BinMetrics) -> Section:
    return Section(
        f"Bins of {bins.width:,} bp along {', '.join(bins.about['chroms'])}",
        f"Whole chromosomes, closed chromatin included: {bins.title}. A bin is bound where "
        "the center of a measured peak falls in it; its score is "
        f"{bins.about['score']}.",
        [bin_summary(bins.roles), ReportTable.of(bins.pairs)],
        [_recall_figure(bins.pairs, bins.roles)],
    )


def _recall_figure(table: pd.DataFrame, roles: Roles) -> Any:
    recalls = {
        role: table.loc[table["role"] == role, recall_columns()].to_numpy(np.float64)
        for role in roles
    }
    return fdr_recall_bars(RECALL_LEVELS, recalls)


def _unscored(roles: Roles) -> Section:
    rows = [
        [role, reason, len(names), ", ".join(names)]
        for role, means in roles.items()
        for reason, names in means["unscored_reasons"].items()
    ]
    if not rows:
        return Section("Pairs without metrics", "Every pair has metrics.")
    return Section(
        "Pairs without metrics",
        "These pairs have no metrics and are in no mean.",
        [ReportTable(["role", "reason", "number", "pairs"], rows)],
    )


def _interval(interval: Mapping[str, Any], digits: int = 3) -> str:
    return f"{_text(interval['low'], digits)} to {_text(interval['high'], digits)}"


def _text(value: float | None, digits: int = 3) -> str:
    return "-" if value is None else f"{value:.{digits}f}"


def _p(value: float | None) -> str:
    return "-" if value is None else f"{value:.2g}"
