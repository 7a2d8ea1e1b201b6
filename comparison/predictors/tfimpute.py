"""Trained TFImpute models, and their mean over the cell lines of a TF as a baseline."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from tfimpute_tracks.comparison.predictors.predictor import (
    Fitted,
    Floats,
    Predictor,
    no_scores,
)
from tfimpute_tracks.comparison.predictors.task import Ints, Task
from tfimpute_tracks.engines.site_scorer import site_scorer
from tfimpute_tracks.models import Model
from tfimpute_tracks.vocabulary import Pair

__all__ = ["TFImputePredictor", "TfMeanPredictor"]


def _predict(model: Model, task: Task, rows: Ints, pairs: list[Pair]) -> Floats:
    """Compute log-odds, float32 (n_sites, n_pairs)."""
    if model.evidence is not None:
        # With the measured tracks of trained pairs only, as average activity has them.
        trained = [task.pair(column) for column in task.trained]
        model = replace(model, evidence=model.evidence.subset(trained))
    score = site_scorer(model, task.dataset, rows, task.device)
    return score(model.vocabulary.pair_indices(pairs))


class TFImputePredictor(Predictor):
    """Trained weights as they are, with evidence where they were loaded with any.

    Parameters
    ----------
    model : Model
    name : str
    """

    def __init__(self, model: Model, name: str = "model") -> None:
        self.name = name
        self.summary = f"the pretrained weights {model.name}"
        self._model = model

    def settings(self) -> dict[str, Any]:
        """See :meth:`Predictor.settings`."""
        return dict(self._model.digests)

    def fit(self, task: Task) -> Fitted:
        """See :meth:`Predictor.fit`."""
        model = self._model
        n_trained = sum(model.is_trained(task.pair(int(c))) for c in task.scored)
        digests = ", ".join(f"{k} {v[:15]}" for k, v in model.digests.items())
        notes = [f"{model.name}: {digests}"]
        if n_trained:
            notes.append(
                f"the weights {model.name} were trained on {n_trained} of the scored "
                "pairs: their metrics are not of imputed pairs"
            )
        return Fitted(None, n_sequences=None, notes=tuple(notes))

    def score(self, task: Task, fitted: Fitted, rows: Ints, columns: Ints) -> Floats:
        """See :meth:`Predictor.score`."""
        return _predict(self._model, task, rows, [task.pair(c) for c in columns])

    def probabilities(
        self, task: Task, columns: Ints, scores: Floats
    ) -> NDArray[np.float64]:
        """See :meth:`Predictor.probabilities`."""
        fits = [self._model.calibration(task.pair(int(c))) for c in columns]
        slopes, offsets = np.array(fits, dtype=np.float64).T
        probabilities: NDArray[np.float64] = expit(scores * slopes + offsets)
        return probabilities


class TfMeanPredictor(Predictor):
    """The mean of a model's probabilities over the training cell lines of the TF.

    Parameters
    ----------
    model : Model
    """

    name = "tf-mean"

    def __init__(self, model: Model) -> None:
        self.summary = (
            f"mean of the probabilities of {model.name} over the training cell lines of "
            "the TF"
        )
        self._model = model

    def settings(self) -> dict[str, Any]:
        """See :meth:`Predictor.settings`."""
        return dict(self._model.digests)

    def fit(self, task: Task) -> Fitted:
        """See :meth:`Predictor.fit`."""
        unscored = {
            int(c): "its TF was trained in no cell line"
            for c in task.scored
            if not len(task.cells_of(task.pair(c).tf))
        }
        return Fitted(None, n_sequences=None, unscored=unscored)

    def score(self, task: Task, fitted: Fitted, rows: Ints, columns: Ints) -> Floats:
        """See :meth:`Predictor.score`."""
        scores = no_scores(rows, columns)
        tfs = dict.fromkeys(task.pair(c).tf for c in columns)
        pairs = [task.pair(c) for tf in tfs for c in task.cells_of(tf)]
        probabilities = expit(_predict(self._model, task, rows, pairs))
        tf_of_pair = np.array([pair.tf for pair in pairs])
        for i, column in enumerate(columns):
            of_tf = tf_of_pair == task.pair(column).tf
            if of_tf.any():
                scores[:, i] = probabilities[:, of_tf].mean(axis=1)
        return scores
