"""The network, its weights on disk, and the engines that run it fast.

Read `config`, then `network`, which is the definition. `backend` trains it on a CPU,
and `engine` says what scans with it: `cpu_engine` with `head`, and `gpu_engine`. All of
them must agree with it. How weights come about is the business of `training`, what
becomes of scores that of `tracks`.
"""

from tfimpute_tracks.models.config import NETWORKS, NetworkConfig
from tfimpute_tracks.models.loading import load_model
from tfimpute_tracks.models.model import Model
from tfimpute_tracks.models.pretrained import shipped_models, weights_path

__all__ = [
    "NETWORKS",
    "Model",
    "NetworkConfig",
    "load_model",
    "shipped_models",
    "weights_path",
]
