"""Scores of sites by a network as it is, batch by batch."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from tfimpute_tracks.models.network import MotifNetwork

__all__ = ["predict_sites"]

Floats = NDArray[np.float32]

_BATCH = 1024  # tiles


def predict_sites(
    network: MotifNetwork,
    codes: NDArray[np.uint8],
    pairs: list[tuple[int, int]],
    device: str = "cpu",
) -> Floats:
    """Run a network over sites.

    Parameters
    ----------
    network : MotifNetwork
        On `device`.
    codes : uint8 array, shape (n_sites, length)
        Sequences centered on the sites. The network takes the bases it reads: see
        :meth:`~tfimpute_tracks.models.config.NetworkConfig.bases_read`.
    pairs : list of (TF row, cell-line row)
    device : str

    Returns
    -------
    float32 array, shape (n_sites, n_pairs)
        Logits.

    Raises
    ------
    UsageError
        The sequences are too short.
    """
    import torch

    tf, cell = torch.tensor(pairs, device=device).reshape(-1, 2).unbind(1)
    config = network.config
    codes = codes[:, config.bases_read(codes.shape[1])]
    size = max(1, _BATCH // config.tiles_read(codes.shape[1]))
    scores = np.empty((len(codes), len(pairs)), dtype=np.float32)
    with torch.inference_mode():
        for first in range(0, len(codes), size):
            some = np.ascontiguousarray(codes[first : first + size])
            batch = torch.from_numpy(some).to(device)
            scores[first : first + size] = network(batch, tf, cell).cpu().numpy()
    return scores
