"""The small task that tests of the comparison share, and a predictor of random scores."""

import numpy as np
import pytest

from task_toys import make_task
from tfimpute_tracks.comparison.predictors.predictor import Fitted, Predictor
from toys import make_dataset


class RandomScores(Predictor):
    """A predictor that counts how often it is trained; it has no scores of pair 7."""

    summary = "a test"

    def __init__(self, name="random", settings=None, error=None):
        self.name, self._settings, self._error = name, settings or {}, error
        self.n_fits = 0

    def settings(self):
        return self._settings

    def fit(self, task):
        self.n_fits += 1
        if self._error:
            raise self._error
        return Fitted(None, 12, 4, {7: "no reason"}, ("a note",))

    def score(self, task, fitted, rows, columns):
        scores = np.random.default_rng(1).random((len(rows), len(columns)))
        scores[:, columns == 7] = np.nan
        return scores.astype(np.float32)


@pytest.fixture
def task():
    return make_task(make_dataset(1500))


@pytest.fixture
def random_scores():
    """The class of the predictor."""
    return RandomScores
