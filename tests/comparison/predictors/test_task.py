"""Training sites are drawn by seed and name, as many bound as unbound, no test sites."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from task_toys import make_task
from tfimpute_tracks.comparison.predictors.task import sample_rows
from tfimpute_tracks.comparison.predictors.training_groups import (
    pair_groups,
    pair_or_tf_groups,
    tf_groups,
)
from tfimpute_tracks.dataset import PairLists
from toys import make_dataset


def test_a_sample_is_half_bound_and_known(task):
    columns = task.cells_of("MAX")
    sample = task.sample(columns, "MAX")
    assert len(sample.rows) == 200
    assert sample.bound.sum() == 100
    assert len(np.unique(sample.rows)) == 200
    assert np.isin(sample.rows, task.train_rows).all()
    labels = task.dataset.labels(sample.rows, columns)
    assert ((labels == 1).any(axis=1) == sample.bound).all()
    assert (labels[~sample.bound] == 0).all()


def test_a_held_out_pair_is_not_trained_on(task):
    assert 9 not in task.cells_of("MAX")
    assert set(task.cells_of("MAX")) == {8, 10, 11}


def test_seed_and_name_fix_a_sample(task):
    columns = task.cells_of("MAX")
    first, again = (task.sample(columns, "MAX").rows for _ in range(2))
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, task.sample(columns, "CTCF").rows)


def test_bound_training_sites_are_counted(task):
    n_positive, _ = task.dataset.counts(task.train_rows)
    assert [task.n_bound(c) for c in range(12)] == n_positive.tolist()


@given(st.integers(0, 50), st.integers(0, 9))
def test_sites_are_drawn_once_each(n_sites, seed):
    rows = np.arange(3, 33)
    drawn = sample_rows(rows, n_sites, seed)
    assert len(drawn) == (min(n_sites, 30) or 30)
    assert (np.diff(drawn) > 0).all()
    assert np.isin(drawn, rows).all()
    np.testing.assert_array_equal(drawn, sample_rows(rows, n_sites, seed))


def test_groups_of_held_out_and_trained_pairs(task):
    mixed = dataclasses.replace(task, scored=np.array([7, 8, 9]))
    groups, unscored = tf_groups(mixed)
    assert [(g.name, g.scored) for g in groups] == [("EP300", (7,)), ("MAX", (8, 9))]
    assert not unscored
    groups, unscored = pair_groups(mixed)
    assert [(g.name, g.scored) for g in groups] == [("MAX:GM12878", (8,))]
    assert set(unscored) == {7, 9}
    groups, unscored = pair_or_tf_groups(mixed)
    assert sorted(c for g in groups for c in g.scored) == [7, 8, 9]
    assert not unscored
    alone = dataclasses.replace(mixed, trained=np.array([8]))
    assert set(tf_groups(alone)[1]) == {7}
    assert set(pair_or_tf_groups(alone)[1]) == {7}


@pytest.mark.parametrize("columns", [[0], [0, 1, 3], [4, 6]])
def test_unlabeled_sites_are_not_unbound(columns):
    """Every third site is labeled in listed pairs only."""
    dataset = make_dataset()
    labels = dataset.labels(np.arange(900))
    listed = np.arange(900) % 3 == 0
    drawn = np.random.default_rng(0).random(labels.shape) < 0.3
    negative = PairLists.from_entries(
        *np.nonzero((labels == 0) & listed[:, None] & drawn), 900
    )
    dataset = dataclasses.replace(
        dataset,
        default_label=np.where(listed, -1, 0).astype(np.int8),
        negative=negative,
    )
    task = make_task(dataset, n_sequences=10**6)
    sample = task.sample(np.array(columns), "x")
    found = dataset.labels(sample.rows, np.array(columns))
    bound = (found == 1).any(axis=1)
    unbound = (found == 0).all(axis=1)
    np.testing.assert_array_equal(sample.bound, bound)
    assert (bound | unbound).all()
    # There are more unbound sites than bound ones, so all of those are taken.
    every = dataset.labels(task.train_rows, np.array(columns))
    assert sample.bound.sum() == (every == 1).any(axis=1).sum()
