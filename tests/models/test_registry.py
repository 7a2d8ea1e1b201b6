"""Families of networks: by name, from other packages, and how they are refused."""

import importlib
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tfimpute_tracks.engines.engine import open_engine
from tfimpute_tracks.engines.tile_grid import tile_grid
from tfimpute_tracks.errors import UsageError
from tfimpute_tracks.models import load_model
from tfimpute_tracks.models.registry import (
    ENTRY_POINTS,
    build_network,
    config_from_dict,
    find_family,
    find_preset,
    presets,
)
from tfimpute_tracks.training import Recipe, TrainingJob, export_run, train_model
from toys import VOCABULARY, make_dataset, write_model

MODULE = (Path(__file__).parents[1] / "plugin" / "tfimpute_example.py").read_text()
SIZES = {"seq_len": 60, "filter_length": 8, "n_filters": 16, "pool": 20}


@pytest.fixture
def install(tmp_path, monkeypatch):
    """Install a package of one module, with entry points, as `pip` lays it out."""
    folder = tmp_path / "site"

    def put(points, text=MODULE, package="tfimpute-example"):
        info = folder / f"{package.replace('-', '_')}-1.0.dist-info"
        info.mkdir(parents=True)
        (info / "METADATA").write_text(
            f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0\n"
        )
        lines = [f"{name} = {value}" for name, value in points.items()]
        (info / "entry_points.txt").write_text(
            "\n".join([f"[{ENTRY_POINTS}]", *lines, ""])
        )
        (folder / "tfimpute_example.py").write_text(text)
        importlib.invalidate_caches()

    monkeypatch.syspath_prepend(folder)
    yield put
    sys.modules.pop("tfimpute_example", None)


def test_the_built_in_families_have_presets():
    assert set(presets()) == {"default", "deep", "gru", "paper", "paper-random"}
    for name, preset in presets().items():
        assert find_preset(name) == preset
        assert config_from_dict(preset.config.to_dict()) == preset.config
        Recipe(**preset.recipe)


def test_what_is_unknown_is_named():
    with pytest.raises(UsageError, match="preset 'deeep'; use default, paper"):
        find_preset("deeep")
    with pytest.raises(
        UsageError, match="family 'additive'; built in are gated, resid"
    ):
        config_from_dict({"family": "additive", "seq_len": 60})


def test_an_installed_package_adds_a_family(tmp_path, install, rng):
    install({"additive": "tfimpute_example:FAMILY"})
    assert set(presets()) > {"default", "additive"}
    config = replace(find_preset("additive").config, **SIZES)
    dataset = make_dataset()
    job, path = TrainingJob(tmp_path), tmp_path / "model.safetensors"
    run = train_model(
        dataset,
        config,
        Recipe(epochs=3, batch_size=64),
        job,
        lambda _: None,
        lambda _: None,
    )
    export_run(path, run, dataset, {"name": "x", "build": "toy1"}, lambda _: None)
    model = load_model(path)
    assert model.config == config
    assert model.card["network"]["family"] == "additive"
    codes = rng.integers(0, 5, (160, 60)).astype(np.uint8)
    grid = tile_grid(model.config, 60)
    pairs = VOCABULARY.all_pairs()
    engine = open_engine(model, pairs, grid.base, "cpu")
    scores = 1 / (1 + np.exp(-engine.logits(codes.ravel(), 160)))
    known = (codes == 4).sum(axis=1) * 2 <= 60
    expected = model.predict(codes, pairs, calibrated=False)
    np.testing.assert_allclose(scores[known], expected[known], atol=2e-5)
    with pytest.raises(UsageError, match="additive network has no tf_embedding"):
        model.checkpoint.embedding("tf")


def test_weights_of_a_family_that_is_not_installed_are_refused(tmp_path, install):
    install({"additive": "tfimpute_example:FAMILY"})
    config = replace(find_preset("additive").config, **SIZES)
    path = write_model(tmp_path / "toy.safetensors", config=config)
    load_model(path)
    (tmp_path / "site" / "tfimpute_example-1.0.dist-info" / "entry_points.txt").unlink()
    importlib.invalidate_caches()
    with pytest.raises(
        Exception, match=r"damaged header .*unknown network family 'add"
    ):
        load_model(path)


@pytest.mark.parametrize(
    ("points", "message"),
    [
        ({"other": "tfimpute_example:FAMILY"}, "not a Family named 'other'"),
        (
            {"additive": "tfimpute_example:AdditiveConfig"},
            "which is not a Family named",
        ),
    ],
)
def test_an_entry_point_to_something_else_is_refused(install, points, message):
    install(points)
    with pytest.raises(UsageError, match=message):
        find_family(next(iter(points)))


def test_two_packages_with_one_family_are_refused(install):
    install({"additive": "tfimpute_example:FAMILY"})
    install({"additive": "tfimpute_example:FAMILY"}, package="other-family")
    with pytest.raises(UsageError, match="declared by several installed packages"):
        presets()


def test_a_preset_that_another_family_has_is_refused(install):
    text = MODULE.replace('{"additive": Preset', '{"deep": Preset')
    install({"additive": "tfimpute_example:FAMILY"}, text=text)
    with pytest.raises(UsageError, match="has a preset 'deep', which another"):
        presets()


def test_a_built_in_family_is_not_replaced(install):
    install({"gated": "tfimpute_example:FAMILY"})
    config = find_preset("default").config
    assert type(build_network(config, 3, 4)).__name__ == "TFImpute"
