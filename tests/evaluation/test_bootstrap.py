"""Samples of blocks against scikit-learn's weighted AUROC."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from tfimpute_tracks.evaluation.bootstrap import (
    BLOCK,
    draw_blocks,
    mean_interval,
    resampled_aurocs,
    site_blocks,
)
from tfimpute_tracks.evaluation.metrics import pair_aurocs


@given(
    st.lists(
        st.tuples(st.integers(-4, 4), st.sampled_from([-1, 0, 1]), st.integers(0, 4)),
        min_size=1,
        max_size=60,
    ),
    st.integers(0, 100),
)
def test_samples_are_weights_of_sites(sites, seed):
    scores, labels, blocks = (np.array(column) for column in zip(*sites, strict=True))
    draws = draw_blocks(5, 6, seed)
    found = resampled_aurocs(
        scores[:, None].astype(np.float32),
        labels[:, None].astype(np.int8),
        blocks,
        draws,
    )[:, 0]
    for weights, auroc in zip(draws, found, strict=True):
        weight = weights[blocks]
        used = (labels >= 0) & (weight > 0)
        if len(set(labels[used])) < 2:
            assert np.isnan(auroc)
        else:
            expected = roc_auc_score(
                labels[used], scores[used], sample_weight=weight[used]
            )
            assert auroc == pytest.approx(expected, abs=1e-12)


def test_every_block_once_is_the_auroc_itself(rng):
    labels = rng.integers(-1, 2, (500, 4)).astype(np.int8)
    scores = rng.normal(size=labels.shape).round(1).astype(np.float32)
    scores[:, 2] = np.nan  # a pair without scores
    blocks = rng.integers(0, 9, 500)
    once = resampled_aurocs(scores, labels, blocks, np.ones((1, 9), dtype=np.int64))
    np.testing.assert_allclose(once[0], pair_aurocs(scores, labels), atol=1e-12)


def test_memory_does_not_change_the_result(rng):
    labels = rng.integers(0, 2, (3000, 3)).astype(np.int8)
    scores = rng.normal(size=labels.shape).astype(np.float32)
    blocks = np.arange(3000) // 2
    draws = draw_blocks(1500, 2, 0)
    found = resampled_aurocs(scores, labels, blocks, draws, max_counts=1)
    every = resampled_aurocs(scores, labels, blocks, draws, max_counts=10**8)
    np.testing.assert_array_equal(found, every)
    for pair in range(3):
        expected = roc_auc_score(
            labels[:, pair], scores[:, pair], sample_weight=draws[1][blocks]
        )
        assert found[1, pair] == pytest.approx(expected)


def test_blocks_are_regions_and_none_is_empty():
    chrom_id = np.array([0, 0, 0, 2, 2], dtype=np.int32)
    start = np.array([-50, 10, BLOCK - 1, BLOCK - 1, 7 * BLOCK])
    assert site_blocks(chrom_id, start).tolist() == [0, 1, 1, 2, 3]


def test_samples_have_as_many_blocks_and_depend_on_the_seed():
    draws = draw_blocks(7, 20, 3)
    assert (draws.sum(axis=1) == 7).all()
    assert (draws == draw_blocks(7, 20, 3)).all()
    assert (draws != draw_blocks(7, 20, 4)).any()


def test_intervals_report_what_is_missing():
    values = np.array([[0.2, np.nan], [0.4, 0.6], [np.nan, np.nan], [0.8, 0.8]])
    interval = mean_interval(values, level=1)
    assert interval.low == pytest.approx(0.2)
    assert interval.high == pytest.approx(0.8)
    assert interval.resamples == 3
    assert interval.missing == pytest.approx(3 / 8)
    nothing = mean_interval(np.full((5, 2), np.nan))
    assert nothing == (None, None, 0, 1.0)
    assert mean_interval(np.empty((0, 3))).low is None


def test_an_interval_contains_the_truth_about_as_often_as_stated(rng):
    """Sites of a block are alike: an interval over sites would be too small."""
    n_blocks, per_block, hits = 40, 20, 0
    blocks = np.repeat(np.arange(n_blocks), per_block)
    for trial in range(60):
        labels = rng.integers(0, 2, (len(blocks), 1)).astype(np.int8)
        # Scores are informative in some blocks only: 0.75 on average.
        helps = np.repeat(rng.integers(0, 2, n_blocks), per_block)[:, None]
        scores = (rng.random(labels.shape) + helps * labels).astype(np.float32)
        draws = draw_blocks(n_blocks, 200, trial)
        interval = mean_interval(resampled_aurocs(scores, labels, blocks, draws))
        hits += interval.low <= 0.75 <= interval.high
    assert 48 <= hits <= 60
