"""Labeled sites scored one by one, for evaluation, training and comparisons.

Sites lie on no common grid, so they share no work, and the network runs as it is
defined. ``site_scorer.py`` adds evidence.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    # Loading data sets takes half a second, which a scan need not wait for.
    from tfimpute_tracks.dataset import Dataset
    from tfimpute_tracks.models.network import MotifNetwork

__all__ = ["ChromSites", "chrom_sites", "predict_sites"]

Floats = NDArray[np.float32]
Ints = NDArray[np.int64]

_BATCH = 1024  # tiles


class ChromSites(NamedTuple):
    """Sites of one chromosome.

    Attributes
    ----------
    chrom : str
    rows : int64 array, shape (n,)
        Their indices among the sites asked for.
    centers : int64 array, shape (n,), ascending
        0-based, in bp.
    """

    chrom: str
    rows: Ints
    centers: Ints


def chrom_sites(dataset: Dataset, rows: Ints) -> Iterator[ChromSites]:
    """Group sites by chromosome, and sort them by position.

    Parameters
    ----------
    dataset : Dataset
    rows : int64 array
        Sites, in any order.

    Yields
    ------
    ChromSites
        Chromosome by chromosome.
    """
    chrom_id = dataset.chrom_id[rows]
    centers = dataset.start[rows] + dataset.seq_len // 2
    for number in np.unique(chrom_id):
        index = np.flatnonzero(chrom_id == number)
        index = index[np.argsort(centers[index], kind="stable")]
        yield ChromSites(dataset.chroms[number], index, centers[index])


def predict_sites(
    network: MotifNetwork,
    codes: NDArray[np.uint8],
    pairs: list[tuple[int, int]],
    device: str = "cpu",
) -> Floats:
    """Run a network over sites; on a CPU its heavy steps run in numba kernels.

    Parameters
    ----------
    network : MotifNetwork
        On `device`.
    codes : uint8 array, shape (n_sites, length)
        Of which the network takes what it reads: see
        :meth:`~tfimpute_tracks.models.config.NetworkConfig.input_slice`.
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
    codes = codes[:, config.input_slice(codes.shape[1])]
    size = max(1, _BATCH // config.n_tiles(codes.shape[1]))
    scores = np.empty((len(codes), len(pairs)), dtype=np.float32)
    with torch.inference_mode():
        for first in range(0, len(codes), size):
            some = np.ascontiguousarray(codes[first : first + size])
            batch = torch.from_numpy(some).to(device)
            scores[first : first + size] = network(batch, tf, cell).cpu().numpy()
    return scores
