"""From scores to probabilities: how often a site with such a score is really bound.

Training weighs bound and unbound sites of a pair alike, so a score of 0.5 says that a
site looks like both; what it is worth depends on how common bound sites are. For a pair
with the share p of bound sites among open-chromatin sites

    P(bound | logit z) = sigmoid(slope z + intercept + log(p / (1 - p)))

with one slope and one intercept for all pairs, fitted on pairs that were kept from the
model: scores of such pairs promise too much, which a slope below 1 takes back. For a
pair without data p is what its TF binds on average where it was measured. This is
Platt's scaling with the prior as an offset.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import expit, logit

__all__ = [
    "SCORES",
    "Calibration",
    "calibration_error",
    "fit_calibration",
    "reliability_curve",
    "score_table",
]

Floats = NDArray[np.float32]
Doubles = NDArray[np.float64]
Labels = NDArray[np.int8]

SCORES = (
    *(0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9),
    *(0.95, 0.98, 0.99, 0.995, 0.998, 0.999, 0.9995, 0.9999),
)
"""Scores that :func:`score_table` tells the worth of."""


@dataclass(frozen=True)
class Calibration:
    """What turns a logit into a probability.

    Attributes
    ----------
    slope, intercept : float
    """

    slope: float
    intercept: float

    def probabilities(self, scores: Floats, priors: Doubles) -> Doubles:
        """Give probabilities of being bound.

        Parameters
        ----------
        scores : float32 array, shape (n_sites, n_pairs)
            Logits.
        priors : float64 array, shape (n_pairs,)
            Share of bound sites of each pair, within 0 and 1.

        Returns
        -------
        float64 array, shape (n_sites, n_pairs)
        """
        scaled = self.slope * scores.astype(np.float64) + self.intercept
        probabilities: Doubles = expit(scaled + logit(priors))
        return probabilities


def fit_calibration(scores: Floats, labels: Labels, priors: Doubles) -> Calibration:
    """Fit slope and intercept by likelihood; every pair weighs the same.

    Parameters
    ----------
    scores : float32 array, shape (n_sites, n_pairs)
        Logits of pairs that were kept from the model, at sites that trained nothing.
    labels : int8 array, shape (n_sites, n_pairs)
        1 bound, 0 unbound, -1 ignored.
    priors : float64 array, shape (n_pairs,)

    Returns
    -------
    Calibration

    Raises
    ------
    ValueError
        There is no bound or no unbound site.
    """
    known = labels >= 0
    bound = labels[known] == 1
    if not bound.any() or bound.all():
        raise ValueError("sites of one class only say nothing of probabilities")
    offsets = np.broadcast_to(logit(priors), scores.shape)[known]
    share = 1 / np.maximum(known.sum(axis=0), 1)
    weights = np.broadcast_to(share, scores.shape)[known]
    z = scores[known].astype(np.float64)

    def loss(parameters: Doubles) -> tuple[float, Doubles]:
        margin = parameters[0] * z + parameters[1] + offsets
        losses = np.logaddexp(0, np.where(bound, -margin, margin))
        slope = weights * (expit(margin) - bound)
        return float(weights @ losses), np.array([slope @ z, slope.sum()])

    found = minimize(loss, np.array([1.0, 0.0]), jac=True, method="L-BFGS-B")
    return Calibration(float(found.x[0]), float(found.x[1]))


def reliability_curve(
    probabilities: Doubles, labels: Labels, n_bins: int = 15
) -> pd.DataFrame:
    """Hold promised probabilities against what came of them.

    Parameters
    ----------
    probabilities : float64 array, shape (n_sites, n_pairs)
    labels : int8 array, shape (n_sites, n_pairs)
        1 bound, 0 unbound, -1 ignored.
    n_bins : int
        Bins of equal width from 0 to 1; empty ones are left out.

    Returns
    -------
    DataFrame
        Columns promised (mean probability of the bin), found (share of bound sites) and
        sites (how many).
    """
    known = labels >= 0
    promised, bound = probabilities[known], labels[known] == 1
    places = np.minimum((promised * n_bins).astype(int), n_bins - 1)
    sites = np.bincount(places, minlength=n_bins)
    sums = np.bincount(places, promised, n_bins), np.bincount(places, bound, n_bins)
    some = sites > 0
    return pd.DataFrame(
        {
            "promised": sums[0][some] / sites[some],
            "found": sums[1][some] / sites[some],
            "sites": sites[some],
        }
    )


def calibration_error(
    probabilities: Doubles, labels: Labels, n_bins: int = 15
) -> float:
    """Give the expected calibration error: the mean gap of promised and found.

    Parameters
    ----------
    probabilities : float64 array, shape (n_sites, n_pairs)
    labels : int8 array, shape (n_sites, n_pairs)
    n_bins : int
        As for :func:`reliability_curve`.

    Returns
    -------
    float
        Weighted by the sites of each bin. Where few sites are bound, a constant near
        zero has a small error, too: it says nothing of how well sites are ranked.
    """
    curve = reliability_curve(probabilities, labels, n_bins)
    gaps = (curve["promised"] - curve["found"]).abs()
    return float((gaps * curve["sites"]).sum() / max(curve["sites"].sum(), 1))


def score_table(
    scores: Floats, labels: Labels, groups: dict[str, NDArray[np.int64]]
) -> pd.DataFrame:
    """Tell what each score is worth as a threshold, by group of pairs.

    Parameters
    ----------
    scores : float32 array, shape (n_sites, n_pairs)
        Probabilities of the network, as tracks show them.
    labels : int8 array, shape (n_sites, n_pairs)
        1 bound, 0 unbound, -1 ignored.
    groups : dict of str to int64 array
        Columns of each group; their sites are pooled.

    Returns
    -------
    DataFrame
        Columns group, pairs, score, called, precision, recall, f1, fdr; one row per
        group and score of :data:`SCORES`. Missing where nothing is called or bound.
    """
    rows: list[dict[str, Any]] = []
    for group, columns in groups.items():
        known = labels[:, columns] >= 0
        values = scores[:, columns][known]
        bound = labels[:, columns][known] == 1
        for score in SCORES:
            called = values >= score
            n_called, n_right = int(called.sum()), int(bound[called].sum())
            precision = n_right / n_called if n_called else np.nan
            recall = n_right / bound.sum() if bound.any() else np.nan
            rows.append(
                {
                    "group": group,
                    "pairs": len(columns),
                    "score": score,
                    "called": n_called,
                    "precision": precision,
                    "recall": recall,
                    "f1": _f1(precision, recall),
                    "fdr": 1 - precision,
                }
            )
    return pd.DataFrame(rows)


def _f1(precision: float, recall: float) -> float:
    total = precision + recall
    return 2 * precision * recall / total if total > 0 else np.nan
