"""Training always calibrates: on held-out pairs, or on trained ones."""

from dataclasses import replace

import numpy as np
import pytest

from tfimpute_tracks.training.pair_scores import calibrate_held_out, score_dataset
from toys import make_dataset, make_model


@pytest.mark.parametrize(
    ("roles", "fitted_on", "n_pairs"),
    [
        (None, "held-out", 2),  # fitted on valid2 pairs
        (["base"] * 9 + ["test3"] * 3, "trained", 9),
        (["base"] * 12, "trained", 12),
    ],
)
def test_a_calibration_is_fitted_whatever_is_held_out(
    tmp_path, roles, fitted_on, n_pairs
):
    dataset = make_dataset()
    if roles:
        dataset = replace(dataset, roles=tuple(roles))
    is_trained = np.array(dataset.roles) == "base"
    rows = np.arange(dataset.n_sites)
    scores = score_dataset(
        make_model(tmp_path), dataset, is_trained, rows[::2], rows[1::2]
    )
    fractions = np.array([0.1, 0.2, 0.05])
    section = calibrate_held_out(scores, fractions, fractions)
    assert section["fitted_on"] == fitted_on
    assert section["pairs"] == n_pairs
    assert section["slope"] > 0  # random weights: the order of scores stays
    assert set(section["priors"]) == set(dataset.vocabulary.tfs)
    assert section["error"]["calibrated"] <= section["error"]["score"]
