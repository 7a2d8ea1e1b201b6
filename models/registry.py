"""The families of networks, by name: configuration, network class and presets.

A built-in family is an entry of the table below. An installed package adds one through
an entry point of the group `tfimpute_tracks.families`: its name is that of the family, and
it refers to a :class:`Family`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from importlib import import_module
from importlib.metadata import entry_points
from typing import TYPE_CHECKING, Any

from tfimpute_tracks.errors import UsageError
from tfimpute_tracks.models.config import (
    GatedConfig,
    NetworkConfig,
    RecurrentConfig,
    ResidualConfig,
)

if TYPE_CHECKING:
    from tfimpute_tracks.models.network import MotifNetwork

__all__ = [
    "ENTRY_POINTS",
    "Family",
    "Preset",
    "build_network",
    "config_from_dict",
    "find_family",
    "find_preset",
    "presets",
]

ENTRY_POINTS = "tfimpute_tracks.families"
"""Group of the entry points through which packages add families."""


@dataclass(frozen=True)
class Preset:
    """Sizes and training settings under one name.

    Parameters
    ----------
    config : NetworkConfig
    recipe : mapping
        Where training differs from the default
        :class:`~tfimpute_tracks.training.Recipe`.
    """

    config: NetworkConfig
    recipe: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Family:
    """A family of networks.

    Parameters
    ----------
    config : type of NetworkConfig
        Its `family` is the family's name.
    network : str
        The network class as "module:Class", a
        :class:`~tfimpute_tracks.models.network.MotifNetwork`; imported when a network
        is built.
    presets : mapping of name to Preset
    """

    config: type[NetworkConfig]
    network: str
    presets: Mapping[str, Preset] = field(default_factory=dict)

    def network_class(self) -> type[MotifNetwork]:
        """Import the network class.

        Returns
        -------
        type of MotifNetwork
        """
        module, _, name = self.network.partition(":")
        found: type[MotifNetwork] = getattr(import_module(module), name)
        return found


# Methods of the paper.
_PAPER = {
    "optimizer": "adadelta",
    "learning_rate": 1.0,
    "filter_learning_rate": 1.0,
    "schedule": "step",
    "decay": 0.03,
    "decay_every": 50_000,
    "epochs": 10,
    "batch_size": 32,
    "balance_classes": False,
    "weight_decay": 0.0,
    "ema_decay": 0.0,
    "filter_std": 0.01,
    "bias_init": -4.0,
}
_DEEP = {
    "learning_rate": 1e-2,
    "filter_learning_rate": 1e-2,
    "dense_learning_rate": 3e-3,
    "batch_size": 256,
    "dropout": 0.25,
    "masked_bases": 20,
}
_GRU = {
    "learning_rate": 5e-3,
    "filter_learning_rate": 1e-2,
    "dense_learning_rate": 1e-3,
    "schedule": "step",
    "decay": 0.01,
    "decay_every": 200_000,
    "epochs": 5,
    "batch_size": 256,
    "cells_per_step": 4,
}

_BUILT_IN = (
    Family(
        GatedConfig,
        "tfimpute_tracks.models.network:TFImpute",
        {
            "default": Preset(GatedConfig(context_tiles=4)),
            "paper": Preset(
                GatedConfig(seq_len=300, n_filters=2000, n_units=1000), _PAPER
            ),
            "paper-random": Preset(GatedConfig(seq_len=100, n_filters=600), _PAPER),
        },
    ),
    Family(
        ResidualConfig,
        "tfimpute_tracks.models.residual:ResidualTFImpute",
        {"deep": Preset(ResidualConfig(), _DEEP)},
    ),
    Family(
        RecurrentConfig,
        "tfimpute_tracks.models.recurrent:RecurrentTFImpute",
        {"gru": Preset(RecurrentConfig(), _GRU)},
    ),
)


def find_family(name: str) -> Family:
    """Find a family by name.

    Parameters
    ----------
    name : str

    Returns
    -------
    Family

    Raises
    ------
    UsageError
        No built-in family and no installed package has it, or several packages do.
    """
    for family in _BUILT_IN:
        if family.config.family == name:
            return family
    found = [point for point in entry_points(group=ENTRY_POINTS) if point.name == name]
    if len(found) == 1:
        family = found[0].load()
        if isinstance(family, Family) and family.config.family == name:
            return family
        raise UsageError(
            f"entry point {name!r} of {ENTRY_POINTS} refers to {found[0].value}, which is "
            f"not a Family named {name!r}; correct the package that declares it"
        )
    if found:
        values = ", ".join(point.value for point in found)
        raise UsageError(
            f"network family {name!r} is declared by several installed packages "
            f"({values}); uninstall all but one"
        )
    known = ", ".join(f.config.family for f in _BUILT_IN)
    raise UsageError(
        f"unknown network family {name!r}; built in are {known}: install the package "
        "that provides it"
    )


def presets() -> dict[str, Preset]:
    """Return the presets of all families, the built-in ones first.

    Returns
    -------
    dict of name to Preset

    Raises
    ------
    UsageError
        As for :func:`find_family`; or two families have a preset of the same name.
    """
    names = [family.config.family for family in _BUILT_IN]
    names += sorted({p.name for p in entry_points(group=ENTRY_POINTS)} - set(names))
    found: dict[str, Preset] = {}
    for name in names:
        own = find_family(name).presets
        if twice := sorted(own.keys() & found.keys()):
            raise UsageError(
                f"network family {name!r} has a preset {twice[0]!r}, which another "
                "family has as well; rename it in the package that declares it"
            )
        found |= own
    return found


def find_preset(name: str) -> Preset:
    """Find a preset by name.

    Parameters
    ----------
    name : str

    Returns
    -------
    Preset

    Raises
    ------
    UsageError
        It is unknown, or as for :func:`presets`.
    """
    found = presets()
    if name not in found:
        raise UsageError(f"unknown preset {name!r}; use {', '.join(found)}")
    return found[name]


def config_from_dict(sizes: Mapping[str, Any]) -> NetworkConfig:
    """Rebuild a configuration from :meth:`NetworkConfig.to_dict`'s result.

    Parameters
    ----------
    sizes : mapping

    Returns
    -------
    NetworkConfig

    Raises
    ------
    UsageError
        The family is unknown, a size is missing or unknown, or out of range.
    """
    own = dict(sizes)
    config = find_family(own.pop("family", "")).config
    names = {f.name for f in fields(config)}
    if odd := sorted(names ^ own.keys()):
        raise UsageError(
            f"network size {odd[0]} is missing or unknown; a {config.family} network has "
            f"{', '.join(sorted(names))}"
        )
    return config(**own)


def build_network(config: NetworkConfig, n_tfs: int, n_cells: int) -> MotifNetwork:
    """Build a network whose weights are not yet set.

    Parameters
    ----------
    config : NetworkConfig
    n_tfs, n_cells : int
        Size of the vocabulary.

    Returns
    -------
    MotifNetwork
    """
    return find_family(config.family).network_class()(config, n_tfs, n_cells)
