"""The teacher of `train`: a model that also reads measured tracks."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from tfimpute_tracks.api.context_report import check_sequence_length
from tfimpute_tracks.api.evidence_choice import choose_evidence
from tfimpute_tracks.api.initial_weights import warn_of_leaks
from tfimpute_tracks.api.notes import log
from tfimpute_tracks.api.progress import ProgressBar
from tfimpute_tracks.dataset import Dataset
from tfimpute_tracks.errors import UsageError, counted
from tfimpute_tracks.models import load_model
from tfimpute_tracks.models.config import NetworkConfig
from tfimpute_tracks.training import Recipe, TrainingJob
from tfimpute_tracks.training.fit import epochs_left
from tfimpute_tracks.training.teacher import Teacher

__all__ = ["ask_teacher", "with_teacher"]


def with_teacher(
    job: TrainingJob,
    name: str | Path | None,
    evidence: str | Path,
    dataset: Dataset,
    recipe: Recipe,
) -> TrainingJob:
    """Load a teacher, with the tracks of the training pairs and accessibility.

    What a track of a held-out pair says must not be learned.

    Parameters
    ----------
    job : TrainingJob
    name : str or Path, optional
        A model with evidence weights; None for no teacher.
    evidence : str or Path
        `auto`, the name of the evidence of the package, or a file.
    dataset : Dataset
    recipe : Recipe

    Returns
    -------
    TrainingJob

    Raises
    ------
    UsageError
        It reads no evidence for the data set's genome, or lacks names of the data set.
    UnknownNameError, InputFileError
        There is no such model or evidence, or it cannot be read.
    """
    if name is None:
        return job
    sizes = dict(zip(dataset.chroms, dataset.chrom_sizes, strict=True))
    pairs = [dataset.pairs[i] for i in job.columns(dataset)]
    model = load_model(name)
    model = choose_evidence(model, name, evidence, sizes, "the data set's genome")
    Teacher(model).check(pairs)
    try:
        check_sequence_length(f"teacher {model.name}", model.config, dataset)
    except UsageError as error:
        raise UsageError(f"teacher {model.name}: {error}") from error
    warn_of_leaks(model, dataset, job, recipe)
    assert model.evidence is not None
    known = model.evidence.subset(pairs)
    log(f"teacher {model.name}, with {counted(len(known.store.tracks), 'track')}")
    return replace(job, teacher=Teacher(replace(model, evidence=known), job.device))


def ask_teacher(
    dataset: Dataset,
    config: NetworkConfig,
    recipe: Recipe,
    job: TrainingJob,
    progress: ProgressBar,
) -> TrainingJob:
    """Compute the probabilities that a run learns from, if epochs are left.

    Parameters
    ----------
    dataset : Dataset
    config : NetworkConfig
    recipe : Recipe
    job : TrainingJob
        With a teacher or without.
    progress : ProgressBar

    Returns
    -------
    TrainingJob
        With the probabilities.

    Raises
    ------
    UsageError, InputFileError
        The run that is to be resumed is another one, or cannot be read.
    WriteError
        The disk is full.
    """
    if job.teacher is None or not epochs_left(dataset, config, recipe, job):
        return job
    rows = job.held_out(recipe.seed).split(dataset).train
    with progress("teacher", len(rows), "sites") as advance:
        labels = job.teacher.labels(
            job.out_dir,
            dataset,
            rows,
            job.columns(dataset),
            recipe,
            lambda n: advance(n, ""),
        )
    return replace(job, teacher_labels=labels)
