"""What every predictor has: a name, something it fits, and scores of sites.

A predictor has no state of its own; :meth:`Predictor.fit` returns what was fitted, so
that training and scoring can be timed separately. A score is any number that is higher
where binding is more likely; only its order within a pair matters.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tfimpute_tracks.comparison.predictors.task import Ints, Task

__all__ = ["Fitted", "Predictor", "no_scores"]

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Fitted:
    """What a predictor has fitted.

    Parameters
    ----------
    state : object
        For the predictor alone.
    n_sequences : int, optional
        Different training sequences used; 0 for none, None where it was trained
        elsewhere.
    max_per_group : int
        The most training sequences of one group (a TF, a pair); 0 without groups.
    unscored : dict of int to str
        Columns of the data set that get no scores, and why.
    notes : tuple of str
        What a reader of the metrics must know.
    """

    state: Any
    n_sequences: int | None = 0
    max_per_group: int = 0
    unscored: dict[int, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


class Predictor(ABC):
    """A method that scores sites.

    Attributes
    ----------
    name : str
        For tables and files.
    summary : str
        One sentence: what it is and what it is trained on.
    needs : tuple of str
        Modules that a plain installation lacks.
    """

    name: str
    summary: str
    needs: tuple[str, ...] = ()

    def settings(self) -> dict[str, Any]:
        """List everything that changes its scores, except the task.

        Returns
        -------
        dict
            JSON values: sizes, and digests of files.
        """
        return {}

    def check(self, task: Task) -> None:
        """Refuse a task that cannot be done, before any predictor runs.

        Parameters
        ----------
        task : Task

        Raises
        ------
        UsageError
            The task does not suit the predictor.
        """
        del task

    @abstractmethod
    def fit(self, task: Task) -> Fitted:
        """Train for the pairs to score.

        Parameters
        ----------
        task : Task

        Returns
        -------
        Fitted
        """

    def probabilities(
        self, task: Task, columns: Ints, scores: Floats
    ) -> NDArray[np.float64] | None:
        """Convert scores to probabilities of being bound, where a predictor has them.

        Parameters
        ----------
        task : Task
        columns : int64 array, shape (n_pairs,)
        scores : float32 array, shape (n_sites, n_pairs)
            From :meth:`score`.

        Returns
        -------
        float64 array, shape (n_sites, n_pairs), or None
            None where scores only rank sites.
        """
        del task, columns, scores
        return None

    @abstractmethod
    def score(self, task: Task, fitted: Fitted, rows: Ints, columns: Ints) -> Floats:
        """Score sites.

        Parameters
        ----------
        task : Task
        fitted : Fitted
            From :meth:`fit` of the same task.
        rows : int64 array, shape (n_sites,)
        columns : int64 array, shape (n_pairs,)

        Returns
        -------
        float32 array, shape (n_sites, n_pairs)
            NaN where it has no score.
        """


def no_scores(rows: Ints, columns: Ints) -> Floats:
    """Allocate scores that are all missing.

    Parameters
    ----------
    rows : int64 array, shape (n_sites,)
    columns : int64 array, shape (n_pairs,)

    Returns
    -------
    float32 array, shape (n_sites, n_pairs)
        All NaN.
    """
    return np.full((len(rows), len(columns)), np.nan, dtype=np.float32)
