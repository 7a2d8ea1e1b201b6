"""The small task that most tests of predictors share, and a judge."""

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
    """Give a function that trains and judges: AUROC by pair, NaN where it is silent."""

    def judge(predictor, task):
        fitted = predictor.fit(task)
        scores = predictor.score(task, fitted, task.test_rows, task.judged)
        assert scores.dtype == np.float32
        assert scores.shape == (len(task.test_rows), len(task.judged))
        silent = {i for i, c in enumerate(task.judged) if int(c) in fitted.silent}
        empty = set(np.flatnonzero(np.isnan(scores).all(axis=0)).tolist())
        assert silent == empty, "a pair without a value has a reason, and no other has"
        labels = task.dataset.labels(task.test_rows, task.judged)
        return pair_aurocs(scores, labels)

    return judge
