"""False discovery rates (FDR): the thresholds that keep a rate, and what they call.

The FDR of a threshold is the fraction of unbound sites among the labeled sites that
score at or above it; ignored sites do not count. A threshold is chosen on one set of
sites and checked on another, because it looks too good on the sites it was chosen on.
Sites here are the labeled ones, usually open chromatin; ``genome_wide.py`` measures the
FDR of the same thresholds along a whole chromosome.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "MIN_PAIRS",
    "MIN_SITES",
    "count_calls",
    "fdr_shifts",
    "fdr_thresholds",
    "last_calls",
    "rank_sites",
    "summarize",
]

Floats = NDArray[np.float32]
Doubles = NDArray[np.float64]
Ints = NDArray[np.int64]
Labels = NDArray[np.int8]

MIN_SITES = 10
"""Labeled sites that a threshold must call: the FDR of fewer calls is mostly noise."""
MIN_PAIRS = 10
"""Pairs that must call that many sites, for their mean FDR to hold for other pairs."""

# Shifts that are tried, in log-odds above the pair's own peak-calling threshold.
_SHIFTS = np.arange(-400, 1001) / 20


def rank_sites(scores: Floats, is_bound: NDArray[np.bool_]) -> tuple[Floats, Ints]:
    """Sort sites by score, best first, and count the bound ones among the first n.

    Parameters
    ----------
    scores : float array, shape (n_sites,)
    is_bound : bool array, shape (n_sites,)

    Returns
    -------
    ranked : float array, shape (n_sites,)
        Scores, descending.
    n_bound : int64 array, shape (n_sites,)
        Bound sites among the first 1, 2, ..., n_sites.
    """
    order = np.argsort(-scores, kind="stable")
    return scores[order], np.cumsum(is_bound[order])


def last_calls(
    ranked: Floats, n_bound: Ints, levels: Sequence[float], min_sites: int = 1
) -> list[int | None]:
    """Find the longest list of best sites that keeps each FDR level.

    Parameters
    ----------
    ranked : float array, shape (n_sites,)
        Scores, descending. Sites of equal score are called together.
    n_bound : int64 array, shape (n_sites,)
        Bound sites among the first 1, 2, ..., n_sites.
    levels : sequence of float
        Largest FDRs allowed.
    min_sites : int
        Sites that must be called.

    Returns
    -------
    list of int or None
        Index of the last site called, by level; None where no list keeps the level.
    """
    n_called = np.arange(1, len(ranked) + 1)
    # A quotient of counts rounds as the level's own decimals do: 1 of 20 keeps 0.05.
    rates = (n_called - n_bound) / n_called
    allowed = np.append(ranked[1:] < ranked[:-1], True)[: len(ranked)]
    allowed[: min_sites - 1] = False
    kept = [np.flatnonzero(allowed & (rates <= level)) for level in levels]
    return [int(ends[-1]) if len(ends) else None for ends in kept]


def fdr_thresholds(scores: Floats, labels: Labels, levels: Sequence[float]) -> Floats:
    """Find the lowest score of each pair at which its FDR is at most each level.

    Parameters
    ----------
    scores : float32 array, shape (n_sites, n_pairs)
    labels : int8 array, shape (n_sites, n_pairs)
        1 bound, 0 unbound, -1 ignored.
    levels : sequence of float
        Largest FDRs allowed.

    Returns
    -------
    float32 array, shape (n_pairs, n_levels)
        NaN where no score that calls at least :data:`MIN_SITES` sites keeps the level.
    """
    thresholds = np.full((scores.shape[1], len(levels)), np.nan, dtype=np.float32)
    for pair in range(len(thresholds)):
        known = labels[:, pair] >= 0
        ranked, n_bound = rank_sites(scores[known, pair], labels[known, pair] == 1)
        for i, last in enumerate(last_calls(ranked, n_bound, levels, MIN_SITES)):
            if last is not None:
                thresholds[pair, i] = ranked[last]
    return thresholds


def count_calls(
    scores: Floats, labels: Labels, thresholds: Floats
) -> tuple[Ints, Ints]:
    """Count the sites at or above thresholds.

    Parameters
    ----------
    scores : float32 array, shape (n_sites, n_pairs)
    labels : int8 array, shape (n_sites, n_pairs)
        1 bound, 0 unbound, -1 ignored.
    thresholds : float32 array, shape (n_pairs, n_levels)
        NaN calls nothing.

    Returns
    -------
    n_called, n_bound : int64 arrays, shape (n_pairs, n_levels)
        Labeled sites at or above the threshold, and the bound ones among them.
    """
    n_called, n_bound = (np.zeros(thresholds.shape, dtype=np.int64) for _ in range(2))
    for level in range(thresholds.shape[1]):
        is_called = (scores >= thresholds[:, level]) & (labels >= 0)
        n_called[:, level] = is_called.sum(axis=0)
        n_bound[:, level] = (is_called & (labels == 1)).sum(axis=0)
    return n_called, n_bound


def fdr_shifts(
    margins: Floats, labels: Labels, levels: Sequence[float]
) -> list[float | None]:
    """Find how far above its peak-calling threshold a pair must score, for each level.

    For pairs without labels: the shift that keeps the mean FDR of held-out pairs. Every
    pair has the same weight. Pooling the sites of all pairs would not do: most called
    sites belong to the few pairs that are predicted best, and their FDR would be taken
    for that of all.

    Parameters
    ----------
    margins : float32 array, shape (n_sites, n_pairs)
        Log-odds above the pair's own peak-calling threshold.
    labels : int8 array, shape (n_sites, n_pairs)
        1 bound, 0 unbound, -1 ignored.
    levels : sequence of float
        Largest mean FDRs over pairs.

    Returns
    -------
    list of float or None
        In log-odds, in steps of 0.05. The mean is over the pairs with
        :data:`MIN_SITES` sites at or above the shift; None where no shift keeps the
        level with at least :data:`MIN_PAIRS` such pairs.
    """
    rates = np.full((len(_SHIFTS), margins.shape[1]), np.nan)
    for pair in range(margins.shape[1]):
        n_unbound, n_called = (
            _count_at_or_above(margins[chosen, pair])
            for chosen in (labels[:, pair] == 0, labels[:, pair] >= 0)
        )
        enough = n_called >= MIN_SITES
        rates[enough, pair] = n_unbound[enough] / n_called[enough]
    n_pairs = np.count_nonzero(~np.isnan(rates), axis=1)
    means = np.nansum(rates, axis=1) / np.maximum(n_pairs, 1)
    shifts: list[float | None] = []
    for level in levels:
        kept = np.flatnonzero((n_pairs >= MIN_PAIRS) & (means <= level))
        shifts.append(float(_SHIFTS[kept[0]]) if len(kept) else None)
    return shifts


def _count_at_or_above(margins: Floats) -> Ints:
    """Count the margins at or above each of the shifts that are tried."""
    return len(margins) - np.searchsorted(np.sort(margins), _SHIFTS).astype(np.int64)


def summarize(values: Doubles) -> dict[str, Any]:
    """Summarize a metric over pairs.

    Parameters
    ----------
    values : float64 array, shape (n_pairs,)
        NaN where a pair has no value.

    Returns
    -------
    dict
        `pairs` (how many have a value), `mean`, `median`, and the percentiles `p10` and
        `p90`; None where no pair has a value.
    """
    known = values[~np.isnan(values)]
    if not len(known):
        return {"pairs": 0, "mean": None, "median": None, "p10": None, "p90": None}
    p10, median, p90 = (round(float(q), 4) for q in np.quantile(known, [0.1, 0.5, 0.9]))
    mean = round(float(known.mean()), 4)
    return {"pairs": len(known), "mean": mean, "median": median, "p10": p10, "p90": p90}
