"""Components, tests and regressions, against planted truth and plain definitions."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from sklearn.decomposition import PCA
from sklearn.linear_model import LinearRegression
from sklearn.model_selection import KFold, cross_val_predict
from sklearn.pipeline import make_pipeline

from tfimpute_tracks.errors import RunError
from tfimpute_tracks.interpret.signature import (
    FOLDS,
    REPEATS,
    compare,
    compare_cells,
    cross_validate,
    extremes,
    find_signature,
    rank_of,
)


def _planted(rng, n=120, n_tfs=20, noise=1.0):
    """Scores that one hidden number drives, and that number."""
    hidden = rng.normal(size=n)
    weights = rng.uniform(0.5, 1.5, n_tfs)
    return hidden[:, None] * weights + noise * rng.normal(size=(n, n_tfs)), hidden


def test_components_are_those_of_the_singular_values(rng):
    scores = rng.normal(size=(40, 7)) * np.arange(1, 8) + 3
    found = find_signature(scores, 4)
    centered = scores - scores.mean(axis=0)
    _, sizes, rows = np.linalg.svd(centered, full_matrices=False)
    np.testing.assert_allclose(found.variance, (sizes**2 / (sizes**2).sum())[:4])
    np.testing.assert_allclose(np.abs(found.loadings), np.abs(rows[:4].T), atol=1e-9)
    np.testing.assert_allclose(found.values, centered @ found.loadings, atol=1e-9)


@given(seed=st.integers(0, 10**6))
def test_a_component_goes_up_with_the_mean(seed):
    rng = np.random.default_rng(seed)
    scores, _ = _planted(rng, 30, 5)
    scores *= rng.choice([-1, 1], 5)
    found = find_signature(scores, 5)
    mean = scores.mean(axis=1) - scores.mean()
    assert ((found.values * mean[:, None]).sum(axis=0) >= -1e-6).all()


def test_there_are_no_more_components_than_can_be(rng):
    assert find_signature(rng.normal(size=(4, 9)), 10).values.shape == (4, 3)
    assert find_signature(rng.normal(size=(9, 4)), 10).values.shape == (9, 4)


@pytest.mark.parametrize("scores", [np.zeros((2, 5)), np.ones((9, 5)), np.eye(2)])
def test_elements_without_information_have_no_components(scores):
    with pytest.raises(RunError, match="cannot have components"):
        find_signature(scores, 2)


def test_extremes_are_the_ends_and_never_more_than_thirds(rng):
    activities = rng.permutation(50).astype(float)
    bottom, top = extremes(activities, 5)
    assert sorted(activities[bottom]) == [0, 1, 2, 3, 4]
    assert sorted(activities[top]) == [45, 46, 47, 48, 49]
    bottom, top = extremes(activities, 100)
    assert len(bottom) == len(top) == 16
    assert not set(bottom) & set(top)


def test_a_planted_signal_is_found(rng):
    scores, hidden = _planted(rng)
    activities = 2 * hidden + rng.normal(size=len(hidden))
    found = compare(scores, activities, extremes(activities, 30), 5, seed=1)
    assert found.t > 8
    assert found.auc > 0.95
    assert max(found.t_p, found.u_p, found.rho_p) < 1e-8
    assert 0.7 < found.r2[0] < 0.85  # 4 of 5 of the variance can be known
    assert found.variance > 0.4
    # What does not help harms little, and helps not at all.
    assert found.r2.argmax() == 0 or found.r2.max() < found.r2[0] + 0.02
    other = compare(scores, -activities, extremes(-activities, 30), 5, seed=1)
    assert other.t == pytest.approx(-found.t)
    assert other.auc == pytest.approx(1 - found.auc)
    assert other.t_p == pytest.approx(found.t_p)


def test_figures_are_those_of_scipy_over_the_known_elements(rng):
    scores, hidden = _planted(rng, 60)
    activities = hidden + rng.normal(size=60)
    activities[::7] = np.nan
    known = np.flatnonzero(~np.isnan(activities))
    ends = tuple(known[end] for end in extremes(activities[known], 12))
    found = compare(scores, activities, ends, 3, seed=0)
    first = find_signature(scores, 1).values[:, 0]
    bottom, top = (first[end] for end in ends)
    welch = stats.ttest_ind(top, bottom, equal_var=False)
    u = stats.mannwhitneyu(top, bottom, alternative="two-sided")
    rho = stats.spearmanr(first[known], activities[known])
    mean = stats.spearmanr(scores[known].mean(axis=1), activities[known])
    np.testing.assert_allclose(
        [found.t, found.t_p, found.auc * 144, found.u_p, found.rho, found.rho_p],
        [*welch, *u, *rho],
    )
    assert found.mean_rho == pytest.approx(mean.statistic)
    wins = (top[:, None] > bottom).mean()
    assert found.auc == pytest.approx(wins)


def test_predictions_are_those_of_pipelines(rng):
    scores, hidden = _planted(rng, 53, 9)
    activities = hidden + rng.normal(size=53)
    found = cross_validate(scores, activities, 4, seed=11, repeats=2)
    seeds = np.random.default_rng(11).integers(2**31, size=2).tolist()
    for own, seed in zip(found, seeds, strict=True):
        folds = KFold(FOLDS, shuffle=True, random_state=seed)
        for k in (1, 2, 4):
            steps = make_pipeline(PCA(k), LinearRegression())
            plain = cross_val_predict(steps, scores, activities, cv=folds)
            np.testing.assert_allclose(own[:, k - 1], plain, rtol=1e-8)


def test_an_element_is_predicted_without_its_activity(rng):
    scores, hidden = _planted(rng, 40, 6)
    before = cross_validate(scores, hidden, 3, seed=2, repeats=1)
    hidden[17] += 1000
    after = cross_validate(scores, hidden, 3, seed=2, repeats=1)
    np.testing.assert_array_equal(before[0, 17], after[0, 17])
    assert (before[0] != after[0]).any()


def test_permuted_activities_have_uniform_p_and_predict_nothing(rng):
    scores, hidden = _planted(rng, 90, 8)
    found = []
    for _ in range(100):
        told = rng.permutation(hidden)
        found.append(compare(scores, told, extremes(told, 20), 2, 0, 1))
    for name in ("t_p", "u_p", "rho_p"):
        ps = [getattr(one, name) for one in found]
        assert stats.kstest(ps, "uniform").pvalue > 0.01, name
    assert np.mean([one.r2 for one in found]) < 0
    assert np.mean([one.rho for one in found]) == pytest.approx(0, abs=0.03)


def test_cell_lines_are_compared_as_each_alone(rng):
    scores, hidden = _planted(rng, 40, 6)
    other = rng.normal(size=(40, 6))
    same = np.ones((40, 6))
    ends = extremes(hidden, 10)
    counts = []
    found = compare_cells([scores, other, same], hidden, ends, 2, 5, 2, counts.append)
    assert counts == [1, 1, 1]
    for one, own in zip(found, (scores, other), strict=False):
        alone = compare(own, hidden, ends, 2, 5)
        np.testing.assert_array_equal(one.r2, alone.r2)
        assert (one.t, one.auc, one.rho) == (alone.t, alone.auc, alone.rho)
    assert found[0].r2.shape == (2,)
    # Where all elements score the same nothing can be said, and nothing is predicted.
    numbers = [found[2].t, found[2].auc, found[2].rho, found[2].variance]
    assert np.isnan(numbers).all()
    assert (found[2].r2 <= 0).all()


def test_a_place_is_that_of_the_largest_first():
    values = np.array([0.3, np.nan, 0.9, 0.3, -1.0])
    assert [rank_of(values, i) for i in range(5)] == [2, 5, 1, 2, 4]


def test_repeats_have_folds_of_their_own(rng):
    scores, hidden = _planted(rng, 30, 4)
    found = cross_validate(scores, hidden, 2, seed=0)
    assert found.shape == (REPEATS, 30, 2)
    assert (found.std(axis=0) > 0).all()
