"""What a predictor is: a name, something it learns, and scores of sites.

A predictor has no state of its own; :meth:`Predictor.fit` gives what was learned, so
that learning and scoring can be timed apart. A score is any number that is higher where
binding is likelier; only its order within a pair counts.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from tfimpute_tracks.comparison.predictors.task import Ints, Task

__all__ = ["Fitted", "Predictor"]

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Fitted:
    """What a predictor has learned.

    Parameters
    ----------
    state : object
        For the predictor alone.
    n_sequences : int, optional
        Different training sequences it has read, over all units; 0 where it reads none,
        None where it was trained elsewhere and nobody knows.
    per_unit : int
        Most training sequences of a unit (a TF, a pair); 0 where there are no units.
    silent : dict of int to str
        Columns that get no value, and why.
    notes : tuple of str
        What a reader of the figures must know.
    """

    state: Any
    n_sequences: int | None = 0
    per_unit: int = 0
    silent: dict[int, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


class Predictor(Protocol):
    """One way to score sites.

    Attributes
    ----------
    name : str
        What tables and files call it.
    needs : tuple of str
        Packages to import that do not come with a plain installation.
    summary : str
        One sentence: what it is, what it learns from.
    """

    name: str
    needs: tuple[str, ...]
    summary: str

    def settings(self) -> dict[str, Any]:
        """Give all that changes its scores beside the task.

        Returns
        -------
        dict
            JSON values: sizes, and digests of files.
        """

    def fit(self, task: Task) -> Fitted:
        """Learn what the judged pairs need.

        Parameters
        ----------
        task : Task

        Returns
        -------
        Fitted
        """

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
            NaN where it has no value.
        """
