"""The random numbers that a network begins with, whatever its family."""

from __future__ import annotations

import math

import torch
from torch import nn

from tfimpute_tracks.models.network import MotifNetwork

__all__ = ["init_weights"]


def init_weights(
    network: MotifNetwork, seed: int, filter_std: float, bias: float
) -> None:
    """Draw the first weights of a network.

    Parameters
    ----------
    network : MotifNetwork
        Its weights are overwritten.
    seed : int
    filter_std, bias : float
        Filters are drawn from N(0, filter_std), and all their biases begin with `bias`.
    """
    generator = torch.Generator().manual_seed(seed)
    for name, parameter in network.named_parameters():
        if name.startswith("surroundings."):
            continue  # nothing of them is random
        if name == "filters":
            center, std = 0.0, filter_std
        elif name == "bias":
            center, std = bias, 0.0
        else:
            center, std = _center_and_spread(name, parameter)
        parameter.data.fill_(center)
        if std:
            draw = torch.randn(parameter.shape, generator=generator)
            parameter.data.add_(draw * std)
    if network.surroundings is not None:
        network.surroundings.leave_out()


def _center_and_spread(name: str, parameter: nn.Parameter) -> tuple[float, float]:
    if name in {"tf_embedding", "cell_embedding", "gate_weight"}:
        return 0.0, 0.1
    if "norm" in name and name.endswith("weight"):
        return 1.0, 0.0
    if parameter.dim() < 2:
        return 0.0, 0.0
    # What a number of the next layer is summed from: windows and features of the
    # units, the last axis of everything else.
    fan_in = parameter.shape[-1]
    if name == "unit_weight":
        fan_in *= parameter.shape[0]
    return 0.0, 1 / math.sqrt(fan_in)
