"""Metrics per pair against scikit-learn and against plain counting."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from tfimpute_tracks.evaluation.metrics import (
    RECALL_LEVELS,
    pair_aurocs,
    pair_average_precisions,
    recall_at_fdr,
)

SITES = st.lists(
    st.tuples(st.integers(-5, 5), st.sampled_from([-1, 0, 1])), min_size=1, max_size=50
)


def _arrays(sites):
    scores, labels = (np.array(column)[:, None] for column in zip(*sites, strict=True))
    return scores.astype(np.float32), labels.astype(np.int8)


def _recall(sites, level):
    """Try every score as a threshold."""
    known = [(score, label) for score, label in sites if label >= 0]
    n_positive = sum(label for _, label in known)
    best = 0.0
    for line, _ in known:
        called = [label for score, label in known if score >= line]
        if called.count(0) / len(called) <= level:
            best = max(best, called.count(1) / n_positive)
    return best


def test_auroc_is_scikit_learn_s(rng):
    labels = rng.integers(-1, 2, (400, 5)).astype(np.int8)
    scores = rng.normal(size=labels.shape).round(1).astype(np.float32)
    for pair, found in enumerate(pair_aurocs(scores, labels)):
        used = labels[:, pair] >= 0
        expected = roc_auc_score(labels[used, pair], scores[used, pair])
        np.testing.assert_allclose(found, expected, rtol=1e-12)


@given(SITES, st.sampled_from([0.01, 0.05, 0.1, 0.5, 0.9]))
def test_recall_is_the_best_that_a_threshold_gives(sites, level):
    scores, labels = _arrays(sites)
    found = recall_at_fdr(scores, labels, [level])[0, 0]
    if {0, 1} <= set(labels[:, 0]):
        np.testing.assert_allclose(found, _recall(sites, level))
    else:
        assert np.isnan(found)


@pytest.mark.parametrize(("level", "n_called"), [(0.01, 100), (0.05, 20), (0.05, 60)])
def test_a_rate_that_is_met_exactly_is_kept(level, n_called):
    n_unbound = round(level * n_called)
    labels = np.ones((n_called, 1), np.int8)
    labels[:n_unbound] = 0  # the best sites: fewer calls have a higher rate
    scores = -np.arange(n_called, dtype=np.float32)[:, None]
    assert recall_at_fdr(scores, labels, [level]) == 1
    below = (n_unbound - 0.5) / n_called
    assert recall_at_fdr(scores, labels, [below]) == 0


@given(SITES)
def test_recall_grows_with_the_rate_that_is_allowed(sites):
    found = recall_at_fdr(*_arrays(sites))[0]
    assert len(found) == len(RECALL_LEVELS)
    if not np.isnan(found).any():
        assert (np.diff(found) >= 0).all()
        assert 0 <= found[0] <= found[-1] <= 1


def test_pairs_without_scores_have_no_metric(rng):
    labels = rng.integers(0, 2, (30, 2)).astype(np.int8)
    scores = rng.normal(size=labels.shape).astype(np.float32)
    scores[:, 1] = np.nan
    for metric in (pair_aurocs, pair_average_precisions, recall_at_fdr):
        has_none = np.isnan(metric(scores, labels)).reshape(2, -1).all(axis=1)
        assert has_none.tolist() == [False, True]
