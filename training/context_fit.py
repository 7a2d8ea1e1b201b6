"""What a tile's neighbors are worth: fitted when the network is trained.

A handful of numbers, the same for all pairs (``models/context.py``), found by
logistic regression on sites whose surroundings are known. Sites that trained nothing
are taken where there are enough of them: on others the tile itself would seem worth
more than it is.
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
"""With fewer there is nothing to fit, or to judge, surroundings by."""

_MOST_SITES = 40_000  # so that their logits fit into memory
_PAIRS = 100  # that take part, spread over those trained
_MIN_POSITIVE = 5  # of each of them
_ITERATIONS = 1000

Ints = NDArray[np.int64]


@dataclass(frozen=True)
class ContextFit:
    """A fit of the surroundings.

    Attributes
    ----------
    part : {"valid", "train"}
        Where the sites come from.
    n_sites, n_pairs : int
    auroc_alone, auroc : float
        Mean over those pairs at those sites, of tiles alone and with surroundings.
    """

    part: str
    n_sites: int
    n_pairs: int
    auroc_single_tile: float
    auroc: float


def sites_with_context(dataset: Dataset, rows: Ints, network: MotifNetwork) -> Ints:
    """Choose the sites of which all neighboring tiles are known.

    Parameters
    ----------
    dataset : Dataset
    rows : int64 array
        Sites.
    network : MotifNetwork

    Returns
    -------
    int64 array
        Some of `rows`, in their order; all of them where the network looks at tiles
        alone.
    """
    config = network.config
    letters = config.input_slice(dataset.seq_len)
    if letters.stop - letters.start < config.receptive_field:
        return rows[:0]
    if not config.context_tiles:
        return rows
    sizes = config.stride, config.seq_len, config.n_tiles(config.receptive_field)
    known = [
        not missing_tiles(dataset.codes[row, letters], *sizes).any() for row in rows
    ]
    chosen: Ints = rows[np.array(known, dtype=bool)]
    return chosen


def calibration_sites(dataset: Dataset, rows: Ints, network: MotifNetwork) -> Ints:
    """Choose the sites that promises of scores are read from.

    Parameters
    ----------
    dataset : Dataset
    rows : int64 array
        Sites that validate.
    network : MotifNetwork

    Returns
    -------
    int64 array
        Those with surroundings, as in a scan; all, where too few have them.
    """
    around = sites_with_context(dataset, rows, network)
    return around if len(around) >= MIN_SITES else rows


def fit_context(
    network: MotifNetwork, dataset: Dataset, split: Split, columns: Ints
) -> ContextFit | None:
    """Fit the surroundings of a trained network, which is changed.

    Parameters
    ----------
    network : MotifNetwork
        On the CPU.
    dataset : Dataset
    split : Split
        Sites to fit by: those that validate, or else those that trained.
    columns : int64 array
        Trained pairs.

    Returns
    -------
    ContextFit or None
        None where the network looks at tiles alone, or too few sites have known
        surroundings.
    """
    context = network.context
    if context is None:
        return None
    part, rows = _choose_sites(network, dataset, split)
    if len(rows) < MIN_SITES:
        return None
    rows = rows[:: -(-len(rows) // _MOST_SITES)]
    n_positive, n_negative = dataset.counts(rows)
    usable = columns[n_positive[columns] >= _MIN_POSITIVE]
    if not n_negative[usable].any():
        return None
    chosen = usable[:: max(1, -(-len(usable) // _PAIRS))]
    labels = dataset.labels(rows, chosen)
    logits = _of_neighbors(network, dataset, rows, chosen)
    r = context.n_tiles
    maxima = np.stack(
        [logits[:, r - k : r + k + 1].max(axis=1) for k in range(r + 1)], -1
    )
    both = instance_weights(n_positive[chosen], n_negative[chosen], True, 0.5)
    weights = np.where(labels == 1, *(side.numpy() for side in both))
    known = labels >= 0
    regression = LogisticRegression(C=np.inf, tol=1e-6, max_iter=_ITERATIONS)
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


def _of_neighbors(
    network: MotifNetwork, dataset: Dataset, rows: Ints, columns: Ints
) -> NDArray[np.float32]:
    """Give the logits of each neighbor, float32 (n_sites, 2 R + 1, n_pairs)."""
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
