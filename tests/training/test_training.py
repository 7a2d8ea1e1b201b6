"""Training learns, resumes as if nothing had happened, and says what it did."""

import dataclasses

import numpy as np
import pytest
import torch

from tfimpute_tracks.dataset import Dataset, HoldOut, PairLists, split_by_chromosome
from tfimpute_tracks.errors import InputFileError, RunError, UsageError
from tfimpute_tracks.models import load_model, presets
from tfimpute_tracks.training import (
    Recipe,
    TrainingJob,
    draw_curves,
    export_run,
    fit,
    train_model,
    write_log,
)
from tfimpute_tracks.training.loss import instance_weights, weighted_loss
from tfimpute_tracks.training.state import learning_rate_factor
from toys import CONFIG, VOCABULARY, make_dataset

RECIPE = Recipe(
    epochs=3,
    batch_size=64,
    learning_rate=0.02,
    filter_learning_rate=0.05,
    ema_decay=0.9,
)


class KilledError(Exception):
    """Stands for whatever ends a process."""


def _kill(*_):
    raise KilledError


def _train(
    folder,
    dataset,
    recipe=RECIPE,
    *,
    config=CONFIG,
    resume=False,
    report=lambda _: None,
    **job,
):
    torch.set_num_threads(1)
    logged = []
    job = TrainingJob(folder, resume=resume, **job)
    return train_model(dataset, config, recipe, job, report, logged.append), logged


@pytest.fixture
def dataset():
    return make_dataset()


def test_training_finds_the_motifs(tmp_path):
    recipe = dataclasses.replace(
        RECIPE, epochs=14, filter_learning_rate=0.02, filter_std=0.3
    )
    wider = dataclasses.replace(CONFIG, n_filters=32)
    run, logged = _train(tmp_path, make_dataset(3000), recipe, config=wider)
    assert run.history == logged
    assert run.history[-1]["loss"] < 0.4 * run.history[0]["loss"]
    assert max(epoch["auroc_valid2"] for epoch in run.history) > 0.9


def test_a_killed_run_ends_as_an_undisturbed_one(tmp_path, dataset, monkeypatch):
    for name in ("whole", "killed"):
        (tmp_path / name).mkdir()
    whole, _ = _train(tmp_path / "whole", dataset)
    often = {"resume": True, "save_every": 0.0, "report_every": 0.0}

    def kill_at(step):
        def report(progress):
            if progress.step == step:
                raise KilledError  # before this step is saved, so it is lost

        return report

    per_epoch = -(-len(split_by_chromosome(dataset).train) // RECIPE.batch_size)
    for step in (4, 2 * per_epoch, 3 * per_epoch):
        with pytest.raises(KilledError):
            _train(tmp_path / "killed", dataset, report=kill_at(step), **often)
    # And once more when all batches are saved, but the last epoch is not validated yet.
    with monkeypatch.context() as patch:
        patch.setattr(fit, "pair_aurocs", _kill)
        with pytest.raises(KilledError):
            _train(tmp_path / "killed", dataset, **often)
    resumed, _ = _train(tmp_path / "killed", dataset, resume=True)
    for name, tensor in whole.network.state_dict().items():
        torch.testing.assert_close(
            resumed.network.state_dict()[name], tensor, rtol=0, atol=0
        )
    for a, b in zip(whole.history, resumed.history, strict=True):
        assert (a["score"], a["loss"]) == (b["score"], b["loss"])


def test_a_finished_run_resumes_to_itself(tmp_path, dataset):
    first, _ = _train(tmp_path, dataset)
    second, logged = _train(tmp_path, dataset, resume=True)
    assert logged == []
    torch.testing.assert_close(first.network.filters, second.network.filters)


def test_another_recipe_does_not_resume(tmp_path, dataset):
    _train(tmp_path, dataset)
    with pytest.raises(UsageError, match="belongs to another run: recipe was"):
        _train(tmp_path, dataset, dataclasses.replace(RECIPE, seed=1), resume=True)


@pytest.mark.parametrize("scheme", ["random", "alternating-peaks"])
def test_another_hold_out_does_not_resume(tmp_path, dataset, scheme):
    recipe = dataclasses.replace(RECIPE, epochs=1)
    folds = np.arange(dataset.n_sites, dtype=np.uint8) % 2 * 2
    dataset = dataclasses.replace(dataset, fold=folds)
    run, _ = _train(tmp_path, dataset, recipe, hold_out=scheme)
    kept = HoldOut(scheme, seed=recipe.seed)
    for ours, rows in zip(run.split, kept.split(dataset), strict=True):
        np.testing.assert_array_equal(ours, rows)
    again, logged = _train(tmp_path, dataset, recipe, hold_out=scheme, resume=True)
    assert logged == []
    torch.testing.assert_close(run.network.filters, again.network.filters)
    with pytest.raises(UsageError, match="another run: hold_out was"):
        _train(tmp_path, dataset, recipe, resume=True)


def test_a_broken_state_is_named(tmp_path, dataset):
    (tmp_path / "state.safetensors").write_bytes(b"rubbish")
    with pytest.raises(InputFileError, match="cannot be read"):
        _train(tmp_path, dataset, resume=True)


@pytest.mark.parametrize("balance", [True, False])
@pytest.mark.parametrize("kind", ["positive", "negative"])
def test_pairs_of_one_class_are_refused_before_training(
    tmp_path, dataset, kind, balance
):
    """Without this the loss is NaN, and the message blames the learning rate."""
    everything = np.arange(dataset.n_sites)
    pairs = np.tile(np.arange(len(dataset.pairs)), dataset.n_sites)
    every = PairLists.from_entries(
        np.repeat(everything, len(dataset.pairs)), pairs, dataset.n_sites
    )
    none = PairLists.from_entries(everything[:0], everything[:0], dataset.n_sites)
    one_class = dataclasses.replace(
        dataset, positive=every if kind == "positive" else none, ignored=none
    )
    recipe = dataclasses.replace(RECIPE, balance_classes=balance)
    with pytest.raises(UsageError, match="none of 9 pairs has both bound and unbound"):
        _train(tmp_path, one_class, recipe)
    assert not list(tmp_path.iterdir())


def test_a_loss_that_explodes_stops_the_run(tmp_path, dataset):
    wild = dataclasses.replace(RECIPE, learning_rate=1e30, filter_learning_rate=1e30)
    with pytest.raises(RunError, match="lower --learning-rate than"):
        _train(tmp_path, dataset, wild)


def test_sequences_that_are_too_short_and_roles_that_are_not_there(tmp_path, dataset):
    with pytest.raises(UsageError, match="sequences of 50 bp and the network reads 60"):
        _train(tmp_path, make_dataset(seq_len=50))
    with pytest.raises(
        UsageError, match="no pair of the data set has a role of nobody"
    ):
        _train(tmp_path, dataset, roles=("nobody",))


def test_held_out_pairs_teach_nothing(tmp_path, dataset):
    flipped = make_dataset()
    places = np.isin(flipped.positive.pair, [2, 7, 9])  # valid2 and test3
    flipped.positive.pair[places] = flipped.positive.pair[places] * 0 + 9
    recipe = dataclasses.replace(RECIPE, epochs=1)
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    a, _ = _train(tmp_path / "a", dataset, recipe)
    b, _ = _train(tmp_path / "b", flipped, recipe)
    torch.testing.assert_close(
        a.network.unit_weight, b.network.unit_weight, rtol=0, atol=0
    )


def test_the_paper_s_recipe_trains(tmp_path, dataset):
    recipe = Recipe(**presets()["paper"].recipe | {"epochs": 1})
    run, _ = _train(tmp_path, dataset, recipe)
    assert np.isfinite(run.history[0]["loss"])


def test_the_paper_s_schedule_loses_three_per_cent_every_fifty_thousand():
    recipe = Recipe(**presets()["paper"].recipe)
    assert learning_rate_factor(recipe, 0, 1) == 1
    assert learning_rate_factor(recipe, 50_000 // 32 + 1, 1) == pytest.approx(0.97)
    assert learning_rate_factor(recipe, 150_000 // 32 + 1, 1) == pytest.approx(0.97**3)


def test_classes_weigh_the_same_within_a_pair():
    n_positive, n_negative = np.array([10, 400, 0]), np.array([990, 600, 1000])
    positive, negative = instance_weights(n_positive, n_negative, True, 0.5)
    positive, negative = positive.numpy(), negative.numpy()
    np.testing.assert_allclose(
        positive[:2] * n_positive[:2], negative[:2] * n_negative[:2], rtol=1e-5
    )
    ratio = (positive[1] * 400) / (positive[0] * 10)
    assert ratio == pytest.approx(np.sqrt(40), rel=1e-5)
    assert positive[2] == negative[2] == 0


def test_ignored_labels_have_no_gradient():
    logits = torch.tensor([[0.3, -2.0, 5.0]], requires_grad=True)
    labels = torch.tensor([[1, 0, -1]], dtype=torch.int8)
    loss = weighted_loss(
        logits, labels, torch.tensor([2.0, 1, 1]), torch.tensor([1.0, 3, 1])
    )
    expected = (2 * np.log1p(np.exp(-0.3)) + 3 * np.log1p(np.exp(-2.0))) / 3
    assert loss.item() == pytest.approx(expected, rel=1e-5)
    loss.backward()
    assert logits.grad[0, 2] == 0
    assert (logits.grad[0, :2] != 0).all()


def test_what_is_published_loads_and_has_its_history(tmp_path, dataset):
    run, _ = _train(tmp_path, dataset)
    path = tmp_path / "model.safetensors"
    done = []
    export_run(path, run, dataset, {"name": "toy", "build": "toy1"}, done.append)
    model = load_model(path)
    assert model.vocabulary == VOCABULARY
    assert sum(done) == 4  # cell lines
    assert model.card["metrics"]["test3"]["pairs"] == 1
    assert model.is_trained(dataset.pairs[0])
    assert model.status(dataset.pairs[9]) == "imputed"
    scores = model.predict(dataset.codes[run.split.valid], dataset.pairs)
    thresholds = [model.threshold(pair) for pair in dataset.pairs]
    shares = (scores > thresholds).mean(axis=0)
    # Each TF binds a quarter of the toy's sites, more than a threshold may let through.
    assert (np.abs(shares - 0.1) < 0.02).all()


def test_a_published_card_has_the_fraction_of_wrong_calls(tmp_path, dataset):
    run, _ = _train(tmp_path, dataset)
    path = tmp_path / "model.safetensors"
    export_run(path, run, dataset, {"name": "toy", "build": "toy1"}, lambda _: None)
    model = load_model(path)
    labels = dataset.labels(run.split.valid)
    scores = model.predict(dataset.codes[run.split.valid], dataset.pairs)
    n_found = 0
    for i, pair in enumerate(dataset.pairs):
        for level, line in model.fdr_thresholds(pair).items():
            if line is not None:
                n_found += 1
                called = labels[(scores[:, i] >= line) & (labels[:, i] >= 0), i]
                # The plain network and the look-up may part at the last site.
                assert (called == 0).sum() <= level * len(called) + 1
    assert n_found
    assert model.card["fdr"]["sites"]["0.5"]["pairs"] <= len(dataset.pairs)


def test_a_replicate_is_scored_and_its_pair_stays_seen(tmp_path, dataset):
    """Pair 11 becomes a replicate of pair 0, and every site says nothing by default."""
    parts = vars(dataset) | {
        "pairs": (*dataset.pairs[:11], dataset.pairs[0]),
        "roles": (*dataset.roles[:11], "test2"),
        "replicates": ("",) * 11 + ("2",),
        "default_label": np.full(dataset.n_sites, -1, dtype=np.int8),
    }
    labels = dataset.labels(np.arange(dataset.n_sites))
    parts["negative"] = PairLists.from_entries(
        *np.nonzero(labels == 0), dataset.n_sites
    )
    run, _ = _train(tmp_path, Dataset(**parts))
    assert 11 not in run.columns
    path = tmp_path / "model.safetensors"
    export_run(
        path, run, Dataset(**parts), {"name": "toy", "build": "toy1"}, lambda _: None
    )
    model = load_model(path)
    assert model.is_trained(dataset.pairs[0])
    assert len(model.card["pairs"]) == len(model.measured_pairs) == 11
    assert model.card["metrics"]["test2"]["pairs"] == 1


def test_curves_and_log_are_written(tmp_path, dataset):
    run, _ = _train(tmp_path, dataset)
    write_log(tmp_path / "log.jsonl", run.history)
    assert len((tmp_path / "log.jsonl").read_text().splitlines()) == 3
    png, svg = draw_curves(tmp_path / "curves", run.history)
    assert png.read_bytes()[:4] == b"\x89PNG"
    assert b"<svg" in svg.read_bytes()[:400]
