"""Labeled sites scored one by one, for evaluation, training and comparisons.

Sites lie on no common grid, so they share no work, and the network runs as it is
defined. The neighboring tiles of one site do share work: on a CPU they go through the
engine of separate segments. ``site_scorer.py`` adds evidence.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

import numba
import numpy as np
from numpy.typing import NDArray

from tfimpute_tracks.engines.ordered_map import ordered_map
from tfimpute_tracks.engines.segments import open_segment_engine
from tfimpute_tracks.engines.tile_grid import tile_grid
from tfimpute_tracks.models.model import Model
from tfimpute_tracks.vocabulary import Pair

if TYPE_CHECKING:
    # Loading data sets takes half a second, which a scan need not wait for.
    from tfimpute_tracks.dataset import Dataset
    from tfimpute_tracks.models.network import MotifNetwork

__all__ = ["ChromSites", "chrom_sites", "predict_sites", "site_logits"]

Floats = NDArray[np.float32]
Ints = NDArray[np.int64]

_BATCH = 1024  # tiles
_SITES = 64  # with context, in a batch


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


def site_logits(
    model: Model, pairs: list[Pair], codes: NDArray[np.uint8], device: str = "cpu"
) -> Floats:
    """Score sites by sequence alone, with their context where it is at hand.

    Parameters
    ----------
    model : Model
    pairs : list of Pair
    codes : uint8 array, shape (n_sites, length), values 0..4
        Of longer sequences than the network reads, the middle counts.
    device : str

    Returns
    -------
    float32 array, shape (n_sites, n_pairs)
        Log-odds, of the better strand.

    Raises
    ------
    UsageError
        The sequences are too short.
    """
    config = model.config
    has_context = config.context_tiles and codes.shape[1] >= config.receptive_field
    if has_context and device == "cpu" and not config.pass_per_cell:
        return _logits_with_context(model, pairs, codes)
    from tfimpute_tracks.engines.numba_backend import NUMBA

    network = model.network()
    if device == "cpu":
        network.backend = NUMBA
    else:
        network.to(device)
    indices = model.vocabulary.pair_indices(pairs)
    return predict_sites(network, codes, indices, device)


def _logits_with_context(
    model: Model, pairs: list[Pair], codes: NDArray[np.uint8]
) -> Floats:
    """Score batches of sites in threads."""
    config, weights = model.config, model.checkpoint.weights
    codes = codes[:, config.input_slice(codes.shape[1])]
    grid = tile_grid(config, config.stride)
    engine = open_segment_engine(model, pairs, grid.base)
    n_base = grid.n_base(1)

    def score(first: int) -> Floats:
        some = list(codes[first : first + _SITES])
        logits = engine.logits(some, [n_base] * len(some))
        parts = logits.reshape(len(some), n_base, -1)
        unknown = [grid.unknown(site, 1) for site in some]
        mixed = [grid.mix(*x, weights) for x in zip(parts, unknown, strict=True)]
        return np.concatenate(mixed)

    firsts = range(0, len(codes), _SITES)
    found = np.empty((len(codes), len(pairs)), dtype=np.float32)
    scored = ordered_map(score, firsts, numba.get_num_threads())
    for first, part in zip(firsts, scored, strict=True):
        found[first : first + len(part)] = part
    return found
