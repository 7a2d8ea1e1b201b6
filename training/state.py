"""The state of a training run at one step, in memory and on disk.

With the file, a resumed run gives the same weights as one that was never interrupted.
It contains the weights, their running mean, the optimizer's state, the best weights so
far and the history, and the settings that a resumed run must share (network, recipe,
data). It is safetensors with JSON in its header; there is no pickle.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from tfimpute_tracks.errors import InputFileError, UsageError
from tfimpute_tracks.models.network import MotifNetwork
from tfimpute_tracks.storage.atomic import atomic_file
from tfimpute_tracks.training.recipe import Recipe

__all__ = [
    "TrainingState",
    "initialize",
    "learning_rate_factor",
    "load_state",
    "read_history",
    "save_state",
    "take_step",
]

FORMAT = "tfimpute-training-state"
FORMAT_VERSION = "2"

_WARM_UP = 200  # steps at most; before, Adam's second moments are unreliable


@dataclass
class TrainingState:
    """A run at one step.

    Attributes
    ----------
    network : MotifNetwork
    optimizer : torch optimizer
    average : dict of name to tensor
        Running mean of the weights; equal to the weights where the recipe has no
        averaging.
    best : dict of name to tensor
        The averaged weights of the best epoch so far.
    step : int
        Batches done.
    epoch_loss : float
        Sum of the losses of the current epoch's batches.
    history : list of dict
        Metrics of every finished epoch.
    """

    network: MotifNetwork
    optimizer: torch.optim.Optimizer
    average: dict[str, Tensor]
    best: dict[str, Tensor] = field(default_factory=dict)
    step: int = 0
    epoch_loss: float = 0.0
    history: list[dict[str, Any]] = field(default_factory=list)

    def update_average(self, decay: float) -> None:
        """Move the running mean towards the weights.

        Parameters
        ----------
        decay : float
            Of the mean, per step; smaller in the first steps, so that the initial
            weights have little effect.
        """
        decay = min(decay, (1 + self.step) / (10 + self.step)) if decay else 0.0
        with torch.no_grad():
            for name, parameter in self.network.named_parameters():
                self.average[name].lerp_(parameter, 1 - decay)


def initialize(network: MotifNetwork, recipe: Recipe, device: str) -> TrainingState:
    """Draw the initial weights and create the optimizer.

    Parameters
    ----------
    network : MotifNetwork
        Its weights are overwritten.
    recipe : Recipe
    device : str

    Returns
    -------
    TrainingState
    """
    network.init_weights(recipe.seed, recipe.filter_std, recipe.bias_init)
    network.to(device)
    return TrainingState(
        network,
        _optimizer(network, recipe),
        {name: p.detach().clone() for name, p in network.named_parameters()},
    )


def take_step(state: TrainingState, loss: Tensor, recipe: Recipe, n_steps: int) -> None:
    """Do one optimizer step and update the running mean of the weights.

    Parameters
    ----------
    state : TrainingState
    loss : float32 tensor, scalar
        Of the state's network.
    recipe : Recipe
    n_steps : int
        In the whole run.
    """
    factor = learning_rate_factor(recipe, state.step, n_steps)
    for group in state.optimizer.param_groups:
        group["lr"] = group["peak_lr"] * factor
    state.optimizer.zero_grad()
    loss.backward()
    state.optimizer.step()
    state.step += 1
    state.update_average(recipe.ema_decay)


def _optimizer(network: MotifNetwork, recipe: Recipe) -> torch.optim.Optimizer:
    rates = {
        "filters": recipe.filter_learning_rate,
        "other": recipe.learning_rate,
        "dense": recipe.dense_learning_rate,
    }
    groups: list[dict[str, Any]] = [
        {
            "params": [p for p in parameters if p.requires_grad],
            "lr": rates[name],
            "weight_decay": recipe.weight_decay / (10 if name == "filters" else 1),
        }
        for name, parameters in network.parameter_groups().items()
        if any(p.requires_grad for p in parameters)
    ]
    for group in groups:
        group["peak_lr"] = group["lr"]
    if recipe.optimizer == "adadelta":
        return torch.optim.Adadelta(groups, rho=0.95, eps=1e-6)
    return torch.optim.AdamW(groups, betas=(0.9, 0.99))


def learning_rate_factor(recipe: Recipe, step: int, n_steps: int) -> float:
    """Compute the learning rate at a step, as a fraction of the peak learning rate.

    Parameters
    ----------
    recipe : Recipe
    step, n_steps : int
        Batches done, and batches in the whole run.

    Returns
    -------
    float
    """
    if recipe.schedule == "step":
        instances = step * recipe.batch_size * max(1, recipe.cells_per_step)
        return float((1 - recipe.decay) ** (instances // recipe.decay_every))
    cosine = 0.5 * (1 + math.cos(math.pi * step / n_steps))
    warm_up = min(_WARM_UP, n_steps // 10 + 1)
    return min(1.0, (step + 1) / warm_up) * (0.01 + 0.99 * cosine)


def save_state(path: Path, state: TrainingState, identity: dict[str, Any]) -> None:
    """Write the state atomically.

    Parameters
    ----------
    path : Path
    state : TrainingState
    identity : dict
        Settings that a resumed run must share; JSON values.

    Raises
    ------
    OutputError, WriteError
        The path cannot be written to, or the disk is full.
    """
    from safetensors.torch import save_file

    tensors: dict[str, Tensor] = {
        f"network.{n}": p for n, p in state.network.named_parameters()
    }
    tensors |= {f"average.{n}": t for n, t in state.average.items()}
    tensors |= {f"best.{n}": t for n, t in state.best.items()}
    for index, memory in state.optimizer.state_dict()["state"].items():
        tensors |= {
            f"optimizer.{index}.{name}": torch.as_tensor(value)
            for name, value in memory.items()
        }
    header = {
        "format": FORMAT,
        "format-version": FORMAT_VERSION,
        "identity": json.dumps(identity, sort_keys=True),
        "step": str(state.step),
        "epoch_loss": repr(state.epoch_loss),
        "history": json.dumps(state.history),
    }
    with atomic_file(path) as temporary:
        save_file(
            {n: t.detach().cpu().contiguous() for n, t in tensors.items()},
            temporary,
            metadata=header,
        )


def load_state(path: Path, state: TrainingState, identity: dict[str, Any]) -> None:
    """Read the state of an interrupted run.

    Parameters
    ----------
    path : Path
    state : TrainingState
        From :func:`initialize`; overwritten.
    identity : dict
        As for :func:`save_state`.

    Raises
    ------
    InputFileError
        The file is damaged or is not a training state.
    UsageError
        It belongs to a run with another network, recipe or data.
    """
    header, tensors = _read(path, identity)
    state.step = int(header["step"])
    state.epoch_loss = float(header["epoch_loss"])
    state.history = json.loads(header["history"])
    with torch.no_grad():
        for name, parameter in state.network.named_parameters():
            parameter.copy_(tensors[f"network.{name}"])
            state.average[name].copy_(tensors[f"average.{name}"])
    device = state.network.filters.device
    state.best = {
        name.removeprefix("best."): tensor.to(device)
        for name, tensor in tensors.items()
        if name.startswith("best.")
    }
    memory: dict[int, dict[str, Tensor]] = {}
    for name, tensor in tensors.items():
        if name.startswith("optimizer."):
            _, index, key = name.split(".")
            memory.setdefault(int(index), {})[key] = tensor
    groups = state.optimizer.state_dict()["param_groups"]
    state.optimizer.load_state_dict({"state": memory, "param_groups": groups})


def read_history(path: Path, identity: dict[str, Any]) -> list[dict[str, Any]]:
    """Read the metrics of the epochs that an interrupted run has finished.

    Parameters
    ----------
    path : Path
    identity : dict
        As for :func:`save_state`.

    Returns
    -------
    list of dict

    Raises
    ------
    InputFileError, UsageError
        As :func:`load_state`.
    """
    header, _ = _read(path, identity)
    history: list[dict[str, Any]] = json.loads(header["history"])
    return history


def _read(
    path: Path, identity: dict[str, Any]
) -> tuple[dict[str, str], dict[str, Tensor]]:
    """Read the header and the tensors of a state, and check whose it is."""
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="pt") as file:
            header = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (OSError, SafetensorError) as error:
        raise InputFileError(
            f"training state {path} cannot be read ({error}); "
            "remove it and train without --resume"
        ) from error
    if header.get("format") != FORMAT or header["format-version"] != FORMAT_VERSION:
        raise InputFileError(
            f"{path} is not a training state of this version; "
            "remove it and train without --resume"
        )
    _check_identity(path, json.loads(header["identity"]), identity)
    return header, tensors


def _check_identity(path: Path, found: dict[str, Any], ours: dict[str, Any]) -> None:
    # JSON turns tuples into lists, so both are compared as JSON.
    ours = json.loads(json.dumps(ours))
    odd = sorted(key for key in ours | found if ours.get(key) != found.get(key))
    if odd:
        key = odd[0]
        raise UsageError(
            f"training state {path} belongs to another run: {key} was "
            f"{found.get(key)!r} and is {ours.get(key)!r} now; use the same options, "
            "or train without --resume into another folder"
        )
