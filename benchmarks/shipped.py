"""What the scripts beside this one need to know of the models that ship."""

from __future__ import annotations

import numpy as np

from tfimpute_tracks.dataset import Dataset, split_by_chromosome
from tfimpute_tracks.engines.numba_backend import NUMBA
from tfimpute_tracks.models import Model, load_model, pretrained_models
from tfimpute_tracks.models.network import MotifNetwork
from tfimpute_tracks.training.context_fit import calibration_sites

JUDGES = {"default": "held-out", "deep": "deep-held-out"}
"""Of the same network and recipe, from which some pairs were kept: what is said of
pairs without data was found with these."""


def judge_of(name: str) -> str:
    """Give the name of the model that a shipped one is judged by, maybe itself."""
    return JUDGES.get(name, name)


def chosen_models(names: str | None) -> dict[str, Model]:
    """Load models, by default all that ship, in an order in which judges come first."""
    every = [n for n in pretrained_models() if n not in JUDGES] + list(JUDGES)
    chosen = names.split(",") if names else every
    if not set(chosen) <= set(every):
        raise SystemExit(f"--models {names!r}; give some of {','.join(every)}")
    return {name: load_model(name) for name in every if name in chosen}


def judges_of(models: dict[str, Model]) -> dict[str, Model]:
    """Load the models that some are judged by."""
    names = {judge_of(name) for name in models}
    return {name: models.get(name) or load_model(name) for name in sorted(names)}


def network_of(model: Model) -> MotifNetwork:
    """Build a model's network, as fast as it is on a CPU."""
    network = model.network()
    network.backend = NUMBA
    return network


def valid_sites(model: Model, dataset: Dataset) -> np.ndarray:
    """Give the sites that validated a model, with their surroundings where it looks."""
    kept = model.card["hold_out"]
    rows = split_by_chromosome(dataset, tuple(kept["test"]), tuple(kept["valid"])).valid
    return calibration_sites(dataset, rows, model.network())
