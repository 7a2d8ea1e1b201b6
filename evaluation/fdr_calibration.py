"""What scores are worth, as a model's card tells it.

For a measured pair: the lowest score that keeps a false discovery rate (FDR) among the
labelled validation sites, and what became of that promise on the test sites. For pairs
that were never measured: how far above its own peak line a score must be, by pairs that
were kept from a model.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from tfimpute_tracks.dataset import Dataset
from tfimpute_tracks.engines.sites import predict_sites
from tfimpute_tracks.evaluation.calibration import (
    Calibration,
    calibration_error,
    fit_calibration,
)
from tfimpute_tracks.evaluation.fdr import (
    MIN_SITES,
    called_sites,
    fdr_shifts,
    fdr_thresholds,
    summarize,
)
from tfimpute_tracks.vocabulary import Vocabulary

if TYPE_CHECKING:
    from tfimpute_tracks.models.network import MotifNetwork

__all__ = [
    "FDR_LEVELS",
    "SiteScores",
    "calibrate_imputed_pairs",
    "calibrate_probabilities",
    "calibrate_trained_pairs",
    "count_reached_levels",
    "score_sites",
]

FDR_LEVELS = (0.05, 0.1, 0.25, 0.5)
"""Shares of calls that may be wrong, for which cards give thresholds."""

Floats = NDArray[np.float32]

_SITES_AT_ONCE = 512  # that all pairs are scored at


@dataclass(frozen=True)
class SiteScores:
    """Scores and labels of sites.

    Attributes
    ----------
    scores : float32 array, shape (n_sites, n_pairs)
        Log-odds.
    labels : int8 array, shape (n_sites, n_pairs)
        1 bound, 0 unbound, -1 ignored.
    """

    scores: Floats
    labels: NDArray[np.int8]

    def of(self, columns: NDArray[np.int64]) -> SiteScores:
        """Give some of the pairs.

        Parameters
        ----------
        columns : int64 array

        Returns
        -------
        SiteScores
        """
        return SiteScores(self.scores[:, columns], self.labels[:, columns])


def score_sites(
    network: MotifNetwork,
    vocabulary: Vocabulary,
    dataset: Dataset,
    rows: NDArray[np.int64],
) -> SiteScores:
    """Score all measured pairs at some sites.

    Parameters
    ----------
    network : MotifNetwork
    vocabulary : Vocabulary
        Of the network.
    dataset : Dataset
    rows : int64 array
        Sites.

    Returns
    -------
    SiteScores
        Columns in the order of the data set's pairs.
    """
    indices = vocabulary.pair_indices(dataset.pairs)
    scores = predict_sites(network, dataset.codes[rows], indices)
    return SiteScores(scores, dataset.labels(rows))


def calibrate_trained_pairs(
    valid: SiteScores, test: SiteScores
) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """Find the thresholds of measured pairs, and check them.

    Parameters
    ----------
    valid, test : SiteScores
        Of the same pairs; thresholds are read from the first and checked on the other.

    Returns
    -------
    pairs : list of dict
        Per pair `fdr_thresholds` (probability) and `fdr_recall` (share of the
        validation's bound sites), each by level, None where no score meets it.
    check : dict
        By level: over how many pairs, and mean, median and spread of the FDR found on
        the test sites.
    """
    # Of probabilities, not log-odds: near 1 several log-odds are one probability.
    scores = expit(valid.scores)
    lines = fdr_thresholds(scores, valid.labels, FDR_LEVELS)
    _, bound = called_sites(scores, valid.labels, lines)
    n_bound = np.maximum((valid.labels == 1).sum(axis=0), 1)
    recall = np.where(np.isnan(lines), np.nan, bound / n_bound[:, None])
    pairs = [
        {
            # To the last digit: rounded up, a threshold loses the site it stands for.
            "fdr_thresholds": _by_level([float(str(score)) for score in line]),
            "fdr_recall": _by_level(shares.round(4).tolist()),
        }
        for line, shares in zip(lines, recall, strict=True)
    ]
    return pairs, _checked(SiteScores(expit(test.scores), test.labels), lines)


def calibrate_imputed_pairs(
    valid: SiteScores, test: SiteScores, lines: Floats
) -> tuple[Floats, dict[str, Any]]:
    """Find what must be asked of pairs without labels, by pairs kept from a model.

    Parameters
    ----------
    valid, test : SiteScores
        Of the pairs that were kept, by the model they were kept from.
    lines : float32 array, shape (n_pairs,)
        Log-odds of the pairs' own peak lines.

    Returns
    -------
    raised : float32 array, shape (n_pairs, n_levels)
        Log-odds that are asked of each of these pairs; NaN where no shift meets the
        level, or fewer than :data:`~tfimpute_tracks.evaluation.fdr.MIN_SITES`
        of the pair's validation sites score so high.
    told : dict
        `shifts`: log-odds above a pair's peak line, by level, None where none meets it;
        `pairs`: how many were kept; `pairs_reaching`: how many of them score so high; `test`:
        what was found on the test sites of those.
    """
    shifts = fdr_shifts(valid.scores - lines, valid.labels, FDR_LEVELS)
    asked = np.array([np.nan if s is None else s for s in shifts], dtype=np.float32)
    raised = lines[:, None] + asked
    called, _ = called_sites(valid.scores, valid.labels, raised)
    raised[called < MIN_SITES] = np.nan
    return raised, {
        "shifts": _by_level(shifts),
        "pairs": len(lines),
        "pairs_reaching": _by_level(np.isfinite(raised).sum(axis=0).tolist()),
        "test": _checked(test, raised),
    }


def count_reached_levels(
    network: MotifNetwork,
    vocabulary: Vocabulary,
    codes: NDArray[np.uint8],
    lines: Floats,
    shifts: Mapping[str, float | None],
) -> dict[str, str]:
    """Say which shifts enough sites of a pair reach, for every pair there is.

    A shift holds for pairs that call sites by it. A pair whose scores hardly reach it
    is of another kind, and what little it calls is mostly wrong.

    Parameters
    ----------
    network : MotifNetwork
        On the CPU.
    vocabulary : Vocabulary
        Of the network.
    codes : uint8 array, shape (n_sites, L)
        Open-chromatin sites that trained nothing.
    lines : float32 array, shape (n_tfs, n_cells)
        Log-odds of the pairs' own peak lines.
    shifts : mapping of str to float or None
        From :func:`calibrate_imputed_pairs`.

    Returns
    -------
    dict of str to str
        Per TF a digit for each cell line: how many levels, the highest rate first, at
        least :data:`~tfimpute_tracks.evaluation.fdr.MIN_SITES` sites reach.
    """
    asked = [s for _, s in sorted(shifts.items(), key=lambda i: -float(i[0]))]
    known = [shift for shift in asked if shift is not None]
    pairs = [(tf, cell) for tf, cell in np.ndindex(lines.shape)]
    n_sites = np.zeros((len(known), len(pairs)), dtype=np.int64)
    for first in range(0, len(codes), _SITES_AT_ONCE):
        some = codes[first : first + _SITES_AT_ONCE]
        margins = predict_sites(network, some, pairs) - lines.ravel()
        for counted, shift in zip(n_sites, known, strict=True):
            counted += (margins >= shift).sum(axis=0)
    reached = (n_sites >= MIN_SITES).sum(axis=0).reshape(lines.shape)
    return {
        tf: "".join(map(str, row))
        for tf, row in zip(vocabulary.tfs, reached.tolist(), strict=True)
    }


def calibrate_probabilities(
    valid: SiteScores,
    test: SiteScores,
    valid_priors: NDArray[np.float64],
    test_priors: NDArray[np.float64],
) -> dict[str, Any]:
    """Find what turns scores into probabilities, and check it.

    Parameters
    ----------
    valid, test : SiteScores
        Of pairs that were kept from the model: some to fit by, others to check on.
    valid_priors, test_priors : float64 array, shape (n_pairs,)
        Share of sites that each of these pairs is expected to bind.

    Returns
    -------
    dict
        `slope` and `intercept`; `pairs`, how many they were fitted by; `error`, the
        expected calibration error on the test sites of scores as they are (`score`),
        with the prior put right alone (`prior`) and `calibrated`.
    """
    fitted = fit_calibration(valid.scores, valid.labels, valid_priors)
    ways = {
        "score": expit(test.scores.astype(np.float64)),
        "prior": Calibration(1.0, 0.0).probabilities(test.scores, test_priors),
        "calibrated": fitted.probabilities(test.scores, test_priors),
    }
    return {
        "slope": round(fitted.slope, 4),
        "intercept": round(fitted.intercept, 4),
        "pairs": valid.scores.shape[1],
        "error": {
            way: round(calibration_error(promised, test.labels), 5)
            for way, promised in ways.items()
        },
    }


def _checked(sites: SiteScores, lines: Floats) -> dict[str, Any]:
    """Summarize by level the FDR of thresholds, over pairs that call a site."""
    called, bound = called_sites(sites.scores, sites.labels, lines)
    with np.errstate(invalid="ignore"):
        rates = 1 - bound / called
    return {str(level): summarize(rates[:, i]) for i, level in enumerate(FDR_LEVELS)}


def _by_level(values: Sequence[float | None]) -> dict[str, float | None]:
    return {
        str(level): None if value is None or np.isnan(value) else value
        for level, value in zip(FDR_LEVELS, values, strict=True)
    }
