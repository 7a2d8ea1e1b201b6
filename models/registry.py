"""From sizes to the network that has them."""

from __future__ import annotations

from tfimpute_tracks.models.config import NetworkConfig
from tfimpute_tracks.models.network import TORCH, Backend, MotifNetwork, TFImpute
from tfimpute_tracks.models.recurrent import RecurrentTFImpute
from tfimpute_tracks.models.residual import ResidualTFImpute

__all__ = ["build_network"]


def build_network(
    config: NetworkConfig,
    n_tfs: int,
    n_cells: int,
    backend: Backend = TORCH,
) -> MotifNetwork:
    """Make a network, its weights not yet drawn.

    Parameters
    ----------
    config : NetworkConfig
    n_tfs, n_cells : int
        Size of the vocabulary.
    backend : Operations, default PLAIN

    Returns
    -------
    MotifNetwork
    """
    family: type[MotifNetwork] = TFImpute
    if config.recurrent_units:
        family = RecurrentTFImpute
    elif config.blocks:
        family = ResidualTFImpute
    return family(config, n_tfs, n_cells, backend)
