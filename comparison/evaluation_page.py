"""The page that `evaluate` writes: what a model's figures are and what they rest on.

From an assessment and, where bins were judged, theirs. Figures are made elsewhere; here
they are put into sections, tables and pictures.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from tfimpute_tracks.comparison.report import Section, Table
from tfimpute_tracks.evaluation.metrics import RECALL_LEVELS
from tfimpute_tracks.evaluation.result import EvaluationResult, recall_columns
from tfimpute_tracks.plots.evaluation import (
    fdr_recall_bars,
    metric_by_tf,
    metric_scatter,
    predictor_boxes,
)

__all__ = [
    "BIN_COLUMNS",
    "ROLE_COLUMNS",
    "BinsTold",
    "bin_rows",
    "evaluation_sections",
    "role_rows",
]

ROLE_COLUMNS = (
    "role",
    "pairs",
    "AUROC",
    "95 %",
    "TF mean",
    "activity",
    "p TF mean",
    "p activity",
    "avg. precision",
    "(activity)",
    "prior",
    "shuffled TF",
    "shuffled cell",
    "own names",
)
"""Heads of :func:`role_rows`."""

BIN_COLUMNS = (
    *("role", "pairs", "AUROC", "average precision", "prior"),
    *(f"recall at {level:.0%}" for level in RECALL_LEVELS),
)
"""Heads of :func:`bin_rows`."""


@dataclass(frozen=True)
class BinsTold:
    """Figures of bins of a width.

    Parameters
    ----------
    width : int
        In bp.
    pairs : DataFrame
        A row per pair: tf, cell, role, and its figures.
    roles : dict of str to dict
        Means per role.
    told : dict
        How the bins were made, and how many were left out why.
    """

    width: int
    pairs: pd.DataFrame
    roles: dict[str, dict[str, Any]]
    told: dict[str, Any] = field(default_factory=dict)


def role_rows(roles: Mapping[str, Mapping[str, Any]]) -> list[list[str]]:
    """Give the figures of each role as text, a dash where there is none.

    Parameters
    ----------
    roles : mapping of str to mapping
        Of an assessment.

    Returns
    -------
    list of list of str
        Columns as :data:`ROLE_COLUMNS`.
    """
    rows = []
    for role, told in roles.items():
        interval, controls = told["auroc_interval"], told["controls"]
        rows.append(
            [
                role,
                f"{told['pairs']:,}",
                _text(told["auroc"]),
                f"{_text(interval['low'])} to {_text(interval['high'])}",
                _text(told["tf_mean_auroc"]),
                _text(told["activity_auroc"]),
                _p(told["wilcoxon_tf_mean"]["p"]),
                _p(told["wilcoxon_activity"]["p"]),
                _text(told["average_precision"]),
                _text(told["activity_average_precision"]),
                _text(told["prior"], 4),
                *(
                    f"{_text(controls[kind]['auroc'])} ± "
                    f"{_text(controls[kind]['spread'])}"
                    for kind in ("tf", "cell")
                ),
                # Of the pairs that were shuffled: a sample, where there are many.
                f"{_text(controls['own_auroc'])} ({controls['pairs']})",
            ]
        )
    return rows


def bin_rows(roles: Mapping[str, Mapping[str, Any]]) -> list[list[str]]:
    """Give the figures of bins of each role as text, a dash where there is none.

    Parameters
    ----------
    roles : mapping of str to mapping
        Of :class:`BinsTold`.

    Returns
    -------
    list of list of str
        Columns as :data:`BIN_COLUMNS`.
    """
    return [
        [
            role,
            f"{told['pairs']:,}",
            *(_text(told[name]) for name in ("auroc", "average_precision")),
            _text(told["prior"], 5),
            *(_text(value) for value in told["recall_at_fdr"].values()),
        ]
        for role, told in roles.items()
    ]


def evaluation_sections(
    assessment: EvaluationResult, seen: Sequence[bool], bins: Sequence[BinsTold] = ()
) -> list[Section]:
    """Write the parts of the page.

    Parameters
    ----------
    assessment : Assessment
    seen : sequence of bool
        Of each pair of it: whether the model was trained on it.
    bins : sequence of BinsTold

    Returns
    -------
    list of Section
    """
    table, roles = assessment.pairs, assessment.roles
    kinds = ["trained" if known else "imputed" for known in seen]
    return [
        Section("Summary", _SUMMARY, [Table(ROLE_COLUMNS, role_rows(roles))]),
        _rivals(table, roles, kinds),
        _controls(roles),
        _recall(table, roles),
        *(_bins(told) for told in bins),
        _by_tf(assessment, kinds),
        _left_out(roles),
        Section("Every pair", tables=[_frame(table)]),
    ]


_SUMMARY = """Every pair of a TF and a cell line has one figure, and a mean is over
pairs. AUROC: the share of (bound, unbound) site pairs that are ranked right; 0.5 is
chance. Average precision: chance reaches the prior, the share of bound sites. Sites are
open chromatin as a rule; along a genome the prior is far smaller.

TF mean: the mean of the model's own probabilities over the TF's trained cell lines;
what the model is worth above it is what it knows of the cell line. Activity: the mean
measured label of the site in the TF's other trained cell lines. It reads no sequence,
but it does read the judged sites in other cells: a model that only remembers how busy
sites are gets no further. p: Wilcoxon's test for matched pairs, of AUROC.

95 %: percentile interval of the mean AUROC, blocks of 1 Mb drawn with replacement. It
tells how far the figure depends on the regions, not on the pairs or the training run.

Shuffled: mean AUROC of pairs that are scored under the name of another TF or another
cell line, ± the standard deviation over draws; beside it that of the same pairs under
their own names, and how many these are.
"""


def _rivals(
    table: pd.DataFrame, roles: Mapping[str, Mapping[str, Any]], kinds: list[str]
) -> Section:
    ours = table["auroc"].to_numpy(dtype=np.float64)
    names = {"tf_mean": "mean of the TF", "activity": "average activity"}
    others = {
        label: table[f"{name}_auroc"].to_numpy(dtype=np.float64)
        for name, label in names.items()
    }
    rows = [
        [role, label, *_test_cells(told, name)]
        for role, told in roles.items()
        for name, label in names.items()
    ]
    heads = ["role", "beside", "pairs", "higher", "lower", "median difference", "p"]
    return Section(
        "Beside what knows less",
        "The model should be above both. Where it is not, the pair's sites are told "
        "apart by what all cell lines share.",
        [
            Table(
                [*heads, "mean difference, 95 %", "without"],
                rows,
                "Differences of AUROC, model less the other. Without: pairs of the "
                "role whose TF has no other trained cell line, so no such baseline.",
            )
        ],
        [
            *(
                metric_scatter(ours, other, ("model", label), kinds)
                for label, other in others.items()
            ),
            predictor_boxes({"model": ours, **others}),
        ],
    )


def _test_cells(told: Mapping[str, Any], name: str) -> list[Any]:
    test, interval = told[f"wilcoxon_{name}"], told[f"above_{name}_interval"]
    return [
        test["n"],
        test["wins"],
        test["losses"],
        test["median_difference"],
        _p(test["p"]),
        f"{_text(interval['low'], 4)} to {_text(interval['high'], 4)}",
        len(told[f"without_{name}"]),
    ]


def _controls(roles: Mapping[str, Mapping[str, Any]]) -> Section:
    rows = []
    for role, told in roles.items():
        made = told["controls"]
        for kind, name in (("tf", "another TF"), ("cell", "another cell line")):
            part = made[kind]
            cells = [made["own_auroc"], part["auroc"], part["spread"], part["draws"]]
            rows.append([role, name, f"{made['pairs']} of {made['of']}", *cells])
    heads = ["role", "scored as", "pairs", "AUROC, own names", "AUROC", "spread"]
    return Section(
        "Controls: wrong names",
        "The labels of each pair stay, its sites are scored under another TF, or "
        "another cell line, of all that the model knows. In a draw every name is "
        "exchanged for another one and none keeps its own. Both should drop. What is "
        "left with another TF is what TFs share: sites that many of them bind.",
        [
            Table(
                [*heads, "draws"],
                rows,
                "Means over pairs and draws; spread: standard deviation of the mean "
                "from draw to draw. Of roles with many pairs a sample is scored.",
            )
        ],
    )


def _recall(table: pd.DataFrame, roles: Mapping[str, Mapping[str, Any]]) -> Section:
    found = {
        role: table.loc[table["role"] == role, recall_columns()].to_numpy(np.float64)
        for role in roles
    }
    rows = [[role, *told["recall_at_fdr"].values()] for role, told in roles.items()]
    return Section(
        "Recall at false discovery rates",
        "The share of bound sites at or above a threshold, which is the lowest that "
        "keeps the rate on these very sites, as in Qin and Feng 2017. So the figures "
        "compare predictors; what a threshold promises elsewhere stands in a model's "
        "card.",
        [Table(["role", *(f"{level:.0%}" for level in RECALL_LEVELS)], rows)],
        [fdr_recall_bars(RECALL_LEVELS, found)],
    )


def _bins(told: BinsTold) -> Section:
    facts = told.told
    left = ", ".join(f"{n:,} {why}" for why, n in facts["left_out"].items())
    found = {
        role: told.pairs.loc[told.pairs["role"] == role, recall_columns()].to_numpy(
            np.float64
        )
        for role in told.roles
    }
    return Section(
        f"Bins of {told.width:,} bp along {', '.join(facts['chroms'])}",
        f"Whole chromosomes, closed chromatin included: {facts['bins']:,} bins. A bin "
        f"is positive where the center of a measured peak falls in it; its score is "
        f"{facts['score']}. Left out: {left}.",
        [
            Table(BIN_COLUMNS, bin_rows(told.roles)),
            _frame(told.pairs),
        ],
        [fdr_recall_bars(RECALL_LEVELS, found)],
    )


def _by_tf(assessment: EvaluationResult, kinds: list[str]) -> Section:
    table = assessment.pairs
    figure = metric_by_tf(table["tf"], table["auroc"].to_numpy(np.float64), kinds)
    return Section("By TF", "", [_frame(assessment.by_tf())], [figure])


def _left_out(roles: Mapping[str, Mapping[str, Any]]) -> Section:
    rows = [
        [role, reason, len(names), ", ".join(names)]
        for role, told in roles.items()
        for reason, names in told["left_out_reasons"].items()
    ]
    if not rows:
        return Section("Left out", "Every pair has a figure.")
    return Section(
        "Left out",
        "These pairs have no figure here and are in no mean.",
        [Table(["role", "reason", "pairs", "which"], rows)],
    )


def _frame(table: pd.DataFrame) -> Table:
    heads = [str(name).replace("_", " ") for name in table.columns]
    return Table(heads, table.to_numpy(dtype=object).tolist())


def _text(value: float | None, digits: int = 3) -> str:
    return "-" if value is None else f"{value:.{digits}f}"


def _p(value: float | None) -> str:
    return "-" if value is None else f"{value:.2g}"
