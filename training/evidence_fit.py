"""Train the network that conditions predictions on measured tracks.

The network that reads sequence is trained already, and its scores of the sites are
fixed. The network that reads tracks (``models/evidence_network.py``) predicts each
measured pair from the tracks of the others: the pair's own track is hidden. In some
steps further tracks are left out, at random, by cell line or by TF, so that the network
also works where there are few. Sites without a peak are many and alike: a fraction of
them is sampled.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits

from tfimpute_tracks.errors import RunError, UsageError
from tfimpute_tracks.models.evidence_network import EvidenceNetwork, TrackTensors
from tfimpute_tracks.models.evidence_weights import EvidenceConfig, EvidenceWeights
from tfimpute_tracks.models.model import Model
from tfimpute_tracks.training.evidence_sites import EvidenceSites

__all__ = [
    "EvidenceRecipe",
    "fit_evidence",
    "sequence_calibration",
    "sites_per_epoch",
    "train_evidence",
]

Ints = NDArray[np.int64]
Mask = NDArray[np.bool_]

_WARM_UP = 0.3  # of the steps, until the learning rate is at its peak
# Minimum fraction of tracks, or names, that stay where some are left out.
_MIN_KEPT = {"tracks": 0.1, "cells": 0.3, "tfs": 0.3}


@dataclass(frozen=True)
class EvidenceRecipe:
    """Hyperparameters of a network that reads tracks.

    Parameters
    ----------
    epochs : int
    batch_size : int
        Sites.
    learning_rate, weight_decay : float
        Of AdamW; the rate rises and falls once.
    track_dropout : float
        Fraction of the steps in which some tracks are left out.
    negative_fraction : float
        Fraction of the sites without any peak that an epoch samples; their weights make
        up for the others.
    seed : int

    Raises
    ------
    UsageError
        A value is out of range.
    """

    epochs: int = 20
    batch_size: int = 256
    learning_rate: float = 5e-3
    weight_decay: float = 1e-3
    track_dropout: float = 0.5
    negative_fraction: float = 0.25
    seed: int = 0

    def __post_init__(self) -> None:
        fractions = 0 <= self.track_dropout <= 1 and 0 < self.negative_fraction <= 1
        positive = min(self.epochs, self.batch_size, self.learning_rate) > 0
        if not (fractions and positive):
            raise UsageError(
                f"{self} is out of range: fractions are within 0 and 1, epochs, batch "
                "size and learning rate above 0"
            )

    def to_dict(self) -> dict[str, Any]:
        """Return the hyperparameters by name.

        Returns
        -------
        dict
        """
        return asdict(self)


def fit_evidence(
    model: Model,
    sites: EvidenceSites,
    config: EvidenceConfig,
    recipe: EvidenceRecipe,
    advance: Callable[[int, str], None],
    log: Callable[[dict[str, Any]], None],
) -> tuple[EvidenceWeights, list[dict[str, Any]]]:
    """Train a network that reads tracks, from random weights.

    Parameters
    ----------
    model : Model
        That reads sequence.
    sites : EvidenceSites
    config : EvidenceConfig
    recipe : EvidenceRecipe
    advance, log : callable
        As for :func:`train_evidence`.

    Returns
    -------
    weights : EvidenceWeights
        Without thresholds and card.
    history : list of dict
        Metrics of every epoch.

    Raises
    ------
    UsageError, RunError
        As :func:`train_evidence`.
    """
    torch.manual_seed(recipe.seed)
    network = EvidenceNetwork(config, len(model.tfs), len(model.cells))
    history = train_evidence(network, sites, recipe, advance, log)
    arrays = {name: p.detach().numpy() for name, p in network.named_parameters()}
    arrays["thresholds"] = np.zeros((len(model.tfs), len(model.cells)), np.float32)
    arrays |= sequence_calibration(model)
    digest = model.checkpoint.digest
    weights = EvidenceWeights(config, model.vocabulary, digest, arrays, "", {})
    return weights, history


def sequence_calibration(model: Model) -> dict[str, NDArray[np.float32]]:
    """Return what converts log-odds from sequence only into those of being bound.

    Parameters
    ----------
    model : Model

    Returns
    -------
    dict of name to float32 array
        `sequence_slope`, shape (1,), and `sequence_offset`, shape (n_tfs, n_cells), of
        the model's calibration; 1 and 0 where its card has none.
    """
    shape = len(model.tfs), len(model.cells)
    found = [model.calibration(pair) for pair in model.vocabulary.all_pairs()]
    slopes, offsets = np.array(found, dtype=np.float32).T
    return {"sequence_slope": slopes[:1], "sequence_offset": offsets.reshape(shape)}


def train_evidence(
    network: EvidenceNetwork,
    sites: EvidenceSites,
    recipe: EvidenceRecipe,
    advance: Callable[[int, str], None],
    log: Callable[[dict[str, Any]], None],
) -> list[dict[str, Any]]:
    """Train the network that reads tracks, in place.

    Parameters
    ----------
    network : EvidenceNetwork
        With random weights.
    sites : EvidenceSites
    recipe : EvidenceRecipe
    advance : callable
        Called with the number of sites done, and a note.
    log : callable
        Called with the metrics of every epoch.

    Returns
    -------
    list of dict
        Those metrics: epoch, loss (nats per labeled site and pair).

    Raises
    ------
    UsageError
        No site is bound, or none is unbound.
    RunError
        The loss is no longer finite.
    """
    if not ((sites.labels == 1).any() and (sites.labels == 0).any()):
        raise UsageError(
            f"the {len(sites.labels):,} training sites are not both bound and unbound "
            "for any pair; use a data set with positives and negatives"
        )
    rng = np.random.default_rng(recipe.seed)
    has_peak = np.diff(sites.coverage.indptr) > 0
    per_epoch = sites_per_epoch(sites, recipe)
    n_steps = recipe.epochs * -(-per_epoch // recipe.batch_size)
    optimizer = torch.optim.AdamW(
        network.parameters(), recipe.learning_rate, weight_decay=recipe.weight_decay
    )
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, recipe.learning_rate, total_steps=n_steps, pct_start=_WARM_UP
    )
    without = np.flatnonzero(~has_peak)
    weight = np.where(has_peak, 1.0, 1 / recipe.negative_fraction).astype(np.float32)
    history = []
    network.train()
    for epoch in range(1, recipe.epochs + 1):
        sample = rng.choice(without, per_epoch - int(has_peak.sum()), replace=False)
        order = rng.permutation(np.concatenate([np.flatnonzero(has_peak), sample]))
        total = 0.0
        for first in range(0, per_epoch, recipe.batch_size):
            rows = order[first : first + recipe.batch_size]
            kept = _draw_tracks(sites, rng, recipe.track_dropout)
            loss = _loss(network, sites, rows, weight[rows], kept)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
            value = float(loss.detach())
            total += value * len(rows)
            advance(len(rows), f"epoch {epoch} loss {value:.4f}")
        if not np.isfinite(total):
            raise RunError(
                f"the loss of epoch {epoch} is not finite; train with a lower "
                f"learning rate than {recipe.learning_rate:g}"
            )
        history.append({"epoch": epoch, "loss": round(total / per_epoch, 6)})
        log(history[-1])
    network.eval()
    return history


def sites_per_epoch(sites: EvidenceSites, recipe: EvidenceRecipe) -> int:
    """Count the sites of an epoch.

    Parameters
    ----------
    sites : EvidenceSites
    recipe : EvidenceRecipe

    Returns
    -------
    int
    """
    n_with_peak = int(np.count_nonzero(np.diff(sites.coverage.indptr)))
    n_without = len(sites.labels) - n_with_peak
    return n_with_peak + int(recipe.negative_fraction * n_without)


def _loss(
    network: EvidenceNetwork,
    sites: EvidenceSites,
    rows: Ints,
    weight: NDArray[np.float32],
    kept: Mask,
) -> Tensor:
    tracks = TrackTensors(sites.track_tf, sites.track_cell, torch.from_numpy(kept))
    logits = network(
        torch.from_numpy(sites.logits[rows]),
        torch.from_numpy(sites.coverage[rows].toarray()),
        sites.tf,
        sites.cell,
        tracks,
    )
    labels = torch.from_numpy(sites.labels[rows]).float()
    weights = torch.from_numpy(weight)[:, None] * (labels >= 0)
    each = binary_cross_entropy_with_logits(
        logits, labels.clamp(min=0), weights, reduction="sum"
    )
    return each / weights.sum()


def _draw_tracks(
    sites: EvidenceSites, rng: np.random.Generator, track_dropout: float
) -> Mask:
    """Draw the tracks that a step uses."""
    tf, cell = sites.track_tf.numpy(), sites.track_cell.numpy()
    if rng.random() >= track_dropout:
        return np.ones(len(tf), dtype=bool)
    unit = rng.choice(list(_MIN_KEPT))
    names = {"tracks": np.arange(len(tf)), "cells": cell, "tfs": tf}[unit]
    fraction = rng.uniform(_MIN_KEPT[unit], 1)
    drawn: Mask = rng.random(int(names.max(initial=0)) + 1) < fraction
    kept: Mask = drawn[names]
    return kept
