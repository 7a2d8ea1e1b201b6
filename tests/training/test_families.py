"""All network families train in the same loop."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from tfimpute_tracks.models import load_model
from tfimpute_tracks.models.config import RecurrentConfig, ResidualConfig
from tfimpute_tracks.training import Recipe, TrainingJob, export_run, train_model
from tfimpute_tracks.training.batches import BatchLoss
from toys import VOCABULARY, make_dataset

RECIPE = Recipe(
    epochs=25,
    batch_size=64,
    learning_rate=0.02,
    filter_learning_rate=0.02,
    dense_learning_rate=0.005,
    ema_decay=0.9,
    filter_std=0.3,
)
DEEP = ResidualConfig(
    seq_len=60,
    filter_length=9,
    n_filters=32,
    pool=13,
    context_tiles=0,
    n_units=3,
    embedding_size=5,
    channels=16,
    blocks=1,
)
GRU = RecurrentConfig(
    seq_len=60, filter_length=8, n_filters=32, pool=13, recurrent_units=16
)


class KilledError(Exception):
    """Stands for whatever ends a process."""


def _run(folder, dataset, config, recipe, **job):
    torch.set_num_threads(1)
    job = TrainingJob(folder, **job)
    return train_model(dataset, config, recipe, job, lambda _: None, lambda _: None)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("config", "recipe"),
    [(DEEP, RECIPE), (GRU, replace(RECIPE, cells_per_step=2))],
    ids=["deep", "gru"],
)
def test_they_find_the_motifs(tmp_path, config, recipe):
    run = _run(tmp_path, make_dataset(3000), config, recipe)
    assert max(epoch["auroc_valid2"] for epoch in run.history) > 0.9


@pytest.mark.parametrize("config", [DEEP, GRU], ids=["deep", "gru"])
def test_they_are_exported_like_the_gated_network(tmp_path, config):
    dataset = make_dataset()
    run = _run(tmp_path, dataset, config, replace(RECIPE, epochs=1))
    path = tmp_path / "model.safetensors"
    facts = {"name": "toy", "build": "toy1"}
    card = export_run(path, run, dataset, facts, lambda _: None)
    model = load_model(path)
    assert model.config == config
    assert set(card["calibration"]["priors"]) == set(VOCABULARY.tfs)
    pair = dataset.pairs[9]
    slope, offset = model.calibration(pair)
    prior = card["calibration"]["priors"][pair.tf]
    expected = card["calibration"]["intercept"] + np.log(prior / (1 - prior))
    assert (slope, offset) == (card["calibration"]["slope"], pytest.approx(expected))


@pytest.mark.parametrize(
    ("config", "recipe"),
    [
        (DEEP, replace(RECIPE, epochs=2, dropout=0.2, masked_bases=6)),
        (GRU, replace(RECIPE, epochs=2, cells_per_step=2)),
    ],
    ids=["deep", "gru"],
)
def test_a_killed_run_resumes_with_the_same_random_numbers(tmp_path, config, recipe):
    dataset = make_dataset()
    for name in ("whole", "killed"):
        (tmp_path / name).mkdir()
    whole = _run(tmp_path / "whole", dataset, config, recipe)
    seen = 0

    def count(*_):
        nonlocal seen
        seen += 1
        if seen == 7:
            raise KilledError

    with pytest.raises(KilledError):
        train_model(
            dataset,
            config,
            recipe,
            TrainingJob(tmp_path / "killed", save_every=0.0, report_every=0.0),
            count,
            lambda _: None,
        )
    resumed = _run(tmp_path / "killed", dataset, config, recipe, resume=True)
    for name, weights in whole.network.state_dict().items():
        torch.testing.assert_close(
            resumed.network.state_dict()[name], weights, rtol=0, atol=0
        )


def test_a_step_masks_bases_and_draws_cell_lines():
    dataset = make_dataset()
    recipe = replace(RECIPE, masked_bases=10, cells_per_step=2)
    rows, columns = np.arange(200), np.arange(12)
    batches = BatchLoss(dataset, rows, columns, recipe, "cpu")
    hidden = batches._mask(dataset.codes[rows], np.random.default_rng(0))
    n_hidden = (hidden == 4).sum(axis=1)
    assert n_hidden.max() == 10
    # A mask starts at one of 60 + 10 positions, at the ends partly outside: 600 of 70.
    assert n_hidden.mean() == pytest.approx(600 / 70, abs=0.6)
    assert (hidden[hidden != 4] == dataset.codes[rows][hidden != 4]).all()
    cell = batches._pairs.cell
    drawn = [batches._draw_pairs(cell, np.random.default_rng(i)) for i in range(20)]
    cells = [{dataset.pairs[i].cell for i in places} for places in drawn]
    assert {len(some) for some in cells} == {2}
    assert set().union(*cells) == set(VOCABULARY.cells)
    # All pairs of a cell line are taught, or none.
    assert all(len(places) == 6 for places in drawn)
