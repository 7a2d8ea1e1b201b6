"""The model that `train` starts from, and what it means for the data set at hand."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tfimpute_tracks.api.notes import log
from tfimpute_tracks.errors import UsageError, counted, listed

if TYPE_CHECKING:
    from tfimpute_tracks.dataset import Dataset
    from tfimpute_tracks.models import Model
    from tfimpute_tracks.training import Recipe, TrainingJob

__all__ = ["load_initial", "start_from", "warn_of_leaks"]


def load_initial(init_from: str | None, freeze: bool, keep: bool) -> Model | None:
    """Load the model of --init-from.

    Parameters
    ----------
    init_from : str, optional
    freeze, keep : bool
        Switches that need it.

    Returns
    -------
    Model or None

    Raises
    ------
    UsageError
        A switch is used without a model.
    UnknownNameError, InputFileError
        There is no such model, or it cannot be read.
    """
    from tfimpute_tracks.models import load_model

    if init_from:
        return load_model(init_from)
    if freeze or keep:
        flag = "--freeze-trunk" if freeze else "--keep-vocabulary"
        raise UsageError(f"{flag} needs --init-from; use both, or neither")
    return None


def start_from(
    initial: Model | None,
    dataset: Dataset,
    job: TrainingJob,
    recipe: Recipe,
    keep: bool,
) -> tuple[Dataset, dict[str, Any]]:
    """Say which names are found, and what was trained on already.

    Parameters
    ----------
    initial : Model, optional
    dataset : Dataset
    job : TrainingJob
    recipe : Recipe
    keep : bool
        Keep the names of the model that the data set lacks.

    Returns
    -------
    dataset : Dataset
        With the kept names.
    dict
        What the card says; empty without initial weights.
    """
    if initial is None:
        return dataset, {}
    from tfimpute_tracks.training.names import keep_names, match_names

    matches = match_names(dataset.vocabulary, initial.vocabulary)
    found = "; ".join(match.describe(keep) for match in matches)
    log(f"initial weights {initial.name}: {found}")
    if not any(match.found for match in matches):
        log(
            f"{initial.name} knows none of these names: every embedding starts from "
            "the mean",
            warning=True,
        )
    warn_of_leaks(initial, dataset, job, recipe)
    entry = {
        "model": initial.name,
        "weights": initial.checkpoint.digest,
        "tfs": matches[0].to_dict(),
        "cells": matches[1].to_dict(),
        "kept": keep,
        "frozen": "trunk" if job.freeze_trunk else None,
    }
    if keep:
        dataset = keep_names(dataset, initial.vocabulary)
    return dataset, {"initial_weights": entry}


def warn_of_leaks(
    model: Model, dataset: Dataset, job: TrainingJob, recipe: Recipe
) -> None:
    """Warn of held-out pairs and sites that a model was trained on.

    Parameters
    ----------
    model : Model
        That a run starts from, or learns from.
    dataset : Dataset
    job : TrainingJob
    recipe : Recipe
    """
    from tfimpute_tracks.dataset import trained_sites
    from tfimpute_tracks.training.names import held_out_but_trained

    if pairs := held_out_but_trained(dataset, job.roles, model.checkpoint):
        log(
            f"{model.name} was trained on {counted(len(pairs), 'held-out pair')} "
            f"({listed(pairs)}): their metrics are optimistic",
            warning=True,
        )
    held_out = job.held_out(recipe.seed)
    test = held_out.split(dataset).test
    if n := trained_sites(model.card, dataset, held_out).count(test):
        log(
            f"{model.name} may have been trained on {n:,} of the {len(test):,} test "
            "sites: metrics on them are optimistic",
            warning=True,
        )
