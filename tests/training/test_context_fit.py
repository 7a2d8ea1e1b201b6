"""TileContext are fitted when all else is: where sites have them, and they help."""

import dataclasses

import numpy as np
import pytest
import torch

from tfimpute_tracks.dataset import Split, split_by_chromosome
from tfimpute_tracks.engines.sites import predict_sites
from tfimpute_tracks.errors import UsageError
from tfimpute_tracks.models import load_model
from tfimpute_tracks.models.config import GatedConfig
from tfimpute_tracks.models.registry import build_network
from tfimpute_tracks.training import Recipe, TrainingJob, export_run, fit, train_model
from tfimpute_tracks.training.context_fit import (
    MIN_SITES,
    fit_context,
    sites_with_context,
)
from tfimpute_tracks.training.loss import instance_weights, weighted_loss
from toys import CONFIG, make_dataset, make_model

AROUND = dataclasses.replace(CONFIG, context_tiles=2)
RECIPE = Recipe(epochs=2, batch_size=128, learning_rate=0.02, filter_learning_rate=0.05)
MOTIFS = ([1, 1, 2, 1, 2, 1], [3, 2, 0, 1, 3, 2], [1, 0, 1, 2, 3, 2])
TRAINED = np.array([0, 1, 3, 4, 5, 6, 8])


@pytest.fixture(scope="module")
def dataset():
    """A data set whose sequences have the letters around the tile, and enough sites."""
    return make_dataset(3300, AROUND.receptive_field)


def _train(folder, dataset, config=AROUND, **job):
    torch.set_num_threads(1)
    folder.mkdir(exist_ok=True)
    job = TrainingJob(folder, **job)
    return train_model(dataset, config, RECIPE, job, lambda _: None, lambda _: None)


def _spotter():
    """A network that says 5 or more where a tile has the TF's motif, and else -5."""
    config = GatedConfig(
        seq_len=60,
        filter_length=6,
        n_filters=3,
        pool=20,
        n_units=1,
        embedding_size=3,
        context_tiles=2,
    )
    network = build_network(config, 3, 4)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.zero_()
        for tf, motif in enumerate(MOTIFS):
            network.filters[tf, torch.arange(6), torch.tensor(motif)] = 1
        network.bias.fill_(5)  # 1 is left where all six letters fit
        network.tf_embedding.copy_(torch.eye(3))
        network.gate_weight[:3].copy_(60 * torch.eye(3) - 30)
        network.unit_weight.fill_(10)
        network.unit_bias.fill_(-5)
        network.context.reset()
    return network.eval()


def _loss(network, dataset, rows, columns):
    """What a fit makes small, by way of the network as a whole."""
    n_positive, n_negative = dataset.counts(rows)
    weights = instance_weights(n_positive[columns], n_negative[columns], True, 0.5)
    pairs = dataset.vocabulary.pair_indices(dataset.pairs[i] for i in columns)
    logits = torch.from_numpy(predict_sites(network, dataset.codes[rows], pairs))
    labels = torch.from_numpy(dataset.labels(rows, columns))
    return float(weighted_loss(logits, labels, *weights))


def test_training_ends_with_context_and_the_card_says_so(tmp_path, dataset):
    run = _train(tmp_path, dataset)
    weight = run.network.context.weight
    assert not torch.equal(weight, torch.tensor([1.0, 0, 0]))
    n_known = len(split_by_chromosome(dataset).valid)
    assert run.context.part == "valid"
    assert (run.context.n_sites, run.context.n_pairs) == (n_known, len(run.columns))
    path = tmp_path / "model.safetensors"
    export_run(path, run, dataset, {"name": "toy", "build": "toy1"}, lambda _: None)
    model = load_model(path)
    assert model.card["context"] == dataclasses.asdict(run.context)
    assert model.card["network"]["context_tiles"] == 2
    arrays = model.checkpoint.weights
    np.testing.assert_array_equal(arrays["context.weight"], weight.detach().numpy())
    # The AUROC that the card tells is that of the file, on the same sites.
    rows = run.split.valid
    for auroc, codes in (
        (run.context.auroc, dataset.codes[rows]),
        (run.context.auroc_single_tile, dataset.codes[rows, 40:100]),
    ):
        pairs = [dataset.pairs[i] for i in run.columns]
        scores, labels = model.predict(codes, pairs), dataset.labels(rows, run.columns)
        found = [_auroc(*both) for both in zip(scores.T, labels.T, strict=True)]
        assert np.mean(found) == pytest.approx(auroc, abs=2e-3)


def _auroc(scores, labels):
    positive, negative = scores[labels == 1], scores[labels == 0]
    order = positive[:, None] - negative[None]
    return (order > 0).mean() + (order == 0).mean() / 2


@pytest.mark.parametrize("length", [60, 139])
def test_without_bases_around_it_context_is_left_out(tmp_path, dataset, length):
    """Shorter sequences train, and as those do of which the middle is read."""
    first = 70 - length // 2
    short = dataclasses.replace(dataset, codes=dataset.codes[:, first : first + length])
    run = _train(tmp_path / "short", short)
    assert run.context is None
    surroundings = run.network.context
    assert surroundings.weight.tolist() == [1, 0, 0]
    assert surroundings.bias.tolist() == [0]
    path = tmp_path / "model.safetensors"
    export_run(path, run, short, {"name": "toy", "build": "toy1"}, lambda _: None)
    assert "context" not in load_model(path).card
    longer = _train(tmp_path / "long", dataset)
    np.testing.assert_equal(
        [epoch["score"] for epoch in run.history],
        [epoch["score"] for epoch in longer.history],
    )
    torch.testing.assert_close(
        run.network.filters, longer.network.filters, rtol=0, atol=0
    )


def test_a_network_that_reads_tiles_alone_takes_the_middle(tmp_path, dataset):
    cut = dataclasses.replace(dataset, codes=dataset.codes[:, 40:100])
    runs = [
        _train(tmp_path / name, data, CONFIG)
        for name, data in (("long", dataset), ("cut", cut))
    ]
    assert [run.context for run in runs] == [None, None]
    long, short = (run.network.state_dict() for run in runs)
    for name, tensor in long.items():
        torch.testing.assert_close(short[name], tensor, rtol=0, atol=0)


def test_a_run_killed_before_or_in_the_fit_ends_as_an_undisturbed_one(
    tmp_path, dataset, monkeypatch
):
    def kill(*_):
        raise KeyboardInterrupt

    whole = _train(tmp_path / "whole", dataset)
    for place in ("pair_aurocs", "fit_context"):
        with monkeypatch.context() as patch:
            patch.setattr(fit, place, kill)
            with pytest.raises(KeyboardInterrupt):
                _train(tmp_path / "killed", dataset, resume=True, save_every=0.0)
    resumed = _train(tmp_path / "killed", dataset, resume=True)
    assert resumed.context == whole.context
    for name, tensor in whole.network.state_dict().items():
        torch.testing.assert_close(
            resumed.network.state_dict()[name], tensor, rtol=0, atol=0
        )


def test_a_fit_finds_what_stands_next_to_the_tile(dataset):
    """Motifs stand anywhere in the letters, most of them outside of the tile."""
    network, split = _spotter(), split_by_chromosome(dataset)
    before = _loss(network, dataset, split.valid, TRAINED)
    found = fit_context(network, dataset, split, TRAINED)
    assert found.auroc_single_tile < 0.75
    assert found.auroc > 0.93
    assert _loss(network, dataset, split.valid, TRAINED) < 0.6 * before
    # Sites that the fit never saw.
    pairs = dataset.vocabulary.pair_indices(dataset.pairs[i] for i in TRAINED)
    scores = predict_sites(network, dataset.codes[split.test], pairs)
    labels = dataset.labels(split.test, TRAINED)
    aurocs = [_auroc(*both) for both in zip(scores.T, labels.T, strict=True)]
    assert np.mean(aurocs) > 0.93


def test_a_fit_finds_at_which_distance(dataset):
    """A site is bound where the motif stands in the outermost letters, and only there.

    Tiles of 60 letters start every 20: the first and the last 20 of the 140 letters
    belong to the neighbors farthest away alone.
    """
    rng = np.random.default_rng(8)
    codes = rng.integers(0, 4, dataset.codes.shape).astype(np.uint8)
    labels = dataset.labels(np.arange(dataset.n_sites))
    for row in range(dataset.n_sites):
        for tf, motif in enumerate(MOTIFS):
            is_bound = (labels[row, 4 * tf : 4 * tf + 4] == 1).any()
            outside = rng.choice([rng.integers(0, 15), rng.integers(120, 135)])
            middle = rng.integers(60, 75)
            if is_bound or rng.random() < 0.3:
                place = outside if is_bound else middle
                codes[row, place : place + 6] = motif
    network = _spotter()
    data = dataclasses.replace(dataset, codes=codes)
    found = fit_context(network, data, split_by_chromosome(data), TRAINED)
    weight = network.context.weight.detach().numpy()
    assert found.auroc_single_tile < 0.5
    assert found.auroc > 0.93
    assert weight[2] > max(0, weight[0], weight[1])


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("scale", [0.1, 1, 10])
def test_a_fit_makes_the_loss_no_larger(tmp_path, dataset, seed, scale):
    """Whatever the logits: of random networks, small and large."""
    network = make_model(tmp_path, seed=seed, config=AROUND).network().eval()
    with torch.no_grad():
        for name in ("unit_weight", "unit_bias"):
            getattr(network, name).mul_(scale)
    network.context.reset()
    split = split_by_chromosome(dataset)
    before = _loss(network, dataset, split.valid, TRAINED)
    assert fit_context(network, dataset, split, TRAINED) is not None
    assert all(torch.isfinite(p).all() for p in network.context.parameters())
    assert _loss(network, dataset, split.valid, TRAINED) <= before + 1e-5


def test_sites_with_a_neighbor_that_is_unknown_teach_nothing(tmp_path, dataset):
    network = make_model(tmp_path, config=AROUND).network().eval()
    network.context.reset()
    codes = dataset.codes.copy()
    split = split_by_chromosome(dataset)
    # 31 of the first neighbor's 60 letters are unknown, and of the last one's 30.
    codes[split.valid[:50], :31] = 4
    codes[split.valid[200:250], -30:] = 4
    data = dataclasses.replace(dataset, codes=codes)
    chosen = sites_with_context(data, split.valid, network.config)
    np.testing.assert_array_equal(chosen, split.valid[50:])
    found = fit_context(network, data, split, TRAINED)
    assert (found.part, found.n_sites) == ("valid", len(chosen))
    # Where too few are left, sites that trained serve; and where these are, too, none.
    codes[split.valid, :31] = 4
    found = fit_context(network, data, split, TRAINED)
    assert (found.part, found.n_sites) == ("train", len(split.train))
    network.context.reset()
    few = Split(split.train[: MIN_SITES - 1], split.valid, split.test)
    assert fit_context(network, data, few, TRAINED) is None
    assert network.context.weight.tolist() == [1, 0, 0]


def test_pairs_with_hardly_a_positive_take_no_part(tmp_path, dataset):
    network = make_model(tmp_path, config=AROUND).network().eval()
    split = split_by_chromosome(dataset)
    rows = np.arange(dataset.n_sites)
    bound = np.flatnonzero(dataset.labels(rows)[:, 0] == 1)
    some = split._replace(valid=np.setdiff1d(rows, bound[4:]))
    found = fit_context(network, dataset, some, TRAINED)
    # A site of the toy is bound by its TF in all cell lines, three of them trained.
    assert (found.part, found.n_pairs) == ("valid", len(TRAINED) - 3)


def test_zero_epochs_keep_the_weights_and_fit_the_context(tmp_path, dataset):
    trained = _train(tmp_path / "first", dataset)
    path = tmp_path / "model.safetensors"
    export_run(path, trained, dataset, {"name": "toy", "build": "toy1"}, lambda _: None)
    initial = load_model(path).checkpoint
    job = TrainingJob(tmp_path / "second", init_from=initial)
    job.out_dir.mkdir()
    none = dataclasses.replace(RECIPE, epochs=0)
    run = train_model(dataset, AROUND, none, job, lambda _: None, lambda _: None)
    for name, parameter in run.network.named_parameters():
        np.testing.assert_array_equal(parameter.detach().numpy(), initial.weights[name])
    assert run.history == trained.history
    assert run.context == trained.context


def test_zero_epochs_need_weights_to_start_from(tmp_path, dataset):
    none = dataclasses.replace(RECIPE, epochs=0)
    with pytest.raises(UsageError, match="0 epochs would leave random weights"):
        train_model(dataset, AROUND, none, TrainingJob(tmp_path), print, print)
