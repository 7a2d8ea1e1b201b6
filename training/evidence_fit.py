"""Train the network that conditions predictions on measured tracks.

The network that reads sequence is trained already, and its scores of the sites are
fixed. First the summary of tracks learns to predict tracks from others, without
sequence, anywhere but at held-out sites (``summary_fit.py``). Then the network learns
what to make of sequence, summary and attention (``models/evidence_network.py``): first
at many sites that these two were trained on, where both are somewhat too good, and last
at the few that neither has seen, which show how far to trust them. In every step the
tracks of some pairs are left out, and these pairs are predicted: so a pair's own track
is hidden, and the network also works where there are few. In some steps names are as good
as new (``new_names.py``). Sites without a peak are many and alike: a fraction is sampled.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.func import functional_call
from torch.nn.functional import binary_cross_entropy_with_logits

from tfimpute_tracks.errors import RunError, UsageError
from tfimpute_tracks.models.evidence_network import EvidenceNetwork, TrackTensors
from tfimpute_tracks.models.evidence_weights import IN_BYTES, EvidenceWeights
from tfimpute_tracks.models.model import Model
from tfimpute_tracks.models.weights_file import round_to_bytes
from tfimpute_tracks.training.evidence_recipe import EvidenceRecipe
from tfimpute_tracks.training.evidence_sites import EvidenceSites
from tfimpute_tracks.training.loss import pair_weights
from tfimpute_tracks.training.new_names import NewNamesStep
from tfimpute_tracks.training.summary_fit import train_summary
from tfimpute_tracks.training.track_masks import TrackMasks
from tfimpute_tracks.training.track_sites import TrackSites, dense_windows

__all__ = [
    "copy_summary",
    "fit_evidence",
    "sequence_calibration",
    "sites_per_epoch",
    "train_evidence",
    "train_reader",
]

Ints = NDArray[np.int64]
Mask = NDArray[np.bool_]

_WARM_UP = 0.3  # of the steps, until the learning rate is at its peak
_PAIRS = 96  # that a step predicts


def fit_evidence(
    model: Model,
    trained: EvidenceSites | None,
    sites: EvidenceSites,
    summary: TrackSites | EvidenceWeights,
    recipe: EvidenceRecipe,
    advance: Callable[[int, str], None],
    log: Callable[[str], None],
) -> tuple[EvidenceWeights, dict[str, list[dict[str, Any]]]]:
    """Train a network that reads tracks, from random weights.

    Parameters
    ----------
    model : Model
        That reads sequence.
    trained, sites : EvidenceSites
        Some that the model was trained on, if there are any, and held-out ones.
    summary : TrackSites or EvidenceWeights
        Sites that the summary learns from, of which none is held out; or weights with a
        summary of the same tracks, which is used as it is.
    recipe : EvidenceRecipe
    advance : callable
        Called with the number of sites done, and a note.
    log : callable
        Called with a line per epoch.

    Returns
    -------
    weights : EvidenceWeights
        Without thresholds and card.
    history : dict of list of dict
        Metrics of every epoch: of the `summary`, then of the network at `trained` and
        at `held_out` sites.

    Raises
    ------
    UsageError, RunError
        As :func:`train_evidence`.
    """
    torch.manual_seed(recipe.seed)
    rng = np.random.default_rng(recipe.seed)
    config = sites.config
    network = EvidenceNetwork(config, len(model.tfs), len(model.cells))
    every = torch.ones(len(sites.track_tf), dtype=torch.bool)
    tracks = TrackTensors(sites.track_tf, sites.track_cell, every)
    history = {}
    if isinstance(summary, EvidenceWeights):
        copy_summary(network, summary)
    else:
        history["summary"] = train_summary(
            network.summary, summary, tracks, recipe.summary, rng, advance, log
        )
    history |= train_reader(network, trained, sites, recipe, rng, advance, log)
    arrays = {name: p.detach().numpy() for name, p in network.named_parameters()}
    # As a file holds them.
    arrays |= {name: round_to_bytes(arrays[name]) for name in IN_BYTES}
    arrays["thresholds"] = np.zeros((len(model.tfs), len(model.cells)), np.float32)
    arrays |= sequence_calibration(model)
    digest = model.checkpoint.digest
    weights = EvidenceWeights(config, model.vocabulary, digest, arrays, "", {})
    return weights, history


@torch.no_grad()
def copy_summary(network: EvidenceNetwork, weights: EvidenceWeights) -> None:
    """Set the summary of tracks to that of trained weights.

    Parameters
    ----------
    network : EvidenceNetwork
    weights : EvidenceWeights
        Of the same TFs, cell lines and sizes.
    """
    for name, parameter in network.summary.named_parameters("summary"):
        parameter.copy_(torch.from_numpy(weights.weights[name]))


def train_reader(
    network: EvidenceNetwork,
    trained: EvidenceSites | None,
    sites: EvidenceSites,
    recipe: EvidenceRecipe,
    rng: np.random.Generator,
    advance: Callable[[int, str], None],
    log: Callable[[str], None],
) -> dict[str, list[dict[str, Any]]]:
    """Train all but the summary at training sites and then at held-out ones, in place.

    Parameters
    ----------
    network : EvidenceNetwork
        With a trained summary.
    trained, sites, recipe
        As for :func:`fit_evidence`.
    rng : numpy.random.Generator
    advance, log
        As for :func:`fit_evidence`.

    Returns
    -------
    dict of list of dict
        Metrics of every epoch at `trained` and at `held_out` sites.

    Raises
    ------
    UsageError, RunError
        As :func:`train_evidence`.
    """
    history = {}
    if trained is not None:
        first = replace(
            recipe,
            epochs=recipe.trained_epochs,
            learning_rate=recipe.trained_learning_rate,
        )
        history["trained"] = train_evidence(network, trained, first, rng, advance, log)
    history["held_out"] = train_evidence(network, sites, recipe, rng, advance, log)
    return history


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
    rng: np.random.Generator,
    advance: Callable[[int, str], None],
    log: Callable[[str], None],
) -> list[dict[str, Any]]:
    """Train all but the summary of the network that reads tracks, in place.

    Parameters
    ----------
    network : EvidenceNetwork
        With a trained summary.
    sites : EvidenceSites
    recipe : EvidenceRecipe
    rng : numpy.random.Generator
    advance : callable
        Called with the number of sites done, and a note.
    log : callable
        Called with a line per epoch.

    Returns
    -------
    list of dict
        Of every epoch: epoch, loss (nats per labeled site and pair).

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
    network.summary.requires_grad_(False)
    trained = [p for p in network.parameters() if p.requires_grad]
    has_peak = _has_peak(sites)
    per_epoch = sites_per_epoch(sites, recipe)
    n_steps = -(-per_epoch // recipe.batch_size)
    optimizer = torch.optim.AdamW(
        trained, recipe.learning_rate, weight_decay=recipe.weight_decay, fused=True
    )
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer,
        recipe.learning_rate,
        total_steps=recipe.epochs * n_steps,
        pct_start=_WARM_UP,
    )
    masks = TrackMasks(
        sites.track_tf.numpy(), sites.track_cell.numpy(), network.n_tfs, rng
    )
    without = np.flatnonzero(~has_peak)
    weight = np.where(has_peak, 1.0, 1 / recipe.negative_fraction).astype(np.float32)
    pair_weight = pair_weights(
        (sites.labels == 1).sum(axis=0),
        (sites.labels >= 0).sum(axis=0),
        recipe.pair_exponent,
    )
    history = []
    for epoch in range(1, recipe.epochs + 1):
        sample = rng.choice(without, per_epoch - int(has_peak.sum()), replace=False)
        order = rng.permutation(np.concatenate([np.flatnonzero(has_peak), sample]))
        losses = []
        for rows in np.array_split(order, n_steps):
            kept, pairs, replaced = _draw(network, sites, masks, recipe.new_names, rng)
            weights = weight[rows, None] * pair_weight[pairs]
            loss = _loss(network, sites, rows, pairs, weights, kept, replaced)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
            losses.append(float(loss.detach()))
            advance(len(rows), f"epoch {epoch} loss {losses[-1]:.4f}")
        mean = float(np.mean(losses))
        if not np.isfinite(mean):
            raise RunError(
                f"the loss of epoch {epoch} is not finite; train with a lower "
                f"learning rate than {recipe.learning_rate:g}"
            )
        history.append({"epoch": epoch, "loss": round(mean, 6)})
        log(f"epoch {epoch}: loss {mean:.5f}")
    network.requires_grad_(True)
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
    n_with_peak = int(np.count_nonzero(_has_peak(sites)))
    n_without = len(sites.labels) - n_with_peak
    return n_with_peak + int(recipe.negative_fraction * n_without)


def _has_peak(sites: EvidenceSites) -> Mask:
    found: Mask = np.diff(sites.windows[0].indptr) > 0
    return found


def _draw(
    network: EvidenceNetwork,
    sites: EvidenceSites,
    masks: TrackMasks,
    new_names: float,
    rng: np.random.Generator,
) -> tuple[Mask, Ints, dict[str, Tensor]]:
    """Draw the tracks and pairs of a step, and parameters in place of the network's."""
    kept = masks.draw_shared()
    if rng.random() >= new_names:
        return kept, rng.permutation(_left_out(sites, kept))[:_PAIRS], {}
    new = NewNamesStep.draw(network.n_tfs, network.n_cells, rng)
    kept = new.leave_few(kept, sites.track_tf.numpy(), sites.track_cell.numpy(), rng)
    tf, cell = sites.tf.numpy(), sites.cell.numpy()
    pairs = new.choose(_left_out(sites, kept), tf, cell, _PAIRS, rng)
    return kept, pairs, new.embeddings(network)


def _left_out(sites: EvidenceSites, kept: Mask) -> Ints:
    """Find the pairs of which no track is used."""
    used = torch.from_numpy(kept)
    n_cells = 1 + int(max(sites.cell.max(), sites.track_cell.max()))
    own = sites.tf * n_cells + sites.cell
    tracks = (sites.track_tf * n_cells + sites.track_cell)[used]
    return np.flatnonzero(~torch.isin(own, tracks).numpy())


def _loss(
    network: EvidenceNetwork,
    sites: EvidenceSites,
    rows: Ints,
    pairs: Ints,
    weight: NDArray[np.float32],
    kept: Mask,
    replaced: dict[str, Tensor],
) -> Tensor:
    """Compute the loss of pairs that are left out; a weight per site and pair."""
    tracks = TrackTensors(sites.track_tf, sites.track_cell, torch.from_numpy(kept))
    coverage = torch.from_numpy(dense_windows(sites.windows, rows))
    given = torch.from_numpy(sites.logits[np.ix_(rows, pairs)])
    parameters = {f"network.{name}": value for name, value in replaced.items()}
    inputs = given, coverage, sites.tf[pairs], sites.cell[pairs], tracks
    logits = functional_call(_Reader(network), parameters, inputs)
    labels = torch.from_numpy(sites.labels[np.ix_(rows, pairs)]).float()
    weights = torch.from_numpy(weight) * (labels >= 0)
    each = binary_cross_entropy_with_logits(
        logits, labels.clamp(min=0), weights, reduction="sum"
    )
    return each / weights.sum().clamp(min=1)


class _Reader(nn.Module):
    """The network with its summary as it is; all pairs are left out."""

    def __init__(self, network: EvidenceNetwork) -> None:
        super().__init__()
        self.network = network

    def forward(
        self,
        logits: Tensor,
        coverage: Tensor,
        tf: Tensor,
        cell: Tensor,
        tracks: TrackTensors,
    ) -> Tensor:
        """See :meth:`EvidenceNetwork.forward`."""
        with torch.no_grad():
            used = tracks.available.float().expand(len(coverage), -1)
            summary = self.network.summary(coverage, used, tf, cell, tracks)
        return self.network.combine(logits, summary, coverage, tf, cell, tracks)
