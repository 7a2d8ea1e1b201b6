"""A model's figures over labelled sites, each beside the baseline that humbles it.

Every pair is shown beside the mean of the same TF's predictions over the cell lines it
was trained in: what the cell line's embedding adds is the difference, and a model that
only knows how busy a site is shows none.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tfimpute_tracks.dataset import Dataset
from tfimpute_tracks.engines.sites import predict_sites
from tfimpute_tracks.errors import UsageError
from tfimpute_tracks.evaluation.metrics import pair_aurocs, pair_average_precisions
from tfimpute_tracks.evaluation.scored_pairs import Score, score_pairs
from tfimpute_tracks.vocabulary import Vocabulary

if TYPE_CHECKING:
    from tfimpute_tracks.models.network import MotifNetwork

__all__ = ["Evaluation", "evaluate_model"]

Floats = NDArray[np.float32]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Evaluation:
    """Figures per pair, and their means.

    Attributes
    ----------
    pairs : DataFrame
        One row per pair: tf, cell, role, n_positive, n_negative, prior, auroc,
        average_precision, tf_mean_auroc, tf_mean_average_precision.
    """

    pairs: pd.DataFrame

    def summary(self) -> dict[str, Any]:
        """Give the means over pairs, and the pairs that no mean includes.

        Returns
        -------
        dict
            Figures by name, None where no pair has one; `left_out` names the pairs with
            sites of one class only.
        """
        counted = self.pairs.dropna(subset=["auroc"])
        left_out = self.pairs[self.pairs["auroc"].isna()]
        figures = [
            "auroc",
            "tf_mean_auroc",
            "average_precision",
            "tf_mean_average_precision",
            "prior",
        ]
        return {
            "pairs": len(counted),
            **{name: _mean(counted[name]) for name in figures},
            "pairs_above_tf_mean": int(
                (counted["auroc"] > counted["tf_mean_auroc"]).sum()
            ),
            "left_out": [f"{row.tf}:{row.cell}" for row in left_out.itertuples()],
        }

    def by_role(self) -> dict[str, dict[str, Any]]:
        """Give :meth:`summary` for each role of pairs.

        Returns
        -------
        dict of role to dict
        """
        return {
            str(role): Evaluation(group).summary()
            for role, group in self.pairs.groupby("role", sort=False)
        }

    def by_tf(self) -> pd.DataFrame:
        """Give the means per TF, best first.

        Returns
        -------
        DataFrame
            Columns tf, pairs, auroc, tf_mean_auroc, average_precision, prior.
        """
        groups = self.pairs.dropna(subset=["auroc"]).groupby("tf")
        table = groups[["auroc", "tf_mean_auroc", "average_precision", "prior"]].mean()
        table.insert(0, "pairs", groups.size())
        return table.sort_values("auroc", ascending=False).reset_index()


def evaluate_model(
    network: MotifNetwork,
    dataset: Dataset,
    vocabulary: Vocabulary,
    rows: Ints,
    columns: Ints,
    trained: Ints,
    score: Score | None = None,
) -> Evaluation:
    """Compare a network with the labels of some sites and pairs.

    Parameters
    ----------
    network : MotifNetwork
        On the CPU, for `vocabulary`.
    dataset : Dataset
    vocabulary : Vocabulary
        The model's; every pair of the data set must be known to it.
    rows : int64 array
        Sites.
    columns : int64 array
        Pairs of the data set to judge.
    trained : int64 array
        Pairs of the data set whose cell lines make the mean of their TF.
    score : callable, optional
        Gives the network's scores at those sites, where they are known already.

    Returns
    -------
    Evaluation

    Raises
    ------
    UnknownNameError
        The model does not know a TF or cell line of the data set.
    UsageError
        The sequences are too short for the model, or there is no pair to judge.
    """
    if not len(columns):
        raise UsageError(
            "no pair of the data set has the role asked for; choose another --split"
        )
    if score is None:
        score = partial(predict_sites, network, dataset.codes[rows])
    judged = score_pairs(score, vocabulary, dataset, rows, columns, trained)
    scores, means = judged.scores["model"], judged.scores["tf_mean"]
    labels = judged.labels
    n_positive = (labels == 1).sum(axis=0)
    n_negative = (labels == 0).sum(axis=0)
    return Evaluation(
        pd.DataFrame(
            {
                "tf": [pair.tf for pair in judged.pairs],
                "cell": [pair.cell for pair in judged.pairs],
                "role": judged.roles,
                "n_positive": n_positive,
                "n_negative": n_negative,
                "prior": n_positive / np.maximum(n_positive + n_negative, 1),
                "auroc": pair_aurocs(scores, labels),
                "average_precision": pair_average_precisions(scores, labels),
                "tf_mean_auroc": pair_aurocs(means, labels),
                "tf_mean_average_precision": pair_average_precisions(means, labels),
            }
        )
    )


def _mean(column: pd.Series) -> float | None:
    """Average what is known: a TF that was not trained has no mean to stand beside."""
    known = column.dropna()
    return float(known.mean()) if len(known) else None
