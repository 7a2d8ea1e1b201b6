"""Average activity: how often a site is bound where the TF was measured.

It does not predict from sequence and does not apply to a new genome: it reads the labels
of the evaluated sites in other cell lines. A model that was trained on those sites can do
as well by memorizing them, so a model that predicts cell-line differences must be better
than this (Schreiber et al. 2020).
"""

from __future__ import annotations

import numpy as np

from tfimpute_tracks.comparison.predictors.predictor import Fitted, Floats, Predictor
from tfimpute_tracks.comparison.predictors.task import Ints, Task
from tfimpute_tracks.evaluation.baselines import average_activity

__all__ = ["AverageActivity"]

_ALONE = "its TF was measured in no other trained cell line"
_MADE = "its sites were made for it and are unlabeled in other cell lines"
_NOTE = "reads labels of the evaluated sites in other cell lines: no sequence is used"


class AverageActivity(Predictor):
    """Mean label over the other trained cell lines of the TF, at the site itself."""

    name = "average-activity"
    summary = (
        "mean measured label of the site in the TF's other trained cell lines; it reads "
        "labels of the test sites and does not predict from sequence"
    )

    def fit(self, task: Task) -> Fitted:
        """See :meth:`Predictor.fit`."""
        scores = self.score(task, Fitted(None), task.test_rows, task.scored)
        empty = task.scored[np.isnan(scores).all(axis=0)].tolist()
        unscored = {c: _MADE if _has_others(task, c) else _ALONE for c in empty}
        return Fitted(None, unscored=unscored, notes=(_NOTE,))

    def score(self, task: Task, fitted: Fitted, rows: Ints, columns: Ints) -> Floats:
        """See :meth:`Predictor.score`."""
        return average_activity(task.dataset, rows, columns, task.trained)


def _has_others(task: Task, column: int) -> bool:
    return bool((task.cells_of(task.pair(column).tf) != column).any())
