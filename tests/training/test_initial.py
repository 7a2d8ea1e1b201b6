"""Trained weights start a run by name: known names keep their rows, new ones get the mean."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from tfimpute_tracks.engines.sites import predict_sites
from tfimpute_tracks.errors import UsageError
from tfimpute_tracks.evaluation import pair_aurocs
from tfimpute_tracks.models import load_model
from tfimpute_tracks.models.config import RecurrentConfig, ResidualConfig
from tfimpute_tracks.models.registry import build_network
from tfimpute_tracks.training import Recipe, TrainingJob, export_run, train_model
from tfimpute_tracks.training.card import CardInputs, complete_card
from tfimpute_tracks.training.initial import init_from
from tfimpute_tracks.training.names import keep_names, match_names
from tfimpute_tracks.training.state import initialize
from tfimpute_tracks.vocabulary import Pair, Vocabulary
from toys import CALIBRATED, CONFIG, VOCABULARY, make_dataset, make_model

NONE = Recipe(epochs=0)
ONE = Recipe(epochs=1, batch_size=64, ema_decay=0.9, weight_decay=0.5)
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
SHUFFLED = Vocabulary(["MAX", "CTCF", "EP300"], ["K562", "H1-hESC", "GM12878", "HepG2"])
families = pytest.mark.parametrize(
    "config", [CONFIG, DEEP, GRU], ids=lambda c: c.family
)


def _renamed(dataset, names):
    """Rename TFs and cell lines; the vocabulary is sorted again."""
    pairs = [Pair(*(names.get(name, name) for name in pair)) for pair in dataset.pairs]
    vocabulary = Vocabulary(*(sorted(set(some)) for some in zip(*pairs, strict=True)))
    return replace(dataset, pairs=tuple(pairs), vocabulary=vocabulary)


def _run(folder, dataset, config, recipe, **job):
    torch.set_num_threads(1)
    folder.mkdir(exist_ok=True)
    job = TrainingJob(folder, **job)
    return train_model(dataset, config, recipe, job, lambda _: None, lambda _: None)


def _scores(network, dataset):
    indices = dataset.vocabulary.pair_indices(dataset.pairs)
    return predict_sites(network.eval(), dataset.codes[:200], indices)


@families
def test_names_keep_their_scores_in_any_order(tmp_path, config):
    initial = make_model(tmp_path, config=config)
    dataset = make_dataset()
    expected = _scores(initial.network(), dataset)
    shuffled = replace(dataset, vocabulary=SHUFFLED)
    run = _run(tmp_path / "a", shuffled, config, NONE, init_from=initial.checkpoint)
    assert (_scores(run.network, shuffled) == expected).all()


@families
def test_a_new_name_starts_from_the_mean_and_moves_no_other(tmp_path, config):
    initial = make_model(tmp_path, config=config)
    dataset = make_dataset()
    expected = _scores(initial.network(), dataset)
    # Sorted, both come last: every other row has another place than before.
    renamed = _renamed(dataset, {"CTCF": "ZNF1", "GM12878": "liver"})
    run = _run(tmp_path / "a", renamed, config, NONE, init_from=initial.checkpoint)
    found = _scores(run.network, renamed)
    same = [p.tf != "CTCF" and p.cell != "GM12878" for p in dataset.pairs]
    assert (found[:, same] == expected[:, same]).all()
    assert (found[:, ~np.array(same)] != expected[:, ~np.array(same)]).any()
    rows = {"tf": renamed.vocabulary.tfs.index("ZNF1")}
    rows["cell"] = renamed.vocabulary.cells.index("liver")
    for name, parameter in run.network.named_parameters():
        if (kind := name.partition("_")[0]) in rows:
            mean = initial.checkpoint.weights[name].mean(axis=0)
            np.testing.assert_allclose(parameter[rows[kind]].detach(), mean, atol=1e-6)


def test_a_renamed_tf_costs_no_accuracy(tmp_path):
    wider = replace(CONFIG, n_filters=32)
    recipe = replace(
        ONE,
        epochs=14,
        learning_rate=0.02,
        filter_learning_rate=0.02,
        filter_std=0.3,
        weight_decay=0.01,
    )
    dataset = make_dataset(3000)
    first = _run(tmp_path / "first", dataset, wider, recipe)
    path = tmp_path / "model.safetensors"
    facts = {"name": "toy", "build": "toy1"}
    export_run(path, first, dataset, facts, lambda _: None)
    initial = load_model(path).checkpoint
    renamed = _renamed(dataset, {"CTCF": "ZNF1"})
    test = first.split.test
    labels = dataset.labels(test)
    rows = dataset.codes[test]

    def aurocs(network, names):
        indices = names.vocabulary.pair_indices(names.pairs)
        return pair_aurocs(predict_sites(network.eval(), rows, indices), labels)

    before = aurocs(first.network, dataset)
    start = _run(tmp_path / "0", renamed, wider, NONE, init_from=initial)
    others = np.array([pair.tf != "CTCF" for pair in dataset.pairs])
    assert (aurocs(start.network, renamed)[others] == before[others]).all()
    two = replace(recipe, epochs=2)
    fitted = _run(
        tmp_path / "2", renamed, wider, two, init_from=initial, freeze_trunk=True
    )
    trained = fitted.columns
    after = aurocs(fitted.network, renamed)[trained]
    assert after.mean() > before[trained].mean() - 0.01


def test_other_spellings_are_found_and_counted():
    ours = Vocabulary(["p300", "MAX", "ZNF1"], ["K-562", "HepG2", "liver"])
    tfs, cells = match_names(ours, VOCABULARY)
    assert tfs.found == {"p300": "EP300", "MAX": "MAX"}
    assert (tfs.new, tfs.left_out) == (("ZNF1",), ("CTCF",))
    assert (cells.new, cells.left_out) == (("liver",), ("GM12878", "H1-hESC"))
    # Either may have the alias.
    assert match_names(VOCABULARY, ours)[0].found == {"EP300": "p300", "MAX": "MAX"}
    assert tfs.describe() == (
        "2 of 3 TFs found (p300 as EP300), 1 new (ZNF1), 1 left out (CTCF)"
    )
    assert cells.describe(keep=True) == (
        "2 of 3 cell lines found (K-562 as K562), 1 new (liver), 2 kept (GM12878, "
        "H1-hESC)"
    )


def test_layers_of_another_size_start_at_random_and_are_named(tmp_path):
    trained = make_model(tmp_path).checkpoint
    longer = replace(CONFIG, filter_length=10, n_units=5)
    state = initialize(build_network(longer, 3, 4), ONE, "cpu")
    taken = init_from(state, trained, VOCABULARY)
    assert {"filters", "bias", "tf_embedding", "gate_weight"} <= set(taken)
    found = dict(state.network.named_parameters())
    np.testing.assert_array_equal(
        found["filters"].detach().numpy()[:, :8], trained.weights["filters"]
    )
    assert (found["filters"][:, 8:] == 0).all()
    for name in taken:
        torch.testing.assert_close(state.average[name], found[name].data)
    said = []
    run = _run(
        tmp_path / "a", make_dataset(), longer, ONE, init_from=trained, warn=said.append
    )
    assert len(run.history) == 1
    why = (
        "not in the initial weights, or of another size there, so these start at random"
    )
    assert said == [f"{why}: unit_weight, unit_bias"]


def test_weights_of_other_filters_cannot_initialize_a_run(tmp_path):
    trained = make_model(tmp_path).checkpoint
    message = "11 filters of 8 bp cannot initialize 32 of 9"
    with pytest.raises(UsageError, match=message):
        _run(tmp_path / "a", make_dataset(), DEEP, ONE, init_from=trained)


@families
def test_a_frozen_trunk_stays_bit_for_bit(tmp_path, config):
    initial = make_model(tmp_path, config=config).checkpoint
    job = {"init_from": initial, "freeze_trunk": True}
    run = _run(tmp_path / "a", make_dataset(), config, ONE, **job)
    moved = {
        name
        for name, parameter in run.network.named_parameters()
        if (parameter.detach().numpy() != initial.weights[name]).any()
    }
    head = {"tf_embedding", "gate_weight", "gate_bias", "unit_weight", "unit_bias"}
    expected = {"tf_weight", "tf_bias"} if config is GRU else head
    assert moved == expected | {"cell_embedding"}


def test_what_is_random_is_not_frozen(tmp_path):
    initial = make_model(tmp_path, config=DEEP).checkpoint
    deeper = replace(DEEP, blocks=2)
    job = {"init_from": initial, "freeze_trunk": True}
    with pytest.raises(UsageError, match=r"no blocks\.1\.norm\.weight.* of this size"):
        _run(tmp_path / "a", make_dataset(), deeper, ONE, **job)
    with pytest.raises(UsageError, match="frozen trunk would leave random weights"):
        _run(tmp_path / "b", make_dataset(), DEEP, ONE, freeze_trunk=True)


@pytest.fixture
def grown(tmp_path):
    """A model of more names than the data set has, and the data set with all of them."""
    wide = Vocabulary(
        ["ATF1", *VOCABULARY.tfs, "ZNF1"], ["A549", *VOCABULARY.cells, "liver"]
    )
    card = {"calibration": CALIBRATED["calibration"] | {"priors": {"ZNF1": 0.03}}}
    initial = make_model(tmp_path, vocabulary=wide, card=card).checkpoint
    return initial, keep_names(make_dataset(), wide)


def test_kept_names_keep_their_rows_in_spite_of_weight_decay(tmp_path, grown):
    initial, dataset = grown
    assert dataset.vocabulary.tfs == ("ATF1", *VOCABULARY.tfs, "ZNF1")
    run = _run(tmp_path / "a", dataset, CONFIG, ONE, init_from=initial)
    found = dict(run.network.named_parameters())
    for kind, names in (("tf", ["ATF1", "ZNF1"]), ("cell", ["A549", "liver"])):
        known = getattr(dataset.vocabulary, f"{kind}s")
        theirs = getattr(initial.vocabulary, f"{kind}s")
        now = found[f"{kind}_embedding"].detach().numpy()
        before = initial.weights[f"{kind}_embedding"]
        for name in names:
            row = before[theirs.index(name)]
            assert (now[known.index(name)] == row).all()
        moved = now[known.index("MAX" if kind == "tf" else "K562")]
        assert not any((moved == row).all() for row in before)


def test_the_card_of_kept_names_has_their_priors_and_thresholds(tmp_path, grown):
    initial, dataset = grown
    run = _run(tmp_path / "a", dataset, CONFIG, ONE, init_from=initial)
    path = tmp_path / "model.safetensors"
    hold_out = TrainingJob(tmp_path).held_out(0).to_dict()
    facts = {"name": "toy", "build": "toy1", "hold_out": hold_out}
    card = export_run(path, run, dataset, facts, lambda _: None)
    # ATF1 is not in the card of the initial weights: the least fraction.
    priors = card["calibration"]["priors"]
    assert (priors["ZNF1"], priors["ATF1"]) == (0.03, 0.001)
    model = load_model(path)
    pair = model.vocabulary.pair("ZNF1:liver")
    index = model.vocabulary.pair_indices([pair])
    scores = predict_sites(model.network(), dataset.codes[run.split.valid], index)
    probabilities = 1 / (1 + np.exp(-scores[:, 0]))
    share = (probabilities > model.score_threshold(pair)).mean()
    assert share == pytest.approx(0.03, abs=2 / len(probabilities))
    assert model.status(pair) == "imputed"
    # `card` reads the data set alone, which has none of these names.
    inputs = CardInputs(model, model, make_dataset())
    again = complete_card(inputs, ["calibration"], lambda _: None)
    assert again["calibration"]["priors"] == priors


def test_a_run_of_other_kept_names_does_not_resume(tmp_path, grown):
    initial, dataset = grown
    _run(tmp_path / "a", dataset, CONFIG, ONE, init_from=initial)
    again = {"init_from": initial, "resume": True}
    _run(tmp_path / "a", dataset, CONFIG, ONE, **again)
    with pytest.raises(UsageError, match="kept_names was"):
        _run(tmp_path / "a", make_dataset(), CONFIG, ONE, **again)


def test_a_data_set_that_lacks_no_name_is_as_it_was():
    dataset = replace(make_dataset(), vocabulary=SHUFFLED)
    assert keep_names(dataset, VOCABULARY) is dataset


def test_a_parent_line_is_another_than_its_clone():
    """Who types HeLa means the only line of the kind; a data set of HeLa has its own."""
    ours = Vocabulary(["CTCF", "P300"], ["HeLa", "K-562"])
    theirs = Vocabulary(["CTCF", "EP300"], ["HeLa-S3", "K562"])
    tfs, cells = match_names(ours, theirs)
    assert tfs.found == {"CTCF": "CTCF", "P300": "EP300"}
    assert (cells.found, cells.new) == ({"K-562": "K562"}, ("HeLa",))
    assert cells.left_out == ("HeLa-S3",)
