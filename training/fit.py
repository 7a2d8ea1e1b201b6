"""The training loop: every sequence once per epoch, all its labelled pairs together.

The paper ran one convolution per (sequence, pair) instance. Here a batch of sequences
is convolved once, both strands, and its pooled windows meet the gates of all pairs in
one matrix product. On a CPU the convolution runs through look-up tables, and products
in bfloat16 where the processor has it; on a GPU everything is plain PyTorch. What a
step teaches is the business of ``lessons.py``.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tfimpute_tracks.dataset import (
    TEST_CHROMS,
    VALID_CHROMS,
    Dataset,
    HoldOut,
    Split,
    Way,
    iterate_batches,
)
from tfimpute_tracks.engines.numba_backend import NUMBA
from tfimpute_tracks.engines.sites import predict_sites
from tfimpute_tracks.errors import RunError, UsageError
from tfimpute_tracks.evaluation import pair_aurocs
from tfimpute_tracks.models.checkpoint import Checkpoint
from tfimpute_tracks.models.config import NetworkConfig
from tfimpute_tracks.models.network import TORCH, MotifNetwork
from tfimpute_tracks.models.registry import build_network
from tfimpute_tracks.models.residual import ResidualTFImpute
from tfimpute_tracks.storage.digest import digest_json
from tfimpute_tracks.training.batches import Lessons
from tfimpute_tracks.training.context_fit import ContextFit, fit_context
from tfimpute_tracks.training.recipe import Recipe
from tfimpute_tracks.training.state import (
    TrainingState,
    init_from,
    initialize,
    load_state,
    save_state,
    take_step,
)

__all__ = ["Progress", "TrainingJob", "TrainingRun", "train_model"]

Ints = NDArray[np.int64]

_SAVE_EVERY = 120.0  # seconds between saved states inside an epoch
_REPORT_EVERY = 1.0  # seconds
_VALIDATED_TRAINED = (
    60  # trained pairs that an epoch is judged on, beside the held-out ones
)


@dataclass(frozen=True)
class TrainingJob:
    """Where a run happens and what it may learn from.

    Parameters
    ----------
    out_dir : Path
    roles : tuple of str
        Roles of the pairs to learn from.
    device : str
        A torch device.
    resume : bool
        Go on from the state in `out_dir`, where there is one.
    test_chroms, valid_chroms : tuple of str
        Chromosomes that train nothing: to test on, and to choose the epoch by.
    hold_out : {"chromosomes", "chance", "fold"}
        Another way to choose the sites that train nothing.
    build : callable
        Makes the network, as :func:`build_network` does.
    begin : Checkpoint, optional
        Trained weights to begin with, as far as they fit.
    """

    out_dir: Path
    roles: tuple[str, ...] = ("base",)
    device: str = "cpu"
    resume: bool = False
    test_chroms: tuple[str, ...] = TEST_CHROMS
    valid_chroms: tuple[str, ...] = VALID_CHROMS
    hold_out: Way = "chromosomes"
    build: Callable[..., MotifNetwork] = build_network
    begin: Checkpoint | None = None

    @property
    def state_path(self) -> Path:
        """Where the state of the run is kept."""
        return self.out_dir / "state.safetensors"

    def kept(self, seed: int) -> HoldOut:
        """Tell how sites are kept from training.

        Parameters
        ----------
        seed : int
            Of the recipe.

        Returns
        -------
        HoldOut
        """
        return HoldOut(self.hold_out, self.test_chroms, self.valid_chroms, seed)


@dataclass(frozen=True)
class Progress:
    """What a run tells while it goes on.

    Attributes
    ----------
    step, n_steps : int
        Batches done, and batches in the whole run.
    epoch : int
        Counted from 1.
    loss : float
    instances_per_second : float
        Labelled (sequence, pair) instances, validation included in the time.
    """

    step: int
    n_steps: int
    epoch: int
    loss: float
    instances_per_second: float


@dataclass
class TrainingRun:
    """A finished run.

    Attributes
    ----------
    network : MotifNetwork
        On the CPU, with the weights of the best epoch.
    history : list of dict
        Figures of each epoch.
    split : Split
        Rows of the data set.
    columns : int64 array
        Pairs learned from.
    around : AroundFit, optional
        What came of fitting the surroundings, where the network looks at them and the
        data set has them.
    """

    network: MotifNetwork
    history: list[dict[str, Any]]
    split: Split
    columns: Ints
    around: ContextFit | None = None


@dataclass
class _Meter:
    """Counts labelled instances and seconds of this process."""

    instances: int = 0
    began: float = field(default_factory=time.monotonic)
    reported: float = 0.0
    saved: float = field(default_factory=time.monotonic)

    def rate(self) -> float:
        return self.instances / max(time.monotonic() - self.began, 1e-9)


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
        Called with the figures of every epoch.

    Returns
    -------
    TrainingRun
        The best epoch on the validation sites, by the mean of two mean AUROCs:
        of the `valid2` pairs, and of a sample of the trained pairs.

    Raises
    ------
    UsageError
        The data set has sequences of another length, or no pair to learn from.
    RunError
        The loss is no longer finite.
    OutputError, WriteError
        The state cannot be saved.
    """
    config.input_slice(dataset.seq_len)  # or refuse sequences that are too short
    columns = np.flatnonzero(np.isin(dataset.roles, job.roles))
    if not columns.size:
        raise UsageError(
            f"no pair of the data set has a role of {', '.join(job.roles)}; "
            f"its roles are {', '.join(sorted(set(dataset.roles)))}"
        )
    split = job.kept(recipe.seed).split(dataset)
    state = _start(dataset, config, recipe, job)
    identity = _identity(dataset, config, recipe, job)
    if job.resume and job.state_path.exists():
        load_state(job.state_path, state, identity)
    per_epoch = -(-len(split.train) // recipe.batch_size)
    meter = _Meter()
    # An epoch is over when it is judged, not when its last batch is done: a run may be
    # killed in between.
    for epoch in range(len(state.history), recipe.epochs):
        _run_epoch(
            _Epoch(dataset, split.train, columns, recipe, job, epoch, per_epoch),
            state,
            meter,
            lambda: save_state(job.state_path, state, identity),
            report,
        )
        loss, state.epoch_loss = state.epoch_loss / per_epoch, 0.0
        figures = {"epoch": epoch + 1, "loss": loss, "rate": meter.rate()}
        figures |= _validate(state, dataset, split.valid, columns, job.device)
        if figures["score"] >= max((e["score"] for e in state.history), default=0.0):
            state.best = {n: t.clone() for n, t in state.average.items()}
        state.history.append(figures)
        save_state(job.state_path, state, identity)
        log(figures)
    network = job.build(
        config, len(dataset.vocabulary.tfs), len(dataset.vocabulary.cells)
    )
    network.load_state_dict({name: t.cpu() for name, t in state.best.items()})
    around = fit_context(network.eval(), dataset, split, columns)
    return TrainingRun(network, state.history, split, columns, around)


def _identity(
    dataset: Dataset, config: NetworkConfig, recipe: Recipe, job: TrainingJob
) -> dict[str, Any]:
    # Chromosomes are told as they always were, so that older states go on.
    held_out: Any = [list(job.test_chroms), list(job.valid_chroms)]
    if job.hold_out != "chromosomes":
        held_out = job.kept(recipe.seed).record()
    return {
        "network": config.to_dict(),
        "recipe": recipe.to_dict(),
        "roles": list(job.roles),
        "held_out": held_out,
        "data": digest_json(
            [dataset.parameters, dataset.sources, dataset.peak_digests]
        ),
        **({"begin": job.begin.digest} if job.begin else {}),
    }


def _start(
    dataset: Dataset, config: NetworkConfig, recipe: Recipe, job: TrainingJob
) -> TrainingState:
    network = job.build(
        config,
        len(dataset.vocabulary.tfs),
        len(dataset.vocabulary.cells),
        NUMBA if job.device == "cpu" else TORCH,
    )
    if isinstance(network, ResidualTFImpute):
        network.dropout = recipe.dropout
    state = initialize(network, recipe, job.device)
    if job.begin:
        init_from(state, job.begin)
    return state


@dataclass(frozen=True)
class _Epoch:
    """What one pass over the training sites reads."""

    dataset: Dataset
    rows: Ints
    columns: Ints
    recipe: Recipe
    job: TrainingJob
    epoch: int
    per_epoch: int


def _run_epoch(
    epoch: _Epoch,
    state: TrainingState,
    meter: _Meter,
    save: Callable[[], None],
    report: Callable[[Progress], None],
) -> None:
    """Go through the batches that are left of an epoch."""
    recipe = epoch.recipe
    lessons = Lessons(
        epoch.dataset, epoch.rows, epoch.columns, recipe, epoch.job.device
    )
    state.network.train()
    n_steps = epoch.per_epoch * recipe.epochs
    batches = iterate_batches(epoch.rows, recipe.batch_size, recipe.seed, epoch.epoch)
    for index, rows in enumerate(batches):
        if epoch.epoch * epoch.per_epoch + index < state.step:
            continue  # done before the run was resumed
        loss, n_instances = lessons.loss(state.network, rows, state.step)
        take_step(state, loss, recipe, n_steps)
        loss_here = float(loss.detach())
        state.epoch_loss += loss_here
        meter.instances += n_instances
        _attend(epoch, state, meter, loss_here, n_steps, save, report)


def _attend(
    epoch: _Epoch,
    state: TrainingState,
    meter: _Meter,
    loss: float,
    n_steps: int,
    save: Callable[[], None],
    report: Callable[[Progress], None],
) -> None:
    if not np.isfinite(loss):
        raise RunError(
            f"the loss became {loss} at step {state.step}; lower the learning rate "
            f"(now {epoch.recipe.learning_rate:g}) and train again"
        )
    now = time.monotonic()
    if now - meter.reported >= _REPORT_EVERY:
        meter.reported = now
        report(Progress(state.step, n_steps, epoch.epoch + 1, loss, meter.rate()))
    if now - meter.saved >= _SAVE_EVERY:
        meter.saved = now
        save()


def _validate(
    state: TrainingState, dataset: Dataset, rows: Ints, columns: Ints, device: str
) -> dict[str, float]:
    """Judge the averaged weights on the validation sites."""
    held_out = np.flatnonzero(np.array(dataset.roles) == "valid2")
    seen = columns[:: max(1, len(columns) // _VALIDATED_TRAINED)]
    judged = np.concatenate([held_out, seen])
    indices = dataset.vocabulary.pair_indices(dataset.pairs[i] for i in judged)
    weights = {n: p.detach().clone() for n, p in state.network.named_parameters()}
    state.network.load_state_dict(state.average)
    state.network.eval()
    try:
        letters = state.network.config.input_slice(dataset.seq_len, single=True)
        codes = dataset.codes[rows, letters]
        scores = predict_sites(state.network, codes, indices, device)
    finally:
        state.network.load_state_dict(weights)
    aurocs = pair_aurocs(scores, dataset.labels(rows, judged))
    by_group = {"valid2": aurocs[: len(held_out)], "trained": aurocs[len(held_out) :]}
    figures = {
        f"auroc_{group}": float(np.nanmean(values))
        for group, values in by_group.items()
        if not np.isnan(values).all()  # no pair with both classes there
    }
    # The held-out pairs alone would be the plain judge of imputation, but they are few
    # (17 in the bundled table): the trained pairs steady it.
    score = float(np.mean(list(figures.values()))) if figures else 0.0
    return figures | {"score": score}
