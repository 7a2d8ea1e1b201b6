"""A small training loop for published networks.

Adam over masked cross-entropy; a tenth of the sequences selects the best epoch. The seed
fixes everything random, and the caller's random state is restored.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

__all__ = [
    "FitRecipe",
    "fit_network",
    "masked_loss",
    "predict_network",
    "reverse_complement",
]

Floats = NDArray[np.float32]

_VALIDATION = 10  # one sequence of this many selects the epoch
_BATCH = 1024  # sequences scored together


@dataclass(frozen=True)
class FitRecipe:
    """How a network is fitted.

    Parameters
    ----------
    epochs : int
        Passes over the sequences at most.
    patience : int
        Training ends after this many passes without improvement.
    batch_size : int
    learning_rate : float
    weight_decay : float
    """

    epochs: int
    patience: int
    batch_size: int
    learning_rate: float
    weight_decay: float

    def to_dict(self) -> dict[str, Any]:
        """Convert to JSON values.

        Returns
        -------
        dict
        """
        return asdict(self)


def reverse_complement(codes: Tensor) -> Tensor:
    """Reverse-complement sequences.

    Parameters
    ----------
    codes : uint8 tensor, shape (n, L), values 0..4

    Returns
    -------
    uint8 tensor, shape (n, L)
    """
    reverse = codes.flip(1)
    return torch.where(reverse < 4, 3 - reverse, reverse)


def masked_loss(logits: Tensor, labels: Tensor) -> Tensor:
    """Average the cross-entropy over the labels that are known.

    Parameters
    ----------
    logits : float tensor, shape (n, n_outputs)
    labels : int8 tensor, shape (n, n_outputs)
        1 bound, 0 not, -1 ignored.

    Returns
    -------
    float tensor, scalar
        0 where nothing is known.
    """
    known = labels >= 0
    losses = functional.binary_cross_entropy_with_logits(
        logits, (labels == 1).to(logits.dtype), reduction="none"
    )
    total: Tensor = (losses * known).sum() / known.sum().clamp(min=1)
    return total


def fit_network(
    build: Callable[[], nn.Module],
    codes: NDArray[np.uint8],
    labels: NDArray[np.int8],
    recipe: FitRecipe,
    seed: int,
    device: str = "cpu",
) -> nn.Module:
    """Fit a network.

    Parameters
    ----------
    build : callable
        Makes the network, its weights drawn from torch's random generator.
    codes : uint8 array, shape (n, L), values 0..4
    labels : int8 array, shape (n, n_outputs)
        1 bound, 0 not, -1 ignored.
    recipe : FitRecipe
    seed : int
    device : str

    Returns
    -------
    Module
        In evaluation mode, on `device`.
    """
    devices = [device] if device.startswith("cuda") else []
    with torch.random.fork_rng(devices):
        torch.manual_seed(seed)
        return _fit(build().to(device), codes, labels, recipe, device)


def _fit(
    network: nn.Module,
    codes: NDArray[np.uint8],
    labels: NDArray[np.int8],
    recipe: FitRecipe,
    device: str,
) -> nn.Module:
    order = torch.randperm(len(codes))
    n_valid = max(len(codes) // _VALIDATION, 1)
    valid, train = order[:n_valid], order[n_valid:]
    x = torch.from_numpy(np.ascontiguousarray(codes)).to(device)
    y = torch.from_numpy(np.ascontiguousarray(labels)).to(device)
    optimizer = torch.optim.Adam(
        network.parameters(),
        lr=recipe.learning_rate,
        weight_decay=recipe.weight_decay,
    )
    best, best_state, n_worse = float("inf"), None, 0
    for _ in range(recipe.epochs):
        network.train()
        shuffled = train[torch.randperm(len(train))].to(device)
        for batch in shuffled.split(recipe.batch_size):
            optimizer.zero_grad()
            masked_loss(network(x[batch]), y[batch]).backward()
            optimizer.step()
        network.eval()
        with torch.inference_mode():
            parts = [
                float(masked_loss(network(x[i]), y[i])) * len(i)
                for i in valid.to(device).split(_BATCH)
            ]
        loss = sum(parts) / n_valid
        n_worse += 1
        if loss < best:
            state = network.state_dict()
            best_state = {name: value.clone() for name, value in state.items()}
            best, n_worse = loss, 0
        if n_worse >= recipe.patience:
            break
    if best_state is not None:
        network.load_state_dict(best_state)
    return network.eval()


def predict_network(
    network: nn.Module, codes: NDArray[np.uint8], device: str = "cpu"
) -> Floats:
    """Run a network over sequences.

    Parameters
    ----------
    network : Module
        On `device`, in evaluation mode.
    codes : uint8 array, shape (n, L), values 0..4
    device : str

    Returns
    -------
    float32 array, shape (n, n_outputs)
        Logits.
    """
    with torch.inference_mode():
        parts = [
            network(torch.from_numpy(codes[i : i + _BATCH]).to(device)).cpu().numpy()
            for i in range(0, len(codes), _BATCH)
        ]
    joined: Floats = np.concatenate(parts)
    return joined
