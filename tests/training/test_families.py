"""All network families train in the same loop, also from trained weights."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from tfimpute_tracks.errors import UsageError
from tfimpute_tracks.models import load_model
from tfimpute_tracks.models.config import RecurrentConfig, ResidualConfig
from tfimpute_tracks.models.registry import build_network
from tfimpute_tracks.training import Recipe, TrainingJob, export_run, train_model
from tfimpute_tracks.training.batches import BatchLoss
from tfimpute_tracks.training.state import init_from, initialize
from tfimpute_tracks.vocabulary import Vocabulary
from toys import CONFIG, VOCABULARY, make_dataset, make_model

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
    drawn = [batches._draw_pairs(np.random.default_rng(i)) for i in range(20)]
    cells = [{dataset.pairs[i].cell for i in places} for places in drawn]
    assert {len(some) for some in cells} == {2}
    assert set().union(*cells) == set(VOCABULARY.cells)
    # All pairs of a cell line are taught, or none.
    assert all(len(places) == 6 for places in drawn)


def test_a_run_can_be_initialized_from_trained_weights(tmp_path):
    trained = make_model(tmp_path).checkpoint
    longer = replace(CONFIG, filter_length=10)
    state = initialize(build_network(longer, 3, 4), RECIPE, "cpu")
    taken = init_from(state, trained)
    assert {"filters", "bias", "tf_embedding", "unit_bias"} <= set(taken)
    found = dict(state.network.named_parameters())
    np.testing.assert_array_equal(
        found["filters"].detach().numpy()[:, :8], trained.weights["filters"]
    )
    assert (found["filters"][:, 8:] == 0).all()
    for name in taken:
        torch.testing.assert_close(state.average[name], found[name].data)
    run = _run(
        tmp_path, make_dataset(), longer, replace(RECIPE, epochs=1), init_from=trained
    )
    assert len(run.history) == 1


def test_weights_of_another_size_cannot_initialize_a_run(tmp_path):
    trained = make_model(tmp_path).checkpoint
    with pytest.raises(
        UsageError, match="11 filters of 8 bp cannot initialize 32 of 9"
    ):
        _run(tmp_path, make_dataset(), DEEP, RECIPE, init_from=trained)
    other = make_model(tmp_path, vocabulary=Vocabulary(["CTCF"], ["K562"])).checkpoint
    with pytest.raises(UsageError, match="1 TFs and 1 cell lines cannot initialize"):
        _run(tmp_path, make_dataset(), CONFIG, RECIPE, init_from=other)
