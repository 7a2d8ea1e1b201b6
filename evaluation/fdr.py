"""What a score is worth: the threshold at which so many of the calls are wrong.

The false discovery rate (FDR) of a threshold is the share of unbound sites among the
labelled sites that score at or above it; ignored sites count for nothing. A threshold
is read from one set of sites and then checked on another: the one it was read from
flatters it. Sites here are what the labels are of, open chromatin as a rule. What the
same threshold is worth along a whole chromosome is the business of ``genome_wide.py``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "MIN_PAIRS",
    "MIN_SITES",
    "called_sites",
    "fdr_shifts",
    "fdr_thresholds",
    "summarize",
]

Floats = NDArray[np.float32]
Ints = NDArray[np.int64]
Labels = NDArray[np.int8]

MIN_SITES = 10
"""Labelled sites that a threshold must call: the rate among fewer is chance."""
MIN_PAIRS = 10
"""Pairs that must call so many sites at a shift, for their mean to speak for others."""

# Shifts that are tried, in log-odds from the pair's own line.
_SHIFTS = np.arange(-400, 1001) / 20


def fdr_thresholds(scores: Floats, labels: Labels, levels: Sequence[float]) -> Floats:
    """Give the smallest score of each pair at which its FDR is met.

    Parameters
    ----------
    scores : float32 array, shape (n_sites, n_pairs)
    labels : int8 array, shape (n_sites, n_pairs)
        1 bound, 0 unbound, -1 ignored.
    levels : sequence of float
        Largest shares of unbound sites.

    Returns
    -------
    float32 array, shape (n_pairs, n_levels)
        Of the sites at or above it at most that share is unbound, and there are at
        least :data:`MIN_SITES` of them; NaN where no score does that.
    """
    found = np.full((scores.shape[1], len(levels)), np.nan, dtype=np.float32)
    for pair in range(len(found)):
        known = labels[:, pair] >= 0
        order = np.argsort(-scores[known, pair], kind="stable")
        values = scores[known, pair][order]
        n_called = np.arange(1, len(values) + 1)
        rate = np.cumsum(labels[known, pair][order] == 0) / n_called
        # Equal scores are called together or not at all.
        usable = np.append(values[1:] < values[:-1], True)[: len(values)]
        usable &= n_called >= MIN_SITES
        for i, level in enumerate(levels):
            met = np.flatnonzero(usable & (rate <= level))
            if len(met):
                found[pair, i] = values[met[-1]]
    return found


def called_sites(
    scores: Floats, labels: Labels, thresholds: Floats
) -> tuple[Ints, Ints]:
    """Count what thresholds call.

    Parameters
    ----------
    scores : float32 array, shape (n_sites, n_pairs)
    labels : int8 array, shape (n_sites, n_pairs)
        1 bound, 0 unbound, -1 ignored.
    thresholds : float32 array, shape (n_pairs, n_levels)
        NaN calls nothing.

    Returns
    -------
    called, bound : int64 arrays, shape (n_pairs, n_levels)
        Labelled sites at or above the threshold, and those of them that are bound.
    """
    called, bound = (np.zeros(thresholds.shape, dtype=np.int64) for _ in range(2))
    for level in range(thresholds.shape[1]):
        is_called = (scores >= thresholds[:, level]) & (labels >= 0)
        called[:, level] = is_called.sum(axis=0)
        bound[:, level] = (is_called & (labels == 1)).sum(axis=0)
    return called, bound


def fdr_shifts(
    margins: Floats, labels: Labels, levels: Sequence[float]
) -> list[float | None]:
    """Give the shifts from the pairs' own lines at which their mean FDR is met.

    For pairs without labels: what holds on average for others that were not learned
    from either. Every pair has the same weight. Pooled sites would not do: most of
    those that are called belong to the few pairs that are told apart well, and their
    rate would be promised to all.

    Parameters
    ----------
    margins : float32 array, shape (n_sites, n_pairs)
        Log-odds of the scores above those of the pair's own line.
    labels : int8 array, shape (n_sites, n_pairs)
        1 bound, 0 unbound, -1 ignored.
    levels : sequence of float
        Largest shares of unbound sites, on average over pairs.

    Returns
    -------
    list of float or None
        In log-odds, in steps of 0.05. The mean is over the pairs with
        :data:`MIN_SITES` sites at or above the shift; None where no shift meets the
        level with :data:`MIN_PAIRS` such pairs.
    """
    n_tried, n_pairs = len(_SHIFTS), margins.shape[1]
    rates = np.full((n_tried, n_pairs), np.nan)
    for pair in range(n_pairs):
        unbound, every = (
            _at_or_above(margins[chosen, pair])
            for chosen in (labels[:, pair] == 0, labels[:, pair] >= 0)
        )
        enough = every >= MIN_SITES
        rates[enough, pair] = unbound[enough] / every[enough]
    n_speaking = np.count_nonzero(~np.isnan(rates), axis=1)
    means = np.nansum(rates, axis=1) / np.maximum(n_speaking, 1)
    found: list[float | None] = []
    for level in levels:
        met = np.flatnonzero((n_speaking >= MIN_PAIRS) & (means <= level))
        found.append(float(_SHIFTS[met[0]]) if len(met) else None)
    return found


def _at_or_above(margins: Floats) -> Ints:
    """Count the margins that reach each shift that is tried."""
    return len(margins) - np.searchsorted(np.sort(margins), _SHIFTS).astype(np.int64)


def summarize(values: NDArray[np.float64]) -> dict[str, Any]:
    """Give mean and spread of a figure over pairs.

    Parameters
    ----------
    values : float64 array, shape (n_pairs,)
        NaN where a pair has none.

    Returns
    -------
    dict
        `pairs` (how many have one), `mean`, `median`, `p10` and `p90` (a tenth of the
        pairs lie below and above); None where no pair has one.
    """
    known = values[~np.isnan(values)]
    if not len(known):
        return {"pairs": 0, "mean": None, "median": None, "p10": None, "p90": None}
    p10, median, p90 = (round(float(q), 4) for q in np.quantile(known, [0.1, 0.5, 0.9]))
    mean = round(float(known.mean()), 4)
    return {"pairs": len(known), "mean": mean, "median": median, "p10": p10, "p90": p90}
