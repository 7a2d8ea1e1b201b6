"""The small task that most tests of predictors share, and their AUROCs."""

import numpy as np
import pytest

from task_toys import make_task
from tfimpute_tracks.evaluation import pair_aurocs
from toys import make_dataset


@pytest.fixture
def task():
    return make_task(make_dataset(1500))


@pytest.fixture
def aurocs():
    """A function that trains and evaluates: AUROC by pair, NaN for unscored pairs."""

    def evaluate(predictor, task):
        fitted = predictor.fit(task)
        scores = predictor.score(task, fitted, task.test_rows, task.scored)
        assert scores.dtype == np.float32
        assert scores.shape == (len(task.test_rows), len(task.scored))
        unscored = {i for i, c in enumerate(task.scored) if int(c) in fitted.unscored}
        empty = set(np.flatnonzero(np.isnan(scores).all(axis=0)).tolist())
        assert unscored == empty, "pairs without scores, and no others, have a reason"
        labels = task.dataset.labels(task.test_rows, task.scored)
        return pair_aurocs(scores, labels)

    return evaluate
