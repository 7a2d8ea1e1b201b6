"""Average activity: how often a site is bound where the TF was measured.

No predictor from sequence, and nothing that could be known of a new genome: it reads
the labels of the very sites it is judged on, in other cell lines. It is here because a
model that saw those sites can do as well by remembering them, and because what a model
must beat to say anything of a cell line is this (Schreiber et al. 2020).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tfimpute_tracks.comparison.predictors.predictor import Fitted, Floats
from tfimpute_tracks.comparison.predictors.task import Ints, Task
from tfimpute_tracks.evaluation.baselines import average_activity

__all__ = ["AverageActivity"]

_MADE = "its sites were made for it, and other cell lines say nothing of them"


class AverageActivity:
    """Mean label over the other trained cell lines of the TF, at the site itself.

    Attributes
    ----------
    name : str
    needs : tuple of str
    summary : str
    """

    name: str = "average-activity"
    needs: tuple[str, ...] = ()
    summary: str = (
        "mean measured label of the site in the TF's other trained cell lines: it "
        "reads labels of the judged chromosomes and is no prediction from sequence"
    )

    def settings(self) -> dict[str, Any]:
        """See :meth:`Predictor.settings`."""
        return {}

    def fit(self, task: Task) -> Fitted:
        """See :meth:`Predictor.fit`."""
        others = {int(c): _others(task, int(c)) for c in task.judged}
        silent = {
            c: "its TF was measured in no other trained cell line"
            for c, found in others.items()
            if not len(found)
        }
        shares = self.score(task, Fitted(None), task.test_rows, task.judged)
        for place in np.flatnonzero(np.isnan(shares).all(axis=0)):
            silent.setdefault(int(task.judged[place]), _MADE)
        note = (
            "reads the labels of the judged sites in other cell lines: no prediction "
            "from sequence"
        )
        return Fitted(None, silent=silent, notes=(note,))

    def score(self, task: Task, fitted: Fitted, rows: Ints, columns: Ints) -> Floats:
        """See :meth:`Predictor.score`."""
        return average_activity(task.dataset, rows, columns, task.trained)


def _others(task: Task, column: int) -> Ints:
    cells = task.cells_of(task.pair(column).tf)
    others: Ints = cells[cells != column]
    return others
