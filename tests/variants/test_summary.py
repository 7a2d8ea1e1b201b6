"""What is said about one variant."""

import numpy as np
import pytest

from tfimpute_tracks.models import load_model
from tfimpute_tracks.variants.normalize import Variant
from tfimpute_tracks.variants.summary import summarize_variant
from tfimpute_tracks.variants.tables import ScoredAllele


@pytest.fixture(scope="module")
def model():
    return load_model("default")


def _meaning(model, quantiles):
    n = len(quantiles)
    effects = np.zeros((5, n), dtype=np.float32)
    effects[0], effects[1] = 0.2, 0.2 + 0.01 * np.arange(n, 0, -1)
    effects[2] = effects[1] - effects[0]
    effects[4] = quantiles
    allele = ScoredAllele(Variant("chr20", 999, "G", "A"), "", effects)
    pairs = model.vocabulary.all_pairs()[:n]
    return summarize_variant(allele, pairs, model)["meaning"]


@pytest.mark.parametrize(
    ("n_large", "words"),
    [
        (2, "less than"),
        (3, "about as much as"),
        (10, "about as much as"),
        (11, "more than"),
    ],
)
def test_a_verdict_leaves_the_background_a_margin(model, n_large, words):
    quantiles = np.where(np.arange(100) < n_large, 0.99, 0.5)
    meaning = _meaning(model, quantiles)
    assert f"so this one changes binding {words} most." in meaning


@pytest.mark.parametrize(
    ("quantile", "words"),
    [(1.0, "all similar variants"), (0.9996, "99.9% of similar"), (0.5, "50% of")],
)
def test_only_a_quantile_of_one_is_all(model, quantile, words):
    assert f"more than with {words}" in _meaning(model, np.array([quantile]))
