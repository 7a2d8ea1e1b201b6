"""Families of networks: by name, from other packages, and how they are refused."""

import importlib
import sys

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

# A family as a user writes it: one module, and an entry point that refers to it.
MODULE = '''
"""A network without gates: a linear layer over the best match of each filter."""

from dataclasses import dataclass

import torch
from torch import nn

from tfimpute_tracks.models.config import NetworkConfig
from tfimpute_tracks.models.network import MotifNetwork
from tfimpute_tracks.models.registry import Family, Preset


@dataclass(frozen=True)
class LinearConfig(NetworkConfig):
    family = "linear"
    multiples_of_8 = ()

    n_hidden: int = 6


class LinearNetwork(MotifNetwork):
    dense_layers = ("hidden",)

    def __init__(self, config, n_tfs, n_cells):
        super().__init__(config, n_tfs, n_cells)
        self.hidden = nn.Linear(config.n_filters, config.n_hidden)
        self.pair_weight = nn.Parameter(torch.empty(n_tfs, n_cells, config.n_hidden))

    def head(self, features, tf, cell):
        best = features.amax(dim=1)  # (2 n, K)
        h = torch.relu(self.hidden(best))  # (2 n, n_hidden)
        logits = h @ self.pair_weight[tf, cell].t()  # (2 n, n_pairs)
        return logits.unflatten(0, (2, -1)).amax(dim=0)


FAMILY = Family(
    LinearConfig,
    "linear_family:LinearNetwork",
    {"linear": Preset(LinearConfig(seq_len=60), {"epochs": 3, "batch_size": 64})},
)
'''


@pytest.fixture
def install(tmp_path, monkeypatch):
    """Install a package of one module, with entry points, as `pip` lays it out."""
    folder = tmp_path / "site"

    def put(points, module="linear_family", text=MODULE, package="linear-family"):
        info = folder / f"{package.replace('-', '_')}-1.0.dist-info"
        info.mkdir(parents=True)
        (info / "METADATA").write_text(
            f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0\n"
        )
        lines = [f"{name} = {value}" for name, value in points.items()]
        (info / "entry_points.txt").write_text(
            "\n".join([f"[{ENTRY_POINTS}]", *lines, ""])
        )
        (folder / f"{module}.py").write_text(text)
        importlib.invalidate_caches()

    monkeypatch.syspath_prepend(folder)
    yield put
    for name in ("linear_family", "other_family"):
        sys.modules.pop(name, None)


def test_the_built_in_families_have_presets():
    assert set(presets()) == {"default", "deep", "gru", "paper", "paper-random"}
    for name, preset in presets().items():
        assert find_preset(name) == preset
        assert config_from_dict(preset.config.to_dict()) == preset.config
        Recipe(**preset.recipe)


def test_what_is_unknown_is_named():
    with pytest.raises(UsageError, match="preset 'deeep'; use default, paper"):
        find_preset("deeep")
    with pytest.raises(UsageError, match="family 'linear'; built in are gated, resid"):
        config_from_dict({"family": "linear", "seq_len": 60})


def test_an_installed_package_adds_a_family(tmp_path, install, rng):
    install({"linear": "linear_family:FAMILY"})
    assert set(presets()) > {"default", "linear"}
    preset = find_preset("linear")
    dataset = make_dataset()
    job, path = TrainingJob(tmp_path), tmp_path / "model.safetensors"
    run = train_model(
        dataset,
        preset.config,
        Recipe(**preset.recipe),
        job,
        lambda _: None,
        lambda _: None,
    )
    export_run(path, run, dataset, {"name": "x", "build": "toy1"}, lambda _: None)
    model = load_model(path)
    assert model.config == preset.config
    assert model.card["network"]["family"] == "linear"
    codes = rng.integers(0, 5, (160, 60)).astype(np.uint8)
    grid = tile_grid(model.config, 60)
    pairs = VOCABULARY.all_pairs()
    engine = open_engine(model, pairs, grid.base, "cpu")
    scores = 1 / (1 + np.exp(-engine.logits(codes.ravel(), 160)))
    known = (codes == 4).sum(axis=1) * 2 <= 60
    expected = model.predict(codes, pairs, calibrated=False)
    np.testing.assert_allclose(scores[known], expected[known], atol=2e-5)
    with pytest.raises(UsageError, match="a linear network has no tf_embedding"):
        model.checkpoint.embedding("tf")


def test_weights_of_a_family_that_is_not_installed_are_refused(tmp_path, install):
    install({"linear": "linear_family:FAMILY"})
    config = find_preset("linear").config
    path = write_model(tmp_path / "toy.safetensors", config=config)
    load_model(path)
    (tmp_path / "site" / "linear_family-1.0.dist-info" / "entry_points.txt").unlink()
    importlib.invalidate_caches()
    with pytest.raises(
        Exception, match=r"damaged header .*unknown network family 'lin"
    ):
        load_model(path)


@pytest.mark.parametrize(
    ("points", "message"),
    [
        ({"other": "linear_family:FAMILY"}, "not a Family named 'other'"),
        ({"linear": "linear_family:LinearConfig"}, "which is not a Family named"),
    ],
)
def test_an_entry_point_to_something_else_is_refused(install, points, message):
    install(points)
    with pytest.raises(UsageError, match=message):
        find_family(next(iter(points)))


def test_two_packages_with_one_family_are_refused(install):
    install({"linear": "linear_family:FAMILY"})
    install({"linear": "linear_family:FAMILY"}, package="other-family")
    with pytest.raises(UsageError, match="declared by several installed packages"):
        presets()


def test_a_preset_that_another_family_has_is_refused(install):
    text = MODULE.replace('{"linear": Preset', '{"deep": Preset')
    install({"linear": "linear_family:FAMILY"}, text=text)
    with pytest.raises(UsageError, match="has a preset 'deep', which another"):
        presets()


def test_a_built_in_family_is_not_replaced(install):
    install({"gated": "linear_family:FAMILY"})
    config = find_preset("default").config
    assert type(build_network(config, 3, 4)).__name__ == "TFImpute"
