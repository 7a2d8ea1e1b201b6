"""Our own models, and the mean over cell lines that humbles them.

The mean of a TF's predictions over its training cell lines is what a model says that
does not know cell lines at all.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from scipy.special import expit

from tfimpute_tracks.comparison.predictors.predictor import Fitted, Floats
from tfimpute_tracks.comparison.predictors.task import Ints, Task
from tfimpute_tracks.engines.site_scorer import site_scorer
from tfimpute_tracks.models import Model
from tfimpute_tracks.vocabulary import Pair

__all__ = ["TFImputePredictor", "TfMeanPredictor"]


def _predict(model: Model, task: Task, rows: Ints, pairs: list[Pair]) -> Floats:
    """Give log-odds, float32 (n_sites, n_pairs)."""
    if model.evidence is not None:
        # Neither the pair's own tracks nor those of other pairs that are kept: so it
        # knows what average activity knows, and the letters.
        trained = [task.pair(column) for column in task.trained]
        model = replace(model, evidence=model.evidence.subset(trained))
    score = site_scorer(model, task.dataset, rows, task.device)
    return score(model.vocabulary.pair_indices(pairs))


class TFImputePredictor:
    """Trained weights, as they are; with tracks of trained pairs where they have any.

    Parameters
    ----------
    model : Model
    name : str
        What tables call it.

    Attributes
    ----------
    name : str
    needs : tuple of str
    summary : str
    """

    needs: tuple[str, ...] = ()

    def __init__(self, model: Model, name: str = "model") -> None:
        self.name = name
        self.summary = f"the weights {model.name}, trained beforehand"
        self._model = model

    def settings(self) -> dict[str, Any]:
        """See :meth:`Predictor.settings`."""
        return dict(self._model.digests)

    def fit(self, task: Task) -> Fitted:
        """See :meth:`Predictor.fit`."""
        seen = [
            str(task.pair(c))
            for c in task.judged
            if self._model.status(task.pair(c)) == "trained"
        ]
        note = (
            f"the weights {self._model.name} were trained on {len(seen)} of the judged "
            "pairs: for those the figures are no imputation"
        )
        told = ", ".join(f"{k} {v[:15]}" for k, v in self._model.digests.items())
        return Fitted(
            state=None,
            n_sequences=None,
            notes=(f"{self._model.name}: {told}", *([note] if seen else [])),
        )

    def score(self, task: Task, fitted: Fitted, rows: Ints, columns: Ints) -> Floats:
        """See :meth:`Predictor.score`."""
        return _predict(self._model, task, rows, [task.pair(c) for c in columns])


class TfMeanPredictor:
    """The mean of a model's probabilities over the training cell lines of the TF.

    Parameters
    ----------
    model : Model

    Attributes
    ----------
    name : str
    needs : tuple of str
    summary : str
    """

    name: str = "tf-mean"
    needs: tuple[str, ...] = ()

    def __init__(self, model: Model) -> None:
        self.summary = (
            f"mean of the probabilities of {model.name} over the training cell lines "
            "of the TF"
        )
        self._model = model

    def settings(self) -> dict[str, Any]:
        """See :meth:`Predictor.settings`."""
        return dict(self._model.digests)

    def fit(self, task: Task) -> Fitted:
        """See :meth:`Predictor.fit`."""
        silent = {
            int(c): "its TF was trained in no cell line"
            for c in task.judged
            if not len(task.cells_of(task.pair(c).tf))
        }
        return Fitted(state=None, n_sequences=None, silent=silent)

    def score(self, task: Task, fitted: Fitted, rows: Ints, columns: Ints) -> Floats:
        """See :meth:`Predictor.score`."""
        scores = np.full((len(rows), len(columns)), np.nan, dtype=np.float32)
        tfs = dict.fromkeys(task.pair(c).tf for c in columns)
        cells = {tf: [task.pair(c) for c in task.cells_of(tf)] for tf in tfs}
        pairs = [pair for some in cells.values() for pair in some]
        probabilities = expit(_predict(self._model, task, rows, pairs))
        owners = np.array([pair.tf for pair in pairs])
        for place, column in enumerate(columns):
            mine = owners == task.pair(column).tf
            if mine.any():
                scores[:, place] = probabilities[:, mine].mean(axis=1)
        return scores
