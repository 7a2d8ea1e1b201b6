"""The training loop: each sequence is read once per epoch, for all its labelled pairs.

The paper ran one convolution per (sequence, pair) instance. Here a batch of sequences
is convolved once, on both strands, and the gates of all pairs are applied to its pooled
windows in one matrix product. On a CPU the convolution is done by look-up tables, and
products in bfloat16 where the processor supports it; on a GPU everything is plain
PyTorch. ``batches.py`` defines the loss of a step.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tfimpute_tracks.dataset import Dataset, Split
from tfimpute_tracks.engines.numba_backend import NUMBA
from tfimpute_tracks.engines.sites import predict_sites
from tfimpute_tracks.errors import RunError, UsageError
from tfimpute_tracks.evaluation import pair_aurocs
from tfimpute_tracks.models.config import NetworkConfig
from tfimpute_tracks.models.network import MotifNetwork
from tfimpute_tracks.storage.digest import digest_json
from tfimpute_tracks.training.batches import BatchLoss
from tfimpute_tracks.training.context_fit import ContextFit, fit_context
from tfimpute_tracks.training.initial import (
    check_taken,
    freeze_trunk,
    hold_rows,
    init_from,
)
from tfimpute_tracks.training.job import Progress, TrainingJob
from tfimpute_tracks.training.names import kept_names, known_priors
from tfimpute_tracks.training.recipe import Recipe
from tfimpute_tracks.training.state import (
    TrainingState,
    initialize,
    load_state,
    read_history,
    save_state,
    take_step,
)

__all__ = ["TrainingRun", "epochs_left", "train_model"]

Ints = NDArray[np.int64]

_VALIDATION_PAIRS = 60  # trained pairs that an epoch is validated on


@dataclass
class TrainingRun:
    """A finished run.

    Attributes
    ----------
    network : MotifNetwork
        On the CPU, with the weights of the best epoch.
    history : list of dict
        Metrics of each epoch.
    split : Split
        Rows of the data set.
    columns : int64 array
        Trained pairs.
    context : ContextFit, optional
        The fit of the context weights, where the network has some and the data set has
        the sequence around its sites.
    priors : dict of str to float
        Fraction of sites bound, of TFs without a training pair: that of the initial
        weights' card.
    """

    network: MotifNetwork
    history: list[dict[str, Any]]
    split: Split
    columns: Ints
    context: ContextFit | None = None
    priors: dict[str, float] = field(default_factory=dict)


@dataclass
class _Loop:
    """All that an epoch needs, and what this process has done so far."""

    dataset: Dataset
    split: Split
    columns: Ints
    recipe: Recipe
    job: TrainingJob
    state: TrainingState
    batches: BatchLoss
    identity: dict[str, Any]
    instances: int = 0
    began: float = field(default_factory=time.monotonic)
    reported: float = 0.0
    saved: float = field(default_factory=time.monotonic)

    def rate(self) -> float:
        return self.instances / max(time.monotonic() - self.began, 1e-9)

    def save(self) -> None:
        save_state(self.job.state_path, self.state, self.identity)
        self.saved = time.monotonic()


def train_model(
    dataset: Dataset,
    config: NetworkConfig,
    recipe: Recipe,
    job: TrainingJob,
    report: Callable[[Progress], None],
    log: Callable[[dict[str, Any]], None],
) -> TrainingRun:
    """Train a network on a data set.

    Parameters
    ----------
    dataset : Dataset
    config : NetworkConfig
    recipe : Recipe
    job : TrainingJob
    report : callable
        Called with a Progress about once a second.
    log : callable
        Called with the metrics of every epoch.

    Returns
    -------
    TrainingRun
        The best epoch on the validation sites, by the mean of two mean AUROCs:
        of the `valid2` pairs, and of a sample of the trained pairs. With 0 epochs the
        initial weights and their history, and a new fit of the context.

    Raises
    ------
    UsageError
        The data set has sequences of another length, no training pair, or no training
        pair with both bound and unbound sites; or 0 epochs, or a frozen trunk, have no
        initial weights.
    RunError
        The loss is no longer finite.
    OutputError, WriteError
        The state cannot be saved.
    """
    config.input_slice(dataset.seq_len)  # or refuse sequences that are too short
    columns = job.columns(dataset)
    if job.init_from is None and (job.freeze_trunk or not recipe.epochs):
        raise UsageError(
            f"{'a frozen trunk' if recipe.epochs else '0 epochs'} would leave random "
            "weights; start from a model with --init-from, or train all layers for 1 "
            "epoch or more"
        )
    split = job.held_out(recipe.seed).split(dataset)
    batches = BatchLoss(
        dataset, split.train, columns, recipe, job.device, teacher=job.teacher_labels
    )
    state = _start(dataset, config, recipe, job, columns)
    if not recipe.epochs and job.init_from:
        state.best = {name: t.clone() for name, t in state.average.items()}
        state.history = list(job.init_from.card.get("history", []))
    identity = _identity(dataset, config, recipe, job)
    if job.resume and job.state_path.exists():
        load_state(job.state_path, state, identity)
    loop = _Loop(dataset, split, columns, recipe, job, state, batches, identity)
    # An epoch ends after its validation, not after its last batch: a run may be killed
    # in between.
    for epoch in range(len(state.history), recipe.epochs):
        _run_epoch(loop, epoch, report)
        log(_finish_epoch(loop, epoch))
    network = job.build(
        config, len(dataset.vocabulary.tfs), len(dataset.vocabulary.cells)
    )
    network.load_state_dict({name: t.cpu() for name, t in state.best.items()})
    context = fit_context(network.eval(), dataset, split, columns)
    priors = known_priors(dataset, columns, job.init_from) if job.init_from else {}
    return TrainingRun(network, state.history, split, columns, context, priors)


def epochs_left(
    dataset: Dataset, config: NetworkConfig, recipe: Recipe, job: TrainingJob
) -> int:
    """Count the epochs that a run has yet to do.

    Parameters
    ----------
    dataset, config, recipe, job
        As for :func:`train_model`.

    Returns
    -------
    int

    Raises
    ------
    InputFileError, UsageError
        The saved state is damaged, or is of another run.
    """
    if not (job.resume and job.state_path.exists()):
        return recipe.epochs
    identity = _identity(dataset, config, recipe, job)
    return recipe.epochs - len(read_history(job.state_path, identity))


def _identity(
    dataset: Dataset, config: NetworkConfig, recipe: Recipe, job: TrainingJob
) -> dict[str, Any]:
    kept, own = kept_names(dataset), recipe.to_dict()
    of_teacher = {name: own.pop(name) for name in ("teacher_weight", "teacher_pairs")}
    return {
        "network": config.to_dict(),
        "recipe": own,
        "roles": list(job.roles),
        "hold_out": job.held_out(recipe.seed).to_dict(),
        "data": digest_json(
            [dataset.parameters, dataset.sources, dataset.peak_digests]
        ),
        **({"init_from": job.init_from.digest} if job.init_from else {}),
        **({"freeze_trunk": True} if job.freeze_trunk else {}),
        **({"kept_names": kept} if kept else {}),
        **({"teacher": [job.teacher.digest, of_teacher]} if job.teacher else {}),
    }


def _start(
    dataset: Dataset,
    config: NetworkConfig,
    recipe: Recipe,
    job: TrainingJob,
    columns: Ints,
) -> TrainingState:
    network = job.build(
        config, len(dataset.vocabulary.tfs), len(dataset.vocabulary.cells)
    )
    network.dropout = recipe.dropout
    if job.device == "cpu":
        network.backend = NUMBA
    frozen = freeze_trunk(network) if job.freeze_trunk else []
    state = initialize(network, recipe, job.device)
    if job.init_from:
        taken = init_from(state, job.init_from, dataset.vocabulary)
        check_taken(network, taken, frozen, job.warn)
        pairs = [dataset.pairs[i] for i in columns]
        hold_rows(state, dataset.vocabulary, pairs)
    return state


def _run_epoch(loop: _Loop, epoch: int, report: Callable[[Progress], None]) -> None:
    """Train on the remaining batches of an epoch."""
    state, recipe, per_epoch = loop.state, loop.recipe, loop.batches.steps_per_epoch
    n_steps = per_epoch * recipe.epochs
    state.network.train()
    for index, batch in enumerate(loop.batches.batches(epoch)):
        if epoch * per_epoch + index < state.step:
            continue  # done before the run was resumed
        loss, n_instances = loop.batches.loss(state.network, batch, state.step)
        take_step(state, loss, recipe, n_steps)
        value = float(loss.detach())
        state.epoch_loss += value
        loop.instances += n_instances
        if not np.isfinite(value):
            raise RunError(
                f"the loss became {value} at step {state.step}; train again with a "
                f"lower --learning-rate than {recipe.learning_rate:g}"
            )
        now = time.monotonic()
        if now - loop.reported >= loop.job.report_every:
            loop.reported = now
            report(Progress(state.step, n_steps, epoch + 1, value, loop.rate()))
        if now - loop.saved >= loop.job.save_every:
            loop.save()


def _finish_epoch(loop: _Loop, epoch: int) -> dict[str, Any]:
    """Validate an epoch, keep its weights if they are the best, and save the state."""
    state = loop.state
    loss, state.epoch_loss = state.epoch_loss / loop.batches.steps_per_epoch, 0.0
    metrics = {"epoch": epoch + 1, "loss": loss, "rate": loop.rate()}
    metrics |= _validate(loop)
    if metrics["score"] >= max((e["score"] for e in state.history), default=0.0):
        state.best = {n: t.clone() for n, t in state.average.items()}
    state.history.append(metrics)
    loop.save()
    return metrics


def _validate(loop: _Loop) -> dict[str, float]:
    """Compute AUROCs of the averaged weights on the validation sites."""
    dataset, network, rows = loop.dataset, loop.state.network, loop.split.valid
    held_out = np.flatnonzero(np.array(dataset.roles) == "valid2")
    trained = loop.columns[:: max(1, len(loop.columns) // _VALIDATION_PAIRS)]
    columns = np.concatenate([held_out, trained])
    indices = dataset.vocabulary.pair_indices(dataset.pairs[i] for i in columns)
    weights = {n: p.detach().clone() for n, p in network.named_parameters()}
    network.load_state_dict(loop.state.average)
    network.eval()
    try:
        bases = network.config.input_slice(dataset.seq_len, single=True)
        scores = predict_sites(
            network, dataset.codes[rows, bases], indices, loop.job.device
        )
    finally:
        network.load_state_dict(weights)
    aurocs = pair_aurocs(scores, dataset.labels(rows, columns))
    groups = {"valid2": aurocs[: len(held_out)], "trained": aurocs[len(held_out) :]}
    metrics = {
        f"auroc_{group}": float(np.nanmean(values))
        for group, values in groups.items()
        if not np.isnan(values).all()  # no pair with both classes there
    }
    # Held-out pairs alone would measure imputation directly, but they are few (17 in
    # the bundled table): the trained pairs make the choice of the epoch less noisy.
    score = float(np.mean(list(metrics.values()))) if metrics else 0.0
    return metrics | {"score": score}
