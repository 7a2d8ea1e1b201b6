"""Metrics of TF-cell pairs from scores and labels, as one table.

Every table of metrics in the package is made by :func:`pair_metrics`, a row per pair,
and averaged by :func:`role_means`. A metric that a pair lacks is NaN in the table: its
labeled sites are of one class, or it has no scores. The column `unscored` gives the
reason, and means leave such pairs out and list them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tfimpute_tracks.evaluation.fdr import last_calls, rank_sites
from tfimpute_tracks.vocabulary import Pair

__all__ = [
    "RECALL_LEVELS",
    "mean_or_none",
    "pair_aurocs",
    "pair_average_precisions",
    "pair_metrics",
    "pair_names",
    "recall_at_fdr",
    "recall_columns",
    "role_means",
    "score_metrics",
    "tf_means",
]

Floats = NDArray[np.float32]
Labels = NDArray[np.int8]
Doubles = NDArray[np.float64]

RECALL_LEVELS = (0.01, 0.05, 0.1, 0.5, 0.9, 0.95, 0.99)
"""False discovery rates at which recall is reported."""


def pair_aurocs(scores: Floats, labels: Labels) -> Doubles:
    """Compute the area under the ROC curve of each pair.

    It is the fraction of (bound, unbound) pairs of sites that are ranked right, ties
    counting half, and is counted as such: a sort of the unbound sites is enough, which
    takes a tenth of the time of drawing the curve.

    Parameters
    ----------
    scores : float array, shape (n_sites, n_pairs)
        All NaN for a pair without scores.
    labels : int8 array, shape (n_sites, n_pairs)
        1 bound, 0 unbound, -1 ignored.

    Returns
    -------
    float64 array, shape (n_pairs,)
        NaN where a pair has no bound or no unbound site, or no scores.
    """
    return _per_pair(_auroc, scores, labels)


def pair_average_precisions(scores: Floats, labels: Labels) -> Doubles:
    """Compute the average precision of each pair; random scores reach its prior.

    Parameters
    ----------
    scores : float array, shape (n_sites, n_pairs)
        All NaN for a pair without scores.
    labels : int8 array, shape (n_sites, n_pairs)
        1 bound, 0 unbound, -1 ignored.

    Returns
    -------
    float64 array, shape (n_pairs,)
        NaN where a pair has no bound or no unbound site, or no scores.
    """
    from sklearn.metrics import average_precision_score

    return _per_pair(average_precision_score, scores, labels)


def recall_at_fdr(
    scores: Floats, labels: Labels, levels: Sequence[float] = RECALL_LEVELS
) -> Doubles:
    """Compute the fraction of bound sites that can be called at false discovery rates.

    The threshold is the lowest that keeps the rate on these very sites, as in Qin and
    Feng (2017). So it compares predictors on the same sites; the FDR of a threshold on
    other sites is estimated in ``fdr_calibration.py``.

    Parameters
    ----------
    scores : float array, shape (n_sites, n_pairs)
        All NaN for a pair without scores.
    labels : int8 array, shape (n_sites, n_pairs)
        1 bound, 0 unbound, -1 ignored.
    levels : sequence of float
        Largest FDRs allowed.

    Returns
    -------
    float64 array, shape (n_pairs, n_levels)
        0 where no threshold keeps the rate; NaN where a pair has no bound or no unbound
        site, or no scores.
    """
    recalls = np.full((scores.shape[1], len(levels)), np.nan)
    for pair in range(len(recalls)):
        is_bound, known = _labeled(scores, labels, pair)
        if is_bound is None:
            continue
        ranked, n_bound = rank_sites(known, is_bound)
        for i, last in enumerate(last_calls(ranked, n_bound, levels)):
            recalls[pair, i] = 0.0 if last is None else n_bound[last] / n_bound[-1]
    return recalls


def recall_columns(levels: Sequence[float] = RECALL_LEVELS) -> list[str]:
    """Name the columns of recall: `recall_at_fdr_5` for an FDR of 5 %.

    Parameters
    ----------
    levels : sequence of float

    Returns
    -------
    list of str
    """
    return [f"recall_at_fdr_{level * 100:g}" for level in levels]


def score_metrics(
    scores: Floats, labels: Labels, levels: Sequence[float] = RECALL_LEVELS
) -> pd.DataFrame:
    """Compute the metrics that depend on scores.

    Parameters
    ----------
    scores : float array, shape (n_sites, n_pairs)
    labels : int8 array, shape (n_sites, n_pairs)
        1 bound, 0 unbound, -1 ignored.
    levels : sequence of float
        FDRs at which recall is computed; may be empty.

    Returns
    -------
    DataFrame
        A row per pair: auroc, average_precision, and :func:`recall_columns`.
    """
    recalls = recall_at_fdr(scores, labels, levels) if levels else np.empty((0, 0))
    return pd.DataFrame(
        {
            "auroc": pair_aurocs(scores, labels),
            "average_precision": pair_average_precisions(scores, labels),
            **dict(zip(recall_columns(levels), recalls.T, strict=True)),
        }
    )


def pair_metrics(
    pairs: Sequence[Pair],
    roles: Sequence[str],
    scores: Mapping[str, Floats],
    labels: Labels,
    levels: Sequence[float] = RECALL_LEVELS,
    unit: str = "site",
) -> pd.DataFrame:
    """Compute the metrics of pairs.

    Parameters
    ----------
    pairs : sequence of Pair
    roles : sequence of str
        Of each pair.
    scores : mapping of str to float array, shape (n_sites, n_pairs)
        The predictor's own under the first name; of those after it, the baselines, AUROC
        and average precision are added as columns with the name in front.
    labels : int8 array, shape (n_sites, n_pairs)
        1 bound, 0 unbound, -1 ignored.
    levels : sequence of float
        FDRs at which recall is computed; may be empty.
    unit : {"site", "bin"}
        What is labeled, for the reasons in `unscored`.

    Returns
    -------
    DataFrame
        A row per pair: tf, cell, role, n_bound, n_unbound, prior (the fraction that is
        bound), the columns of :func:`score_metrics`, those of the baselines, and
        unscored: why a pair has no metrics, empty where it has them.
    """
    n_bound, n_unbound = ((labels == value).sum(axis=0) for value in (1, 0))
    n_labeled = n_bound + n_unbound
    own, *baselines = scores
    metrics = score_metrics(scores[own], labels, levels)
    parts = [
        pd.DataFrame(
            {
                "tf": [pair.tf for pair in pairs],
                "cell": [pair.cell for pair in pairs],
                "role": list(roles),
                "n_bound": n_bound,
                "n_unbound": n_unbound,
                "prior": np.where(
                    n_labeled, n_bound / np.maximum(n_labeled, 1), np.nan
                ),
            }
        ),
        metrics,
        *(
            score_metrics(scores[name], labels, ()).add_prefix(f"{name}_")
            for name in baselines
        ),
    ]
    no_metrics = metrics["auroc"].isna().to_numpy()
    reasons = {
        f"no labeled {unit}": n_labeled == 0,
        f"no bound {unit}": n_bound == 0,
        f"no unbound {unit}": n_unbound == 0,
        f"no {unit} with a score": no_metrics,
    }
    unscored = np.select(list(reasons.values()), list(reasons), "")
    return pd.concat([*parts, pd.Series(unscored, name="unscored")], axis=1)


def role_means(table: pd.DataFrame) -> dict[str, dict[str, Any]]:
    """Average the metrics of the pairs of each role.

    Parameters
    ----------
    table : DataFrame
        From :func:`pair_metrics`.

    Returns
    -------
    dict of str to dict
        By role: `pairs` (how many have metrics), the mean of each metric (None where no
        pair has it), `recall_at_fdr` by level, for each baseline
        `pairs_above_<baseline>` (pairs whose AUROC is higher than the baseline's), and
        `unscored`, the names of pairs that are in no mean. JSON values.
    """
    means = {}
    for role, of_role in table.groupby("role", sort=False):
        scored = of_role[of_role["unscored"] == ""]
        found: dict[str, Any] = {"pairs": len(scored)}
        recalls = {}
        for name in map(str, table.columns):
            if name.startswith("recall_at_fdr_"):
                level = float(name.removeprefix("recall_at_fdr_")) / 100
                recalls[f"{level:g}"] = mean_or_none(scored[name])
            elif name == "prior" or name.endswith(("auroc", "average_precision")):
                found[name] = mean_or_none(scored[name])
                baseline = name.removesuffix("_auroc")
                if baseline != name:
                    above = (scored["auroc"] > scored[name]).sum()
                    found[f"pairs_above_{baseline}"] = int(above)
        if recalls:
            found["recall_at_fdr"] = recalls
        found["unscored"] = pair_names(of_role[of_role["unscored"] != ""])
        means[str(role)] = found
    return means


def tf_means(table: pd.DataFrame) -> pd.DataFrame:
    """Average the metrics of the pairs of each TF, best AUROC first.

    Parameters
    ----------
    table : DataFrame
        From :func:`pair_metrics`.

    Returns
    -------
    DataFrame
        Columns tf, pairs (how many have metrics), then means. A TF without metrics has 0
        pairs and is last.
    """
    metrics = [
        name
        for name in table.columns
        if name in ("prior", "average_precision")
        or name.endswith("auroc")
        or name.startswith("recall_at_fdr_")
    ]
    groups = table[table["unscored"] == ""].groupby("tf")
    means = groups[metrics].mean().reindex(table["tf"].unique())
    means.insert(0, "pairs", groups.size().reindex(means.index, fill_value=0))
    means.index.name = "tf"
    return means.sort_values("auroc", ascending=False).reset_index()


def mean_or_none(values: pd.Series) -> float | None:
    """Average the values that are known.

    Parameters
    ----------
    values : Series
        NaN where a pair has no value.

    Returns
    -------
    float or None
        None where no pair has a value: in JSON a missing mean is null and not NaN.
    """
    known = values.dropna()
    return float(known.mean()) if len(known) else None


def pair_names(table: pd.DataFrame) -> list[str]:
    """List the pairs of a table as TF:CELL.

    Parameters
    ----------
    table : DataFrame
        With the columns tf and cell.

    Returns
    -------
    list of str
    """
    return [f"{row.tf}:{row.cell}" for row in table.itertuples()]


def _per_pair(metric: Callable[..., float], scores: Floats, labels: Labels) -> Doubles:
    values = np.full(scores.shape[1], np.nan)
    for pair in range(scores.shape[1]):
        is_bound, known = _labeled(scores, labels, pair)
        if is_bound is not None:
            values[pair] = metric(is_bound, known)
    return values


def _labeled(
    scores: Floats, labels: Labels, pair: int
) -> tuple[NDArray[np.bool_] | None, Floats]:
    """Select labels and scores of the labeled sites; no labels where metrics are NaN."""
    known = labels[:, pair] >= 0
    is_bound, values = labels[known, pair] == 1, scores[known, pair]
    if not is_bound.any() or is_bound.all() or np.isnan(values).any():
        return None, values
    return is_bound, values


def _auroc(is_bound: NDArray[np.bool_], scores: Floats) -> float:
    unbound, bound = np.sort(scores[~is_bound]), scores[is_bound]
    below, up_to = (
        int(np.searchsorted(unbound, bound, side=side).sum())
        for side in ("left", "right")
    )
    return (below + up_to) / 2 / (len(unbound) * len(bound))
