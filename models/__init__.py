"""What the network is: configuration, modules, checkpoint, model card, Model.

Start with `config`, then `network`, which is the definition. `registry` lists the families
of networks. `engines` run them fast, `training` fits them. `sequence_module` is the
network for gradients.
"""

from tfimpute_tracks.models.config import (
    GatedConfig,
    NetworkConfig,
    RecurrentConfig,
    ResidualConfig,
)
from tfimpute_tracks.models.loading import load_model
from tfimpute_tracks.models.model import Model
from tfimpute_tracks.models.pretrained import pretrained_models, weights_path
from tfimpute_tracks.models.registry import presets

__all__ = [
    "GatedConfig",
    "Model",
    "NetworkConfig",
    "RecurrentConfig",
    "ResidualConfig",
    "load_model",
    "presets",
    "pretrained_models",
    "weights_path",
]
