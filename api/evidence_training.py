"""Weights that condition a model on measured tracks: inputs, and one call."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from tfimpute_tracks.api.context_report import check_sequence_length
from tfimpute_tracks.api.notes import log
from tfimpute_tracks.api.progress import ProgressBar, no_progress
from tfimpute_tracks.api.threads import limit_threads
from tfimpute_tracks.api.values import (
    MAX_SEED,
    as_path,
    check_model,
    check_whole,
    join_texts,
)
from tfimpute_tracks.dataset import Dataset, open_dataset
from tfimpute_tracks.errors import UsageError, counted
from tfimpute_tracks.evidence import SHIPPED, EvidenceStore, open_named
from tfimpute_tracks.models import Model, load_model, weights_path
from tfimpute_tracks.models.evidence import Evidence
from tfimpute_tracks.models.evidence_weights import (
    EvidenceConfig,
    EvidenceWeights,
    evidence_path,
    read_evidence_weights,
)
from tfimpute_tracks.models.loading import known_tracks
from tfimpute_tracks.storage import check_output_dir
from tfimpute_tracks.training.evidence_fit import (
    fit_evidence,
    sites_per_epoch,
)
from tfimpute_tracks.training.evidence_recipe import EvidenceRecipe
from tfimpute_tracks.training.evidence_sites import (
    EvidenceSites,
    held_out_sites,
    read_evidence_sites,
    trained_columns,
)
from tfimpute_tracks.training.export_evidence import EvidenceRun, export_evidence_run
from tfimpute_tracks.training.expression import read_expression
from tfimpute_tracks.training.summary_fit import summary_sites_per_epoch
from tfimpute_tracks.training.track_sites import TrackSites, read_track_sites

__all__ = ["TrainedEvidence", "train_evidence"]


class TrainedEvidence(NamedTuple):
    """Evidence weights, next to a copy of the model that they are for.

    Attributes
    ----------
    card : dict
        Of the evidence weights; `metrics` by role of the pairs.
    files : list of Path
        The copy of the model, and the evidence weights.
    """

    card: dict[str, Any]
    files: list[Path]


def train_evidence(
    data: str | Path,
    out_dir: str | Path,
    evidence: str | Path,
    *,
    model: str | Path = "default",
    epochs: int = 40,
    seed: int = 0,
    reference_card: str | Path | None = None,
    summary: str | Path | None = None,
    expression: Sequence[str | Path] = (),
    recalibrate: bool = False,
    test_chroms: str | Sequence[str] = "chr20",
    overwrite: bool = False,
    threads: int | str = "max",
    progress: ProgressBar = no_progress,
) -> TrainedEvidence:
    """Train weights that condition a model's predictions on measured peaks.

    Parameters
    ----------
    data : str or Path
        That `tfimpute-tracks prepare` wrote.
    out_dir : str or Path
    evidence : str or Path
        `encode-hg19`, or a file.
    model : str or Path
    epochs : int
        Passes over the held-out sites.
    seed : int
    reference_card : str or Path, optional
        Model with evidence weights that was trained without the held-out pairs; its card
        has the FDR thresholds and expected AUROCs of unmeasured pairs.
    summary : str or Path, optional
        Model with evidence weights of the same tracks, whose summary of tracks is used.
    expression : sequence of str or Path
        Tables of RNA: a column `tf`, and a column per cell line, in TPM.
    recalibrate : bool
        Evaluate and calibrate the evidence weights in `out_dir` again, without training.
    test_chroms : str or sequence of str
    overwrite : bool
        Replace the evidence weights if they exist.
    threads : int or "max"
    progress : ProgressBar

    Returns
    -------
    TrainedEvidence

    Raises
    ------
    UsageError, InputFileError, OutputError
        A value is invalid, a file cannot be read, or the weights exist.
    """
    path, folder = as_path(data, "data"), as_path(out_dir, "out_dir")
    tracks = as_path(evidence, "evidence")
    check_model(model)
    for name in (reference_card, summary):
        if name is not None:
            check_model(name)
    check_whole(epochs, "epochs", 1)
    check_whole(seed, "seed", 0, MAX_SEED)
    tables = [as_path(table, "expression") for table in expression]
    chroms = tuple(join_texts(test_chroms, "test_chroms").split(","))
    before = torch.get_num_threads()
    with limit_threads(threads) as n_threads:
        torch.set_num_threads(n_threads)
        try:
            recipe = EvidenceRecipe(epochs=epochs, seed=seed)
            check_output_dir(folder)
            loaded = load_model(model)
            copy = folder / weights_path(model).name
            weights_file = evidence_path(copy)
            if weights_file.exists() and not overwrite and not recalibrate:
                raise UsageError(
                    f"{weights_file} exists; use another -o, or --overwrite"
                )
            reference = _read(reference_card).card if reference_card else {}
            known = _read(summary) if summary else None
            amounts = read_expression(tables, loaded.vocabulary)
            inputs = _open(loaded, path, tracks, chroms)
            log(
                f"{counted(len(inputs.columns), 'pair')}, "
                f"{counted(len(inputs.store.tracks), 'track')}, {recipe}"
            )
            if recalibrate:
                weights, facts = _read_trained(weights_file, loaded)
            else:
                weights, facts = _train(inputs, recipe, known, progress)
            # The sequence weights are copied: one folder is one model.
            _copy_model(weights_path(model), copy)
            own = Evidence(weights, inputs.store)
            sites = inputs.held_out, inputs.test
            run = EvidenceRun(loaded, own, inputs.dataset, *sites, amounts, reference)
            with progress("every pair", 2 * len(loaded.cells), "cell lines") as advance:
                card = export_evidence_run(weights_file, run, facts, advance)
            return TrainedEvidence(card, [copy, weights_file])
        finally:
            torch.set_num_threads(before)


class _Inputs(NamedTuple):
    """What the network learns from."""

    model: Model
    dataset: Dataset
    store: EvidenceStore
    columns: NDArray[np.int64]
    held_out: NDArray[np.int64]
    test: NDArray[np.int64]


def _open(
    model: Model, data: Path, evidence: Path, test_chroms: tuple[str, ...]
) -> _Inputs:
    """Open the data set and the tracks, and choose sites and pairs."""
    dataset = open_dataset(data)
    check_sequence_length(model.name, model.config, dataset)
    columns = trained_columns(model, dataset)
    rows, test = held_out_sites(model, dataset, test_chroms)
    store = open_named(evidence)
    if store.name == SHIPPED:
        store = known_tracks(store, model.vocabulary)
    store = store.subset(store.tracks_of(dataset.pairs[i] for i in columns))
    return _Inputs(model, dataset, store, columns, rows, test)


def _train(
    inputs: _Inputs,
    recipe: EvidenceRecipe,
    known: EvidenceWeights | None,
    progress: ProgressBar,
) -> tuple[EvidenceWeights, dict[str, Any]]:
    """Read the sites and train; return the weights, and entries of their card."""
    model, dataset, store, columns, held_out, test = inputs
    config, rng = EvidenceConfig(), np.random.default_rng(recipe.seed)
    if known is not None:
        _check_summary(known, inputs, config)
    others = np.setdiff1d(np.arange(dataset.n_sites), np.union1d(held_out, test))
    some = np.sort(rng.permutation(others)[: recipe.max_trained_sites])
    log(f"scoring {len(held_out):,} held-out and {len(some):,} training sites")
    read = partial(
        read_evidence_sites, model, store, dataset, columns=columns, config=config
    )
    sites, trained = read(held_out), read(some) if len(some) else None
    summary: TrackSites | EvidenceWeights
    if known is None:
        summary = read_track_sites(store, dataset, others, config.windows, rng)
        log(f"{counted(len(summary), 'site')} for the summary of tracks")
    else:
        summary = known
    return _fit(model, (trained, sites), summary, recipe, progress)


def _fit(
    model: Model,
    own: tuple[EvidenceSites | None, EvidenceSites],
    summary: TrackSites | EvidenceWeights,
    recipe: EvidenceRecipe,
    progress: ProgressBar,
) -> tuple[EvidenceWeights, dict[str, Any]]:
    """Train; return the weights, and entries of their card."""
    trained, sites = own
    n_sites = recipe.epochs * sites_per_epoch(sites, recipe)
    if trained is not None:
        n_sites += recipe.trained_epochs * sites_per_epoch(trained, recipe)
    if isinstance(summary, TrackSites):
        n_sites += recipe.summary.epochs * summary_sites_per_epoch(
            summary, recipe.summary
        )
    with progress("train", n_sites, "sites") as advance:
        weights, history = fit_evidence(
            model, trained, sites, summary, recipe, advance, log
        )
    facts = {"model": model.name, "recipe": recipe.to_dict(), "history": history}
    if not isinstance(summary, TrackSites):
        facts["summary_of"] = summary.digest
    return weights, facts


def _check_summary(
    weights: EvidenceWeights, inputs: _Inputs, config: EvidenceConfig
) -> None:
    """Refuse a summary of other names, sizes or tracks."""
    model, store = inputs.model, inputs.store
    why = ""
    if weights.vocabulary != model.vocabulary or weights.config != config:
        why = f"has other TFs, cell lines or sizes than {model.name}"
    elif weights.card.get("evidence") != store.digest:
        # Those of held-out pairs, for example, which must not be learned from.
        why = f"was trained with other tracks than the {len(store.tracks)} of this run"
    if why:
        raise UsageError(
            f"the summary of tracks {why}; leave out --summary to train one"
        )


def _read_trained(path: Path, model: Model) -> tuple[EvidenceWeights, dict[str, Any]]:
    """Read weights, and the entries of their card about their training."""
    weights = read_evidence_weights(path)
    if weights.sequence_weights != model.checkpoint.digest:
        raise UsageError(
            f"{path} was trained for other weights than {model.name}; use --model with "
            "the model it was trained for"
        )
    names = {"model", "recipe", "history", "summary_of"}
    return weights, {k: v for k, v in weights.card.items() if k in names}


def _read(model: str | Path) -> EvidenceWeights:
    return read_evidence_weights(evidence_path(weights_path(model)))


def _copy_model(weights: Path, copy: Path) -> None:
    for source in (weights, weights.with_suffix(".json")):
        target = copy.with_suffix(source.suffix)
        if source.exists() and source.resolve() != target.resolve():
            shutil.copyfile(source, target)
