"""Where a training run happens, what it uses, and how far it is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tfimpute_tracks.dataset import (
    TEST_CHROMS,
    VALID_CHROMS,
    Dataset,
    HoldOut,
    HoldOutScheme,
)
from tfimpute_tracks.errors import UsageError
from tfimpute_tracks.models.checkpoint import Checkpoint
from tfimpute_tracks.models.network import MotifNetwork
from tfimpute_tracks.models.registry import build_network
from tfimpute_tracks.training.teacher import Teacher, TeacherLabels

__all__ = ["Progress", "TrainingJob"]


@dataclass(frozen=True)
class TrainingJob:
    """Where a run happens, which pairs and sites it uses, and how often it reports.

    Parameters
    ----------
    out_dir : Path
    roles : tuple of str
        Roles of the training pairs.
    device : str
        A torch device.
    resume : bool
        Continue from the state in `out_dir`, where there is one.
    test_chroms, valid_chroms : tuple of str
        Chromosomes held out of training: for the test and to choose the epoch.
    hold_out : {"chromosomes", "random", "alternating-peaks"}
        See :class:`~tfimpute_tracks.dataset.HoldOut`.
    build : callable
        Makes the network, as :func:`build_network` does.
    init_from : Checkpoint, optional
        Trained weights to start from, matched by name; see ``initial.py``.
    freeze_trunk : bool
        Keep the layers of `init_from` that do not depend on the pair as they are.
    teacher : Teacher, optional
        A model whose probabilities are learned together with the labels.
    teacher_labels : TeacherLabels, optional
        They; needed while epochs are left, see :func:`~tfimpute_tracks.training.fit.epochs_left`.
    save_every, report_every : float
        Seconds between saved states within an epoch, and between progress reports.
    warn : callable
        Called with a line where the initial weights lack a layer.
    """

    out_dir: Path
    roles: tuple[str, ...] = ("base",)
    device: str = "cpu"
    resume: bool = False
    test_chroms: tuple[str, ...] = TEST_CHROMS
    valid_chroms: tuple[str, ...] = VALID_CHROMS
    hold_out: HoldOutScheme = "chromosomes"
    build: Callable[..., MotifNetwork] = build_network
    init_from: Checkpoint | None = None
    freeze_trunk: bool = False
    teacher: Teacher | None = None
    teacher_labels: TeacherLabels | None = None
    save_every: float = 120.0
    report_every: float = 1.0
    warn: Callable[[str], None] = lambda _: None

    @property
    def state_path(self) -> Path:
        """File of the training state."""
        return self.out_dir / "state.safetensors"

    def columns(self, dataset: Dataset) -> NDArray[np.int64]:
        """Find the training pairs of a data set.

        Parameters
        ----------
        dataset : Dataset

        Returns
        -------
        int64 array

        Raises
        ------
        UsageError
            There is none.
        """
        columns = np.flatnonzero(np.isin(dataset.roles, self.roles))
        if not columns.size:
            raise UsageError(
                f"no pair of the data set has a role of {', '.join(self.roles)}; "
                f"its roles are {', '.join(sorted(set(dataset.roles)))}"
            )
        return columns

    def held_out(self, seed: int) -> HoldOut:
        """Return the hold-out scheme of the run.

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
    """Progress of a run.

    Attributes
    ----------
    step, n_steps : int
        Batches done, and batches in the whole run.
    epoch : int
        Counted from 1.
    loss : float
    instances_per_second : float
        Labelled (sequence, pair) instances; the time includes validation.
    """

    step: int
    n_steps: int
    epoch: int
    loss: float
    instances_per_second: float
