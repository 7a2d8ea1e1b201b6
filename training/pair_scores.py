"""Scores of a data set's pairs, and what a model card lists from them.

Everything here takes a :class:`~tfimpute_tracks.models.model.Model`, with or without
evidence, so that cards of both kinds of weights are made the same way.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tfimpute_tracks.dataset import REPLICATE, Dataset
from tfimpute_tracks.engines.site_scorer import site_scorer
from tfimpute_tracks.evaluation.fdr_calibration import (
    SiteScores,
    calibrate_probabilities,
    calibrate_trained_pairs,
)
from tfimpute_tracks.evaluation.metrics import pair_aurocs, role_means
from tfimpute_tracks.evaluation.scored_pairs import evaluate_model
from tfimpute_tracks.models.model import Model
from tfimpute_tracks.vocabulary import Vocabulary

__all__ = [
    "PairScores",
    "calibrate_held_out",
    "pair_sections",
    "score_dataset",
    "subsample",
    "tf_bound_fractions",
]

Doubles = NDArray[np.float64]
Ints = NDArray[np.int64]
Mask = NDArray[np.bool_]

_MIN_FRACTION, _MAX_FRACTION = 0.001, 0.1  # of sites that call peaks


@dataclass(frozen=True)
class PairScores:
    """Scores and labels of a data set's pairs at validation and test sites.

    Attributes
    ----------
    dataset : Dataset
    is_trained : bool array, shape (n_pairs,)
        Pairs that the model was trained on.
    test_rows : int64 array
        Test sites.
    valid, test : SiteScores
        Columns in the order of the data set's pairs.
    """

    dataset: Dataset
    is_trained: Mask
    test_rows: Ints
    valid: SiteScores
    test: SiteScores

    @cached_property
    def aurocs(self) -> tuple[Doubles, Doubles]:
        """AUROC of every pair at validation and at test sites; NaN where undefined."""
        return (
            pair_aurocs(self.valid.scores, self.valid.labels),
            pair_aurocs(self.test.scores, self.test.labels),
        )

    def held_out(self, *roles: str) -> Ints:
        """Find the pairs that the model was not trained on.

        Parameters
        ----------
        *roles : str
            Of these roles; by default of any.

        Returns
        -------
        int64 array
            Columns.
        """
        wanted = np.isin(np.array(self.dataset.roles), roles or self.dataset.roles)
        return np.flatnonzero(wanted & ~self.is_trained)


def score_dataset(
    model: Model, dataset: Dataset, is_trained: Mask, valid: Ints, test: Ints
) -> PairScores:
    """Score the pairs of a data set by a model.

    Parameters
    ----------
    model : Model
    dataset : Dataset
    is_trained : bool array, shape (n_pairs,)
    valid, test : int64 array
        Validation and test sites.

    Returns
    -------
    PairScores
    """
    indices = model.vocabulary.pair_indices(dataset.pairs)
    scored = (
        SiteScores(site_scorer(model, dataset, rows)(indices), dataset.labels(rows))
        for rows in (valid, test)
    )
    return PairScores(dataset, is_trained, test, *scored)


def pair_sections(
    scores: PairScores, vocabulary: Vocabulary, more: Mapping[str, list[Any]]
) -> dict[str, Any]:
    """List the metrics and the FDR thresholds of every pair.

    Parameters
    ----------
    scores : PairScores
    vocabulary : Vocabulary
        Of the model.
    more : mapping of str to list
        Other entries of each pair of the data set.

    Returns
    -------
    dict
        Sections of a card: `metrics`, means by role; `pairs`, an entry per pair; `fdr`,
        the check of its thresholds on the test sites. JSON values.
    """
    table = evaluate_model(
        lambda _: scores.test.scores,  # of every pair of the data set
        vocabulary,
        scores.dataset,
        scores.test_rows,
        np.arange(len(scores.dataset.pairs)),
        np.flatnonzero(scores.is_trained),
    )
    thresholds, check = calibrate_trained_pairs(scores.valid, scores.test)
    entries = [
        {
            "tf": row.tf,
            "cell": row.cell,
            "role": row.role,
            "trained": bool(scores.is_trained[i]),
            **{name: values[i] for name, values in more.items()},
            "test_auroc": _rounded(row.auroc),
            "test_average_precision": _rounded(row.average_precision),
            **thresholds[i],
        }
        for i, row in enumerate(table.itertuples())
        # One entry per pair: its replicates have none.
        if row.role != REPLICATE
    ]
    return {"metrics": role_means(table), "pairs": entries, "fdr": {"sites": check}}


def tf_bound_fractions(
    dataset: Dataset,
    rows: Ints,
    columns: Ints,
    known: Mapping[str, float] | None = None,
) -> Doubles:
    """Compute the mean fraction of training sites that each TF binds in a cell line.

    Parameters
    ----------
    dataset : Dataset
    rows : int64 array
        Training sites.
    columns : int64 array
        Trained pairs.
    known : mapping of str to float, optional
        Fractions of TFs without a trained pair.

    Returns
    -------
    float64 array, shape (n_tfs,)
        The mean over the TF's trained cell lines, within 0.1 % and 10 %.
    """
    n_positive, n_negative = dataset.counts(rows)
    fraction = n_positive / np.maximum(n_positive + n_negative, 1)
    pairs = dataset.vocabulary.pair_indices(dataset.pairs[i] for i in columns)
    tfs = np.array(pairs, dtype=np.int64).reshape(-1, 2)[:, 0]
    n_tfs = len(dataset.vocabulary.tfs)
    total = np.bincount(tfs, fraction[columns], n_tfs)
    n_pairs = np.bincount(tfs, minlength=n_tfs)
    mean = total / np.maximum(n_pairs, 1)
    for tf, name in enumerate(dataset.vocabulary.tfs):
        if known and not n_pairs[tf]:
            mean[tf] = known.get(name, mean[tf])
    return np.clip(mean, _MIN_FRACTION, _MAX_FRACTION)


def calibrate_held_out(
    scores: PairScores, fractions: Doubles, priors: Doubles
) -> dict[str, Any]:
    """Calibrate probabilities, with held-out pairs where there are some.

    Parameters
    ----------
    scores : PairScores
        The calibration is fitted to held-out `valid2` pairs at the validation sites,
        and checked on held-out `test3` pairs at the test sites; where there are none,
        on trained pairs. Their probabilities are too high for pairs without data.
    fractions : float64 array, shape (n_tfs,)
        From :func:`tf_bound_fractions`, for the pairs of `scores`.
    priors : float64 array, shape (n_tfs,)
        The same of the model that the card is for.

    Returns
    -------
    dict
        Section `calibration` of a card: `priors` by TF, `fitted_on` (`held-out` or
        `trained` pairs), and what
        :func:`~tfimpute_tracks.evaluation.fdr_calibration.calibrate_probabilities`
        returns. Without bound or unbound sites only the priors.
    """
    vocabulary = scores.dataset.vocabulary
    tfs = np.array(vocabulary.pair_indices(scores.dataset.pairs))[:, 0]
    priors_of = dict(zip(vocabulary.tfs, priors.round(6).tolist(), strict=True))
    trained = np.flatnonzero(scores.is_trained)
    fit, check = scores.held_out("valid2"), scores.held_out("test3")
    for kind, fitted, checked in (
        ("held-out", fit, check if len(check) else fit),
        ("trained", trained, trained),
    ):
        try:
            found = calibrate_probabilities(
                scores.valid.subset(fitted),
                scores.test.subset(checked),
                fractions[tfs[fitted]],
                fractions[tfs[checked]],
            )
        except ValueError:  # no such pairs, or none with both classes
            continue
        return {"priors": priors_of, "fitted_on": kind, **found}
    return {"priors": priors_of}


def subsample(rows: Ints, max_rows: int) -> Ints:
    """Select every n-th site, so that at most `max_rows` remain.

    Parameters
    ----------
    rows : int64 array
        Sites.
    max_rows : int

    Returns
    -------
    int64 array
    """
    return rows[:: max(1, -(-len(rows) // max_rows))]


def _rounded(value: float) -> float | None:
    return None if np.isnan(value) else round(float(value), 4)
