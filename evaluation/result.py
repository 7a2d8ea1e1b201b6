"""The evaluation of a model: metrics with intervals, tests and controls.

Every mean is over the pairs of a role that have metrics; the others are listed with the
reason. A missing value is NaN in tables and null in JSON.
"""

from __future__ import annotations

from collections.abc import Mapping
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
from tfimpute_tracks.evaluation.controls import KINDS, permuted_aurocs, permuted_indices
from tfimpute_tracks.evaluation.metrics import (
    mean_or_none,
    pair_metrics,
    pair_names,
    role_means,
)
from tfimpute_tracks.evaluation.scored_pairs import BASELINES, Score, ScoredPairs
from tfimpute_tracks.evaluation.significance import paired_wilcoxon

__all__ = ["EvaluationResult", "EvaluationSettings", "evaluate_pairs"]

Doubles = NDArray[np.float64]


@dataclass(frozen=True)
class EvaluationSettings:
    """How much is computed in addition to the metrics.

    Parameters
    ----------
    resamples : int
        Bootstrap samples of blocks for confidence intervals; 0 for none.
    permutations : int
        Label permutations; 0 for none.
    control_pairs : int
        Pairs of a role that label permutations use at most, drawn at random.
    seed : int
    """

    resamples: int = 500
    permutations: int = 5
    control_pairs: int = 40
    seed: int = 0


@dataclass(frozen=True)
class EvaluationResult:
    """Metrics per pair and per role.

    Parameters
    ----------
    pairs : DataFrame
        From :func:`~tfimpute_tracks.evaluation.metrics.pair_metrics`, with the 95 %
        interval of the AUROC in auroc_low and auroc_high.
    roles : dict of str to dict
        Per role the means of :func:`~tfimpute_tracks.evaluation.metrics.role_means`,
        intervals, tests and controls; JSON values.
    """

    pairs: pd.DataFrame
    roles: dict[str, dict[str, Any]]


def evaluate_pairs(
    scored: ScoredPairs,
    score: Score,
    n_names: tuple[int, int],
    settings: EvaluationSettings,
) -> EvaluationResult:
    """Compute metrics, intervals, tests and controls of scored pairs.

    Parameters
    ----------
    scored : ScoredPairs
    score : callable
        As for :func:`~tfimpute_tracks.evaluation.scored_pairs.score_pairs`; it scores the
        label permutations.
    n_names : (TFs, cell lines)
        How many the model knows.
    settings : EvaluationSettings

    Returns
    -------
    EvaluationResult
    """
    table = pair_metrics(scored.pairs, scored.roles, scored.scores, scored.labels)
    n_blocks = int(scored.blocks.max(initial=-1)) + 1
    draws = draw_blocks(n_blocks, settings.resamples, settings.seed)
    resampled = {
        name: resampled_aurocs(values, scored.labels, scored.blocks, draws)
        for name, values in scored.scores.items()
    }
    low, high = _pair_intervals(resampled["model"])
    table.insert(table.columns.get_loc("auroc") + 1, "auroc_low", low)
    table.insert(table.columns.get_loc("auroc") + 2, "auroc_high", high)
    controls = _controls(scored, table, score, n_names, settings)
    roles = role_means(table)
    for role, means in roles.items():
        of_role = table[table["role"] == role]
        usable = of_role.index[of_role["unscored"] == ""].to_numpy()
        means |= _compare_baselines(of_role)
        means |= _intervals({name: v[:, usable] for name, v in resampled.items()})
        means["controls"] = controls[role]
    return EvaluationResult(table, roles)


def _pair_intervals(resampled: Doubles) -> tuple[Doubles, Doubles]:
    """Compute the 95 % interval of each pair, NaN where no sample has an AUROC."""
    ends = np.full((2, resampled.shape[1]), np.nan)
    for i, column in enumerate(resampled.T):
        known = column[~np.isnan(column)]
        if len(known):
            ends[:, i] = np.quantile(known, [0.025, 0.975])
    return ends[0], ends[1]


def _compare_baselines(table: pd.DataFrame) -> dict[str, Any]:
    """Test the model against each baseline; list pairs without baseline or metrics."""
    usable = table[table["unscored"] == ""]
    found: dict[str, Any] = {}
    for baseline in BASELINES:
        other = usable[f"{baseline}_auroc"]
        test = paired_wilcoxon(usable["auroc"].to_numpy(), other.to_numpy())
        found[f"wilcoxon_{baseline}"] = test._asdict()
        found[f"without_{baseline}"] = pair_names(usable[other.isna()])
    reasons = table[table["unscored"] != ""].groupby("unscored", sort=False)
    found["unscored_reasons"] = {str(why): pair_names(some) for why, some in reasons}
    return found


def _intervals(resampled: Mapping[str, Doubles]) -> dict[str, Any]:
    model = resampled["model"]
    found = {"auroc_interval": mean_interval(model)._asdict()}
    for baseline in BASELINES:
        difference = mean_interval(model - resampled[baseline])
        found[f"above_{baseline}_interval"] = difference._asdict()
    return found


def _controls(
    scored: ScoredPairs,
    table: pd.DataFrame,
    score: Score,
    n_names: tuple[int, int],
    settings: EvaluationSettings,
) -> dict[str, dict[str, Any]]:
    """Score some pairs of each role under permuted names: one pass for all of them."""
    rng = np.random.default_rng((settings.seed, 2))
    usable = table[table["unscored"] == ""]
    chosen: list[NDArray[np.int64]] = []
    controls: dict[str, dict[str, Any]] = {}
    for role in table["role"].unique():
        of_role = usable.index[usable["role"] == role].to_numpy()
        n_pairs = settings.control_pairs if settings.permutations else 0
        n_pairs = min(n_pairs, len(of_role))
        some = np.sort(rng.choice(of_role, n_pairs, replace=False)).astype(np.int64)
        own = mean_or_none(table["auroc"].iloc[some])
        controls[role] = {"pairs": n_pairs, "of": len(of_role), "own_auroc": own}
        chosen.append(some)
    columns = np.concatenate(chosen)
    indices = [scored.indices[i] for i in columns]
    # A model with a single TF or cell line has no other one: that control is null.
    permuted = {
        kind: permuted_indices(indices, kind, n, settings.permutations, settings.seed)
        for kind, n in zip(KINDS, n_names, strict=True)
        if n > 1 and len(columns)
    }
    stacked = [*permuted.values(), np.empty((0, len(columns), 2), np.int64)]
    aurocs = permuted_aurocs(score, scored.labels[:, columns], np.concatenate(stacked))
    parts = np.split(aurocs, len(permuted)) if permuted else []
    by_kind = dict(zip(permuted, parts, strict=True))
    ends = np.cumsum([len(some) for some in chosen])
    for role, end in zip(controls, ends, strict=True):
        span = slice(end - controls[role]["pairs"], end)
        for kind in KINDS:
            found = by_kind[kind][:, span] if kind in by_kind else np.empty((0, 0))
            controls[role][kind] = _spread(found)
    return controls


def _spread(aurocs: Doubles) -> dict[str, Any]:
    """Average over pairs and permutations; the deviation is between permutations."""
    if not aurocs.size:
        return {"permutations": 0, "auroc": None, "deviation": None}
    means = aurocs.mean(axis=1)
    deviation = float(means.std(ddof=1)) if len(means) > 1 else None
    mean = float(means.mean())
    return {"permutations": len(means), "auroc": mean, "deviation": deviation}
