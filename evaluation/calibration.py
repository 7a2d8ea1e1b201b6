"""From scores to probabilities: how often a site with a given score is really bound.

Training weights bound and unbound sites of a pair alike, so a score of 0.5 is no
probability of 50 %; that depends on how common bound sites are. For a pair with a
fraction p of bound sites among open-chromatin sites

    P(bound | logit z) = sigmoid(slope z + intercept + log(p / (1 - p)))

with one slope and one intercept for all pairs, fitted on pairs held out from the model:
their scores are overconfident, which a slope below 1 corrects. For a pair without data,
p is the mean of its TF over the cell lines where it was measured. This is Platt scaling
with the prior as an offset.
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
    "THRESHOLDS",
    "Calibration",
    "calibration_curve",
    "calibration_error",
    "fit_calibration",
    "threshold_metrics",
]

Floats = NDArray[np.float32]
Doubles = NDArray[np.float64]
Labels = NDArray[np.int8]

THRESHOLDS = (
    *(0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5),
    *(0.6, 0.7, 0.8, 0.9, 0.95, 0.98, 0.99),
)
"""Probabilities that :func:`threshold_metrics` evaluates as thresholds."""
_MIN_SLOPE = 0.01  # above 0: a probability never reverses the order of the scores


@dataclass(frozen=True)
class Calibration:
    """The function from logits to probabilities.

    Attributes
    ----------
    slope, intercept : float
    """

    slope: float
    intercept: float

    def probabilities(self, scores: Floats, priors: Doubles) -> Doubles:
        """Compute probabilities of being bound.

        Parameters
        ----------
        scores : float32 array, shape (n_sites, n_pairs)
            Logits.
        priors : float64 array, shape (n_pairs,)
            Fraction of bound sites of each pair, within 0 and 1.

        Returns
        -------
        float64 array, shape (n_sites, n_pairs)
        """
        scaled = self.slope * scores.astype(np.float64) + self.intercept
        probabilities: Doubles = expit(scaled + logit(priors))
        return probabilities


def fit_calibration(scores: Floats, labels: Labels, priors: Doubles) -> Calibration:
    """Fit slope and intercept by maximum likelihood; every pair has the same weight.

    Parameters
    ----------
    scores : float32 array, shape (n_sites, n_pairs)
        Logits of pairs, best held out from the model, at sites it was not trained on.
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
        raise ValueError("a calibration needs bound and unbound sites")
    offsets = np.broadcast_to(logit(priors), scores.shape)[known]
    of_pair = 1 / np.maximum(known.sum(axis=0), 1)
    weights = np.broadcast_to(of_pair, scores.shape)[known]
    z = scores[known].astype(np.float64)

    def loss(parameters: Doubles) -> tuple[float, Doubles]:
        margin = parameters[0] * z + parameters[1] + offsets
        losses = np.logaddexp(0, np.where(bound, -margin, margin))
        slope = weights * (expit(margin) - bound)
        return float(weights @ losses), np.array([slope @ z, slope.sum()])

    bounds = [(_MIN_SLOPE, None), (None, None)]
    found = minimize(
        loss, np.array([1.0, 0.0]), jac=True, method="L-BFGS-B", bounds=bounds
    )
    return Calibration(float(found.x[0]), float(found.x[1]))


def calibration_curve(
    probabilities: Doubles, labels: Labels, n_bins: int = 15
) -> pd.DataFrame:
    """Compare predicted probabilities with observed fractions of bound sites.

    Parameters
    ----------
    probabilities : float64 array, shape (n_sites, n_pairs)
    labels : int8 array, shape (n_sites, n_pairs)
        1 bound, 0 unbound, -1 ignored.
    n_bins : int
        Bins of equal width from 0 to 1; empty ones are dropped.

    Returns
    -------
    DataFrame
        Columns predicted (mean probability of the bin), observed (fraction of bound
        sites) and sites (how many).
    """
    known = labels >= 0
    predicted, bound = probabilities[known], labels[known] == 1
    bins = np.minimum((predicted * n_bins).astype(int), n_bins - 1)
    sites = np.bincount(bins, minlength=n_bins)
    sums = np.bincount(bins, predicted, n_bins), np.bincount(bins, bound, n_bins)
    some = sites > 0
    return pd.DataFrame(
        {
            "predicted": sums[0][some] / sites[some],
            "observed": sums[1][some] / sites[some],
            "sites": sites[some],
        }
    )


def calibration_error(
    probabilities: Doubles, labels: Labels, n_bins: int = 15
) -> float:
    """Compute the expected calibration error: the mean gap of predicted and observed.

    Parameters
    ----------
    probabilities : float64 array, shape (n_sites, n_pairs)
    labels : int8 array, shape (n_sites, n_pairs)
    n_bins : int
        As for :func:`calibration_curve`.

    Returns
    -------
    float
        Weighted by the sites of each bin. Where few sites are bound, a constant near
        zero has a small error, too: it does not measure how well sites are ranked.
    """
    curve = calibration_curve(probabilities, labels, n_bins)
    gaps = (curve["predicted"] - curve["observed"]).abs()
    return float((gaps * curve["sites"]).sum() / max(curve["sites"].sum(), 1))


def threshold_metrics(
    probabilities: Doubles, labels: Labels, groups: dict[str, NDArray[np.int64]]
) -> pd.DataFrame:
    """Compute precision and recall at thresholds on the probability, by group of pairs.

    Parameters
    ----------
    probabilities : float64 array, shape (n_sites, n_pairs)
    labels : int8 array, shape (n_sites, n_pairs)
        1 bound, 0 unbound, -1 ignored.
    groups : dict of str to int64 array
        Columns of each group; their sites are pooled.

    Returns
    -------
    DataFrame
        Columns group, pairs, threshold, called, precision, recall, f1, fdr; one row per
        group and value of :data:`THRESHOLDS`. NaN where nothing is called or bound.
    """
    rows: list[dict[str, Any]] = []
    for group, columns in groups.items():
        known = labels[:, columns] >= 0
        values = probabilities[:, columns][known]
        bound = labels[:, columns][known] == 1
        for threshold in THRESHOLDS:
            called = values >= threshold
            n_called, n_right = int(called.sum()), int(bound[called].sum())
            precision = n_right / n_called if n_called else np.nan
            recall = n_right / bound.sum() if bound.any() else np.nan
            total = precision + recall
            rows.append(
                {
                    "group": group,
                    "pairs": len(columns),
                    "threshold": threshold,
                    "called": n_called,
                    "precision": precision,
                    "recall": recall,
                    "f1": 2 * precision * recall / total if total > 0 else np.nan,
                    "fdr": 1 - precision,
                }
            )
    return pd.DataFrame(rows)
