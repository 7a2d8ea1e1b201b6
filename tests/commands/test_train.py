"""`train` from a data set to a card that tells how to train it again."""

import json
import shlex

import pytest

from tfimpute_tracks.dataset import write_dataset
from tfimpute_tracks.models import presets
from tfimpute_tracks.models.config import GatedConfig
from tfimpute_tracks.training import Recipe
from tfimpute_tracks.vocabulary import Vocabulary
from toys import VOCABULARY, make_dataset, write_model

SIZES = "seq_len=60,filter_length=8,n_filters=16,pool=20,n_units=2,embedding_size=4"


@pytest.fixture
def arguments(tmp_path):
    """Give the arguments of a small run; the first is the verb."""
    write_dataset(tmp_path / "data.h5", make_dataset())
    return [
        *("train", "--data", tmp_path / "data.h5", "-o", tmp_path / "run", "-p", 1),
        *("--network", SIZES, "--epochs", 1),
    ]


def _card(folder):
    return json.loads((folder / "model.json").read_text())


def test_a_changed_recipe_is_in_the_card_and_made_again(
    arguments, run, tmp_path, monkeypatch
):
    changes = " masked_bases=30,  weight_decay=2e-3,ema_decay=0"
    code, _, err = run(*arguments, "--recipe", changes)
    assert code == 0, err
    card = _card(tmp_path / "run")
    own = {"epochs": 1, "masked_bases": 30, "weight_decay": 0.002, "ema_decay": 0.0}
    assert card["recipe"] == Recipe().to_dict() | own
    # The line as it stands, in a shell beside the data.
    command, *again = shlex.split(card["reproduce"])
    assert command == "tfimpute-tracks"
    assert again[again.index("--recipe") + 1] == changes
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    (tmp_path / "data.h5").rename(folder / "data.h5")
    monkeypatch.chdir(folder)
    code, _, err = run(*again, "-p", 1)
    assert code == 0, err
    second = _card(folder / "run")
    for told in ("recipe", "reproduce", "weights", "network"):
        assert second[told] == card[told]


def test_the_recipe_of_a_preset_is_changed(arguments, run, tmp_path):
    sizes = "seq_len=60,filter_length=9,n_filters=16,pool=13,channels=16,blocks=1"
    code, _, err = run(
        *arguments,
        *("--preset", "deep", "--recipe", "dropout=0.2,masked_bases=30"),
        *("--network", sizes),
    )
    assert code == 0, err
    own = {"epochs": 1, "dropout": 0.2, "masked_bases": 30}
    card = _card(tmp_path / "run")
    assert card["recipe"] == Recipe(**presets()["deep"].recipe).to_dict() | own
    assert "--recipe dropout=0.2,masked_bases=30" in card["reproduce"]


@pytest.mark.parametrize("length", [60, 140])
def test_the_gain_of_context_is_reported(arguments, run, tmp_path, length):
    write_dataset(tmp_path / "data.h5", make_dataset(4000, seq_len=length))
    arguments[arguments.index(SIZES)] = f"{SIZES},context_tiles=2"
    code, _, err = run(*arguments)
    assert code == 0, err
    lacks = "default uses 140 bp around a site as context, and the sequences"
    assert (lacks in err) == (length == 60)
    assert ("context: AUROC" in err) == (length == 140)
    assert ("context" in _card(tmp_path / "run")) == (length == 140)


def test_without_changes_nothing_is_said_of_a_recipe(arguments, run, tmp_path):
    code, _, err = run(*arguments)
    assert code == 0, err
    card = _card(tmp_path / "run")
    assert card["recipe"] == Recipe().to_dict() | {"epochs": 1}
    assert "--recipe" not in card["reproduce"]


WRITE = "write name=number with a name of"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ("drop=0.2", f"--recipe 'drop=0.2'; {WRITE} filter_learning_rate"),
        ("dropout=0.2,hiden=3", f"--recipe 'hiden=3'; {WRITE}"),
        # Words, and what has an option of its own, are no numbers of a recipe.
        ("optimizer=adadelta", f"--recipe 'optimizer=adadelta'; {WRITE}"),
        ("balance_classes=0", f"--recipe 'balance_classes=0'; {WRITE}"),
        ("epochs=3", f"--recipe 'epochs=3'; {WRITE}"),
        ("seed=3", f"--recipe 'seed=3'; {WRITE}"),
        ("dropout", f"--recipe 'dropout'; {WRITE}"),
        ("dropout=", f"--recipe 'dropout='; {WRITE}"),
        ("dropout=some", f"--recipe 'dropout=some'; {WRITE}"),
        ("masked_bases=2.5", f"--recipe 'masked_bases=2.5'; {WRITE}"),
        ("dropout=nan", f"--recipe 'dropout=nan'; {WRITE}"),
        ("weight_decay=inf", f"--recipe 'weight_decay=inf'; {WRITE}"),
        ("masked_bases=-1", f"--recipe 'masked_bases=-1'; {WRITE}"),
        ("dropout=-0.1", f"--recipe 'dropout=-0.1'; {WRITE}"),
        ("dropout=1", "recipe dropout=1 is not below 1"),
        ("ema_decay=1.5", "recipe ema_decay=1.5 is not below 1"),
        ("decay_every=0", "recipe decay_every=0 is not positive"),
    ],
)
def test_wrong_changes_end_with_two_and_a_line(
    arguments, run, tmp_path, changes, message
):
    code, _, err = run(*arguments, "--recipe", changes)
    assert code == 2
    assert err.startswith("error: ")
    assert message in err
    assert err.count("\n") == 1
    assert not (tmp_path / "run").exists()


def test_a_name_of_the_network_is_none_of_the_recipe(arguments, run):
    for option, wrong in (("--recipe", "n_filters=9"), ("--network", "dropout=0.2")):
        code, _, err = run(*arguments, option, wrong)
        assert code == 2
        assert f"{option} '{wrong}'; {WRITE}" in err


def test_names_of_initial_weights_are_matched_and_counted(arguments, run, tmp_path):
    sizes = GatedConfig(60, 8, 16, 20, 0, 2, 4)
    wide = Vocabulary(["ATF1", "CTCF", "P300"], [*VOCABULARY.cells, "liver"])
    # Held out here, and trained on there; the other was not.
    pairs = [
        {"tf": "P300", "cell": "K562", "trained": True},
        {"tf": "CTCF", "cell": "H1-hESC", "trained": False},
    ]
    path = write_model(
        tmp_path / "old.safetensors",
        config=sizes,
        vocabulary=wide,
        card={"pairs": pairs},
    )
    del arguments[arguments.index("--network") :][:2]
    more = ["--init-from", path, "--freeze-trunk", "--keep-vocabulary", "--epochs", 1]
    code, _, err = run(*arguments, *more)
    assert code == 0, err
    assert (
        "initial weights old: 2 of 3 TFs found (EP300 as P300), 1 new (MAX), 1 kept "
        "(ATF1); 4 of 4 cell lines found, 1 kept (liver)"
    ) in " ".join(err.split())
    assert "old was trained on 1 held-out pair (EP300:K562): their metrics are" in (
        " ".join(err.split())
    )
    card = _card(tmp_path / "run")
    assert card["network"] == sizes.to_dict()
    initial = card["initial_weights"]
    assert initial["tfs"] == {"found": 2, "new": ["MAX"], "left_out": ["ATF1"]}
    assert (initial["kept"], initial["frozen"]) == (True, "trunk")
    assert set(card["calibration"]["priors"]) == {"ATF1", "CTCF", "EP300", "MAX"}
    again = shlex.split(card["reproduce"])
    assert {"--freeze-trunk", "--keep-vocabulary"} <= set(again)
    assert "--preset" not in again


def test_initial_weights_of_other_names_and_sites_are_warned_of(
    arguments, run, tmp_path
):
    sizes = GatedConfig(60, 8, 16, 20, 0, 2, 4)
    card = {"hold_out": {"scheme": "chromosomes", "test": ["chr1"], "valid": []}}
    path = write_model(
        tmp_path / "old.safetensors",
        config=sizes,
        vocabulary=Vocabulary(["ZNF1"], ["liver"]),
        card=card,
    )
    code, _, err = run(*arguments, "--init-from", path)
    assert code == 0, err
    said = " ".join(err.split())
    assert "old knows none of these names: every embedding starts from the mean" in said
    assert "test sites: metrics on them are optimistic" in said


@pytest.mark.parametrize("flag", ["--freeze-trunk", "--keep-vocabulary"])
def test_what_concerns_initial_weights_needs_some(arguments, run, tmp_path, flag):
    code, _, err = run(*arguments, flag)
    assert code == 2
    assert f"{flag} needs --init-from; use both, or neither" in err
    assert not (tmp_path / "run").exists()
