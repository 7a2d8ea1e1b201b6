"""Find the vectors of new TFs and cell lines, with all other weights frozen.

A new name has few data: one track, or none but accessibility. So its vector is sought
where those of known names lie. Their covariance spans the space, and a vector costs the
more the more unusual it is (maximum a posteriori, with a normal prior). First the
embeddings that read sequence are fitted, then those that read tracks, with the scores
from sequence as they are; the pairs' own tracks are hidden.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits

from tfimpute_tracks.errors import RunError
from tfimpute_tracks.models.evidence_network import EvidenceNetwork, TrackTensors
from tfimpute_tracks.models.network import MotifNetwork
from tfimpute_tracks.training.evidence_sites import EvidenceSites
from tfimpute_tracks.training.loss import instance_weights, weighted_loss
from tfimpute_tracks.training.track_masks import TrackMasks
from tfimpute_tracks.training.track_sites import dense_windows

__all__ = ["ExtendRecipe", "NamePrior", "fit_sequence", "fit_tracks", "name_prior"]

Doubles = NDArray[np.float64]
Floats = NDArray[np.float32]
Ints = NDArray[np.int64]

_VARIANCE = 0.99  # of the known vectors that the space of the prior keeps
_TILES = 512  # whose motif features are computed at a time


@dataclass(frozen=True)
class ExtendRecipe:
    """How the vectors of new names are fitted.

    Parameters
    ----------
    steps : int
        Of each of the two fits.
    batch_size : int
        Sites.
    learning_rate : float
        Of Adam, for vectors in units of the prior's standard deviations.
    sequence_penalty, track_penalty : float
        Of a vector one standard deviation from the mean, in nats per labeled site, when
        reading sequence and when reading tracks.
    seed : int
    """

    steps: int = 300
    batch_size: int = 512
    learning_rate: float = 0.05
    sequence_penalty: float = 1e-3
    track_penalty: float = 1e-3
    seed: int = 0


@dataclass(frozen=True)
class NamePrior:
    """Where vectors of names lie: mean + u @ basis, with u normal.

    Attributes
    ----------
    mean : float64 array, shape (n_new, size)
    basis : float64 array, shape (n_directions, size)
    penalty : float64 array, shape (n_new,)
        What a vector costs, as a multiple of the recipe's penalty.
    """

    mean: Doubles
    basis: Doubles
    penalty: Doubles


def name_prior(vectors: Doubles, weight: Doubles, n_new: int) -> NamePrior:
    """Describe where vectors of known names lie.

    Parameters
    ----------
    vectors : float64 array, shape (n_names, size)
    weight : float64 array, shape (n_names,)
        How much each counts.
    n_new : int

    Returns
    -------
    NamePrior
        With the weighted mean of the known vectors.
    """
    share = weight / weight.sum()
    center = share @ vectors
    scaled = (vectors - center) * np.sqrt(share)[:, None]
    _, spread, axes = np.linalg.svd(scaled, full_matrices=False)
    explained = np.cumsum(spread**2) / (spread**2).sum()
    kept = slice(0, 1 + int(np.searchsorted(explained, _VARIANCE)))
    mean = np.tile(center, (n_new, 1))
    return NamePrior(mean, spread[kept, None] * axes[kept], np.ones(n_new))


class _Vectors:
    """Vectors of new names: rows of some parameters, moved within a prior.

    Parameters
    ----------
    places : sequence of (parameter, first row, slice of the vector)
    prior : NamePrior
    """

    def __init__(
        self, places: Sequence[tuple[nn.Parameter, int, slice]], prior: NamePrior
    ) -> None:
        self._places = places
        self._mean = torch.from_numpy(prior.mean)
        self._basis = torch.from_numpy(prior.basis)
        self._penalty = torch.from_numpy(prior.penalty)[:, None]
        self.u = torch.zeros(len(prior.mean), len(prior.basis), dtype=torch.float64)
        self.u.grad = torch.zeros_like(self.u)
        for parameter, _, _ in places:
            parameter.requires_grad_(True)
        self.write()

    @property
    def values(self) -> Doubles:
        """The vectors, float64 (n_new, size)."""
        found: Doubles = (self._mean + self.u @ self._basis).numpy()
        return found

    @torch.no_grad()
    def write(self) -> None:
        """Set the rows of the parameters."""
        values = self._mean + self.u @ self._basis
        for parameter, first, where in self._places:
            parameter[first : first + len(values)] = values[:, where].float()

    @torch.no_grad()
    def collect(self, penalty: float) -> None:
        """Turn the gradients of the rows into that of u, and add the prior's."""
        gradient = torch.zeros_like(self._mean)
        for parameter, first, where in self._places:
            if parameter.grad is not None:
                rows = parameter.grad[first : first + len(gradient)]
                gradient[:, where] = rows.double()
                parameter.grad = None
        assert self.u.grad is not None
        self.u.grad.copy_(gradient @ self._basis.T + penalty * self._penalty * self.u)


def _descend(
    vectors: Sequence[_Vectors],
    loss: Callable[[Ints, np.random.Generator], Tensor],
    n_sites: int,
    recipe: ExtendRecipe,
    penalty: float,
    advance: Callable[[int, str], None],
) -> None:
    """Minimize a loss over batches of sites, in the vectors."""
    rng = np.random.default_rng(recipe.seed)
    optimizer = torch.optim.Adam([v.u for v in vectors], recipe.learning_rate)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, recipe.learning_rate, total_steps=recipe.steps, pct_start=0.1
    )
    size = min(recipe.batch_size, n_sites)
    for _ in range(recipe.steps):
        rows = np.sort(rng.choice(n_sites, size, replace=False))
        value = loss(rows, rng)
        if not torch.isfinite(value):
            raise RunError(
                "the loss of the new names is not finite; check their peaks, and that "
                "they are of the genome of the FASTA"
            )
        value.backward()
        for each in vectors:
            each.collect(penalty)
        optimizer.step()
        schedule.step()
        for each in vectors:
            each.write()
        advance(1, f"loss {float(value.detach()):.4f}")


def fit_sequence(
    network: MotifNetwork,
    codes: NDArray[np.uint8],
    labels: NDArray[np.int8],
    pairs: tuple[Ints, Ints],
    priors: Sequence[NamePrior],
    recipe: ExtendRecipe,
    advance: Callable[[int, str], None],
) -> tuple[Doubles, Doubles]:
    """Fit the embeddings of new names in a network that reads sequence.

    Parameters
    ----------
    network : MotifNetwork
        With rows for the new names, after the known ones; they are set.
    codes : uint8 array, shape (n_sites, seq_len), values 0..4
    labels : int8 array, shape (n_sites, n_pairs)
        1 bound, 0 unbound, -1 unknown.
    pairs : (int64 array, int64 array), shape (n_pairs,)
        TF and cell line of each column: rows of the embeddings.
    priors : sequence of NamePrior
        Of the new TFs and of the new cell lines.
    recipe : ExtendRecipe
    advance : callable
        Called with 1 and a note after each step.

    Returns
    -------
    tf_vectors, cell_vectors : float64 array, shape (n_new, size)

    Raises
    ------
    RunError
        The loss is not finite.
    """
    network.requires_grad_(False)
    features = _site_features(network, codes)
    tables = dict(network.named_parameters())
    vectors = [
        _Vectors(
            [(tables[name], len(tables[name]) - len(prior.mean), slice(None))], prior
        )
        for name, prior in zip(("tf_embedding", "cell_embedding"), priors, strict=True)
    ]
    tf, cell = map(torch.from_numpy, pairs)
    n_positive, n_negative = ((labels == k).sum(axis=0) for k in (1, 0))
    positive, negative = instance_weights(n_positive, n_negative, True, 0.5)

    def loss(rows: Ints, _: np.random.Generator) -> Tensor:
        some = torch.cat([part[rows] for part in features]).float()
        logits = network.head(some, tf, cell)
        return weighted_loss(logits, torch.from_numpy(labels[rows]), positive, negative)

    penalty = recipe.sequence_penalty
    _descend(vectors, loss, len(codes), recipe, penalty, advance)
    return vectors[0].values, vectors[1].values


@torch.no_grad()
def _site_features(network: MotifNetwork, codes: NDArray[np.uint8]) -> list[Tensor]:
    """Compute what the head takes, float16, by strand where strands are apart."""
    parts = []
    for first in range(0, len(codes), _TILES):
        some = torch.from_numpy(np.ascontiguousarray(codes[first : first + _TILES]))
        features = network.features(some)
        parts.append(features.unflatten(0, (-1, len(some))).half())
    return list(torch.cat(parts, dim=1))


def fit_tracks(
    network: EvidenceNetwork,
    sites: EvidenceSites,
    weight: Floats,
    places: Sequence[Sequence[tuple[str, slice]]],
    priors: Sequence[NamePrior],
    recipe: ExtendRecipe,
    advance: Callable[[int, str], None],
) -> tuple[Doubles, Doubles]:
    """Fit the embeddings of new names in a network that reads tracks.

    Parameters
    ----------
    network : EvidenceNetwork
        With rows for the new names, after the known ones; they are set.
    sites : EvidenceSites
        Of the new pairs, with the tracks of all names.
    weight : float32 array, shape (n_sites,)
        Number of sites that each stands for.
    places : (sequence, sequence) of (str, slice)
        Embeddings of TFs and of cell lines, and their place in a vector.
    priors, recipe, advance
        As for :func:`fit_sequence`.

    Returns
    -------
    tf_vectors, cell_vectors : float64 array, shape (n_new, size)

    Raises
    ------
    RunError
        The loss is not finite.
    """
    network.requires_grad_(False)
    tables = dict(network.named_parameters())
    vectors = []
    for of_kind, prior, n_names in zip(
        places, priors, (network.n_tfs, network.n_cells), strict=True
    ):
        first = n_names - len(prior.mean)
        found = [(tables[name], first, where) for name, where in of_kind]
        vectors.append(_Vectors(found, prior))
    masks = TrackMasks(
        sites.track_tf.numpy(),
        sites.track_cell.numpy(),
        network.n_tfs,
        np.random.default_rng(recipe.seed),
    )

    def loss(rows: Ints, rng: np.random.Generator) -> Tensor:
        pair = int(rng.integers(len(sites.tf)))
        return _track_loss(network, sites, rows, weight[rows], pair, masks)

    penalty = recipe.track_penalty
    _descend(vectors, loss, len(sites.labels), recipe, penalty, advance)
    return vectors[0].values, vectors[1].values


def _track_loss(
    network: EvidenceNetwork,
    sites: EvidenceSites,
    rows: Ints,
    weight: Floats,
    pair: int,
    masks: TrackMasks,
) -> Tensor:
    """Compute the loss of one pair, whose own tracks are hidden: summary and result."""
    tf, cell = sites.tf[pair : pair + 1], sites.cell[pair : pair + 1]
    own = (sites.track_tf == tf) & (sites.track_cell == cell)
    kept = torch.from_numpy(masks.draw_shared()) & ~own
    tracks = TrackTensors(sites.track_tf, sites.track_cell, kept)
    coverage = torch.from_numpy(dense_windows(sites.windows, rows))
    used = kept.float().expand(len(rows), -1)
    summary = network.summary(coverage, used, tf, cell, tracks)
    known = torch.from_numpy(sites.logits[rows, pair : pair + 1])
    logits = network.combine(known, summary, coverage, tf, cell, tracks)
    labels = torch.from_numpy(sites.labels[rows, pair : pair + 1]).float()
    weights = torch.from_numpy(weight)[:, None] * (labels >= 0)
    target = labels.clamp(min=0)
    total = sum(
        binary_cross_entropy_with_logits(scores, target, weights, reduction="sum")
        for scores in (summary, logits)
    )
    found: Tensor = total / weights.sum().clamp(min=1)
    return found
