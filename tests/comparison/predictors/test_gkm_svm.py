"""gkm-SVM scores are those of the library, for as many sequences as are allowed."""

import dataclasses

import gkmsvm
import numpy as np
import pytest

from task_toys import make_task
from tfimpute_tracks.comparison.predictors.gkm_svm import GkmSvm
from tfimpute_tracks.errors import UsageError
from tfimpute_tracks.kernels.encode import decode
from toys import make_dataset


def test_scores_are_those_of_the_library(task):
    task = dataclasses.replace(task, scored=np.array([8, 9]), n_sequences=40)
    rows = task.test_rows[:30]
    fitted = GkmSvm().fit(task)
    scores = GkmSvm().score(task, fitted, rows, task.scored)
    sample = task.sample(task.cells_of("MAX"), "MAX")
    texts = [decode(codes) for codes in task.dataset.codes[sample.rows]]
    n_bound = sample.bound.sum()
    machine = gkmsvm.train_gkmsvm(texts[:n_bound], texts[n_bound:], device="cpu")
    test, _ = gkmsvm.encode_batch([decode(c) for c in task.dataset.codes[rows]])
    expected = np.asarray(machine(test))[:, 0]
    for column in scores.T:
        np.testing.assert_allclose(column, expected, atol=1e-5)
    assert np.ptp(expected) > 1e-3
    assert fitted.n_sequences == 40


def test_a_site_with_an_n_has_no_score(task):
    codes = task.dataset.codes.copy()
    codes[task.test_rows[3], 30] = 4
    dataset = dataclasses.replace(task.dataset, codes=codes)
    task = dataclasses.replace(task, dataset=dataset, n_sequences=40)
    fitted = GkmSvm().fit(task)
    scores = GkmSvm().score(task, fitted, task.test_rows[:6], task.scored)
    assert np.isnan(scores).all(axis=1).tolist() == [i == 3 for i in range(6)]


@pytest.mark.parametrize(
    ("limits", "message"),
    [
        ({"max_sites": 99}, r"at most 99 sites, not [\d,]+; use --max-sites 99"),
        (
            {"max_sequences": 10},
            "at most 10 training sequences, not 200; use --training-sequences 10",
        ),
    ],
)
def test_more_sequences_than_allowed_are_refused(limits, message):
    task = make_task(make_dataset(1500))
    GkmSvm().check(task)
    with pytest.raises(UsageError, match=message):
        GkmSvm(**limits).check(task)
