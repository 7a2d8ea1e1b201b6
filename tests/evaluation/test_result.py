"""A whole evaluation: metrics that agree, pairs without metrics listed, no NaN."""

import json
from dataclasses import replace
from functools import partial

import numpy as np
import pytest

from tfimpute_tracks.dataset import pair_columns, split_by_chromosome
from tfimpute_tracks.engines.sites import predict_sites
from tfimpute_tracks.evaluation import evaluate_model
from tfimpute_tracks.evaluation.metrics import recall_columns, role_means, tf_means
from tfimpute_tracks.evaluation.result import EvaluationSettings, evaluate_pairs
from tfimpute_tracks.evaluation.scored_pairs import score_pairs
from toys import VOCABULARY, make_dataset, make_model

QUICK = EvaluationSettings(resamples=40, permutations=2)


def _noisy_labels(dataset, rows):
    """Score sites by the labels of the scored pair, with a little noise."""
    labels = dataset.labels(rows)
    noise = np.random.default_rng(0).normal(size=(len(rows), 12))
    indices = VOCABULARY.pair_indices(dataset.pairs)

    def score(pairs):
        columns = [indices.index(pair) for pair in pairs]
        return (3 * (labels == 1) + noise)[:, columns].astype(np.float32)

    return score


@pytest.fixture
def dataset():
    """Give the toy with sites of several blocks."""
    toy = make_dataset()
    return replace(toy, start=toy.start * 1000)


def _evaluate(dataset, rows=None, columns=None, settings=QUICK, n_names=(3, 4)):
    rows = split_by_chromosome(dataset).test if rows is None else rows
    columns = np.arange(12) if columns is None else np.asarray(columns)
    score = _noisy_labels(dataset, rows)
    trained = pair_columns(dataset, "base")
    judged = score_pairs(score, VOCABULARY, dataset, rows, columns, trained)
    return evaluate_pairs(judged, score, n_names, settings)


def test_metrics_agree_with_those_of_model_cards(tmp_path, dataset):
    model = make_model(tmp_path)
    network, rows = model.network(), split_by_chromosome(dataset).test
    score = partial(predict_sites, network, dataset.codes[rows])
    trained = pair_columns(dataset, "base")
    everything = np.arange(12)
    judged = score_pairs(score, VOCABULARY, dataset, rows, everything, trained)
    found = evaluate_pairs(judged, score, (3, 4), QUICK)
    told = evaluate_model(network, dataset, VOCABULARY, rows, everything, trained)
    for name in ("tf", "cell", "role", "n_bound", "prior"):
        assert found.pairs[name].tolist() == told[name].tolist()
    for name in ("auroc", "tf_mean_auroc", "average_precision"):
        np.testing.assert_allclose(found.pairs[name], told[name], atol=1e-6)
        for role, figures in role_means(told).items():
            assert found.roles[role][name] == pytest.approx(figures[name], abs=1e-6)


def test_intervals_contain_the_means(dataset):
    found = _evaluate(dataset)
    for told in found.roles.values():
        low, high, resamples, missing = told["auroc_interval"].values()
        assert low <= told["auroc"] <= high
        assert resamples == 40
        assert missing == 0
    table = found.pairs
    assert (table["auroc_low"] <= table["auroc_high"]).all()


def test_a_wrong_tf_costs_more_than_a_wrong_cell_line(dataset):
    """Cell lines of the toy share their sites, TFs do not."""
    for told in _evaluate(dataset).roles.values():
        controls = told["controls"]
        assert controls["own_auroc"] == pytest.approx(told["auroc"])
        assert controls["cell"]["auroc"] > controls["tf"]["auroc"] + 0.2
        assert controls["tf"]["permutations"] == 2


def test_of_many_pairs_a_sample_is_permuted(dataset):
    told = _evaluate(
        dataset,
        settings=EvaluationSettings(resamples=0, permutations=1, control_pairs=4),
    ).roles
    assert (told["base"]["controls"]["pairs"], told["base"]["controls"]["of"]) == (4, 9)
    assert told["test3"]["controls"]["pairs"] == 1
    assert told["base"]["controls"]["tf"]["deviation"] is None  # of a single draw
    assert told["base"]["auroc_interval"]["low"] is None  # no draw at all


def test_what_cannot_be_permuted_is_null(dataset):
    told = _evaluate(dataset, n_names=(3, 1)).roles["base"]["controls"]
    assert told["cell"] == {"permutations": 0, "auroc": None, "deviation": None}
    assert told["tf"]["auroc"] is not None
    off = _evaluate(
        dataset, settings=EvaluationSettings(resamples=5, permutations=0)
    ).roles["base"]["controls"]
    assert off["pairs"] == 0
    assert off["tf"]["auroc"] is None


def test_pairs_of_one_class_are_named_with_the_reason(dataset):
    rows = split_by_chromosome(dataset).test
    without = rows[dataset.labels(rows)[:, 0] != 1]
    found = _evaluate(dataset, rows=without)
    told = found.roles["base"]
    assert told["unscored_reasons"] == {
        "no bound site": ["CTCF:GM12878", "CTCF:HepG2", "CTCF:K562"]
    }
    assert told["pairs"] == 6
    assert np.isfinite(told["auroc"])
    by_tf = tf_means(found.pairs)
    assert by_tf["tf"].tolist()[-1] == "CTCF"
    assert by_tf["pairs"].tolist()[-1] == 0


@pytest.mark.parametrize("label", [0, 1])
def test_a_role_of_one_class_has_no_metric_and_no_nan(dataset, label):
    rows = split_by_chromosome(dataset).test
    same = rows[dataset.labels(rows)[:, 0] == label]
    found = _evaluate(dataset, rows=same, columns=[0, 2])
    for told in found.roles.values():
        assert told["pairs"] == 0
        for name in ("auroc", "average_precision", "prior", "tf_mean_auroc"):
            assert told[name] is None
        assert told["wilcoxon_average_activity"]["p"] is None
        assert told["auroc_interval"]["low"] is None
        assert told["controls"]["tf"]["auroc"] is None
        reason = ("no bound site", "no unbound site")[label]
        assert list(told["unscored_reasons"]) == [reason]
    json.dumps(found.roles, allow_nan=False)


def test_a_tf_without_other_trained_cell_lines_has_no_baseline(dataset):
    rows = split_by_chromosome(dataset).test
    score = _noisy_labels(dataset, rows)
    judged = score_pairs(
        score, VOCABULARY, dataset, rows, np.array([0, 4]), np.array([5, 6])
    )
    told = evaluate_pairs(judged, score, (3, 4), QUICK).roles["base"]
    assert (
        told["without_average_activity"] == told["without_tf_mean"] == ["CTCF:GM12878"]
    )
    assert told["wilcoxon_average_activity"]["n"] == 1
    assert told["wilcoxon_average_activity"]["unscored"] == 1
    assert told["average_activity_auroc"] is not None


def test_recall_is_listed_by_pair_and_role(dataset):
    found = _evaluate(dataset)
    assert recall_columns()[:2] == ["recall_at_fdr_1", "recall_at_fdr_5"]
    mean = found.pairs.loc[found.pairs["role"] == "base", "recall_at_fdr_50"].mean()
    assert found.roles["base"]["recall_at_fdr"]["0.5"] == pytest.approx(mean)
