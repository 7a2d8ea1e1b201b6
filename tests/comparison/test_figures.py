"""Means are over shared pairs and sites; what is kept is taken up if it fits."""

import dataclasses

import numpy as np
import pytest

from tfimpute_tracks.comparison.metric_tables import pair_metrics, summary_row
from tfimpute_tracks.comparison.predictors.average_activity import AverageActivity
from tfimpute_tracks.comparison.predictors.predictor import Fitted
from tfimpute_tracks.comparison.run import run_predictors
from tfimpute_tracks.comparison.scored_sites import Scored
from tfimpute_tracks.comparison.tables import judge, left_out, pair_table
from tfimpute_tracks.evaluation import pair_aurocs


class Constant:
    """A predictor that counts how often it is asked."""

    needs = ()
    summary = "a test"

    def __init__(self, name="constant", settings=None, fault=None):
        self.name, self._settings, self._fault = name, settings or {}, fault
        self.asked = 0

    def settings(self):
        return self._settings

    def fit(self, task):
        self.asked += 1
        if self._fault:
            raise self._fault
        return Fitted(None, 12, 4, {7: "no reason"}, ("a note",))

    def score(self, task, fitted, rows, columns):
        scores = np.random.default_rng(1).random((len(rows), len(columns)))
        scores[:, columns == 7] = np.nan
        return scores.astype(np.float32)


def _scored(task, scores, name="other", silent=None):
    return Scored(name, "", scores, 10, 5, 2.0, 4.0, 3.0, silent or {}, ())


def test_a_reference_is_judged_at_the_predictor_s_own_sites(task, rng):
    shape = (len(task.test_rows), 3)
    ours, other = (rng.random(shape).astype(np.float32) for _ in range(2))
    half = np.arange(shape[0]) % 2 == 0
    other[~half] = np.nan
    other[:, 0] = np.nan
    figures = pair_metrics(
        task,
        _scored(task, other, silent={2: "no file"}),
        _scored(task, ours, "model"),
    )
    labels = task.dataset.labels(task.test_rows, task.judged)[half]
    for own, scores in ((figures.own, other), (figures.reference, ours)):
        np.testing.assert_allclose(
            own["auroc"][1:], pair_aurocs(scores[half], labels)[1:]
        )
    assert figures.why == ("no file", "", "")
    row = summary_row(_scored(task, other), figures)
    assert (row["pairs"], row["shared_pairs"]) == (2, 2)
    assert row["auroc"] == pytest.approx(figures.own["auroc"][1:].mean())
    assert row["model_auroc"] == pytest.approx(figures.reference["auroc"][1:].mean())
    assert row["wins"] + row["losses"] == 2
    assert row["trained_per_second"] == 5
    n_scored = np.isfinite(other).sum()
    assert row["scored_per_second"] == pytest.approx(n_scored / 4, abs=0.1)


def test_a_pair_without_a_figure_has_its_reason(task):
    shape = (len(task.test_rows), 3)
    scores = np.full(shape, np.nan, dtype=np.float32)
    labels = task.dataset.labels(task.test_rows, task.judged)
    scores[labels[:, 1] == 1, 1] = 1.0
    figures = pair_metrics(task, _scored(task, scores, silent={9: "held out"}), None)
    assert figures.why == (
        "no judged site has a value",
        "labelled sites of one class only",
        "held out",
    )
    row = summary_row(_scored(task, scores), figures)
    assert row["pairs"] == 0
    assert row["auroc"] is None
    assert "shared_pairs" not in row


def test_a_run_takes_up_what_is_there_and_fits(tmp_path, task):
    first, again = Constant(), Constant()
    made = run_predictors(task, [first], tmp_path).scored[0]
    kept = run_predictors(task, [again], tmp_path).scored[0]
    assert (first.asked, again.asked) == (1, 0)
    np.testing.assert_array_equal(made.scores, kept.scores)
    assert dataclasses.replace(made, scores=0) == dataclasses.replace(kept, scores=0)
    for changed, other in (
        (task, Constant(settings={"size": 2})),
        (dataclasses.replace(task, seed=1), Constant()),
        (dataclasses.replace(task, test_rows=task.test_rows[1:]), Constant()),
        (dataclasses.replace(task, n_sequences=9), Constant()),
    ):
        run_predictors(changed, [other], tmp_path)
        assert other.asked == 1
    path = tmp_path / "constant.h5"
    path.write_bytes(path.read_bytes()[:-100])
    broken = Constant()
    run_predictors(changed, [broken], tmp_path)
    assert broken.asked == 1


def test_one_that_fails_is_named_and_costs_the_others_nothing(tmp_path, task):
    told = []
    outcome = run_predictors(
        task,
        [Constant("bad", fault=ValueError("no\nluck")), Constant("good")],
        tmp_path,
        told.append,
    )
    assert [s.name for s in outcome.scored] == ["good"]
    assert outcome.faults == {"bad": "no luck"}
    assert "bad failed: no luck" in told


def test_tables_name_every_pair(tmp_path, task):
    outcome = run_predictors(task, [Constant("model"), AverageActivity()], tmp_path)
    judged = judge(task, outcome, "model")
    assert left_out(task, judged) == {"model": {"no reason": ["EP300:K562"]}}
    lines = [line.split("\t") for line in pair_table(task, judged).splitlines()]
    assert len(lines) == 1 + 2 * 3
    assert {len(line) for line in lines} == {len(lines[0])}
    silent = dict(zip(lines[0], lines[2], strict=True))
    assert (silent["predictor"], silent["auroc"]) == ("model", "")
    assert silent["why"] == "no reason"
    # The reference lacks that pair; the other has a figure all the same.
    other = dict(zip(lines[0], lines[5], strict=True))
    assert other["predictor"] == "average-activity"
    assert float(other["auroc"]) > 0.5
    assert other["model_auroc"] == ""
