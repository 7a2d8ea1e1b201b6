"""Weights of pairs in the training of networks that read tracks."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tfimpute_tracks.errors import UsageError
from tfimpute_tracks.models.evidence_weights import EvidenceConfig
from tfimpute_tracks.training.evidence_recipe import EvidenceRecipe
from tfimpute_tracks.training.loss import pair_weights
from tfimpute_tracks.training.summary_fit import SummaryRecipe

_COUNTS = st.lists(st.integers(0, 10_000), min_size=1, max_size=9)


@given(_COUNTS, st.floats(0, 1))
def test_bound_sites_of_a_pair_weigh_by_a_power(counts, exponent):
    n_bound, n_sites = np.array(counts), np.full(len(counts), 10_000)
    weight = pair_weights(n_bound, n_sites, exponent)
    fraction = (n_bound + 1) / (n_sites + 1)
    of_bound = weight * fraction
    np.testing.assert_allclose(of_bound.sum(), fraction.sum(), rtol=1e-5)
    power = fraction**exponent
    np.testing.assert_allclose(of_bound / of_bound.sum(), power / power.sum(), 1e-5)


def test_with_an_exponent_of_one_all_sites_weigh_the_same():
    weight = pair_weights(np.array([0, 3, 400]), np.array([900, 1000, 1000]), 1)
    np.testing.assert_allclose(weight, 1)


@pytest.mark.parametrize("recipe", [EvidenceRecipe, SummaryRecipe])
@pytest.mark.parametrize("exponent", [-0.1, 1.1])
def test_exponents_out_of_range_are_refused(recipe, exponent):
    with pytest.raises(UsageError, match="out of range"):
        recipe(pair_exponent=exponent)


def test_a_summary_that_kernels_cannot_read_is_refused():
    with pytest.raises(UsageError, match="a summary of a multiple of 32"):
        EvidenceConfig(summary=48)
