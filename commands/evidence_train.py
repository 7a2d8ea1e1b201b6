"""`evidence train`: weights that condition a model on measured tracks."""

from __future__ import annotations

import shutil
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import typer

from tfimpute_tracks.commands import options
from tfimpute_tracks.commands.console import log, print_result, progress_bar, show_json
from tfimpute_tracks.errors import UsageError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from tfimpute_tracks.dataset import Dataset
    from tfimpute_tracks.evidence import EvidenceStore
    from tfimpute_tracks.models import Model
    from tfimpute_tracks.models.evidence_weights import EvidenceConfig, EvidenceWeights
    from tfimpute_tracks.training.evidence_fit import EvidenceRecipe
    from tfimpute_tracks.training.evidence_sites import EvidenceSites
    from tfimpute_tracks.training.track_sites import TrackSites

__all__ = ["train"]


def train(
    data: options.Data,
    out_dir: options.OutDir,
    evidence: Annotated[
        str,
        typer.Option(
            help="Evidence file that `tfimpute-tracks evidence build` wrote, or "
            "`encode-hg19`, which comes with the package."
        ),
    ],
    model: options.ModelName = "default",
    epochs: Annotated[
        int, typer.Option(min=1, help="Passes over the held-out sites.")
    ] = 20,
    seed: options.Seed = 0,
    reference_card: Annotated[
        str | None,
        typer.Option(
            help="Model of the same kind that was trained without the held-out pairs, "
            "with evidence weights. Its card has the FDR thresholds and expected AUROCs "
            "of unmeasured pairs."
        ),
    ] = None,
    summary: Annotated[
        str | None,
        typer.Option(
            help="Model with evidence weights of the same tracks: their summary of "
            "tracks is used, not trained again."
        ),
    ] = None,
    expression: Annotated[
        list[Path] | None,
        typer.Option(
            help="Table of RNA: a column `tf`, and a column per cell line (TPM). May be "
            "given twice. What to expect of a pair depends on it."
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
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace the file if it exists.")
    ] = False,
    threads: options.Threads = "max",
    as_json: options.Json = False,
) -> None:
    """Train weights that condition a model's predictions on measured peaks."""
    import torch

    from tfimpute_tracks.api.context_report import check_sequence_length
    from tfimpute_tracks.api.threads import set_threads
    from tfimpute_tracks.dataset import open_dataset
    from tfimpute_tracks.evidence import SHIPPED, open_named
    from tfimpute_tracks.models import load_model, weights_path
    from tfimpute_tracks.models.evidence import Evidence
    from tfimpute_tracks.models.evidence_weights import evidence_path
    from tfimpute_tracks.models.loading import known_tracks
    from tfimpute_tracks.storage import check_output_dir
    from tfimpute_tracks.training.evidence_fit import EvidenceRecipe
    from tfimpute_tracks.training.evidence_sites import held_out_sites, trained_columns
    from tfimpute_tracks.training.export_evidence import (
        EvidenceRun,
        export_evidence_run,
    )
    from tfimpute_tracks.training.expression import read_expression

    recipe = EvidenceRecipe(epochs=epochs, seed=seed)
    torch.set_num_threads(set_threads(threads))
    check_output_dir(out_dir)
    loaded = load_model(model)
    copy = out_dir / weights_path(model).name
    path = evidence_path(copy)
    if path.exists() and not overwrite and not recalibrate:
        raise UsageError(f"{path} exists; use another -o, or --overwrite")
    reference = _read(reference_card).card if reference_card else {}
    known = _read(summary) if summary else None
    amounts = read_expression(expression or (), loaded.vocabulary)
    dataset = open_dataset(data)
    check_sequence_length(loaded.name, loaded.config, dataset)
    columns = trained_columns(loaded, dataset)
    rows, test = held_out_sites(loaded, dataset, tuple(test_chroms.split(",")))
    store = open_named(evidence)
    if store.name == SHIPPED:
        store = known_tracks(store, loaded.vocabulary)
    store = store.subset(store.tracks_of(dataset.pairs[i] for i in columns))
    log(f"{len(columns)} pairs, {len(store.tracks)} tracks, {recipe}")
    if recalibrate:
        weights, facts = _read_trained(path, loaded)
    else:
        inputs = _Inputs(loaded, dataset, store, columns, rows, test)
        weights, facts = _train(inputs, recipe, known)
    # The sequence weights are copied: one folder is one model.
    _copy_model(weights_path(model), copy)
    evidence_of = Evidence(weights, store)
    run = EvidenceRun(loaded, evidence_of, dataset, rows, test, amounts, reference)
    with progress_bar("every pair", 2 * len(loaded.cells), "cell lines") as advance:
        card = export_evidence_run(path, run, facts, lambda n: advance(n, ""))
    _show(card, as_json, [copy, path])


class _Inputs(NamedTuple):
    """What the network learns from."""

    model: Model
    dataset: Dataset
    store: EvidenceStore
    columns: NDArray[np.int64]
    held_out: NDArray[np.int64]
    test: NDArray[np.int64]


def _train(
    inputs: _Inputs, recipe: EvidenceRecipe, known: EvidenceWeights | None
) -> tuple[EvidenceWeights, dict[str, Any]]:
    """Read the sites and train; return the weights, and entries of their card."""
    import numpy as np

    from tfimpute_tracks.models.evidence_weights import EvidenceConfig
    from tfimpute_tracks.training.evidence_sites import read_evidence_sites
    from tfimpute_tracks.training.track_sites import read_track_sites

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
        log(f"{len(summary):,} sites for the summary of tracks")
    else:
        summary = known
    return _fit(model, trained, sites, summary, recipe)


def _fit(
    model: Model,
    trained: EvidenceSites | None,
    sites: EvidenceSites,
    summary: TrackSites | EvidenceWeights,
    recipe: EvidenceRecipe,
) -> tuple[EvidenceWeights, dict[str, Any]]:
    """Train; return the weights, and entries of their card."""
    from tfimpute_tracks.training.evidence_fit import fit_evidence, sites_per_epoch
    from tfimpute_tracks.training.summary_fit import summary_sites_per_epoch
    from tfimpute_tracks.training.track_sites import TrackSites

    n_sites = recipe.epochs * sites_per_epoch(sites, recipe)
    if trained is not None:
        n_sites += recipe.trained_epochs * sites_per_epoch(trained, recipe)
    if isinstance(summary, TrackSites):
        n_sites += recipe.summary.epochs * summary_sites_per_epoch(
            summary, recipe.summary
        )
    with progress_bar("train", n_sites, "sites") as advance:
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
    from tfimpute_tracks.models.evidence_weights import read_evidence_weights

    weights = read_evidence_weights(path)
    if weights.sequence_weights != model.checkpoint.digest:
        raise UsageError(
            f"{path} was trained for other weights than {model.name}; use --model with "
            "the model it was trained for"
        )
    names = {"model", "recipe", "history", "summary_of"}
    return weights, {k: v for k, v in weights.card.items() if k in names}


def _read(model: str) -> EvidenceWeights:
    from tfimpute_tracks.models import weights_path
    from tfimpute_tracks.models.evidence_weights import (
        evidence_path,
        read_evidence_weights,
    )

    return read_evidence_weights(evidence_path(weights_path(model)))


def _copy_model(weights: Path, copy: Path) -> None:
    for source in (weights, weights.with_suffix(".json")):
        target = copy.with_suffix(source.suffix)
        if source.exists() and source.resolve() != target.resolve():
            shutil.copyfile(source, target)


def _show(card: dict[str, Any], as_json: bool, files: list[Path]) -> None:
    if as_json:
        show_json({"metrics": card["metrics"], "files": list(map(str, files))})
        return
    for role, means in card["metrics"].items():
        auroc, precision = (
            "-" if means[name] is None else f"{means[name]:.4f}"
            for name in ("auroc", "average_precision")
        )
        print_result(
            f"{role}: AUROC {auroc}, average precision {precision}, "
            f"{means['pairs']} pairs, own tracks hidden"
        )
    print_result(" ".join(map(str, files)))
