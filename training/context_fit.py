"""Weights of a tile's neighbors, fitted after the network is trained.

A few weights, shared by all pairs (``models/context.py``), found by logistic regression
on sites with known sequence around them. Validation sites are preferred: on training
sites the tile itself would look more predictive than it is.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

from tfimpute_tracks.dataset import Dataset, Split
from tfimpute_tracks.engines.numba_backend import NUMBA
from tfimpute_tracks.engines.sites import predict_sites
from tfimpute_tracks.evaluation import pair_aurocs
from tfimpute_tracks.kernels.encode import missing_tiles
from tfimpute_tracks.models.network import MotifNetwork
from tfimpute_tracks.training.loss import instance_weights

__all__ = [
    "MIN_SITES",
    "ContextFit",
    "calibration_sites",
    "fit_context",
    "sites_with_context",
]

MIN_SITES = 1000
"""With fewer sites of known context, nothing is fitted or calibrated on them."""

_MAX_SITES = 40_000  # so that their logits fit into memory
_MAX_PAIRS = 100  # spread evenly over the trained ones
_MIN_POSITIVE = 5  # of each of them
_MAX_ITERATIONS = 1000

Ints = NDArray[np.int64]


@dataclass(frozen=True)
class ContextFit:
    """A fit of the context weights.

    Attributes
    ----------
    part : {"valid", "train"}
        The part of the split that the sites are from.
    n_sites, n_pairs : int
    auroc_single_tile, auroc : float
        Mean over those pairs at those sites, without and with neighboring tiles.
    """

    part: str
    n_sites: int
    n_pairs: int
    auroc_single_tile: float
    auroc: float


def sites_with_context(dataset: Dataset, rows: Ints, network: MotifNetwork) -> Ints:
    """Choose the sites whose neighboring tiles all have known sequence.

    Parameters
    ----------
    dataset : Dataset
    rows : int64 array
        Sites.
    network : MotifNetwork

    Returns
    -------
    int64 array
        Some of `rows`, in their order; all of them where the network reads single
        tiles.
    """
    config = network.config
    bases = config.input_slice(dataset.seq_len)
    if bases.stop - bases.start < config.receptive_field:
        return rows[:0]
    if not config.context_tiles:
        return rows
    sizes = config.stride, config.seq_len, config.n_tiles(config.receptive_field)
    known = [not missing_tiles(dataset.codes[row, bases], *sizes).any() for row in rows]
    chosen: Ints = rows[np.array(known, dtype=bool)]
    return chosen


def calibration_sites(dataset: Dataset, rows: Ints, network: MotifNetwork) -> Ints:
    """Choose the sites that thresholds and calibration are computed on.

    Parameters
    ----------
    dataset : Dataset
    rows : int64 array
        Validation sites.
    network : MotifNetwork

    Returns
    -------
    int64 array
        Those with known context, as in a scan; all, where too few have it.
    """
    chosen = sites_with_context(dataset, rows, network)
    return chosen if len(chosen) >= MIN_SITES else rows


def fit_context(
    network: MotifNetwork, dataset: Dataset, split: Split, columns: Ints
) -> ContextFit | None:
    """Fit the context weights of a trained network, in place.

    Parameters
    ----------
    network : MotifNetwork
        On the CPU.
    dataset : Dataset
    split : Split
        The validation sites are used, or else the training sites.
    columns : int64 array
        Trained pairs.

    Returns
    -------
    ContextFit or None
        None where the network reads single tiles, or too few sites have known context.
    """
    context = network.context
    if context is None:
        return None
    part, rows = _choose_sites(network, dataset, split)
    if len(rows) < MIN_SITES:
        return None
    rows = rows[:: -(-len(rows) // _MAX_SITES)]
    n_positive, n_negative = dataset.counts(rows)
    usable = columns[n_positive[columns] >= _MIN_POSITIVE]
    if not n_negative[usable].any():
        return None
    chosen = usable[:: max(1, -(-len(usable) // _MAX_PAIRS))]
    labels = dataset.labels(rows, chosen)
    logits = _tile_logits(network, dataset, rows, chosen)
    r = context.n_tiles
    maxima = np.stack(
        [logits[:, r - k : r + k + 1].max(axis=1) for k in range(r + 1)], -1
    )
    both = instance_weights(n_positive[chosen], n_negative[chosen], True, 0.5)
    weights = np.where(labels == 1, *(side.numpy() for side in both))
    known = labels >= 0
    regression = LogisticRegression(C=np.inf, tol=1e-6, max_iter=_MAX_ITERATIONS)
    regression.fit(maxima[known], labels[known], weights[known])
    with torch.no_grad():
        context.weight.copy_(torch.from_numpy(regression.coef_[0]))
        context.bias.copy_(torch.from_numpy(regression.intercept_))
    before_and_after = maxima[..., 0], maxima @ regression.coef_[0]
    aurocs = (float(np.nanmean(pair_aurocs(z, labels))) for z in before_and_after)
    return ContextFit(part, len(rows), len(chosen), *aurocs)


def _choose_sites(
    network: MotifNetwork, dataset: Dataset, split: Split
) -> tuple[str, Ints]:
    rows = sites_with_context(dataset, split.valid, network)
    if len(rows) >= MIN_SITES:
        return "valid", rows
    return "train", sites_with_context(dataset, split.train, network)


def _tile_logits(
    network: MotifNetwork, dataset: Dataset, rows: Ints, columns: Ints
) -> NDArray[np.float32]:
    """Compute the logits of each tile around sites, float32 (n_sites, n_tiles, n_pairs)."""
    config = network.config
    codes = dataset.codes[rows, config.input_slice(dataset.seq_len)]
    pairs = dataset.vocabulary.pair_indices(dataset.pairs[i] for i in columns)
    before, network.backend = network.backend, NUMBA
    n_tiles = config.n_tiles(config.receptive_field)
    out = np.empty((len(rows), n_tiles, len(pairs)), dtype=np.float32)
    for i in range(n_tiles):
        first = i * config.stride
        out[:, i] = predict_sites(
            network, codes[:, first : first + config.seq_len], pairs
        )
    network.backend = before
    return out
