"""The teacher of `train`: a model that also reads measured tracks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from tfimpute_tracks.api.evidence_choice import choose_evidence
from tfimpute_tracks.api.notes import log
from tfimpute_tracks.api.progress import ProgressBar
from tfimpute_tracks.dataset import Dataset
from tfimpute_tracks.errors import counted
from tfimpute_tracks.models import Model, load_model
from tfimpute_tracks.models.evidence import Evidence
from tfimpute_tracks.training import Recipe, TrainingJob
from tfimpute_tracks.training.teacher import (
    TeacherLabels,
    check_teacher,
    teacher_labels,
)
from tfimpute_tracks.vocabulary import Pair

__all__ = ["ask_teacher", "load_teacher"]


def load_teacher(
    name: str | Path, evidence: str | Path, dataset: Dataset, pairs: Sequence[Pair]
) -> Model:
    """Load a teacher, with the tracks of some pairs and accessibility as its evidence.

    Parameters
    ----------
    name : str or Path
        A model with evidence weights.
    evidence : str or Path
        `auto`, the name of the evidence of the package, or a file.
    dataset : Dataset
    pairs : sequence of Pair
        Those to train on: what a held-out pair's track says must not be learned.

    Returns
    -------
    Model

    Raises
    ------
    UsageError
        It reads no evidence for the data set's genome, or lacks names of the data set.
    UnknownNameError, InputFileError
        There is no such model or evidence, or it cannot be read.
    """
    sizes = dict(zip(dataset.chroms, dataset.chrom_sizes, strict=True))
    teacher = load_model(name)
    teacher = choose_evidence(teacher, name, evidence, sizes, "the data set's genome")
    check_teacher(teacher, dataset)
    assert teacher.evidence is not None
    weights, store = teacher.evidence.weights, teacher.evidence.store
    store = store.subset(store.tracks_of(pairs))
    log(f"teacher {teacher.name}, with {counted(len(store.tracks), 'track')}")
    return replace(teacher, evidence=Evidence(weights, store))


def ask_teacher(
    teacher: Model,
    dataset: Dataset,
    recipe: Recipe,
    job: TrainingJob,
    progress: ProgressBar,
) -> TeacherLabels:
    """Compute the probabilities that a run learns from, in its folder.

    Parameters
    ----------
    teacher : Model
    dataset : Dataset
    recipe : Recipe
    job : TrainingJob
    progress : ProgressBar

    Returns
    -------
    TeacherLabels
    """
    rows = job.held_out(recipe.seed).split(dataset).train
    with progress("teacher", len(rows), "sites") as advance:
        return teacher_labels(
            job.out_dir,
            teacher,
            dataset,
            rows,
            job.columns(dataset),
            recipe,
            job.device,
            lambda n: advance(n, ""),
        )
