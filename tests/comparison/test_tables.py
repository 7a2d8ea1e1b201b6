"""Means are over shared pairs and sites, and every pair without metrics has a reason."""

import numpy as np
import pytest

from tfimpute_tracks.comparison.predictors.average_activity import AverageActivity
from tfimpute_tracks.comparison.run import (
    PredictorRuns,
    PredictorScores,
    run_predictors,
)
from tfimpute_tracks.comparison.tables import (
    FDR_LEVELS,
    evaluate_predictors,
    report_sections,
    unscored_pairs,
)
from tfimpute_tracks.evaluation.metrics import score_metrics


def _scores(scores, name="other", unscored=None):
    return PredictorScores(name, "", scores, 10, 5, 2.0, 4.0, 3.0, unscored or {}, ())


def test_a_reference_is_evaluated_at_the_predictor_s_own_sites(task, rng):
    shape = (len(task.test_rows), 3)
    model, other = (rng.random(shape).astype(np.float32) for _ in range(2))
    half = np.arange(shape[0]) % 2 == 0
    other[~half] = np.nan
    other[:, 0] = np.nan
    runs = PredictorRuns(
        [_scores(model, "model"), _scores(other, unscored={2: "no file"})], {}
    )
    result = evaluate_predictors(task, runs, "model")[1]
    labels = task.dataset.labels(task.test_rows, task.scored)[half]
    for prefix, scores in (("", other), ("model_", model)):
        expected = score_metrics(scores[half], labels, FDR_LEVELS)
        for name in expected:
            found = result.pairs[f"{prefix}{name}"]
            np.testing.assert_allclose(found[1:], expected[name][1:])
    assert result.pairs["unscored"].tolist() == ["no file", "", ""]
    row = result.summary
    assert (row["pairs"], row["shared_pairs"]) == (2, 2)
    assert row["auroc"] == pytest.approx(result.pairs["auroc"][1:].mean())
    assert row["model_auroc"] == pytest.approx(result.pairs["model_auroc"][1:].mean())
    assert row["wins"] + row["losses"] == 2
    assert row["trained_per_second"] == 5
    n_scored = np.isfinite(other).sum()
    assert row["scored_per_second"] == pytest.approx(n_scored / 4, abs=0.1)


def test_a_pair_without_metrics_has_its_reason(task):
    shape = (len(task.test_rows), 3)
    scores = np.full(shape, np.nan, dtype=np.float32)
    labels = task.dataset.labels(task.test_rows, task.scored)
    scores[labels[:, 1] == 1, 1] = 1.0
    runs = PredictorRuns([_scores(scores, unscored={9: "held out"})], {})
    (result,) = evaluate_predictors(task, runs, None)
    assert result.pairs["unscored"].tolist() == [
        "no test site has a score",
        "no unbound site",
        "held out",
    ]
    assert result.summary["pairs"] == 0
    assert result.summary["auroc"] is None
    assert "shared_pairs" not in result.summary


def test_tables_list_every_pair(tmp_path, task, random_scores):
    runs = run_predictors(task, [random_scores("model"), AverageActivity()], tmp_path)
    results = evaluate_predictors(task, runs, "model")
    assert unscored_pairs(results) == {"model": {"no reason": ["EP300:K562"]}}
    assert [len(result.pairs) for result in results] == [3, 3]
    unscored = results[0].pairs.iloc[1]
    assert np.isnan(unscored["auroc"])
    assert (unscored["predictor"], unscored["unscored"]) == ("model", "no reason")
    # The reference lacks that pair; the other has metrics all the same.
    other = results[1].pairs.iloc[1]
    assert other["predictor"] == "average-activity"
    assert other["auroc"] > 0.5
    assert np.isnan(other["model_auroc"])
    titles = [section.title for section in report_sections(results, {"bad": "no luck"})]
    assert titles == [
        *("Metrics", "Comparison with the model", "Predictors", "Costs"),
        "Pairs without metrics",
    ]
