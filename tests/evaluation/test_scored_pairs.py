"""Metrics of a model against counting by hand, and those of its TF-mean baseline."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tfimpute_tracks.dataset import pair_columns, split_by_chromosome
from tfimpute_tracks.errors import UsageError
from tfimpute_tracks.evaluation import (
    evaluate_model,
    pair_aurocs,
    pair_average_precisions,
)
from tfimpute_tracks.evaluation.metrics import role_means, tf_means
from toys import VOCABULARY, make_dataset, make_model


def _naive_auroc(scores, labels):
    positive = [s for s, y in zip(scores, labels, strict=True) if y == 1]
    negative = [s for s, y in zip(scores, labels, strict=True) if y == 0]
    wins = [(p > n) + 0.5 * (p == n) for p in positive for n in negative]
    return np.mean(wins) if wins else np.nan


@given(st.lists(st.tuples(st.integers(0, 5), st.sampled_from([-1, 0, 1])), min_size=1))
def test_auroc_counts_the_pairs_ranked_right(rows):
    scores = np.array([[s] for s, _ in rows], dtype=np.float32)
    labels = np.array([[y] for _, y in rows], dtype=np.int8)
    expected = _naive_auroc(scores[:, 0], labels[:, 0])
    np.testing.assert_allclose(pair_aurocs(scores, labels), [expected], atol=1e-12)


def test_average_precision_of_chance_is_the_prior(rng):
    labels = (rng.random((20000, 1)) < 0.1).astype(np.int8)
    scores = rng.random((20000, 1)).astype(np.float32)
    assert pair_average_precisions(scores, labels)[0] == pytest.approx(0.1, abs=0.01)


def _evaluate(tmp_path, dataset, **changes):
    model = make_model(tmp_path)
    arguments = {
        "network": model.network(),
        "dataset": dataset,
        "vocabulary": model.vocabulary,
        "rows": split_by_chromosome(dataset).test,
        "columns": np.arange(12),
        "trained": pair_columns(dataset, "base"),
    }
    return evaluate_model(**arguments | changes)


def test_the_table_agrees_with_predict(tmp_path):
    dataset = make_dataset()
    result = _evaluate(tmp_path, dataset)
    rows = split_by_chromosome(dataset).test
    model = make_model(tmp_path)
    scores = model.predict(dataset.codes[rows], dataset.pairs)
    labels = dataset.labels(rows)
    for i, pair in enumerate(result.itertuples()):
        assert (pair.tf, pair.cell) == dataset.pairs[i]
        expected = _naive_auroc(scores[:, i], labels[:, i])
        # Ranked by logits: probabilities near 1 are equal in single precision.
        assert pair.auroc == pytest.approx(expected, abs=1e-3)
        assert pair.n_bound == (labels[:, i] == 1).sum()
        same_tf = [
            j
            for j, other in enumerate(dataset.pairs)
            if other.tf == pair.tf and dataset.roles[j] == "base"
        ]
        mean = scores[:, same_tf].mean(axis=1)
        expected = _naive_auroc(mean, labels[:, i])
        assert pair.tf_mean_auroc == pytest.approx(expected, abs=1e-3)


def test_a_pair_of_one_class_is_named_and_in_no_mean(tmp_path):
    dataset = make_dataset()
    rows = split_by_chromosome(dataset).test
    without = rows[dataset.labels(rows)[:, 0] != 1]
    result = _evaluate(tmp_path, dataset, rows=without)
    means = role_means(result)
    unscored = [name for some in means.values() for name in some["unscored"]]
    assert sorted(unscored) == sorted(f"CTCF:{cell}" for cell in VOCABULARY.cells)
    assert sum(some["pairs"] for some in means.values()) == 8
    assert all(np.isfinite(some["auroc"]) for some in means.values())
    last = tf_means(result).iloc[-1]
    assert (last["tf"], last["pairs"]) == ("CTCF", 0)


def test_means_by_role_are_those_of_its_pairs(tmp_path):
    result = _evaluate(tmp_path, make_dataset())
    table = result
    for role, metrics in role_means(result).items():
        chosen = table[table["role"] == role]
        assert metrics["auroc"] == pytest.approx(chosen["auroc"].mean())
        above = (chosen["auroc"] > chosen["tf_mean_auroc"]).sum()
        assert metrics["pairs_above_tf_mean"] == above


def test_a_role_of_one_class_has_no_metrics(tmp_path):
    """They go into a card, which is JSON: nothing is NaN."""
    dataset = make_dataset()
    rows = split_by_chromosome(dataset).test
    without = rows[dataset.labels(rows)[:, 9] != 1]
    told = role_means(_evaluate(tmp_path, dataset, rows=without))["test3"]
    assert told["unscored"] == ["MAX:HepG2"]
    assert {told[name] for name in ("auroc", "tf_mean_auroc", "prior")} == {None}


def test_a_tf_that_was_not_trained_has_no_mean(tmp_path):
    result = _evaluate(tmp_path, make_dataset(), trained=np.array([4, 5]))
    without = result[result["tf"] != "EP300"]
    assert without["tf_mean_auroc"].isna().all()
    assert not without["auroc"].isna().any()


def test_other_lengths_and_no_pairs_are_refused(tmp_path):
    with pytest.raises(UsageError, match="prepare --seq-len 60"):
        _evaluate(tmp_path, make_dataset(seq_len=50))
    with pytest.raises(UsageError, match="no pair of this role"):
        _evaluate(tmp_path, make_dataset(), columns=np.array([], dtype=int))
