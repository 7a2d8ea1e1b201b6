"""Predictors run one by one; saved scores are loaded if they fit the task."""

import dataclasses

import numpy as np
import pytest

from tfimpute_tracks.comparison.run import run_predictors
from tfimpute_tracks.errors import UsageError


def test_scores_of_an_earlier_run_are_loaded_if_they_fit(tmp_path, task, random_scores):
    first, again = random_scores(), random_scores()
    made = run_predictors(task, [first], tmp_path).scored[0]
    loaded = run_predictors(task, [again], tmp_path).scored[0]
    assert (first.n_fits, again.n_fits) == (1, 0)
    np.testing.assert_array_equal(made.scores, loaded.scores)
    assert dataclasses.replace(made, scores=0) == dataclasses.replace(loaded, scores=0)
    for changed, other in (
        (task, random_scores(settings={"size": 2})),
        (dataclasses.replace(task, seed=1), random_scores()),
        (dataclasses.replace(task, test_rows=task.test_rows[1:]), random_scores()),
        (dataclasses.replace(task, n_sequences=9), random_scores()),
    ):
        run_predictors(changed, [other], tmp_path)
        assert other.n_fits == 1
    path = tmp_path / "random.h5"
    path.write_bytes(path.read_bytes()[:-100])
    damaged = random_scores()
    run_predictors(changed, [damaged], tmp_path)
    assert damaged.n_fits == 1


def test_one_that_fails_is_named_and_does_not_stop_the_others(
    tmp_path, task, random_scores
):
    lines = []
    runs = run_predictors(
        task,
        [random_scores("bad", error=ValueError("no\nluck")), random_scores("good")],
        tmp_path,
        lines.append,
    )
    assert [scores.name for scores in runs.scored] == ["good"]
    assert runs.errors == {"bad": "no luck"}
    assert "bad failed: no luck" in lines


def test_a_task_that_does_not_suit_is_refused_before_anything_runs(
    tmp_path, task, random_scores
):
    class Refuses(random_scores):
        def check(self, task):
            raise UsageError("too many sites")

    first = random_scores("first")
    with pytest.raises(UsageError, match="too many sites"):
        run_predictors(task, [first, Refuses("second")], tmp_path)
    assert first.n_fits == 0


def test_scores_of_another_shape_are_an_error(tmp_path, task, random_scores):
    class Wrong(random_scores):
        def score(self, task, fitted, rows, columns):
            return np.zeros((3, 2), dtype=np.float32)

    errors = run_predictors(task, [Wrong()], tmp_path).errors
    assert "shape (3, 2), not" in errors["random"]
