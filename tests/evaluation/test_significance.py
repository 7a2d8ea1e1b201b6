"""Wilcoxon's test over pairs, also with few or missing values."""

import numpy as np
import pytest
from scipy.stats import wilcoxon

from tfimpute_tracks.evaluation.significance import paired_wilcoxon


def test_it_is_scipy_s(rng):
    a, b = rng.random(40), rng.random(40)
    result = paired_wilcoxon(a, b)
    assert result.p == pytest.approx(wilcoxon(a, b).pvalue)
    assert result.n == result.wins + result.losses == 40
    assert result.median_difference == pytest.approx(np.median(a - b))
    assert paired_wilcoxon(b, a).p == pytest.approx(result.p)


def test_missing_metrics_are_counted_and_not_compared():
    a = np.array([0.9, np.nan, 0.7, 0.8, 0.5])
    b = np.array([0.8, 0.1, np.nan, 0.9, 0.5])
    result = paired_wilcoxon(a, b)
    assert (result.n, result.unscored, result.wins, result.losses) == (3, 2, 1, 1)
    assert result.median_difference == 0


def test_equal_and_few_pairs_pass_without_a_warning():
    same = np.full(5, 0.7)
    assert paired_wilcoxon(same, same).p == 1
    assert paired_wilcoxon(same[:1], same[:1] - 0.1).p == 1
    ties = paired_wilcoxon(np.full(4, 0.8), np.full(4, 0.7))
    assert ties.wins == 4
    assert 0 < ties.p <= 1
    nothing = paired_wilcoxon(np.array([np.nan]), np.array([0.1]))
    assert nothing == (0, None, 0, 0, None, 1)


def test_a_clear_difference_is_found(rng):
    b = rng.random(30)
    result = paired_wilcoxon(b + 0.1 + 0.01 * rng.random(30), b)
    assert result.p < 1e-5
    assert (result.wins, result.losses) == (30, 0)
