"""What scores are worth, as a model's card tells it.

For a measured pair: the lowest score that keeps a false discovery rate (FDR) among the
labelled sites of the validation chromosomes, and what became of that promise on the
test chromosomes. For pairs that were never measured: how far above its own peak line a
score must be, by pairs that were kept from a model.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from tfimpute_tracks.dataset import Dataset
from tfimpute_tracks.evaluation.discovery import (
    called_sites,
    fdr_shifts,
    fdr_thresholds,
    summarise,
)
from tfimpute_tracks.evaluation.tables import predict_sites
from tfimpute_tracks.vocabulary import Vocabulary

if TYPE_CHECKING:
    from tfimpute_tracks.models.network import TFImpute

__all__ = [
    "FDR_LEVELS",
    "SiteScores",
    "imputed_worth",
    "measured_worth",
    "score_sites",
]

FDR_LEVELS = (0.05, 0.1, 0.25, 0.5)
"""Shares of calls that may be wrong, for which cards give thresholds."""

Floats = NDArray[np.float32]


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
    network: TFImpute,
    vocabulary: Vocabulary,
    dataset: Dataset,
    rows: NDArray[np.int64],
) -> SiteScores:
    """Score all measured pairs at some sites.

    Parameters
    ----------
    network : TFImpute
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


def measured_worth(
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
    lines = fdr_thresholds(valid.scores, valid.labels, FDR_LEVELS)
    _, bound = called_sites(valid.scores, valid.labels, lines)
    n_bound = np.maximum((valid.labels == 1).sum(axis=0), 1)
    pairs = [
        {
            "fdr_thresholds": _by_level(expit(line.astype(np.float64)), 6),
            "fdr_recall": _by_level(np.where(np.isnan(line), np.nan, hits / n), 4),
        }
        for line, hits, n in zip(lines, bound, n_bound, strict=True)
    ]
    return pairs, _checked(test, lines)


def imputed_worth(valid: SiteScores, test: SiteScores, lines: Floats) -> dict[str, Any]:
    """Find what must be asked of pairs without labels, by pairs kept from a model.

    Parameters
    ----------
    valid, test : SiteScores
        Of the pairs that were kept, by the model they were kept from.
    lines : float32 array, shape (n_pairs,)
        Log-odds of the pairs' own peak lines.

    Returns
    -------
    dict
        `shifts`: log-odds above a pair's peak line, by level, None where none meets it;
        `pairs`: how many were kept; `test`: what was found on the test sites.
    """
    shifts = fdr_shifts(valid.scores - lines, valid.labels, FDR_LEVELS)
    asked = np.array([np.nan if s is None else s for s in shifts], dtype=np.float32)
    return {
        "shifts": dict(zip(map(str, FDR_LEVELS), shifts, strict=True)),
        "pairs": len(lines),
        "test": _checked(test, lines[:, None] + asked),
    }


def _checked(sites: SiteScores, lines: Floats) -> dict[str, Any]:
    """Summarise by level the FDR of thresholds, over pairs that call a site."""
    called, bound = called_sites(sites.scores, sites.labels, lines)
    with np.errstate(invalid="ignore"):
        rates = 1 - bound / called
    return {str(level): summarise(rates[:, i]) for i, level in enumerate(FDR_LEVELS)}


def _by_level(values: NDArray[np.float64], digits: int) -> dict[str, float | None]:
    return {
        str(level): None if np.isnan(value) else round(float(value), digits)
        for level, value in zip(FDR_LEVELS, values, strict=True)
    }
