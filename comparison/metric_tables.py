"""Figures of a predictor, and of a reference at the very same sites and pairs.

A pair's figure is over its labelled sites with a score. A pair without a figure is in
no mean and is named with its reason. Beside each mean stands that of the reference over
the same pairs and sites, so that a predictor that answers only where it is easy gains
nothing by it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tfimpute_tracks.comparison.predictors.predictor import Floats
from tfimpute_tracks.comparison.predictors.task import Task
from tfimpute_tracks.comparison.scored_sites import Scored
from tfimpute_tracks.evaluation import pair_aurocs, pair_average_precisions
from tfimpute_tracks.evaluation.metrics import recall_at_fdr
from tfimpute_tracks.evaluation.significance import paired_wilcoxon

__all__ = ["FDR_LEVELS", "METRICS", "PairMetrics", "pair_metrics", "summary_row"]

FDR_LEVELS = (0.05, 0.1, 0.5)
"""False discovery rates at which recall is told, as in the paper."""
METRICS = (
    "auroc",
    "average_precision",
    *(f"recall_at_{round(100 * level)}_fdr" for level in FDR_LEVELS),
)
"""Names of the figures of a pair."""

Doubles = NDArray[np.float64]
Labels = NDArray[np.int8]


@dataclass(frozen=True)
class PairMetrics:
    """Figures of a predictor by pair, and of the reference at the same sites.

    Parameters
    ----------
    own : dict of str to float64 array, shape (n_pairs,)
        By names of :data:`METRICS`; NaN where there is none.
    reference : dict of str to float64 array, or None
        The reference's.
    n_positive, n_negative : int64 arrays, shape (n_pairs,)
        Labelled sites with a score.
    why : tuple of str
        Why a pair has no figure; empty where it has one.
    """

    own: dict[str, Doubles]
    reference: dict[str, Doubles] | None
    n_positive: NDArray[np.int64]
    n_negative: NDArray[np.int64]
    why: tuple[str, ...]


def pair_metrics(task: Task, scored: Scored, reference: Scored | None) -> PairMetrics:
    """Judge a predictor.

    Parameters
    ----------
    task : Task
    scored : Scored
    reference : Scored, optional

    Returns
    -------
    PairFigures
    """
    labels = task.dataset.labels(task.test_rows, task.judged)
    usable = ~np.isnan(scored.scores)
    if reference is not None:
        other = ~np.isnan(reference.scores)
        # The reference may lack a pair; that must not cost the predictor its figure.
        usable &= other | ~other.any(axis=0)
    known = np.where(usable, labels, np.int8(-1))
    own = _figures(scored.scores, known)
    n_positive, n_negative = ((known == value).sum(axis=0) for value in (1, 0))
    why = []
    for place, column in enumerate(map(int, task.judged)):
        reason = ""
        if np.isnan(own["auroc"][place]):
            reason = scored.silent.get(column, "")
            if not reason and not usable[:, place].any():
                reason = "no judged site has a value"
            if not reason:
                reason = "labelled sites of one class only"
        why.append(reason)
    beside = None if reference is None else _figures(reference.scores, known)
    return PairMetrics(own, beside, n_positive, n_negative, tuple(why))


def summary_row(scored: Scored, figures: PairMetrics) -> dict[str, Any]:
    """Give the line of a predictor in the table of means.

    Parameters
    ----------
    scored : Scored
    figures : PairFigures

    Returns
    -------
    dict
        `pairs` and the means of :data:`METRICS` over them; with a reference
        `shared_pairs`, `shared_auroc` and `model_auroc` (means over pairs that both
        have), the same of the average precision, the median difference of the AUROC,
        wins, losses and p of Wilcoxon's test; training sequences; seconds and rates.
        None where there is no figure.
    """
    has = ~np.isnan(figures.own["auroc"])
    row: dict[str, Any] = {"predictor": scored.name, "pairs": int(has.sum())}
    row |= {name: _mean(values[has]) for name, values in figures.own.items()}
    n_sites = figures.n_positive + figures.n_negative
    row["prior"] = _mean(figures.n_positive[has] / np.maximum(n_sites[has], 1))
    if figures.reference is not None:
        both = has & ~np.isnan(figures.reference["auroc"])
        row["shared_pairs"] = int(both.sum())
        for name in ("auroc", "average_precision"):
            row[f"shared_{name}"] = _mean(figures.own[name][both])
            row[f"model_{name}"] = _mean(figures.reference[name][both])
        test = paired_wilcoxon(figures.own["auroc"], figures.reference["auroc"])
        row |= {
            "median_difference": test.median_difference,
            "wins": test.wins,
            "losses": test.losses,
            "p": test.p,
        }
    n_scored = int((~np.isnan(scored.scores)).sum())
    row |= {
        "training_sequences": scored.n_sequences,
        "per_unit": scored.per_unit,
        "seconds_to_train": round(scored.seconds_to_train, 3),
        "seconds_to_score": round(scored.seconds_to_score, 3),
        "cpu_seconds": round(scored.cpu_seconds, 3),
        "trained_per_second": _rate(scored.n_sequences, scored.seconds_to_train),
        "scored_per_second": _rate(n_scored, scored.seconds_to_score),
        "scored_share": n_scored / max(scored.scores.size, 1),
    }
    return row


def _figures(scores: Floats, labels: Labels) -> dict[str, Doubles]:
    filled = np.nan_to_num(scores)
    # A pair without any score is to have no figure, whatever it was filled with.
    filled[:, np.isnan(scores).all(axis=0)] = np.nan
    recall = recall_at_fdr(filled, labels, FDR_LEVELS)
    values = [pair_aurocs(filled, labels), pair_average_precisions(filled, labels)]
    return dict(zip(METRICS, [*values, *recall.T], strict=True))


def _mean(values: Doubles) -> float | None:
    return float(values.mean()) if len(values) else None


def _rate(n: int | None, seconds: float) -> float | None:
    return round(n / seconds, 1) if n and seconds > 0 else None
