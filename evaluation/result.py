"""A model's figures with what they rest on: intervals, controls, rivals, what is out.

Every mean is over pairs of a role that have a figure; the others are named, with the
reason. Nothing is NaN that is not missing, and in what is written missing is null.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tfimpute_tracks.evaluation.bootstrap import (
    draw_blocks,
    mean_interval,
    resampled_aurocs,
)
from tfimpute_tracks.evaluation.controls import KINDS, aurocs_under, shuffled_names
from tfimpute_tracks.evaluation.metrics import (
    RECALL_LEVELS,
    pair_aurocs,
    pair_average_precisions,
    recall_at_fdr,
)
from tfimpute_tracks.evaluation.scored_pairs import PREDICTORS, ScoredPairs
from tfimpute_tracks.evaluation.significance import paired_wilcoxon

__all__ = ["Checks", "EvaluationResult", "assess", "recall_columns"]

Floats = NDArray[np.float32]
Doubles = NDArray[np.float64]
Score = Callable[[list[tuple[int, int]]], Floats]

_RIVALS = PREDICTORS[1:]


@dataclass(frozen=True)
class Checks:
    """How figures are checked.

    Parameters
    ----------
    resamples : int
        Draws of blocks that intervals rest on; 0 for none.
    draws : int
        Times that names are shuffled.
    control_pairs : int
        Pairs of a role that are scored under other names: a sample of them, where
        there are more.
    seed : int
    """

    resamples: int = 500
    draws: int = 5
    control_pairs: int = 40
    seed: int = 0


@dataclass(frozen=True)
class EvaluationResult:
    """Figures per pair and per role.

    Parameters
    ----------
    pairs : DataFrame
        A row per pair: tf, cell, role, n_positive, n_negative, prior, auroc, auroc_low,
        auroc_high (the interval), average_precision, the same two of `tf_mean` and
        `activity`, a column of :func:`recall_columns` per level, and left_out, the
        reason why there are no figures.
    roles : dict of str to dict
        Per role its means, intervals, tests and controls; JSON values.
    """

    pairs: pd.DataFrame
    roles: dict[str, dict[str, Any]]

    def by_tf(self) -> pd.DataFrame:
        """Give the means per TF, best first.

        Returns
        -------
        DataFrame
            Columns tf, pairs, then means over pairs with a figure; a TF without one
            has 0 pairs and no means, and stands last.
        """
        numbers = [
            "auroc",
            *(f"{rival}_auroc" for rival in _RIVALS),
            "average_precision",
            "prior",
            *recall_columns(),
        ]
        groups = self.pairs.dropna(subset=["auroc"]).groupby("tf")
        table = groups[numbers].mean().reindex(self.pairs["tf"].unique())
        n_pairs = groups.size().reindex(table.index, fill_value=0)
        table.insert(0, "pairs", n_pairs)
        table.index.name = "tf"
        return table.sort_values("auroc", ascending=False).reset_index()


def recall_columns() -> list[str]:
    """Name the columns of recall, `recall_at_fdr_1` and so on, in percent.

    Returns
    -------
    list of str
    """
    return [f"recall_at_fdr_{level * 100:g}" for level in RECALL_LEVELS]


def assess(
    judged: ScoredPairs, score: Score, n_names: tuple[int, int], checks: Checks
) -> EvaluationResult:
    """Judge pairs.

    Parameters
    ----------
    judged : JudgedPairs
    score : callable
        As :func:`~tfimpute_tracks.evaluation.scored_pairs.score_pairs` takes it; the controls
        are scored with it.
    n_names : (TFs, cell lines)
        How many the model knows.
    checks : Checks

    Returns
    -------
    Assessment
    """
    n_blocks = int(judged.blocks.max(initial=-1)) + 1
    draws = draw_blocks(n_blocks, checks.resamples, checks.seed)
    resampled = {
        name: resampled_aurocs(judged.scores[name], judged.labels, judged.blocks, draws)
        for name in PREDICTORS
    }
    table = _pair_table(judged, resampled["model"])
    controls = _controls(judged, table, score, n_names, checks)
    roles = {}
    for role, some in table.groupby("role", sort=False):
        counted = some.index[some["left_out"] == ""].to_numpy()
        roles[str(role)] = {
            **_role_figures(some),
            **_intervals({k: v[:, counted] for k, v in resampled.items()}),
            "controls": controls[str(role)],
        }
    return EvaluationResult(table, roles)


def _pair_table(judged: ScoredPairs, resampled: Doubles) -> pd.DataFrame:
    labels = judged.labels
    n_positive, n_negative = (labels == 1).sum(axis=0), (labels == 0).sum(axis=0)
    n_labelled = n_positive + n_negative
    low, high = _pair_intervals(resampled)
    columns: dict[str, Any] = {
        "tf": [pair.tf for pair in judged.pairs],
        "cell": [pair.cell for pair in judged.pairs],
        "role": judged.roles,
        "n_positive": n_positive,
        "n_negative": n_negative,
        "prior": np.where(n_labelled, n_positive / np.maximum(n_labelled, 1), np.nan),
        "auroc": pair_aurocs(judged.scores["model"], labels),
        "auroc_low": low,
        "auroc_high": high,
        "average_precision": pair_average_precisions(judged.scores["model"], labels),
    }
    for rival in _RIVALS:
        scores = judged.scores[rival]
        columns[f"{rival}_auroc"] = pair_aurocs(scores, labels)
        columns[f"{rival}_average_precision"] = pair_average_precisions(scores, labels)
    recall = recall_at_fdr(judged.scores["model"], labels)
    columns |= dict(zip(recall_columns(), recall.T, strict=True))
    columns["left_out"] = np.select(
        [n_labelled == 0, n_positive == 0, n_negative == 0],
        ["no labelled site", "no positive site", "no negative site"],
        "",
    )
    return pd.DataFrame(columns)


def _pair_intervals(resampled: Doubles) -> tuple[Doubles, Doubles]:
    """Give the 95 % interval of each pair, NaN where no draw has a figure."""
    ends = np.full((2, resampled.shape[1]), np.nan)
    for i, column in enumerate(resampled.T):
        known = column[~np.isnan(column)]
        if len(known):
            ends[:, i] = np.quantile(known, [0.025, 0.975])
    return ends[0], ends[1]


def _role_figures(table: pd.DataFrame) -> dict[str, Any]:
    """Give means over the pairs with a figure, tests, and who is left out."""
    counted = table[table["left_out"] == ""]
    told: dict[str, Any] = {"pairs": len(counted)}
    told["auroc"] = _mean(counted["auroc"])
    told["average_precision"] = _mean(counted["average_precision"])
    told["prior"] = _mean(counted["prior"])
    for rival in _RIVALS:
        test = paired_wilcoxon(
            counted["auroc"].to_numpy(), counted[f"{rival}_auroc"].to_numpy()
        )
        told[f"{rival}_auroc"] = _mean(counted[f"{rival}_auroc"])
        told[f"{rival}_average_precision"] = _mean(
            counted[f"{rival}_average_precision"]
        )
        told[f"pairs_above_{rival}"] = test.wins
        told[f"wilcoxon_{rival}"] = test._asdict()
        without = counted[counted[f"{rival}_auroc"].isna()]
        told[f"without_{rival}"] = _names(without)
    told["recall_at_fdr"] = {
        f"{level:g}": _mean(counted[column])
        for level, column in zip(RECALL_LEVELS, recall_columns(), strict=True)
    }
    reasons = table[table["left_out"] != ""].groupby("left_out", sort=False)
    told["left_out"] = _names(table[table["left_out"] != ""])
    told["left_out_reasons"] = {str(why): _names(some) for why, some in reasons}
    return told


def _intervals(resampled: dict[str, Doubles]) -> dict[str, Any]:
    model = resampled["model"]
    told = {"auroc_interval": mean_interval(model)._asdict()}
    for rival in _RIVALS:
        difference = mean_interval(model - resampled[rival])
        told[f"above_{rival}_interval"] = difference._asdict()
    return told


def _controls(
    judged: ScoredPairs,
    table: pd.DataFrame,
    score: Score,
    n_names: tuple[int, int],
    checks: Checks,
) -> dict[str, dict[str, Any]]:
    """Score some pairs of each role under other names: one pass for all of them."""
    rng = np.random.default_rng((checks.seed, 2))
    counted = table[table["left_out"] == ""]
    chosen: list[NDArray[np.int64]] = []
    told: dict[str, dict[str, Any]] = {}
    for role in table["role"].unique():
        usable = counted.index[counted["role"] == role].to_numpy()
        n_pairs = min(checks.control_pairs, len(usable)) if checks.draws else 0
        some = np.sort(rng.choice(usable, n_pairs, replace=False)).astype(np.int64)
        own = _mean(table["auroc"].iloc[some])
        told[role] = {"pairs": n_pairs, "of": len(usable), "own_auroc": own}
        chosen.append(some)
    every = np.concatenate(chosen)
    indices = [judged.indices[i] for i in every]
    # Of a single name there is no other: that control is not made, and is null.
    names = {
        kind: shuffled_names(indices, kind, n, checks.draws, checks.seed)
        for kind, n in zip(KINDS, n_names, strict=True)
        if n > 1 and len(every)
    }
    stacked = np.concatenate([*names.values(), np.empty((0, len(every), 2), np.int64)])
    values = aurocs_under(score, judged.labels[:, every], stacked)
    made = dict(zip(names, np.split(values, len(names)) if names else [], strict=True))
    ends = np.cumsum([len(some) for some in chosen])
    for role, end in zip(told, ends, strict=True):
        span = slice(end - told[role]["pairs"], end)
        for kind in KINDS:
            part = made[kind][:, span] if kind in made else np.empty((0, 0))
            told[role][kind] = _spread(part)
    return told


def _spread(values: Doubles) -> dict[str, Any]:
    """Give the mean over pairs and draws, and how much it varies with the draw."""
    if not values.size:
        return {"draws": 0, "auroc": None, "spread": None}
    means = values.mean(axis=1)
    spread = float(means.std(ddof=1)) if len(means) > 1 else None
    return {"draws": len(means), "auroc": float(means.mean()), "spread": spread}


def _mean(column: pd.Series) -> float | None:
    known = column.dropna()
    return float(known.mean()) if len(known) else None


def _names(table: pd.DataFrame) -> list[str]:
    return [f"{row.tf}:{row.cell}" for row in table.itertuples()]
