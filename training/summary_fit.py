"""Train the summary of tracks: predict tracks that are left out from the others.

It needs no sequence, so it learns from every chromosome that is not held out. Matrix
products are in bfloat16 where the processor supports it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits

from tfimpute_tracks.errors import RunError, UsageError
from tfimpute_tracks.models.evidence_network import SummaryNetwork, TrackTensors
from tfimpute_tracks.training.batches import has_bfloat16
from tfimpute_tracks.training.loss import pair_weights
from tfimpute_tracks.training.track_masks import TrackMasks
from tfimpute_tracks.training.track_sites import TrackSites, dense_windows

__all__ = ["SummaryRecipe", "summary_sites_per_epoch", "train_summary"]

Ints = NDArray[np.int64]

_WARM_UP = 0.15  # of the steps
_BETAS = (0.9, 0.98)
_BOUND = 0.5  # coverage of the narrowest window


@dataclass(frozen=True)
class SummaryRecipe:
    """Hyperparameters of the summary.

    Parameters
    ----------
    epochs : int
    batch_size : int
        Sites.
    learning_rate, weight_decay : float
        Of AdamW; the rate rises and falls once.
    dropout : float
        Fraction of the summary that is dropped.
    negative_fraction : float
        Fraction of the sites without any peak that an epoch samples; their weights make
        up for the others.
    pair_exponent : float
        The weight of a pair is its fraction of bound sites to this power, 0 to 1.

    Raises
    ------
    UsageError
        A value is out of range.
    """

    epochs: int = 8
    batch_size: int = 512
    learning_rate: float = 2e-3
    weight_decay: float = 0.01
    dropout: float = 0.1
    negative_fraction: float = 0.25
    pair_exponent: float = 0.5

    def __post_init__(self) -> None:
        positive = min(self.epochs, self.batch_size, self.learning_rate) > 0
        fractions = 0 < self.negative_fraction <= 1 and 0 <= self.dropout < 1
        if not (positive and fractions and 0 <= self.pair_exponent <= 1):
            raise UsageError(
                f"{self} is out of range: fractions are within 0 and 1, epochs, batch "
                "size and learning rate are above 0"
            )


def train_summary(
    network: SummaryNetwork,
    sites: TrackSites,
    tracks: TrackTensors,
    recipe: SummaryRecipe,
    rng: np.random.Generator,
    advance: Callable[[int, str], None],
    log: Callable[[str], None],
) -> list[dict[str, Any]]:
    """Train the summary, in place.

    Parameters
    ----------
    network : SummaryNetwork
        With random weights.
    sites : TrackSites
    tracks : TrackTensors
    recipe : SummaryRecipe
    rng : numpy.random.Generator
    advance : callable
        Called with the number of sites done, and a note.
    log : callable
        Called with a line per epoch.

    Returns
    -------
    list of dict
        Of every epoch: epoch, loss (nats per site and track that is left out).

    Raises
    ------
    RunError
        The loss is no longer finite.
    """
    n_tfs = len(network.pair_tf)
    masks = TrackMasks(tracks.tf.numpy(), tracks.cell.numpy(), n_tfs, rng)
    has_peak = np.diff(sites.windows[0].indptr) > 0
    with_peak, without = np.flatnonzero(has_peak), np.flatnonzero(~has_peak)
    n_without = int(recipe.negative_fraction * len(without))
    weight = np.where(has_peak, 1.0, 1 / recipe.negative_fraction).astype(np.float32)
    pair_weight = _pair_weights(sites, tracks, n_tfs, recipe.pair_exponent)
    n_steps = -(-(len(with_peak) + n_without) // recipe.batch_size)
    optimizer = torch.optim.AdamW(
        network.parameters(),
        recipe.learning_rate,
        betas=_BETAS,
        weight_decay=recipe.weight_decay,
        fused=True,
    )
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer,
        recipe.learning_rate,
        total_steps=recipe.epochs * n_steps,
        pct_start=_WARM_UP,
    )
    low_precision = has_bfloat16("cpu")
    history = []
    for epoch in range(1, recipe.epochs + 1):
        sample = rng.choice(without, n_without, replace=False)
        order = rng.permutation(np.concatenate([with_peak, sample]))
        losses = []
        for rows in np.array_split(order, n_steps):
            kept = masks.draw(len(rows)) & sites.measured[sites.chrom[rows]]
            with torch.autocast("cpu", torch.bfloat16, enabled=low_precision):
                loss = _loss(
                    network,
                    sites,
                    rows,
                    kept,
                    tracks,
                    weight[rows, None] * pair_weight,
                    recipe.dropout,
                )
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
            losses.append(float(loss.detach()))
            advance(len(rows), f"summary, epoch {epoch} loss {losses[-1]:.4f}")
        mean = float(np.mean(losses))
        if not np.isfinite(mean):
            raise RunError(
                f"the loss of epoch {epoch} is not finite; train with a lower "
                f"learning rate than {recipe.learning_rate:g}"
            )
        history.append({"epoch": epoch, "loss": round(mean, 6)})
        log(f"summary, epoch {epoch}: loss {mean:.5f}")
    return history


def summary_sites_per_epoch(sites: TrackSites, recipe: SummaryRecipe) -> int:
    """Count the sites of an epoch.

    Parameters
    ----------
    sites : TrackSites
    recipe : SummaryRecipe

    Returns
    -------
    int
    """
    n_with_peak = int(np.count_nonzero(np.diff(sites.windows[0].indptr)))
    return n_with_peak + int(recipe.negative_fraction * (len(sites) - n_with_peak))


def _pair_weights(
    sites: TrackSites, tracks: TrackTensors, n_tfs: int, exponent: float
) -> NDArray[np.float32]:
    """Weigh the tracks of TFs, in their order."""
    targets = np.flatnonzero(tracks.tf.numpy() < n_tfs)
    n_bound = np.asarray((sites.windows[0] >= _BOUND).sum(axis=0)).ravel()
    n_sites = np.bincount(sites.chrom, minlength=len(sites.measured)) @ sites.measured
    return pair_weights(n_bound[targets], n_sites[targets], exponent)


def _loss(
    network: SummaryNetwork,
    sites: TrackSites,
    rows: Ints,
    kept: NDArray[np.bool_],
    tracks: TrackTensors,
    weight: NDArray[np.float32],
    dropped: float,
) -> Tensor:
    """Compute the loss of the tracks that were measured and left out.

    `weight` has a row per site and a column per track of a TF.
    """
    targets = torch.nonzero(tracks.tf < len(network.pair_tf))[:, 0]
    coverage = dense_windows(sites.windows, rows)
    narrow, next_ = (coverage[:, i][:, targets.numpy()] for i in range(2))
    is_bound = narrow >= _BOUND
    is_target = (sites.measured[sites.chrom[rows]] & ~kept)[:, targets.numpy()]
    is_target &= is_bound | (next_ == 0)
    logits = network(
        torch.from_numpy(coverage),
        torch.from_numpy(kept.astype(np.float32)),
        tracks.tf[targets],
        tracks.cell[targets],
        tracks,
        dropped,
    )
    weights = torch.from_numpy(is_target * weight)
    labels = torch.from_numpy(is_bound.astype(np.float32))
    total = binary_cross_entropy_with_logits(logits, labels, weights, reduction="sum")
    return total / weights.sum().clamp(min=1)
