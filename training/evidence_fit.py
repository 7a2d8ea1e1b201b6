"""Learning what measured tracks are worth, by hiding those of the pairs in question.

The network that reads letters is done, and what it says of the sites is fixed. The one
that reads tracks (``models/evidence_network.py``) learns each measured pair from the
others: its own track never counts, and in every other step some tracks are left out
besides, at random, by cell lines or by TFs, so that it serves where little is known.
Half a million peaks are quickly learned, and sites without one are many and alike: a
share of them stands for all.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.sparse import csr_matrix, vstack
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits

from tfimpute_tracks.dataset import Dataset
from tfimpute_tracks.engines.site_scorer import site_scorer
from tfimpute_tracks.engines.sites import chrom_sites
from tfimpute_tracks.errors import RunError, UsageError
from tfimpute_tracks.evidence import EvidenceStore
from tfimpute_tracks.models.evidence import track_rows
from tfimpute_tracks.models.evidence_network import EvidenceNetwork, TrackTensors
from tfimpute_tracks.models.model import Model

__all__ = [
    "EvidenceRecipe",
    "EvidenceSites",
    "read_evidence_sites",
    "sequence_calibration",
    "sites_per_epoch",
    "train_evidence",
]

Ints = NDArray[np.int64]
Mask = NDArray[np.bool_]

_WARM_UP = 0.3  # of the steps, until the learning rate is at its peak
_LEAST_KEPT = {"tracks": 0.1, "cells": 0.3, "tfs": 0.3}  # of those left in


@dataclass(frozen=True)
class EvidenceRecipe:
    """How the network that reads tracks is trained.

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
        A number is out of range.
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
        """Give the numbers by name.

        Returns
        -------
        dict
        """
        return asdict(self)


@dataclass(frozen=True)
class EvidenceSites:
    """What there is to learn from.

    Attributes
    ----------
    logits : float32 array, shape (n_sites, n_pairs)
        By letters.
    labels : int8 array, shape (n_sites, n_pairs)
        1 bound, 0 unbound, -1 nothing is said.
    cover : sparse float32 array, shape (n_sites, n_tracks)
        Share of a site's middle under the peaks of each track.
    tf, cell : int64 tensor, shape (n_pairs,)
    track_tf, track_cell : int64 tensor, shape (n_tracks,)
    """

    logits: NDArray[np.float32]
    labels: NDArray[np.int8]
    cover: csr_matrix
    tf: Tensor
    cell: Tensor
    track_tf: Tensor
    track_cell: Tensor


def read_evidence_sites(
    model: Model,
    store: EvidenceStore,
    dataset: Dataset,
    rows: Ints,
    columns: Ints,
    width: int,
) -> EvidenceSites:
    """Put together what letters, tracks and labels say of sites.

    Parameters
    ----------
    model : Model
    store : EvidenceStore
    dataset : Dataset
    rows : int64 array
        Sites that trained nothing of the model, best: what letters say of others is
        believed too readily.
    columns : int64 array
        Pairs to learn from.
    width : int
        bp of a site's middle.

    Returns
    -------
    EvidenceSites

    Raises
    ------
    UsageError
        The tracks say nothing of any of the sites, or are of another genome.
    """
    parts, places = [], []
    for chrom, some, centers in chrom_sites(dataset, rows):
        if not store.has_peaks(chrom).any():
            continue
        starts = centers - width // 2
        told = store.in_coverage(chrom, starts, width)
        indptr, track, share = store.coverage(chrom, starts, width)
        shape = len(starts), len(store.tracks)
        parts.append(csr_matrix((share, track.astype(np.int32), indptr), shape)[told])
        places.append(some[told])
    if not sum(map(len, places)):
        raise UsageError(
            f"{store.name} says nothing of the {len(rows):,} sites to learn from; "
            "build it from peaks of the same genome, without --region"
        )
    sizes = dict(zip(dataset.chroms, dataset.chrom_sizes, strict=True))
    store.check_genome(sizes, "the data set's")
    order = np.concatenate(places)
    chosen = rows[order]
    names = model.vocabulary
    pairs = names.pair_indices([dataset.pairs[i] for i in columns])
    tf, cell = torch.tensor(pairs).reshape(-1, 2).unbind(1)
    tracks = [torch.from_numpy(rows_of) for rows_of in track_rows(store, names)]
    return EvidenceSites(
        site_scorer(model, dataset, chosen, use_evidence=False)(pairs),
        dataset.labels(chosen, columns),
        vstack(parts, format="csr"),
        tf,
        cell,
        *tracks,
    )


def sequence_calibration(model: Model) -> dict[str, NDArray[np.float32]]:
    """Give what makes of log-odds by letters those of being bound.

    Parameters
    ----------
    model : Model

    Returns
    -------
    dict of name to float32 array
        `sequence_slope`, shape (1,), and `sequence_offset`, shape (n_tfs, n_cells), by the
        model's calibration; 1 and 0 where its card tells none.
    """
    shape = len(model.tfs), len(model.cells)
    lines = [model.calibration(pair) for pair in model.vocabulary.all_pairs()]
    known = [(1.0, 0.0) if line is None else line for line in lines]
    slopes, offsets = np.array(known, dtype=np.float32).T
    return {"sequence_slope": slopes[:1], "sequence_offset": offsets.reshape(shape)}


def train_evidence(
    network: EvidenceNetwork,
    sites: EvidenceSites,
    recipe: EvidenceRecipe,
    advance: Callable[[int, str], None],
    log: Callable[[dict[str, Any]], None],
) -> list[dict[str, Any]]:
    """Train the network that reads tracks.

    Parameters
    ----------
    network : EvidenceNetwork
        With random weights; they are changed.
    sites : EvidenceSites
    recipe : EvidenceRecipe
    advance : callable
        Told the sites done, and a remark.
    log : callable
        Told the figures of every epoch.

    Returns
    -------
    list of dict
        Those figures: epoch, loss (nats per labelled site and pair).

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
    busy = np.diff(sites.cover.indptr) > 0
    per_epoch = sites_per_epoch(sites, recipe)
    n_steps = recipe.epochs * -(-per_epoch // recipe.batch_size)
    optimizer = torch.optim.AdamW(
        network.parameters(), recipe.learning_rate, weight_decay=recipe.weight_decay
    )
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, recipe.learning_rate, total_steps=n_steps, pct_start=_WARM_UP
    )
    quiet = np.flatnonzero(~busy)
    weight = np.where(busy, 1.0, 1 / recipe.negative_fraction).astype(np.float32)
    history = []
    network.train()
    for epoch in range(1, recipe.epochs + 1):
        few = rng.choice(quiet, per_epoch - int(busy.sum()), replace=False)
        order = rng.permutation(np.concatenate([np.flatnonzero(busy), few]))
        total = 0.0
        for first in range(0, per_epoch, recipe.batch_size):
            rows = order[first : first + recipe.batch_size]
            kept = _tracks_left_in(sites, rng, recipe.track_dropout)
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
                f"--learning-rate than {recipe.learning_rate:g}"
            )
        history.append({"epoch": epoch, "loss": round(total / per_epoch, 6)})
        log(history[-1])
    network.eval()
    return history


def sites_per_epoch(sites: EvidenceSites, recipe: EvidenceRecipe) -> int:
    """Count the sites that an epoch takes.

    Parameters
    ----------
    sites : EvidenceSites
    recipe : EvidenceRecipe

    Returns
    -------
    int
    """
    n_busy = int(np.count_nonzero(np.diff(sites.cover.indptr)))
    return n_busy + int(recipe.negative_fraction * (len(sites.labels) - n_busy))


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
        torch.from_numpy(sites.cover[rows].toarray()),
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


def _tracks_left_in(
    sites: EvidenceSites, rng: np.random.Generator, left_out: float
) -> Mask:
    """Draw the tracks that a step may see."""
    tf, cell = sites.track_tf.numpy(), sites.track_cell.numpy()
    kept = np.ones(len(tf), dtype=bool)
    if rng.random() >= left_out:
        return kept
    way = rng.choice(list(_LEAST_KEPT))
    names = {"tracks": np.arange(len(tf)), "cells": cell, "tfs": tf}[way]
    share = rng.uniform(_LEAST_KEPT[way], 1)
    drawn: Mask = rng.random(int(names.max(initial=0)) + 1) < share
    left: Mask = drawn[names]
    return left
