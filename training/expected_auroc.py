"""The AUROC to expect of every pair, also of pairs without measurement.

Auxiliary models, which differ in their seed, are trained without some of the base pairs.
The AUROCs of pairs that they never saw show which AUROC to expect of a pair with given
features; the disagreement of the models on a pair is one of the features. They are
weaker than the model of the card. How much better that one is, is estimated with the
held-out `valid2` pairs of its reference, a model of the same kind that was trained
without them. The result is checked on the `test3` pairs at test sites.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tfimpute_tracks.dataset import Dataset, HoldOut, split_from_record
from tfimpute_tracks.engines.site_scorer import site_scorer
from tfimpute_tracks.errors import UsageError
from tfimpute_tracks.evaluation.metrics import pair_aurocs
from tfimpute_tracks.evaluation.reliability import (
    COVERAGE,
    FEATURES,
    Expectation,
    TrainedPairs,
    check_expectation,
    fit_expectation,
    pair_features,
    seed_disagreement,
)
from tfimpute_tracks.models import Model
from tfimpute_tracks.models.registry import find_preset
from tfimpute_tracks.training.all_pairs import AllPairs
from tfimpute_tracks.training.export_checkpoint import network_model
from tfimpute_tracks.training.fit import train_model
from tfimpute_tracks.training.job import TrainingJob
from tfimpute_tracks.training.pair_scores import PairScores, subsample
from tfimpute_tracks.training.recipe import Recipe

__all__ = [
    "AuxiliarySettings",
    "FittedAuroc",
    "auroc_section",
    "fit_expected_auroc",
    "metric_section",
    "read_regression",
]

Doubles = NDArray[np.float64]
Ints = NDArray[np.int64]

_REGRESSION = ("weights", "center", "spread")  # by feature
_MAX_SITES = 1500  # validation sites that disagreement is computed on


@dataclass(frozen=True)
class AuxiliarySettings:
    """How the auxiliary models are trained.

    Parameters
    ----------
    folder : Path
        For their training states, so that a stopped run resumes.
    seeds : int
        Number of models, 2 or more.
    epochs : int
    held_out : int
        Base pairs that they are trained without, at most.
    chroms : tuple of str
        Chromosomes to train on; by default those of the model. Fewer take less time.

    Raises
    ------
    UsageError
        A number is too small.
    """

    folder: Path
    seeds: int = 3
    epochs: int = 4
    held_out: int = 60
    chroms: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.seeds < 2 or min(self.epochs, self.held_out) < 1:
            raise UsageError(
                f"{self.seeds} auxiliary models of {self.epochs} epochs without "
                f"{self.held_out} pairs; use 2 models or more, and 1 epoch and pair or "
                "more"
            )


@dataclass(frozen=True)
class FittedAuroc:
    """What the auxiliary models show.

    Attributes
    ----------
    expectation : Expectation
    disagreement : float64 array, shape (n_tfs, n_cells)
    """

    expectation: Expectation
    disagreement: Doubles


def fit_expected_auroc(
    model: Model,
    dataset: Dataset,
    settings: AuxiliarySettings,
    log: Callable[[str], None],
) -> FittedAuroc:
    """Train auxiliary models, and fit the AUROC to expect of a pair.

    Parameters
    ----------
    model : Model
        Its hold-out scheme is used. Auxiliary models have its network where that is a
        plain one, and else the default network.
    dataset : Dataset
    settings : AuxiliarySettings
    log : callable
        Called with a line per epoch.

    Returns
    -------
    FittedAuroc

    Raises
    ------
    UsageError
        Too few pairs can be held out, or a value is out of range.
    """
    reduced = _hold_out_pairs(dataset, settings.held_out)
    hold_out = model.card["hold_out"]
    models = [
        _train(model, reduced, settings, seed, log)
        for seed in range(1, settings.seeds + 1)
    ]
    valid = split_from_record(dataset, hold_out).valid
    some = subsample(valid, _MAX_SITES)
    shape = len(model.tfs), len(model.cells)
    scores = []
    for auxiliary in models:
        logits = np.empty((len(some), *shape), dtype=np.float32)
        for cells, part in AllPairs(auxiliary, dataset, some).parts():
            logits[:, :, cells] = part
        scores.append(logits.reshape(len(some), -1))
    disagreement = seed_disagreement(scores).reshape(shape)
    return FittedAuroc(_fit(models, reduced, valid, disagreement), disagreement)


def auroc_section(
    fitted: FittedAuroc,
    own: tuple[Model, PairScores],
    reference: tuple[Model, PairScores],
) -> dict[str, Any]:
    """Compute the AUROC to expect of every pair of a model.

    Parameters
    ----------
    fitted : FittedAuroc
    own, reference : (Model, PairScores)
        The model of the card, and its reference, which may be the same.

    Returns
    -------
    dict
        Section `expected` of a card: of the AUROC.
    """
    model, scores = reference
    expectation, dataset = fitted.expectation, scores.dataset
    valid, test = scores.aurocs
    features = _features(model, dataset, scores.is_trained, valid, fitted.disagreement)
    tf, cell = np.array(model.vocabulary.pair_indices(dataset.pairs)).T
    at = scores.held_out("valid2")
    at = at[~np.isnan(valid[at])]
    if len(at):
        expected = expectation.expect(features[tf[at], cell[at]])[0]
        gain = float((valid[at] - expected).mean())
        expectation = replace(expectation, mean=expectation.mean + gain)
    check = {}
    for role in ("test3", "valid2"):
        at = scores.held_out(role)
        at = at[~np.isnan(test[at])]
        if len(at):
            interval = expectation.expect(features[tf[at], cell[at]])
            check[role] = check_expectation(*interval, test[at])
    model, scores = own
    features = _features(
        model, dataset, scores.is_trained, scores.aurocs[0], fitted.disagreement
    )
    return {"auroc": metric_section(expectation, features, FEATURES, model.tfs, check)}


def metric_section(
    expectation: Expectation,
    features: Doubles,
    names: Sequence[str],
    tfs: Sequence[str],
    check: Mapping[str, Any],
) -> dict[str, Any]:
    """Format the metric to expect of every pair for the section `expected` of a card.

    Parameters
    ----------
    expectation : Expectation
    features : float64 array, shape (n_tfs, n_cells, n_features)
    names : sequence of str
        Of the features.
    tfs : sequence of str
    check : mapping
        By kind of pair, from
        :func:`~tfimpute_tracks.evaluation.reliability.check_expectation`.

    Returns
    -------
    dict
        JSON values; `rows` has the metric by TF, in thousandths, by cell line.
    """
    expected = expectation.expect(features.reshape(-1, len(names)))[0]
    rows = (1000 * expected).round().astype(int).reshape(features.shape[:2])
    regression = {
        part: dict(
            zip(names, getattr(expectation, part).round(5).tolist(), strict=True)
        )
        for part in _REGRESSION
    }
    return {
        "scale": expectation.scale,
        "margin": round(expectation.margin, 4),
        "coverage": COVERAGE,
        "n_pairs": expectation.n_pairs,
        "mean": round(expectation.mean, 5),
        **regression,
        "check": dict(check),
        "rows": {
            tf: " ".join(map(str, row))
            for tf, row in zip(tfs, rows.tolist(), strict=True)
        },
    }


def read_regression(section: Mapping[str, Any]) -> Expectation:
    """Read the regression of a metric from the section `expected` of a card.

    Parameters
    ----------
    section : mapping
        From :func:`metric_section`.

    Returns
    -------
    Expectation
    """
    weights, center, spread = (
        np.array(list(section[part].values())) for part in _REGRESSION
    )
    return Expectation(
        weights,
        center,
        np.where(spread > 0, spread, 1.0),  # of a feature that is the same everywhere
        section["mean"],
        section["margin"],
        section["n_pairs"],
        section["scale"],
    )


def _hold_out_pairs(dataset: Dataset, most: int) -> Dataset:
    """Turn base pairs whose TF and cell line have others into held-out pairs."""
    roles = np.array(dataset.roles, dtype=object)
    order = np.random.default_rng(0).permutation(np.flatnonzero(roles == "base"))
    n_held_out = 0
    for i in order:
        pair = dataset.pairs[i]
        base = [p for j, p in enumerate(dataset.pairs) if roles[j] == "base"]
        n_tf = sum(p.tf == pair.tf for p in base)
        n_cell = sum(p.cell == pair.cell for p in base)
        if n_tf > 1 and n_cell > 1 and n_held_out < most:
            roles[i], n_held_out = "valid2", n_held_out + 1
    return replace(dataset, roles=tuple(roles))


def _train(
    model: Model,
    dataset: Dataset,
    settings: AuxiliarySettings,
    seed: int,
    log: Callable[[str], None],
) -> Model:
    name = f"seed-{seed}"
    folder = settings.folder / name
    folder.mkdir(parents=True, exist_ok=True)
    preset = find_preset("default")
    recipe = Recipe(**{**preset.recipe, "seed": seed, "epochs": settings.epochs})
    # Other families take much longer to train.
    is_same = type(model.config) is type(preset.config)
    config = model.config if is_same else preset.config
    scheme = _scheme(model.card["hold_out"], dataset, settings.chroms)
    job = TrainingJob(
        folder,
        resume=True,
        test_chroms=scheme.test_chroms,
        valid_chroms=scheme.valid_chroms,
        hold_out=scheme.scheme,
    )
    run = train_model(
        dataset,
        config,
        recipe,
        job,
        lambda _: None,
        lambda e: log(f"{name}: epoch {e['epoch']}, loss {e['loss']:.4f}"),
    )
    return network_model(run.network, dataset, name)


def _scheme(
    record: Mapping[str, Any], dataset: Dataset, chroms: tuple[str, ...]
) -> HoldOut:
    """Return the scheme of a model, restricted to some training chromosomes."""
    if record["scheme"] != "chromosomes":
        return HoldOut(record["scheme"])
    valid = tuple(record["valid"])
    if not chroms:
        return HoldOut("chromosomes", tuple(record["test"]), valid)
    present = [dataset.chroms[i] for i in np.unique(dataset.chrom_id)]
    others = tuple(name for name in present if name not in {*chroms, *valid})
    return HoldOut("chromosomes", others, valid)


def _fit(
    models: Sequence[Model], dataset: Dataset, valid: Ints, disagreement: Doubles
) -> Expectation:
    roles, labels = np.array(dataset.roles), dataset.labels(valid)
    indices = dataset.vocabulary.pair_indices(dataset.pairs)
    held_out = np.flatnonzero(roles == "valid2")
    aurocs = [
        pair_aurocs(site_scorer(model, dataset, valid)(indices), labels)
        for model in models
    ]
    features = [
        _features(model, dataset, roles == "base", found, disagreement)
        for model, found in zip(models, aurocs, strict=True)
    ]
    tf, cell = np.array(indices)[held_out].T
    try:
        return fit_expectation(
            np.mean(features, axis=0)[tf, cell], np.mean(aurocs, axis=0)[held_out], tf
        )
    except ValueError as error:
        raise UsageError(f"too few pairs can be held out: {error}") from error


def _features(
    model: Model,
    dataset: Dataset,
    is_trained: NDArray[np.bool_],
    aurocs: Doubles,
    disagreement: Doubles,
) -> Doubles:
    weights = model.checkpoint.weights
    if "tf_embedding" not in weights:
        raise UsageError(
            f"{model.name} has no TF embedding, which expected AUROCs are based on; "
            "leave out the section `expected`"
        )
    tf, cell = np.array(model.vocabulary.pair_indices(dataset.pairs))[is_trained].T
    return pair_features(
        TrainedPairs(tf, cell, aurocs[is_trained]),
        weights["tf_embedding"].astype(np.float64),
        weights["cell_embedding"].astype(np.float64),
        disagreement,
    )
