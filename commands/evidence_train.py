"""`evidence train`: weights that read tracks, beside those that read letters."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tfimpute_tracks.commands import options
from tfimpute_tracks.commands.console import log, print_result, progress_bar, show_json
from tfimpute_tracks.errors import UsageError

if TYPE_CHECKING:
    from tfimpute_tracks.dataset import Dataset
    from tfimpute_tracks.evidence import EvidenceStore
    from tfimpute_tracks.models import Model
    from tfimpute_tracks.models.evidence_weights import EvidenceWeights
    from tfimpute_tracks.training.evidence_fit import EvidenceRecipe

__all__ = ["train"]


def train(
    data: options.Data,
    out_dir: options.OutDir,
    evidence: Annotated[
        Path, typer.Option(help="Store that `tfimpute-tracks evidence build` made.")
    ],
    model: options.ModelName = "default",
    epochs: Annotated[int, typer.Option(min=1, help="Passes over the sites.")] = 20,
    seed: options.Seed = 0,
    reference_card: Annotated[
        str | None,
        typer.Option(
            help="Model of the same kind that was trained without the held-out pairs, "
            "with evidence weights. Its card has the FDR thresholds and expected AUROCs "
            "of unmeasured pairs."
        ),
    ] = None,
    recalibrate: Annotated[
        bool,
        typer.Option(
            "--recalibrate",
            help="Evaluate and calibrate the evidence weights in -o again; no training.",
        ),
    ] = False,
    test_chroms: options.TestChroms = "chr20",
    overwrite: options.Overwrite = False,
    threads: options.Threads = "max",
    as_json: options.Json = False,
) -> None:
    """Learn what tracks are worth to a model, each pair from those of the others."""
    import torch

    from tfimpute_tracks.commands.context_report import check_sequence_length
    from tfimpute_tracks.commands.inputs import set_threads
    from tfimpute_tracks.dataset import open_dataset
    from tfimpute_tracks.evidence import open_evidence
    from tfimpute_tracks.models import load_model, weights_path
    from tfimpute_tracks.models.evidence import Evidence
    from tfimpute_tracks.models.evidence_weights import evidence_path
    from tfimpute_tracks.storage import check_writable_dir
    from tfimpute_tracks.training.evidence_fit import EvidenceRecipe
    from tfimpute_tracks.training.export_evidence import (
        EvidenceRun,
        export_evidence_run,
    )

    recipe = EvidenceRecipe(epochs=epochs, seed=seed)
    torch.set_num_threads(set_threads(threads))
    check_writable_dir(out_dir)
    loaded = load_model(model)
    copy = out_dir / weights_path(model).name
    path = evidence_path(copy)
    if path.exists() and not overwrite and not recalibrate:
        raise UsageError(f"{path} exists; give another -o, or --overwrite")
    reference = _card(reference_card) if reference_card else {}
    dataset = open_dataset(data)
    check_sequence_length(loaded.name, loaded.config, dataset)
    columns = _learned_pairs(loaded, dataset)
    store = open_evidence(evidence)
    unseen, test = _sites(loaded, dataset, tuple(test_chroms.split(",")))
    store = store.subset(store.tracks_of(dataset.pairs[i] for i in columns))
    log(f"{len(columns)} pairs, {len(store.tracks)} tracks, {recipe}")
    if recalibrate:
        trained, facts = _trained_before(path, loaded)
    else:
        trained, facts = _learn(loaded, store, dataset, (unseen, columns), recipe)
    # The weights that read letters go with them: one folder is one model.
    _copy_model(weights_path(model), copy)
    known = Evidence(trained, store)
    run = EvidenceRun(loaded, known, dataset, unseen, test, reference)
    with progress_bar("every pair", 2 * len(loaded.cells), "cell lines") as advance:
        card = export_evidence_run(path, run, facts, lambda n: advance(n, ""))
    _show(card, as_json, [copy, path])


def _learn(
    model: Model,
    store: EvidenceStore,
    dataset: Dataset,
    chosen: tuple[Any, Any],
    recipe: EvidenceRecipe,
) -> tuple[EvidenceWeights, dict[str, Any]]:
    """Train on sites and pairs; give the weights, and what the card tells of it."""
    import numpy as np
    import torch

    from tfimpute_tracks.models.evidence_network import EvidenceNetwork
    from tfimpute_tracks.models.evidence_weights import EvidenceConfig, EvidenceWeights
    from tfimpute_tracks.training.evidence_fit import (
        read_evidence_sites,
        sequence_calibration,
        sites_per_epoch,
        train_evidence,
    )

    config = EvidenceConfig()
    log(f"reading the letters of {len(chosen[0]):,} sites")
    sites = read_evidence_sites(model, store, dataset, *chosen, config.window)
    torch.manual_seed(recipe.seed)
    network = EvidenceNetwork(config, len(model.tfs), len(model.cells))
    n_sites = recipe.epochs * sites_per_epoch(sites, recipe)
    with progress_bar("train", n_sites, "sites") as advance:
        history = train_evidence(network, sites, recipe, advance, _log)
    arrays = {name: p.detach().numpy() for name, p in network.named_parameters()}
    # Known when it is judged.
    arrays["thresholds"] = np.zeros((len(model.tfs), len(model.cells)), np.float32)
    arrays |= sequence_calibration(model)
    digest = model.checkpoint.digest
    trained = EvidenceWeights(config, model.vocabulary, digest, arrays, "", {})
    facts = {"model": model.name, "recipe": recipe.to_dict(), "history": history}
    return trained, facts


def _trained_before(path: Path, model: Model) -> tuple[EvidenceWeights, dict[str, Any]]:
    """Give weights that are there, and what their card tells of their training."""
    from tfimpute_tracks.models.evidence_weights import read_evidence_weights

    trained = read_evidence_weights(path)
    if trained.sequence_weights != model.checkpoint.digest:
        raise UsageError(f"{path} belongs to other weights than {model.name}")
    told = {"model", "recipe", "history"}
    return trained, {k: v for k, v in trained.card.items() if k in told}


def _card(model: str) -> dict[str, Any]:
    from tfimpute_tracks.models import weights_path
    from tfimpute_tracks.models.evidence_weights import (
        evidence_path,
        read_evidence_weights,
    )

    return read_evidence_weights(evidence_path(weights_path(model))).card


def _learned_pairs(model: Model, dataset: Dataset) -> Any:
    """Give the columns of the pairs that the model was trained on."""
    import numpy as np

    seen = [model.status(pair) == "trained" for pair in dataset.pairs]
    if not any(seen):  # a card that does not tell
        seen = [role == "base" for role in dataset.roles]
    return np.flatnonzero(seen)


def _sites(
    model: Model, dataset: Dataset, test_chroms: tuple[str, ...]
) -> tuple[Any, Any]:
    """Find the sites that trained nothing of the model, and those to judge on."""
    import numpy as np

    from tfimpute_tracks.dataset import HoldOut, trained_sites

    kept = HoldOut("chromosomes", test_chroms)
    test = kept.split(dataset).test
    seen = trained_sites(model.card, dataset, kept).rows
    unseen = np.setdiff1d(np.arange(dataset.n_sites), np.union1d(seen, test))
    if not len(unseen):
        raise UsageError(
            f"every site of the data set but those of {', '.join(test_chroms)} trained "
            f"{model.name}, and what it says of those is believed too readily; give a "
            "data set with a chromosome that was kept to choose the epoch by"
        )
    return unseen, test


def _copy_model(weights: Path, copy: Path) -> None:
    for source in (weights, weights.with_suffix(".json")):
        target = copy.with_suffix(source.suffix)
        if source.exists() and source.resolve() != target.resolve():
            shutil.copyfile(source, target)


def _log(figures: dict[str, Any]) -> None:
    log(f"epoch {figures['epoch']}: loss {figures['loss']:.5f}")


def _show(card: dict[str, Any], as_json: bool, files: list[Path]) -> None:
    if as_json:
        show_json({"metrics": card["metrics"], "files": list(map(str, files))})
        return
    for role, figures in card["metrics"].items():
        auroc, precision = (
            "-" if figures[name] is None else f"{figures[name]:.4f}"
            for name in ("auroc", "average_precision")
        )
        print_result(
            f"{role}: AUROC {auroc}, average precision {precision}, "
            f"{figures['pairs']} pairs, own tracks hidden"
        )
    print_result(" ".join(map(str, files)))
